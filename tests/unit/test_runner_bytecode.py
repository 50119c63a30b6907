# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytecode beside the runner: made once, used when it belongs to it and is safe, and never needed."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import zipfile
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest

PREFIX = "ansible_collections.vya.backupdb.plugins.plugin_utils"
runner = importlib.import_module(f"{PREFIX}.runner")
bytecode = importlib.import_module(f"{PREFIX}.runner_bytecode")
# Says which file the library comes from.
WHERE = "\n\ndef main() -> str:\n    return __spec__.loader.archive\n"
FORGED = "def main() -> str:\n    return 'forged'\n"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A small library as a runner that says where it was imported from."""
    library = tmp_path / "library"
    (library / "cli").mkdir(parents=True)
    (library / "__init__.py").touch()
    (library / "cli" / "__init__.py").touch()
    (library / "cli" / "main.py").write_text("from __future__ import annotations" + WHERE, encoding="ascii")
    path = tmp_path / "backupdb.pyz"
    path.write_bytes(runner.build(library))
    return path


def start(program: Path, *options: str) -> str:
    """Where the library came from."""
    done = subprocess.run([sys.executable, "-I", *options, str(program)], check=False, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr  # what main returns is said, as no number
    return done.stderr.strip()


def made(program: Path) -> Path:
    assert bytecode.make(str(program), runner.digest_of(program.read_bytes()))
    (path,) = program.parent.glob("backupdb.pyz.*")
    return Path(path)


def test_it_is_used_when_it_is_there(program: Path) -> None:
    assert start(program) == str(program)
    path = made(program)
    assert start(program) == start(program, "--check-hash-based-pycs", "always") == str(path)
    assert path.stat().st_mode & 0o777 == program.stat().st_mode & 0o755
    assert not bytecode.make(str(program), runner.digest_of(program.read_bytes()))


def test_its_bytecode_is_what_is_run(program: Path) -> None:
    path = made(program)
    _rewritten(path, lambda name, content: _compiled(FORGED) if name == "backupdb/cli/main.pyc" else content)
    assert start(program) == "forged"


def test_another_version_of_bytecode_is_passed_over_for_the_source(program: Path) -> None:
    path = made(program)
    old = (int.from_bytes(MAGIC_NUMBER[:2], "little") - 1).to_bytes(2, "little") + MAGIC_NUMBER[2:]
    _rewritten(path, lambda name, content: old + content[4:] if name.endswith(".pyc") else content)
    assert start(program) == str(path)
    other = path.with_suffix(f".{old.hex()}")
    path.rename(other)
    assert start(program) == str(program)
    assert bytecode.make(str(program), runner.digest_of(program.read_bytes()))
    assert not other.exists()


def test_that_of_another_runner_is_neither_used_nor_kept(program: Path, tmp_path: Path) -> None:
    old = made(program)
    library = tmp_path / "library"
    (library / "more.py").touch()
    program.write_bytes(runner.build(library))
    assert start(program) == str(program)
    assert bytecode.make(str(program), runner.digest_of(program.read_bytes()))
    assert not old.exists()


def test_one_that_others_can_write_is_not_used(program: Path) -> None:
    path = made(program)
    path.chmod(0o664)
    assert start(program) == str(program)
    assert bytecode.make(str(program), runner.digest_of(program.read_bytes()))
    assert start(program) == str(path)


def test_one_of_another_owner_is_not_used(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made(program)
    assert bytecode._is_trusted(path, program)
    real = path.lstat()
    monkeypatch.setattr(Path, "lstat", lambda _path: os.stat_result((*real[:4], real.st_uid + 1, *real[5:])))
    assert not bytecode._is_trusted(path, program)


@pytest.mark.parametrize("link", ["symbolic", "hard"])
def test_a_link_to_what_somebody_has_is_not_used(program: Path, tmp_path: Path, link: str) -> None:
    path = made(program)
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere) if link == "symbolic" else os.link(elsewhere, path)
    assert start(program) == str(program)
    assert bytecode.make(str(program), runner.digest_of(program.read_bytes()))
    assert not path.is_symlink()
    assert start(program) == str(path)


@pytest.mark.parametrize("damage", ["cut", "empty", "changed", "another source"])
def test_one_that_is_not_whole_is_made_again(program: Path, damage: str) -> None:
    path = made(program)
    content = path.read_bytes()
    if damage == "another source":
        _rewritten(path, lambda name, content: content + b"#" if name.endswith("main.py") else content)
    else:
        changed = content.replace(b"archive", b"ARCHIVE")
        path.write_bytes({"cut": content[:-30], "empty": b"", "changed": changed}[damage])
    if damage in ("cut", "empty"):
        assert start(program) == str(program)
    assert bytecode.make(str(program), runner.digest_of(program.read_bytes()))
    assert start(program) == str(path)


def test_nothing_is_left_of_one_that_could_not_be_made(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        bytecode.make(str(program), runner.digest_of(program.read_bytes()))
    assert sorted(path.name for path in program.parent.iterdir()) == ["backupdb.pyz", "library"]


def test_a_folder_with_the_same_code_starts_as_well(program: Path, tmp_path: Path) -> None:
    shutil.unpack_archive(program, tmp_path / "folder", "zip")
    done = subprocess.run([sys.executable, "-I", tmp_path / "folder"], check=False, capture_output=True, text=True)
    assert "no attribute 'archive'" in done.stderr  # so it was started


def _rewritten(path: Path, change: object) -> None:
    assert callable(change)
    with zipfile.ZipFile(path) as archive:
        contents = {name: change(name, archive.read(name)) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


def _compiled(source: str) -> bytes:
    return bytes(bytecode._compiled(source.encode(), "forged"))
