# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts with backups, runs and jobs of any age, for tests that need no database."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from backupdb.jobs.definition import Job, job_from
from backupdb.jobs.record import write_record
from backupdb.repository import last_run, local
from backupdb.repository.arrivals import Arrivals, Arrived, read_arrivals, write_arrivals
from backupdb.repository.catalogue import read_backup
from backupdb.repository.copy_source import copy_home
from backupdb.repository.drill_records import write_drill
from backupdb.repository.last_copy import LastCopy, write_last
from backupdb.repository.stores.settings import copy_from
from backupdb.system.text import iso, utc_now

from support.stored import RUN, store

NASTY = '../x"; --\\n\n\udcff'  # path, quote, comment, backslash, line break, a byte that is no text
HOUR = timedelta(hours=1)


def ago(hours: float) -> datetime:
    """A moment, to the second."""
    return (utc_now() - timedelta(hours=hours)).replace(microsecond=0)


def note_run(
    root: Path,
    databases: Mapping[str, str],
    *,
    hours: float = 1.0,
    host: str = "db1",
    instance: str = "shop-db",
    accounts: str | None = "complete",
    present: Sequence[str] = (),
    status: str | None = None,
    error: str = "wrong flag",
) -> None:
    """Leave the record of a run over an instance that ended so many hours ago; `databases` are names and statuses."""

    def entry(name: str, of: str) -> dict[str, Any]:
        why = error if of == "failed" else None
        return {"name": name, "status": of, "error": why, "plain_bytes": 0, "stored_bytes": 0, "duration": 1.0}

    worst = "failed" if "failed" in databases.values() else "partial" if "partial" in databases.values() else "ok"
    result = {
        "host": host,
        "instance": instance,
        "run_id": RUN,
        "status": status or worst,
        "engine": "mariadb",
        "server_version": "10.11.19",
        "databases": [entry(name, of) for name, of in databases.items()],
        "accounts": None if accounts is None else entry("@accounts", accounts),
        "gone": [],
        "new": [],
        "duration": 2.5,
        "plain_bytes": 0,
        "stored_bytes": 0,
    }
    folder = local.make_instance_folder(root, host, instance)
    end = ago(hours)
    started = end - timedelta(minutes=1)
    seen = {*databases, *present}
    if last_run.write(folder, result, started=started, finished=end, present=seen, faults={}):
        raise AssertionError(f"the record in {folder} could not be written")


def keep(root: Path, database: str | None, *, hours: float, drill: str | None = None, **manifest: Any) -> Path:
    """Store a backup that is so many hours old, with a drill of this verdict right after it; returns its folder."""
    moment = ago(hours)
    values = {"content": b"-- dump\n", "duration_seconds": 1.25, "time": moment, **manifest}
    folder = store(root, database, **values).folder
    if drill is not None:
        finished = iso(moment + timedelta(minutes=30))
        write_drill(folder, {"schema": 1, "backup_id": folder.name, "verdict": drill, "finished": finished})
    return folder


def job_of(root: Path, name: str = "nightly", **changes: Any) -> Job:
    """A job over the instance `shop-db` of `db1`; changes of `backup` are changes of its only backup."""
    backup = {
        "instance": "shop-db",
        "engine": "mariadb",
        "login_host": "127.0.0.1",
        "repository": str(root),
        "host": "db1",
        "encryption": "none",
        **changes.pop("backup", {}),
    }
    state_dir = root.parent / "state"
    return job_from({"schema": 1, "name": name, "backups": [backup], "state_dir": str(state_dir), **changes}, "test")


def with_copies(job: Job, *names: str, **options: Any) -> Job:
    """The job with copies of these names on S3, kept nowhere: nothing asks a store."""
    wanted = {"type": "s3", "bucket": "acme-db", **options}
    return replace(job, copies=[copy_from({"name": name, **wanted}, "test") for name in names])


def note_copied(job: Job, name: str, folders: Iterable[Path], *, minutes: float = 10.0, **arrived: Any) -> None:
    """Let these backups be known to be in a copy, where each came so many minutes after its time."""
    home = copy_home(job.state_dir, name)
    home.mkdir(parents=True, exist_ok=True)
    of = dict(read_arrivals(home / "arrivals.json").of)
    for folder in folders:
        place = "/".join(folder.parts[-4:])
        shutil.copytree(folder, home / "shadow" / place, dirs_exist_ok=True)
        moment = read_backup(folder).time + timedelta(minutes=minutes)
        of[place] = Arrived(moment, **{"stored_bytes": 100, **arrived})
    write_arrivals(home / "arrivals.json", Arrivals(of))


def note_copying(job: Job, name: str, error: str | None) -> None:
    """Remember how the last copying into a copy ended."""
    home = copy_home(job.state_dir, name)
    home.mkdir(parents=True, exist_ok=True)
    write_last(home, LastCopy(ago(1), error, 0))


def note_job(job: Job, status: str, *, hours: float = 1.0, message: str = "told", began: bool = True) -> None:
    """Remember a run of a job that ended so many hours ago, the one of `note_run` unless it never `began`."""
    end = iso(ago(hours))
    backups = [
        {**{key: options[key] for key in ("instance", "host", "repository")}, "status": status, "message": message}
        for options in job.backups
    ]
    result = {
        "job": job.name,
        "run_id": RUN if began else "f" * 32,
        "started": end,
        "finished": end,
        "status": status,
        "message": message,
        "backups": [{**entry, "databases": [], "accounts": None} for entry in backups],
    }
    write_record(job.state_dir, result)


def jobs_with_everything(root: Path) -> list[Job]:
    """Jobs of a host on which every metric has something to tell but when systemd starts them next."""
    shop = [keep(root, "shop", hours=9, drill="equal"), keep(root, "shop", hours=1)]
    keep(root, NASTY, hours=1, status="partial", missing=["view v"])
    keep(root, "lost", hours=50)
    note_run(root, {"shop": "complete", NASTY: "partial", "new one": "failed"})
    nightly = with_copies(job_of(root), "offsite", lock={"mode": "compliance", "days": 30})
    jobs = [nightly, job_of(root, "weekly", backup={"databases": ["shop"], "accounts": False})]
    note_copied(nightly, "offsite", shop)
    note_copying(nightly, "offsite", "403 for acme-db")
    note_job(jobs[0], "ok", hours=20)
    note_job(jobs[0], "failed")
    return jobs
