# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runner: one file, the same bytes each time, which any Python from 3.9 on starts."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from support.stored import store

runner = importlib.import_module("ansible_collections.vya.backupdb.plugins.plugin_utils.runner")


def test_the_same_library_gives_the_same_bytes_wherever_and_whenever_it_lies(tmp_path: Path) -> None:
    copied = tmp_path / "elsewhere" / "backupdb"
    shutil.copytree(runner.LIBRARY, copied)
    for number, path in enumerate(copied.rglob("*.py")):
        path.chmod(0o600)
        os.utime(path, (number, number))
    (copied / "engines" / "__pycache__").mkdir(exist_ok=True)
    (copied / "engines" / "__pycache__" / "interface.cpython-311.pyc").write_bytes(b"old")
    (copied / "notes.txt").write_text("not code", encoding="ascii")
    assert runner.build(copied) == runner.build()


def test_it_holds_the_library_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "backupdb.pyz"
    path.write_bytes(runner.build())
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100644}
    assert names[:2] == ["__main__.py", "backupdb_bytecode.py"]
    assert names[2:] == sorted(names[2:])
    assert "backupdb/engines/postgresql/engine.py" in names
    others = {name for name in names if not name.endswith(".py")}
    assert others == {f"backupdb/report/page/page.{form}" for form in ("css", "html.j2", "js")}


@pytest.mark.parametrize("arguments", [["--version"], ["list", "--help"]])
def test_it_starts_on_its_own(tmp_path: Path, arguments: list[str]) -> None:
    path = tmp_path / "backupdb.pyz"
    path.write_bytes(runner.build())
    done = subprocess.run(
        [sys.executable, "-I", str(path), *arguments], cwd="/", check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "backupdb" in done.stdout


def test_the_page_of_a_report_is_made_out_of_the_one_file(tmp_path: Path) -> None:
    runner_file, page = tmp_path / "backupdb.pyz", tmp_path / "report.html"
    runner_file.write_bytes(runner.build())
    (tmp_path / "repository").mkdir(mode=0o700)
    store(tmp_path / "repository", "shop")
    arguments = ["report", "--repository", str(tmp_path / "repository"), "-o", str(page)]
    done = subprocess.run(
        [sys.executable, "-I", str(runner_file), *arguments], cwd="/", check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (1, "")  # it is late
    assert "<bdi>shop</bdi>" in page.read_text(encoding="utf-8")
