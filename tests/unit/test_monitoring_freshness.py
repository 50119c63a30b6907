# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fresh backups are: judged from the repository, database by database."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.errors import RepositoryError
from backupdb.jobs.definition import Job
from backupdb.monitoring import job_state, metrics, status
from backupdb.monitoring.next_run import NOT_SCHEDULED, NextRun
from backupdb.repository import local
from backupdb.system.text import iso
from support.monitored import NASTY, ago, job_of, keep, note_job, note_run
from support.stored import TIME, store


def of(root: Path, **options: Any) -> dict[str, Any]:
    return status.of_host([], repository=str(root), **options)


def states(result: dict[str, Any]) -> dict[str | None, str]:
    return {row["database"]: row["state"] for row in result["rows"]}


def test_what_was_backed_up_in_time_is_well(root: Path) -> None:
    note_run(root, {"shop": "complete", NASTY: "complete"})
    for name in ("shop", NASTY, None):
        keep(root, name, hours=1)
    result = of(root)
    assert states(result) == {None: "ok", NASTY: "ok", "shop": "ok"}
    assert (result["status"], result["late"], result["complaints"], result["warnings"]) == ("ok", [], [], [])
    assert result["instances"][0]["expected"] == result["instances"][0]["well"] == 2
    assert not any("\n" in line or "\udcff" in line for line in result["lines"])


def test_a_backup_that_is_too_old_is_late_whatever_the_newest_run_said(root: Path) -> None:
    note_run(root, {"shop": "complete"}, accounts=None)
    keep(root, "shop", hours=27)
    result = of(root)
    assert (result["status"], states(result), result["late"]) == ("failed", {"shop": "late"}, ["db1/shop-db/shop"])
    assert "26 h 0 min are allowed" in result["complaints"][0]
    assert of(root, max_age=28 * 3600.0)["status"] == "ok"


def test_a_database_that_never_got_a_backup_is_named_with_the_reason(root: Path) -> None:
    note_run(root, {"shop": "failed"}, accounts=None, error="server closed the connection")
    result = of(root)
    assert (result["status"], states(result)) == ("failed", {"shop": "no backup"})
    assert any("no backup: server closed" in line or "server closed" in line for line in result["complaints"])


def test_a_newest_attempt_that_failed_is_told_though_there_is_a_young_backup(root: Path) -> None:
    keep(root, "shop", hours=2)
    note_run(root, {"shop": "failed"}, accounts=None, hours=1)
    assert states(of(root)) == {"shop": "failed"}
    assert of(root)["status"] == "failed"
    keep(root, "shop", hours=0.5)
    assert states(of(root)) == {"shop": "ok"}


def test_a_partial_backup_is_less_than_well_and_the_newest_complete_one_is_told(root: Path) -> None:
    complete = keep(root, "shop", hours=3)
    keep(root, "shop", hours=1, status="partial", missing=["view v"])
    note_run(root, {"shop": "partial"}, accounts=None)
    result = of(root)
    assert (result["status"], states(result)) == ("partial", {"shop": "partial"})
    assert "view v" in result["complaints"][0]
    assert result["rows"][0]["newest_complete"][:13] == iso(ago(3))[:13]
    assert result["rows"][0]["path"] != str(complete)


def test_a_database_that_is_gone_or_left_out_is_shown_and_not_late(root: Path) -> None:
    for name in ("dropped", "no longer named", "shop"):
        keep(root, name, hours=100 if name != "shop" else 1)
    note_run(root, {"shop": "complete"}, accounts=None, present=["no longer named"])
    result = of(root)
    assert states(result) == {"dropped": "gone", "no longer named": "left out", "shop": "ok"}
    assert result["status"] == "ok"
    assert (result["instances"][0]["gone"], result["instances"][0]["left_out"]) == (["dropped"], ["no longer named"])


def test_without_the_record_of_a_run_every_database_counts(root: Path) -> None:
    keep(root, "shop", hours=100)
    keep(root, "wiki", hours=1, host="db2", instance="wiki.db")
    result = of(root)
    assert states(result) == {"shop": "late", "wiki": "ok"}
    assert [(entry["host"], entry["instance"]) for entry in result["instances"]] == [
        ("db1", "shop-db"),
        ("db2", "wiki.db"),
    ]


def test_a_job_says_what_is_expected_how_often_and_that_nothing_was_made_yet(root: Path) -> None:
    hourly = job_of(root, "hourly", max_age="2h", backup={"databases": ["orders"], "accounts": False})
    nightly = job_of(root, "nightly", max_age="26h", backup={"exclude": ["scratch*"]})
    empty = status.of_host([hourly, nightly])
    assert (empty["status"], states(empty)) == ("failed", {None: "no backup"})
    for name in ("orders", "wiki", "scratch1", None):
        keep(root, name, hours=3)
    note_run(root, {"orders": "complete"}, accounts=None, present=["wiki", "scratch1"])
    result = status.of_host([hourly, nightly])
    assert states(result) == {None: "ok", "orders": "late", "scratch1": "left out", "wiki": "ok"}
    assert {row["database"]: row["max_age_seconds"] for row in result["rows"]}["orders"] == 7200
    assert [job["schedule"] for job in result["jobs"]] == ["not scheduled", "not scheduled"]


@pytest.fixture
def new_job(root: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Job]:
    """`new_job(hours)` is a nightly job that was defined so long ago, and whose first run was due an hour later."""
    coming = {"nightly": NextRun(ago(-10), "soon")}
    monkeypatch.setattr(job_state, "next_runs", lambda _jobs, now: coming)
    monkeypatch.setattr(job_state, "next_elapse", lambda _calendar, after: after + timedelta(hours=1))

    def defined(hours: float, *, scheduled: NextRun | None = None, **changes: Any) -> Job:
        coming["nightly"] = scheduled or coming["nightly"]
        changes = {"schedule": {"on_calendar": "02:15"}, **changes}
        return replace(job_of(root, **changes), defined=ago(hours))

    return defined


def test_before_the_first_run_of_a_new_job_its_instance_is_waiting_and_that_is_well(
    new_job: Callable[..., Job],
) -> None:
    result = status.of_host([new_job(3)])
    assert (result["status"], states(result), result["late"]) == ("ok", {None: "waiting"}, [])
    assert (result["waiting"], result["complaints"]) == (["db1/shop-db"], [])
    assert result["message"].startswith("1 instance waiting for the first run")
    assert any("waiting for its first run at" in line and "it is a failure from" in line for line in result["lines"])
    assert result["instances"][0]["waits_until"][:13] == iso(ago(-4))[:13]
    no_accounts = status.of_host([new_job(3, backup={"accounts": False})])
    assert (no_accounts["status"], no_accounts["rows"]) == ("ok", [])
    assert 'backupdb_database_status{host="db1",backup_instance="shop-db",database="@accounts",kind="accounts"} 5' in (
        metrics.of_host([new_job(3)])
    )


def test_six_hours_after_the_first_run_was_due_it_is_a_failure(new_job: Callable[..., Job]) -> None:
    assert status.of_host([new_job(6.9)])["status"] == "ok"
    result = status.of_host([new_job(7.1, backup={"accounts": False})])
    assert (result["status"], result["waiting"]) == ("failed", [])
    assert "was never backed up, though its first run should have ended by" in result["complaints"][0]
    assert states(status.of_host([new_job(7.1)])) == {None: "no backup"}


def test_a_first_run_that_cron_starts_is_waited_for_as_long_as_a_backup_may_be_old(new_job: Callable[..., Job]) -> None:
    by_cron = {"scheduled": NextRun(None, "cron: 15 2 * * *"), "schedule": {}}
    assert status.of_host([new_job(25, **by_cron)])["status"] == "ok"
    assert status.of_host([new_job(27, **by_cron)])["status"] == "failed"


def test_what_was_tried_or_is_started_by_nothing_is_not_waited_for(root: Path, new_job: Callable[..., Job]) -> None:
    assert status.of_host([new_job(3, scheduled=NOT_SCHEDULED)])["status"] == "failed"
    job = new_job(3, scheduled=NextRun(ago(-10), "soon"))
    assert status.of_host([replace(job, defined=None)])["status"] == "failed"
    note_job(job, "failed", hours=1, message="wrong password", began=False)
    assert status.of_host([job])["status"] == "failed"
    # Also when the job was changed since.
    assert status.of_host([replace(job, defined=ago(0.5))])["status"] == "failed"


def test_a_new_instance_of_an_old_job_is_waited_for_and_the_others_are_judged(
    root: Path, new_job: Callable[..., Job]
) -> None:
    job = new_job(1, backup={"accounts": False})
    note_job(job, "ok", hours=5)
    keep(root, "shop", hours=5)
    note_run(root, {"shop": "complete"}, accounts=None, hours=5)
    both = replace(job, backups=[*job.backups, {**job.backups[0], "instance": "wiki-db", "accounts": True}])
    result = status.of_host([both])
    assert (result["status"], result["waiting"]) == ("ok", ["db1/wiki-db"])
    assert states(result) == {"shop": "ok", None: "waiting"}
    keep(root, "wiki", hours=99, instance="wiki-db")  # left by an earlier life of the host
    assert status.of_host([both])["late"] == ["db1/wiki-db/wiki"]


def test_a_job_that_could_not_log_in_is_told_with_the_reason_until_a_newer_run_began(root: Path) -> None:
    job = job_of(root)
    keep(root, "shop", hours=3)
    keep(root, None, hours=3)
    note_run(root, {"shop": "complete"}, hours=3)
    note_job(job, "failed", hours=1, message="wrong password", began=False)
    result = status.of_host([job])
    assert (result["status"], states(result)["shop"]) == ("failed", "ok")
    assert (result["instances"][0]["status"], result["instances"][0]["error"]) == ("failed", "wrong password")
    assert any("could not begin: wrong password" in line for line in result["complaints"])
    note_run(root, {"shop": "complete"}, hours=0.5)
    assert status.of_host([job])["instances"][0]["status"] == "ok"


def test_a_run_that_began_is_told_by_its_own_record_alone(root: Path) -> None:
    job = job_of(root, backup={"accounts": False})
    keep(root, "wiki", hours=1.5)
    note_run(root, {"shop": "failed", "wiki": "complete"}, accounts=None, hours=1.2)
    note_job(job, "failed", hours=1, message="1 failed")
    result = status.of_host([job])
    assert (result["instances"][0]["status"], result["instances"][0]["error"]) == ("failed", None)
    assert not any("could not begin" in line for line in result["complaints"])


def test_a_job_whose_repository_is_not_mounted_is_a_failure_that_names_it(root: Path, tmp_path: Path) -> None:
    elsewhere = job_of(tmp_path / "unmounted", "other")
    result = status.of_host([elsewhere, job_of(root)])
    assert result["status"] == "failed"
    assert any("unmounted" in line and "cannot be looked at" in line for line in result["complaints"])
    with pytest.raises(RepositoryError, match="mount it"):
        of(tmp_path / "nowhere")


def test_one_host_of_a_shared_repository_is_looked_at_alone(root: Path) -> None:
    keep(root, "shop", hours=1)
    keep(root, "wiki", hours=1, host="DB2")
    assert states(of(root, host="DB2")) == {"wiki": "ok"}
    nothing = of(root, host="db3")
    assert (nothing["status"], nothing["rows"]) == ("failed", [])
    assert "nothing is backed up" in nothing["message"]


def test_the_last_drill_and_the_newest_proven_backup_are_told(root: Path) -> None:
    keep(root, "shop", hours=9, drill="equal")
    keep(root, "shop", hours=6, drill="different")
    keep(root, "shop", hours=1)
    row = of(root)["rows"][0]
    assert row["drill"]["verdict"] == "different"
    assert row["proven"][:13] == iso(ago(9))[:13]
    assert any("NO: different" in line for line in of(root)["lines"])


def test_what_is_damaged_foreign_or_from_the_future_does_not_count_and_is_reported(root: Path) -> None:
    keep(root, "shop", hours=20)
    (keep(root, "shop", hours=2) / "manifest.json").write_text("{")
    future = keep(root, "shop", hours=-5)
    shop = local.instance_path(root, "db1", "shop-db") / "shop"
    (shop / "notes").mkdir()
    (shop / ".removing-20261120T050607Z-01234567").mkdir()
    result = of(root)
    assert (states(result), result["rows"][0]["age_seconds"] // 3600) == ({"shop": "ok"}, 20)
    assert len(result["warnings"]) == 3
    assert any(str(future) in line and "clocks" in line for line in result["warnings"])


def test_bytes_on_the_disk_are_those_of_all_files(root: Path) -> None:
    folders = [keep(root, "shop", hours=hours) for hours in (1, 2)]
    real = sum(path.stat().st_size for folder in folders for path in folder.iterdir())
    result = of(root)
    assert result["instances"][0]["disk_bytes"] == result["repositories"][0]["disk_bytes"] == real
    assert result["repositories"][0]["size_bytes"] >= result["repositories"][0]["free_bytes"] > 0


@pytest.mark.unmeasured
def test_ten_thousand_backups_are_no_trouble(root: Path) -> None:
    first = store(root, "db000", content=b"-- dump\n", inventory={f"kind{number}": number for number in range(20)})
    manifest = json.loads((first.folder / "manifest.json").read_bytes())
    for database in range(100):
        for hour in range(100):
            moment = TIME + timedelta(hours=hour - 90)
            folder = root / "db1" / "shop-db" / f"db{database:03}" / f"{moment:%Y%m%dT%H%M%SZ}-0123abcd"
            folder.mkdir(parents=True)
            os.link(first.folder / "data.sql.zst", folder / "data.sql.zst")
            if hour < 99:  # only the newest are read
                os.link(first.folder / "manifest.json", folder / "manifest.json")
                continue
            changed = {"database": f"db{database:03}", "backup_id": folder.name, "started": iso(moment)}
            (folder / "manifest.json").write_text(json.dumps({**manifest, **changed}))
    began = time.monotonic()
    result = of(root)
    seconds = time.monotonic() - began
    assert (len(result["rows"]), result["rows"][0]["backups"]) == (100, 101)
    assert metrics.of_host([], repository=str(root)).count("backupdb_last_success_timestamp_seconds{") == 100
    print(f"10,000 backups: {seconds:.2f} s")
