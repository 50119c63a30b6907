# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of one copy, as its store shows it: to a host that sends there, and to one that only looks."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from backupdb.errors import InvalidOption
from backupdb.jobs.definition import Job
from backupdb.monitoring import status
from backupdb.repository.copy_source import CopySource
from backupdb.repository.stores.settings import copy_from
from support.monitored import NASTY, job_of, keep, note_run, with_copies


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    folder.mkdir(mode=0o700)
    return folder


def source(disk: Path, **options: Any) -> CopySource:
    settings = copy_from({"name": "disk", "type": "local", "path": str(disk), **options}, "copy")
    return CopySource(settings, str(disk.with_name("looking")))


def shown(disk: Path, *jobs: Job, copy: CopySource | None = None, **more: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """The status, and the state of each database."""
    result = status.of_host(jobs, copy=copy or source(disk), **more)
    return result, {row["database"] or "@accounts": row["state"] for row in result["rows"]}


def test_a_host_that_only_looks_sees_what_is_in_the_store(disk: Path) -> None:
    newest = keep(disk, "shop", hours=1)
    keep(disk, "shop", hours=20, drill="equal")
    keep(disk, NASTY, hours=30)
    result, states = shown(disk)
    assert (result["status"], states) == ("failed", {"shop": "ok", NASTY: "late"})
    assert "30 h 0 min old, 26 h 0 min are allowed" in result["complaints"][0]
    row = next(row for row in result["rows"] if row["database"] == "shop")
    assert (row["path"], row["backups"], row["copies"], row["coverage"]) == (str(newest), 2, [], None)
    assert row["proven"] is not None
    size = sum(file.stat().st_size for file in disk.rglob("*") if file.is_file())
    (place,) = result["repositories"]
    assert (place["path"], place["disk_bytes"], place["free_bytes"]) == (str(disk), size, None)
    assert "in copy disk, " in result["message"]
    assert shown(disk, max_age=48 * 3600)[0]["status"] == "ok"
    assert shown(disk, copy=source(disk, max_age="2h"), max_age=99.0)[1] == {"shop": "ok", NASTY: "late"}


def test_only_the_host_that_was_asked_for_counts(disk: Path) -> None:
    keep(disk, "shop", hours=1)
    keep(disk, "shop", hours=99, host="db2")
    assert shown(disk, host="db1")[0]["status"] == "ok"
    assert shown(disk)[0]["late"] == ["db2/shop-db/shop"]
    result, _states = shown(disk, host="db3")
    assert (result["status"], result["complaints"]) == ("failed", ["there is no backup in copy disk"])
    with pytest.raises(InvalidOption, match="name one of these too"):
        status.of_host([], host="db1")
    with pytest.raises(InvalidOption, match="leave one of them out"):
        shown(disk, repository="/srv")


def test_a_job_that_sends_there_says_what_is_expected_and_its_runs_what_is_gone(root: Path, disk: Path) -> None:
    for name, hours in (("shop", 30), ("old", 400), ("left", 400)):
        folder = keep(root, name, hours=hours)
        shutil.copytree(folder, disk / folder.relative_to(root))
    keep(root, "shop", hours=1)  # it never came there
    keep(root, "new", hours=1)
    note_run(root, {"shop": "complete", "new": "complete"}, accounts=None, present=["left"])
    job = with_copies(job_of(root, backup={"accounts": False, "databases": ["shop", "new"]}), "disk", "other")
    result, states = shown(disk, job)
    assert states == {"shop": "late", "new": "no backup", "old": "gone", "left": "left out"}
    assert (result["status"], result["late"]) == ("failed", ["db1/shop-db/new", "db1/shop-db/shop"])
    assert result["jobs"] == []
    assert shown(disk, job, copy=source(disk, max_age="48h"))[1]["shop"] == "ok"
    # A job without this copy expects nothing of it; then all that is there is to be young.
    other = replace(job, copies=[copy for copy in job.copies if copy.name == "other"])
    assert shown(disk, other)[1] == {"shop": "late", "old": "late", "left": "late"}


def test_a_manifest_that_was_written_over_is_told_and_the_first_counts(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = keep(disk, "shop", hours=1)
    assert shown(disk)[0]["status"] == "ok"
    arrivals = disk.with_name("looking") / "copies" / "disk" / "arrivals.json"
    text = arrivals.read_text(encoding="ascii")
    monkeypatch.setattr("backupdb.repository.shadow.Shadow.refresh", lambda *_all, **_more: ["seen"])
    arrivals.write_text(text.replace('"later": 0', '"later": 2'), encoding="ascii")
    result, states = shown(disk)
    assert (result["status"], states, result["warnings"]) == ("failed", {"shop": "ok"}, ["seen"])
    assert "the manifests of 1 backups were written over or removed" in result["complaints"][0]
    assert folder.is_dir()
