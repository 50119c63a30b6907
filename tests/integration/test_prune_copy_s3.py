# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pruning a copy in a real object store, after somebody with the host's key has done what he could."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.credentials.secrets import Secrets
from backupdb.jobs import steps
from backupdb.jobs.definition import Job
from backupdb.jobs.prune_copies import prune_one
from backupdb.monitoring import status
from backupdb.repository.copy_source import CopySource
from backupdb.repository.stores.settings import copy_from
from backupdb.system.text import iso, utc_now
from support.monitored import job_of
from support.seaweed import Seaweed
from support.stored import DUMP, store

DAY = timedelta(days=1)
TODAY = utc_now().replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir(mode=0o700)
    return folder


def job_with(seaweed: Seaweed, root: Path, bucket: str, **copy: Any) -> Job:
    """A job with this copy; the state folder belongs to whoever uses the key of that name."""
    options = seaweed.copy(bucket, **copy)["options"]
    options = {"patience": "5s", "retention": {"keep_daily": 3}, "prune": "here", **options}
    job = job_of(root, retention={"keep_last": 50}, backup={"accounts": False})
    return replace(job, copies=(copy_from(options, "test"),))


def key(server: Seaweed, name: str) -> Secrets:
    return Secrets(copies={"offsite": server.key(name)})


def nightly(root: Path, count: int, *, run: int = 0) -> list[str]:
    """Backups of the last nights; returns their places, the newest first."""
    folders = [
        store(
            root,
            time=TODAY - day * DAY - run * timedelta(minutes=1),
            run_id=f"{run:04x}{day:04x}" + "0" * 24,
            content=DUMP,
        ).folder
        for day in range(count)
    ]
    return ["/".join(folder.parts[-4:]) for folder in folders]


def places(seaweed: Seaweed, bucket: str) -> set[str]:
    return {name.rpartition("/")[0] for name in seaweed.names(bucket)}


def reasons(result: dict[str, Any]) -> dict[str, str]:
    return {entry["path"].rpartition("/")[2]: entry["reason"] for entry in result["databases"][0]["decisions"]}


def test_what_somebody_with_the_key_of_the_host_does_to_a_copy_bends_no_retention(
    seaweed: Seaweed, root: Path, tmp_path: Path
) -> None:
    bucket = seaweed.bucket("bent", versions=True)
    keeping = job_with(seaweed, root, bucket, retention=None)
    true = nightly(root, 6)
    assert len(steps.copy_backups(keeping, key(seaweed, "host"))["copies"][0]["sent"]) == 6
    time.sleep(1.1)  # the clock of the store has seconds
    forger = tmp_path / "forged"
    forger.mkdir(mode=0o700)
    forged = nightly(forger, 6, run=1)
    theirs = replace(job_with(seaweed, forger, bucket, retention=None), state_dir=str(tmp_path / "theirs"))
    assert len(steps.copy_backups(theirs, key(seaweed, "host"))["copies"][0]["sent"]) == 6
    client = seaweed.client("host")
    client.put_object(Bucket=bucket, Key=f"{true[1]}/manifest.json", Body=b"{}")
    client.delete_object(Bucket=bucket, Key=f"{true[2]}/manifest.json")
    job = replace(job_with(seaweed, root, bucket), state_dir=str(tmp_path / "elsewhere"))
    plan = prune_one(job, "offsite", key(seaweed, "admin"), job.backups, None, check_mode=True)
    assert (plan["status"], plan["removed"], plan["kept"]) == ("planned", 3, 9)
    result = prune_one(job, "offsite", key(seaweed, "admin"), job.backups, None)
    assert (result["status"], result["removed"]) == ("ok", 3), result["message"]
    assert len(result["uncounted"]) == 6 and len(result["tampered"]) == 2
    found = reasons(result)
    assert all("which is newer, had arrived" in found[place.rpartition("/")[2]] for place in forged)
    left = {*forged, *true[:3]}
    assert places(seaweed, bucket) == left
    versions = client.list_object_versions(Bucket=bucket)
    assert {entry["Key"].rpartition("/")[0] for entry in versions["Versions"]} == left


def test_what_is_locked_stays_without_an_error_and_the_status_knows(seaweed: Seaweed, root: Path) -> None:
    bucket = seaweed.bucket("locked", lock_days=2)
    job = job_with(seaweed, root, bucket, lock={"mode": "bucket"}, retention=None)
    nightly(root, 5)
    assert steps.copy_backups(job, key(seaweed, "host"))["status"] == "ok"
    pruning = job_with(seaweed, root, bucket, lock={"mode": "bucket"})
    result = prune_one(pruning, "offsite", key(seaweed, "admin"), pruning.backups, None)
    assert (result["status"], result["removed"], result["kept"]) == ("ok", 0, 5), result["message"]
    assert sum("locked until" in reason for reason in reasons(result).values()) == 2
    assert any("the lock outlives the retention" in line for line in result["warnings"])
    (copy,) = status.of_host([job])["rows"][0]["copies"]
    assert (copy["state"], copy["missing"], copy["backups"], copy["tampered"]) == ("ok", 0, 5, 0)
    assert copy["stored_bytes"] > 5 * 100_000
    looking = CopySource(job.copies[0].opened_by(seaweed.key("reader")), str(root.with_name("looking")))
    result = status.of_host([], copy=looking, max_age=48 * 3600)
    assert (result["status"], result["rows"][0]["backups"]) == ("ok", 5), result["message"]
    assert result["rows"][0]["disk_bytes"] == copy["stored_bytes"]
    assert result["rows"][0]["path"].startswith(f"s3://{bucket}/")


def test_the_lock_of_a_record_keeps_no_backup(seaweed: Seaweed, root: Path) -> None:
    bucket = "record"
    seaweed.client().create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    job = job_with(seaweed, root, bucket, retention=None)
    ids = nightly(root, 5)
    assert steps.copy_backups(job, key(seaweed, "host"))["status"] == "ok"
    pruning = job_with(seaweed, root, bucket)
    record = f"{ids[4]}/drill-20261125T000000Z.json"
    seaweed.client().put_object(
        Bucket=bucket,
        Key=record,
        Body=json.dumps(
            {"schema": 1, "backup_id": ids[4].rpartition("/")[2], "verdict": "failed", "finished": iso(TODAY)}
        ).encode(),
        ObjectLockMode="COMPLIANCE",
        ObjectLockRetainUntilDate=utc_now() + DAY,
        ChecksumAlgorithm="SHA256",
    )
    result = prune_one(pruning, "offsite", key(seaweed, "admin"), pruning.backups, None)
    assert (result["status"], result["removed"], result["kept"]) == ("ok", 2, 3), result["message"]
    assert {name for name in seaweed.names(bucket) if name.startswith((ids[3], ids[4]))} == {record}
    again = prune_one(pruning, "offsite", key(seaweed, "admin"), pruning.backups, None)
    assert (again["status"], again["removed"], again["kept"], again["orphans"]) == ("ok", 0, 3, [])


def test_a_key_that_may_only_write_plans_nothing_and_says_why(seaweed: Seaweed, root: Path) -> None:
    bucket = seaweed.bucket("write-only")
    job = job_with(seaweed, root, bucket)
    nightly(root, 5)
    assert len(steps.copy_backups(job, key(seaweed, "writer"))["copies"][0]["sent"]) == 3
    assert steps.copy_backups(job, key(seaweed, "writer"))["copies"][0]["sent"] == []
    result = prune_one(job, "offsite", key(seaweed, "writer"), job.backups, None)
    assert (result["status"], result["removed"], len(places(seaweed, bucket))) == ("failed", 0, 3)
    assert "the list of copy offsite is not whole, so nothing is removed" in result["message"]
