# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was done is told, whatever goes wrong afterwards; what the system refuses is an error of ours, and one only."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest
from backupdb.cli import list as listing
from backupdb.cli.main import main
from backupdb.credentials.secrets import Secrets
from backupdb.jobs import finish as finishing
from backupdb.jobs import steps
from backupdb.repository import lock
from backupdb.repository.lock import run_lock
from backupdb.retention import prune
from backupdb.retention.decide import RetentionPolicy
from backupdb.retention.prune import PruneRequest
from support.library import LIBRARY
from support.monitored import job_of
from support.stored import RUN, TIME, store

ONE = RetentionPolicy(keep_last=1)
OTHER_RUN = "f" * 32


def refuse(*_anything: Any, **_more: Any) -> NoReturn:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def test_a_lock_s_note_that_cannot_be_emptied_does_not_lose_what_the_run_has_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock.os, "ftruncate", refuse)
    with run_lock(tmp_path, run_id=RUN, timeout=0, cancel=threading.Event()):
        result = "done"
    assert result == "done"


@pytest.mark.parametrize("error", [OSError(errno.EMFILE, "Too many open files"), ValueError("nobody thought of it")])
def test_a_command_ends_with_one_line_whatever_goes_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    def fail(_options: Any) -> NoReturn:
        raise error

    monkeypatch.setattr(listing, "run", fail)
    assert main(["list", "/nowhere", "--json"]) == 2
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1
    assert json.loads(said.out)["status"] == "failed"


def test_a_prune_without_a_free_descriptor_fails_with_one_line(tmp_path: Path) -> None:
    store(tmp_path)
    store(tmp_path, run_id=OTHER_RUN)
    program = (
        "import os, resource, sys; from backupdb.cli.main import main;"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]),) * 2); "
        "raise SystemExit(main(['prune', '--repository', sys.argv[2], '--keep-last', '1']))"
    )
    ends = set()
    for limit in (4, 6, 8, 20):
        done = subprocess.run(
            [sys.executable, "-c", program, str(limit), str(tmp_path)],
            env={**os.environ, "PYTHONPATH": str(LIBRARY)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, (limit, done.stderr)
        ends.add(done.returncode)
    assert ends == {0, 2}
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 20


def test_an_instance_that_cannot_be_looked_at_keeps_no_other_from_being_pruned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for instance in ("a", "b"):
        store(tmp_path, instance=instance)
        store(tmp_path, instance=instance, run_id=OTHER_RUN)
    plan = prune.plan_instance

    def planned(folder: Path, *rest: Any, **more: Any) -> Sequence[Any]:
        return refuse() if folder.name == "a" else plan(folder, *rest, **more)

    monkeypatch.setattr(prune, "plan_instance", planned)
    result = prune.run(PruneRequest(repository=str(tmp_path), policy=ONE))
    assert (result["status"], result["removed"]) == ("partial", 1)
    assert "Too many open files" in result["message"]


def test_a_backup_that_cannot_be_removed_keeps_no_other_of_its_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backups = [store(tmp_path, time=TIME.replace(hour=hour), run_id=f"{hour:032x}") for hour in range(4)]
    take = prune.take_name

    def taken(folder: Path) -> Path:
        if folder == backups[0].folder:
            refuse()
        return take(folder)

    monkeypatch.setattr(prune, "take_name", taken)
    result = prune.run(PruneRequest(repository=str(tmp_path), policy=ONE))
    assert result["removed"] == 2
    assert "Too many open files" in result["databases"][0]["error"]
    assert [one.folder.exists() for one in backups] == [True, False, False, True]


def test_a_job_tells_of_every_instance_and_of_itself_whatever_the_system_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of(tmp_path)
    monkeypatch.setattr(steps.backup, "run", refuse)
    entry = steps.back_up(job.backups[0], Secrets(), RUN)
    assert (entry["status"], entry["error_kind"]) == ("failed", "SystemRefused")
    monkeypatch.setattr(finishing, "write_record", refuse)
    result = {
        "job": job.name,
        "run_id": RUN,
        "started": "2026-11-20T05:06:07Z",
        "finished": "2026-11-20T05:06:08Z",
        "status": "ok",
        "message": "all is well",
        "backups": [],
        "prune": None,
        "drill": None,
        "warnings": [],
        "notifications": [],
    }
    told = finishing.finish(job, Secrets(), result, write_metrics=refuse, report=lambda *_text, **_more: None)
    assert told["status"] == "ok"
    assert sum("Too many open files" in warning for warning in told["warnings"]) == 2
