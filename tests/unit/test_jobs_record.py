# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is remembered of a job, and what follows from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from backupdb.errors import LockBusy, RepositoryError
from backupdb.jobs.definition import job_from
from backupdb.jobs.record import job_lock, read_record, record_path, write_record
from backupdb.jobs.run import drill_is_due
from backupdb.jobs.steps import has_backups, worst
from backupdb.system.text import parse_iso

DAY = 86400.0
BACKUP = {"instance": "a", "engine": "postgresql", "login_host": "x", "host": "h", "encryption": "none"}


def result(status: str, **changes: Any) -> dict[str, Any]:
    return {
        "job": "daily",
        "run_id": "0" * 32,
        "started": "2026-11-24T02:00:00Z",
        "finished": "2026-11-24T02:05:00Z",
        "status": status,
        "message": "m",
        "backups": [],
        "prune": None,
        "drill": None,
        "warnings": [],
        "notifications": [],
        **changes,
    }


def test_the_last_success_stays_until_there_is_a_newer_one(tmp_path: Path) -> None:
    assert read_record(str(tmp_path), "daily") is None
    write_record(str(tmp_path), result("ok"))
    write_record(str(tmp_path), result("partial", finished="2026-11-25T02:05:00Z"))
    record = read_record(str(tmp_path), "daily")
    assert record is not None
    assert (record["status"], record["last_success"]) == ("partial", "2026-11-24T02:05:00Z")
    path = record_path(str(tmp_path), "daily")
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["daily.json"]


def test_a_record_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    write_record(str(tmp_path), result("ok"))
    for content in ("", "{", "[]", json.dumps({"schema": 99})):
        record_path(str(tmp_path), "daily").write_text(content, encoding="ascii")
        assert read_record(str(tmp_path), "daily") is None
    write_record(str(tmp_path), result("ok"))
    assert read_record(str(tmp_path), "daily") is not None


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "jobs").write_text("in the way", encoding="ascii")
    with pytest.raises(RepositoryError, match="in the way"):
        write_record(str(tmp_path), result("ok"))


def test_a_job_is_held_by_one_run_at_a_time(tmp_path: Path) -> None:
    with job_lock(str(tmp_path), "daily"):
        with pytest.raises(LockBusy, match="job daily is running already"), job_lock(str(tmp_path), "daily"):
            pass
        with job_lock(str(tmp_path), "other"):
            pass
    with job_lock(str(tmp_path), "daily"):
        pass


@pytest.mark.parametrize(
    ("every", "ago", "due"),
    [
        ("7d", 7 * DAY, True),
        ("7d", 7 * DAY - 3000, True),  # a timer does not fire by the second
        ("7d", 7 * DAY - 4000, False),
        ("7d", 6 * DAY, False),
        ("1h", 1700, False),
        ("1h", 1900, True),
    ],
)
def test_a_drill_is_due_so_long_after_the_last_that_proved_everything(
    tmp_path: Path, every: str, ago: float, due: bool
) -> None:
    values = {"schema": 1, "name": "daily", "backups": [{**BACKUP, "repository": "/r"}], "state_dir": str(tmp_path)}
    job = job_from({**values, "drill": {"every": every}}, "job")
    now = parse_iso("2026-11-24T02:00:00Z").timestamp() + ago
    assert drill_is_due(job, now)  # none was ever done
    write_record(str(tmp_path), result("failed", drill={"status": "failed", "message": "m"}))
    assert drill_is_due(job, now)
    unkept = {"status": "ok", "message": "m", "drills": [{"record": "/r/drill.json"}, {"record": None}]}
    write_record(str(tmp_path), result("ok", drill=unkept))
    assert drill_is_due(job, now)  # the repository does not know of it
    write_record(str(tmp_path), result("ok", drill={"status": "ok", "message": "m", "drills": [{"record": "/r/d"}]}))
    write_record(str(tmp_path), result("failed", started="2026-11-24T03:00:00Z"))  # not a drill
    assert drill_is_due(job, now) is due
    assert not drill_is_due(job_from(values, "job"), now)


def test_the_whole_is_as_bad_as_its_worst_part() -> None:
    for statuses, whole in (
        (["ok", "ok"], "ok"),
        (["ok", "partial"], "partial"),
        (["partial", "failed", "busy"], "failed"),
        (["busy", "busy"], "busy"),
        (["busy", "ok"], "partial"),
        (["planned", "planned"], "planned"),
    ):
        assert worst(statuses) == whole


def test_pruning_needs_something_that_was_backed_up() -> None:
    good, bad = {"status": "complete"}, {"status": "failed"}
    for status, databases, accounts, safe in (
        ("ok", [], None, True),  # a server without databases, which was allowed
        ("failed", [bad], None, False),
        ("failed", [bad], {"status": "skipped"}, True),
        ("failed", [good, bad], bad, True),
        ("busy", [], None, False),
    ):
        assert has_backups({"status": status, "databases": databases, "accounts": accounts}) is safe
