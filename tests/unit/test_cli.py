# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The library on the command line: what goes wrong is one line and a status, never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from backupdb.cli import main as command_line
from backupdb.jobs import steps
from support.library import LIBRARY
from support.measuring import measuring


def run(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "backupdb.cli.main", *arguments],
        env={"PYTHONPATH": str(LIBRARY), "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8", **measuring()},
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


def test_wrong_arguments_are_a_wrong_configuration() -> None:
    for arguments in ([], ["sing"], ["run"], ["verify", "--level", "high"], ["prune", "--keep-last", "many"]):
        with pytest.raises(SystemExit) as ended:
            command_line.main(arguments)
        assert ended.value.code == 3
    assert command_line.main(["run", "nowhere", "--config-dir", "/nonexistent"]) == 3
    assert command_line.main(["prune", "--repository", "/nonexistent"]) == 3  # by no policy


def test_a_fault_of_the_program_is_remembered_as_a_failed_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It must not look as if nothing had happened."""
    entry = {"instance": "a", "engine": "postgresql", "login_host": "x", "host": "h", "encryption": "none"}
    job = {"schema": 1, "name": "daily", "backups": [{**entry, "repository": "/x"}], "state_dir": str(tmp_path)}
    (tmp_path / "jobs.d").mkdir()
    (tmp_path / "jobs.d" / "daily.json").write_text(json.dumps(job), encoding="ascii")

    def broken(_request: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(steps.backup, "run", broken)
    assert command_line.main(["run", "daily", "--config-dir", str(tmp_path)]) == 2
    record = json.loads((tmp_path / "jobs" / "daily.json").read_text(encoding="ascii"))
    assert record["status"] == "failed"
    assert "internal fault at test_cli.py" in record["message"]
