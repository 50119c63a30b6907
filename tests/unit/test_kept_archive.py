# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive of a module, kept in memory: it gives what was shipped, and nothing that was put in its place."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.library import LIBRARY
from support.packed import packed

PREFIX = "ansible_collections.vya.backupdb.plugins.module_utils"
KeptArchive = importlib.import_module(f"{PREFIX}.module_support.kept_archive").KeptArchive
FILES = {
    "shelf/__init__.py": "",
    "shelf/one.py": "from .inner import name",
    "shelf/inner/__init__.py": "name = __name__",
    "shelf/umlaut.py": "text = 'ä'",
}
# As Ansible packs a module: it is imported from the archive, and the archive is gone before the rest is.
OUTLIVES = """
import os, sys
archive = sys.argv[1]
sys.path.insert(0, archive)
from ansible_collections.vya.backupdb.plugins.module_utils.module_support import kept_archive
kept_archive.keep_archive()
os.unlink(archive)
os.makedirs(f"{archive}/ansible_collections")
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.age import bech32
print(bech32.__name__.rpartition(".")[2])
"""


@pytest.fixture
def _kept() -> Iterator[None]:
    finder = KeptArchive(packed(FILES))
    sys.meta_path.insert(0, finder)
    yield
    sys.meta_path.remove(finder)
    for name in [name for name in sys.modules if name.partition(".")[0] == "shelf"]:
        del sys.modules[name]


@pytest.mark.usefixtures("_kept")
def test_packages_and_modules_are_imported_from_memory() -> None:
    assert importlib.import_module("shelf.one").name == "shelf.inner"
    assert importlib.import_module("shelf.umlaut").text == "ä"


@pytest.mark.usefixtures("_kept")
def test_what_is_not_in_the_archive_is_looked_for_as_always(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("shelf.other")
    (tmp_path / "besides_the_shelf.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    assert importlib.import_module("besides_the_shelf").__file__ == str(tmp_path / "besides_the_shelf.py")


@pytest.mark.usefixtures("_kept")
def test_a_name_of_the_archive_comes_from_nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf" / "__init__.py").write_text("raise SystemExit('forged')")
    monkeypatch.syspath_prepend(tmp_path)
    assert importlib.import_module("shelf").__spec__.origin == "shelf/__init__.py"


def test_a_process_imports_from_an_archive_that_is_gone(tmp_path: Path) -> None:
    base = "ansible_collections/vya/backupdb/plugins/module_utils"
    files = {f"{base}/{path.relative_to(LIBRARY)}": path.read_text("utf-8") for path in LIBRARY.rglob("*.py")}
    places = [*Path(base).parents][-2::-1]
    files.update({f"{place}/__init__.py": "" for place in [*places, Path(base)]})
    archive = tmp_path / "payload.zip"
    archive.write_bytes(packed(files))
    done = subprocess.run(
        [sys.executable, "-c", OUTLIVES, str(archive)], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stdout) == (0, "bech32\n"), done.stderr
