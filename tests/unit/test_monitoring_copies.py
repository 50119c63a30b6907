# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies in the status and in the metrics: judged by what is known to be in them; nothing is claimed beyond that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from backupdb.jobs.definition import Job
from backupdb.monitoring import metrics, status
from backupdb.repository.copy_source import copy_home
from backupdb.repository.drill_records import write_drill
from backupdb.system.text import iso
from support.exposition import read_metrics
from support.monitored import ago, job_of, keep, note_copied, note_copying, note_run, with_copies


@pytest.fixture
def job(root: Path) -> Job:
    """A job over one database whose backups of 30, 6 and 1 hours ago are there."""
    note_run(root, {"shop": "complete"}, accounts=None)
    return with_copies(job_of(root, backup={"accounts": False}), "offsite", max_age="26h")


@pytest.fixture
def shop(root: Path) -> list[Path]:
    return [keep(root, "shop", hours=hours) for hours in (30, 6, 1)]


def in_copy(job: Job, name: str = "offsite") -> dict[str, Any]:
    found: dict[str, Any] = next(copy for copy in status.of_host([job])["rows"][0]["copies"] if copy["name"] == name)
    return found


def cell(job: Job) -> str:
    head, line = status.of_host([job])["lines"][1:3]
    return line[head.index("COPY OFFSITE") : head.index("NEXT RUN")].strip()


def test_a_copy_with_all_of_it_is_well_and_counted(job: Job, shop: list[Path]) -> None:
    note_copied(job, "offsite", shop)
    result = status.of_host([job])
    assert (result["status"], result["complaints"], result["warnings"]) == ("ok", [], [])
    found = in_copy(job)
    assert (found["state"], found["missing"], found["backups"], found["tampered"]) == ("ok", 0, 3, 0)
    assert found["newest"][:13] == iso(ago(1))[:13] and found["proven"] is None
    assert result["coverage"] == result["rows"][0]["coverage"] == {"copies": 2, "media": 2, "off_site": 1}
    assert "copies 2, media 2, off-site 1" in result["message"]
    assert cell(job) == "ok"


def test_a_copy_that_lacks_some_is_behind_by_so_many_and_still_fresh(job: Job, shop: list[Path]) -> None:
    note_copied(job, "offsite", shop[:2])
    found = in_copy(job)
    assert (found["state"], found["missing"]) == ("behind", 1)
    assert found["missing_bytes"] == sum(path.stat().st_size for path in shop[2].iterdir())
    assert (status.of_host([job])["status"], cell(job)) == ("ok", "1 behind")


def test_a_copy_whose_newest_is_too_old_is_late_and_counts_nowhere(job: Job, shop: list[Path]) -> None:
    note_copied(job, "offsite", shop[:1])
    result = status.of_host([job])
    assert (result["status"], in_copy(job)["state"]) == ("failed", "late")
    assert result["coverage"] == {"copies": 1, "media": 1, "off_site": 0}
    (complaint,) = result["complaints"]
    assert "newest backup in copy offsite is 30 h 0 min old, 26 h 0 min are allowed; 2 backups of this" in complaint
    assert cell(job).startswith("late, 30 h")
    wanted = replace(job, copies=[replace(job.copies[0], required=False)])
    assert status.of_host([wanted])["status"] == "partial"
    patient = replace(job, copies=[replace(job.copies[0], max_age=None)], max_age="48h")
    assert status.of_host([patient])["status"] == "ok"


def test_a_copy_without_a_backup_says_so(job: Job, shop: list[Path]) -> None:
    result = status.of_host([job])
    assert (result["status"], in_copy(job)["state"], in_copy(job)["missing"]) == ("failed", "no backup", 3)
    assert result["complaints"] == [
        "db1/shop-db/shop: copy offsite has no backup; 3 backups of this host are not there"
    ]


def test_what_the_copy_does_not_keep_by_its_own_policy_is_not_missing(job: Job, shop: list[Path]) -> None:
    note_copied(job, "offsite", shop[2:])
    assert in_copy(job)["missing"] == 2
    shorter = with_copies(job, "offsite", max_age="26h", retention={"keep_last": 2})
    assert (in_copy(shorter)["state"], in_copy(shorter)["missing"]) == ("behind", 1)
    newest = with_copies(job, "offsite", max_age="26h", retention={"keep_last": 1})
    assert (in_copy(newest)["state"], in_copy(newest)["missing"]) == ("ok", 0)


def test_a_backup_that_was_put_there_before_its_time_makes_nothing_look_fresh(
    job: Job, shop: list[Path], root: Path
) -> None:
    note_copied(job, "offsite", shop[:1])
    note_copied(job, "offsite", [shop[2]], minutes=-16)
    assert (in_copy(job)["state"], in_copy(job)["newest"][:13]) == ("late", iso(ago(30))[:13])
    note_copied(job, "offsite", [shop[2]], minutes=-14)  # a clock may be off by so much
    assert in_copy(job)["state"] == "behind"


def test_what_was_written_over_is_told_though_the_first_version_counts(job: Job, shop: list[Path]) -> None:
    note_copied(job, "offsite", shop[:2])
    note_copied(job, "offsite", shop[2:], later=1)
    result = status.of_host([job])
    assert (result["status"], in_copy(job)["state"], in_copy(job)["tampered"]) == ("failed", "ok", 1)
    assert "manifests of 1 backups were written over or removed" in result["complaints"][0]
    assert cell(job) == "ok, 1 TAMPERED"


def test_proof_and_lock_are_those_of_the_copy(job: Job, shop: list[Path]) -> None:
    note_copied(job, "offsite", shop)
    place = copy_home(job.state_dir, "offsite") / "shadow" / "/".join(shop[1].parts[-4:])
    write_drill(place, {"schema": 1, "backup_id": place.name, "verdict": "equal", "finished": iso(ago(2))})
    locked = with_copies(job, "offsite", lock={"mode": "governance", "days": 30}, max_age="26h")
    found = in_copy(locked)
    assert found["proven"][:13] == iso(ago(6))[:13]
    assert found["locked_until"][:13] == iso(ago(1 - 30 * 24 - 1 / 6))[:13]
    assert cell(locked) == f"ok, proven {ago(6):%Y-%m-%d}, locked until {ago(1 - 30 * 24 - 1 / 6):%Y-%m-%d}"
    assert in_copy(job)["locked_until"] is None  # nobody has said how long


def test_places_are_counted_by_kind_and_a_second_disk_is_no_other_kind(root: Path, shop: list[Path]) -> None:
    note_run(root, {"shop": "complete"}, accounts=None)
    job = job_of(root, backup={"accounts": False})
    assert status.of_host([job])["coverage"] is None
    far, near = with_copies(job, "far"), with_copies(job, "near", type="local", bucket=None, path="/mnt/near")
    both = replace(job, copies=[*far.copies, *near.copies])
    for name in ("far", "near"):
        note_copied(both, name, shop)
    assert status.of_host([both])["coverage"] == {"copies": 3, "media": 2, "off_site": 1}
    assert status.of_host([near])["coverage"] == {"copies": 2, "media": 1, "off_site": 0}


def test_the_whole_is_covered_as_its_least_covered_database_is(root: Path, job: Job, shop: list[Path]) -> None:
    note_copied(job, "offsite", shop)
    keep(root, "wiki", hours=1)
    keep(root, "dropped", hours=99)
    note_run(root, {"shop": "complete", "wiki": "complete"}, accounts=None)
    result = status.of_host([job])
    assert result["coverage"] == {"copies": 1, "media": 1, "off_site": 0}
    states = {row["database"]: row["copies"][0]["state"] for row in result["rows"]}
    assert states == {"shop": "ok", "wiki": "no backup", "dropped": "behind"}


def test_arrivals_that_cannot_be_read_stop_nothing(job: Job, shop: list[Path]) -> None:
    note_copied(job, "offsite", shop)
    (copy_home(job.state_dir, "offsite") / "arrivals.json").write_text("{")
    assert (status.of_host([job])["status"], in_copy(job)["state"]) == ("ok", "ok")


def test_the_last_error_of_a_copy_is_told(job: Job, shop: list[Path]) -> None:
    note_copied(job, "offsite", shop)
    note_copying(job, "offsite", "403 for acme-db: the key was revoked")
    result = status.of_host([job])
    assert result["complaints"] == ["job nightly: copy offsite: 403 for acme-db: the key was revoked"]
    assert (result["status"], result["jobs"][0]["copies"][0]["name"]) == ("partial", "offsite")
    note_copying(job, "offsite", None)
    assert (status.of_host([job])["status"], status.of_host([job])["jobs"][0]["copies"][0]["error"]) == ("ok", None)


def test_metrics_are_those_of_the_state(job: Job, shop: list[Path]) -> None:
    note_copied(job, "offsite", shop[:2], later=1)
    note_copying(job, "offsite", "503")
    families = read_metrics(metrics.of_host([job]))

    def of(name: str) -> float:
        ((labels, value),) = families[f"backupdb_{name}"].samples.items()
        assert dict(labels).get("copy") == ("offsite" if name.startswith("copy_") else None)
        return value

    assert (of("copy_status"), of("copy_missing_backups"), of("copy_backups")) == (1, 1, 2)
    assert (of("copy_tampered_backups"), of("copy_failed"), of("copy_max_age_seconds")) == (2, 1, 26 * 3600)
    assert of("copy_stored_bytes") == 200
    assert abs(of("copy_last_success_timestamp_seconds") - ago(6).timestamp()) < 60
    assert of("copy_missing_bytes") == sum(path.stat().st_size for path in shop[2].iterdir())
    assert (of("database_copies"), of("database_media"), of("database_off_site")) == (2, 2, 1)
    assert "backupdb_copy_last_proven_timestamp_seconds" not in families
    without = read_metrics(metrics.of_host([replace(job, copies=())]))
    assert not [name for name in without if "copy" in name or "copies" in name]
