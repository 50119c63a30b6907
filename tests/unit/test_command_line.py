# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The library on the command line: what goes wrong is one line and a status, never a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from backupdb import command_line

LIBRARY = Path(command_line.__file__).resolve().parents[1]


def run(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "backupdb.command_line", *arguments],
        env={"PYTHONPATH": str(LIBRARY), "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"},
        input=text,
        capture_output=True,
        check=False,
        text=True,
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "not JSON"), ("[]", "not a JSON object"), ("{}", "not well formed"), ('{"instance": 1}', "not well formed")],
)
def test_a_request_that_is_none_is_told_in_one_line(text: str, words: str) -> None:
    done = run("backup", text=text)
    assert (done.returncode, done.stdout) == (3, "")
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_repository_that_is_not_there_is_not_an_empty_one(tmp_path: Path) -> None:
    assert run("list", str(tmp_path)).returncode == 0
    done = run("list", str(tmp_path / "gone"))
    assert done.returncode == 2
    assert "is not there" in done.stderr


def test_a_folder_without_a_manifest_is_told(tmp_path: Path) -> None:
    done = run("cat", str(tmp_path), "data.dump.zst.age")
    assert done.returncode == 2
    assert str(tmp_path) in done.stderr
    assert len(done.stderr.splitlines()) == 1
