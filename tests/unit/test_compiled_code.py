# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules leave compiled for the next call: used for the same source only, and nobody else's."""

from __future__ import annotations

import ast
import importlib
import marshal
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.ansible import ROOT
from support.packed import packed

PREFIX = "ansible_collections.vya.backupdb.plugins.module_utils"
compiled_code = importlib.import_module(f"{PREFIX}.module_support.compiled_code")
# As Ansible runs a module: from its archive, which says where what is compiled stays.
CALL = """
import sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.vya.backupdb.plugins.module_utils.module_support import compiled_code, kept_archive
compiled_code.BASE = sys.argv[2]
kept_archive.keep_archive()
from shelf import book
print(book.WORD, book.__file__ == f"{sys.argv[1]}/shelf/book.py")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(compiled_code, "BASE", str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return tmp_path / f"backupdb-code-{os.geteuid()}"


def code_of(source: str, *, forged: bool = False) -> Any:
    """What a call gets for a source; a forged one leaves other code for it."""
    known = compiled_code.CompiledCode("shelf")
    code = known.of("shelf.book", source.encode(), "/shelf/book.py")
    if forged:
        ((digest, _code),) = known._made.values()
        known._made = {"shelf.book": (digest, marshal.dumps(compile("WORD = 'forged'", "", "exec")))}
    known.save()
    return word_of(code)


def word_of(code: Any) -> Any:
    found: dict[str, Any] = {}
    exec(code, found)  # noqa: S102
    return found["WORD"]


def test_the_next_call_uses_what_was_left_for_the_same_source(folder: Path) -> None:
    assert code_of("WORD = 1", forged=True) == 1
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600]
    assert code_of("WORD = 1") == "forged"  # so it was not compiled
    assert code_of("WORD = 2") == 2
    assert code_of("WORD = 2") == 2


def test_names_that_a_call_did_not_need_stay(folder: Path) -> None:
    code_of("WORD = 1", forged=True)
    other = compiled_code.CompiledCode("shelf")
    other.of("shelf.other", b"", "")
    other.save()
    assert code_of("WORD = 1") == "forged"


@pytest.mark.parametrize("mode", [0o750, 0o707])
def test_a_folder_that_others_may_enter_is_not_used(folder: Path, mode: int) -> None:
    code_of("WORD = 1", forged=True)
    folder.chmod(mode)
    assert code_of("WORD = 1") == 1
    (left,) = folder.iterdir()
    before = left.read_bytes()
    code_of("WORD = 2")
    assert left.read_bytes() == before


def test_a_file_that_others_may_read_is_not_used(folder: Path) -> None:
    code_of("WORD = 1", forged=True)
    (left,) = folder.iterdir()
    left.chmod(0o644)
    assert code_of("WORD = 1") == 1


def test_a_link_in_place_of_the_folder_is_not_followed(folder: Path, tmp_path: Path) -> None:
    code_of("WORD = 1", forged=True)
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to("elsewhere")
    assert code_of("WORD = 1") == 1


def test_a_folder_of_somebody_else_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code_of("WORD = 1", forged=True)
    somebody = os.geteuid() + 1
    folder.rename(folder.with_name(f"backupdb-code-{somebody}"))
    monkeypatch.setattr(os, "geteuid", lambda: somebody)
    assert code_of("WORD = 1") == 1


@pytest.mark.parametrize("keep", [0, 10, 32, -1])
def test_a_file_that_is_not_whole_is_made_again(folder: Path, keep: int) -> None:
    code_of("WORD = 1", forged=True)
    (left,) = folder.iterdir()
    left.write_bytes(left.read_bytes()[:keep])
    assert code_of("WORD = 1") == 1
    assert len(left.read_bytes()) > 32


def test_something_else_in_place_of_the_file_stops_nothing(folder: Path) -> None:
    code_of("WORD = 1", forged=True)
    (left,) = folder.iterdir()
    left.unlink()
    left.mkdir()
    assert code_of("WORD = 1") == 1
    assert [path.name for path in folder.iterdir()] == [left.name]


def test_where_python_shall_leave_no_code_none_is_left(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert code_of("WORD = 1") == 1
    assert not folder.exists()


def test_a_module_leaves_its_code_and_finds_it_when_the_archive_lies_elsewhere(tmp_path: Path) -> None:
    outputs, left = [], []
    for number in range(2):
        archive = tmp_path / f"payload{number}.zip"
        archive.write_bytes(_payload("WORD = 'one'"))
        outputs.append(_called(archive, tmp_path))
        (file,) = tmp_path.glob("backupdb-code-*/book-*")
        left.append((file.stat().st_ino, file.read_bytes()))
    assert outputs == ["one True\n"] * 2
    assert left[0] == left[1]  # nothing was compiled any more
    (tmp_path / "payload1.zip").write_bytes(_payload("WORD = 'two'"))
    assert _called(tmp_path / "payload1.zip", tmp_path) == "two True\n"


def test_every_module_looks_for_what_was_left_before_it_imports_the_library() -> None:
    seen = 0
    for path in (ROOT / "plugins" / "modules").glob("*.py"):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        ours = [one.module for one in body if isinstance(one, ast.ImportFrom) and PREFIX in str(one.module)]
        if ours:
            assert ours[0] == f"{PREFIX}.ansible_module", path.name
            seen += 1
    assert seen > 20


def _called(archive: Path, base: Path) -> str:
    words = [sys.executable, "-c", CALL, str(archive), str(base)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=base, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def _payload(text: str) -> bytes:
    base = Path("ansible_collections/vya/backupdb/plugins/module_utils/module_support")
    files = {f"{place}/__init__.py": "" for place in [base, *base.parents] if place.name}
    for name in ("compiled_code", "kept_archive"):
        files[f"{base}/{name}.py"] = (ROOT / "plugins" / "module_utils" / base.name / f"{name}.py").read_text("utf-8")
    files["ansible_collections/vya/backupdb/plugins/modules/book.py"] = ""
    files.update({"shelf/__init__.py": "", "shelf/book.py": text})
    return packed(files)
