# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of a host as plain values and as a table: what `backupdb status` and the module backup_status return."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ..errors import InvalidOption
from ..jobs.definition import Job
from ..repository.copy_source import CopySource
from ..repository.left_out import with_without, without
from ..system.table import one_line, table
from ..system.text import human_duration, human_size, iso, parse_duration, utc_now
from . import copies_told, one_copy
from .complaints import failures, name_of, shortcomings
from .freshness import (
    EXPECTED,
    GONE,
    LATE,
    LEFT_OUT,
    NONE,
    OK,
    PARTIAL,
    VERDICTS,
    WAITING,
    DatabaseState,
    HostState,
    InstanceState,
    collect,
)
from .options import OPTIONS

MAX_AGE = parse_duration(OPTIONS["max_age"].default)  # seconds
_TITLES = ("INSTANCE", "DATABASE", "STATE", "NEWEST BACKUP (UTC)", "AGE", "ALLOWED", "SIZE", "PROVEN", "NEXT RUN (UTC)")
_RIGHT = (4, 5, 6)


def of_host(
    jobs: Sequence[Job],
    *,
    repository: str | None = None,
    host: str | None = None,
    max_age: float = MAX_AGE,
    copy: CopySource | None = None,
) -> dict[str, Any]:
    """Return how fresh the backups are that `jobs` make, and those of `host` (None: of all hosts) in `repository`.

    `max_age` in seconds is for what no job backs up; a job has its own. `status` is `failed` when a database has no
    backup, or none that is young enough, or its newest attempt or a job failed; `partial` when something is missing
    in a backup; else `ok`, also where the first run of a new job is still to come. Raises `RepositoryError` when
    `repository` is not there.

    With `copy` it is how fresh that copy is, in place of a repository, after a look at its store: what `jobs` send
    there, and what else it has. What is said of runs and jobs is left out. Raises what opening and reading
    the store raises.
    """
    return values_of(look(jobs, repository=repository, host=host, max_age=max_age, copy=copy))


def look(
    jobs: Sequence[Job],
    *,
    repository: str | None = None,
    host: str | None = None,
    max_age: float = MAX_AGE,
    copy: CopySource | None = None,
) -> HostState:
    """Look at what `of_host` is about; raises what that raises."""
    if host is not None and repository is None and copy is None:
        raise InvalidOption("host says of which host to look at a repository or a copy; name one of these too")
    if copy is None:
        return collect(jobs, repository=repository, host=host, max_age=max_age, now=utc_now())
    if repository is not None:
        raise InvalidOption("a repository and a copy both say where to look; leave one of them out")
    return one_copy.collect(copy, jobs, host=host, max_age=max_age, now=utc_now())


def values_of(state: HostState) -> dict[str, Any]:
    """Return what was found as plain values."""
    bad, lacking = failures(state), shortcomings(state)
    told = [complaint.text for complaint in (*bad, *lacking)]
    databases = [(instance, database) for instance in state.instances for database in instance.databases]
    return {
        "status": "failed" if bad else "partial" if lacking else "ok",
        "message": _message(state, told),
        "rows": [_row(state, instance, database) for instance, database in databases],
        "coverage": copies_told.coverage_values(state.coverage),
        "late": [name_of(instance, database) for instance, database in databases if database.verdict in (LATE, NONE)],
        "waiting": _waiting(state),
        "complaints": told,
        "instances": [_instance(state, instance) for instance in state.instances],
        "jobs": _jobs(state),
        "repositories": [
            {"path": one.path, "disk_bytes": one.disk_bytes, "free_bytes": one.free, "size_bytes": one.size}
            for one in state.repositories
        ],
        "lines": lines(state),
        "warnings": [line for line in state.problems if line not in told],
    }


def lines(state: HostState) -> list[str]:
    """Return a table for each host, and what is wrong below it."""
    found: list[str] = []
    for host in sorted({instance.place.host for instance in state.instances}):
        shown = [
            (instance, database)
            for instance in state.instances
            if instance.place.host == host
            for database in instance.databases
        ]
        copies = list(dict.fromkeys(copy.name for _instance, database in shown for copy in database.copies))
        titles = [*_TITLES[:-1], *(f"COPY {name.upper()}" for name in copies), _TITLES[-1]]
        rows = [_cells(state, instance, database, copies) for instance, database in shown]
        found += [f"{one_line(host)}:", *(f"  {line}" for line in table([titles, *rows], right=_RIGHT))]
    told = [complaint.text for complaint in (*failures(state), *shortcomings(state))]
    return found + [one_line(line) for line in (*told, *_expectations(state))]


def next_run(state: HostState, instance: InstanceState) -> datetime | None:
    """Return when an instance is backed up next, as far as that is known."""
    wanted = set(instance.place.jobs)
    moments = [job.next_run.moment for job in state.jobs if job.job.name in wanted]
    return min((moment for moment in moments if moment is not None), default=None)


def _expectations(state: HostState) -> list[str]:
    """Say what is waited for, and until when that is well."""
    found = []
    for instance in state.instances:
        if instance.waits_until is not None:
            coming = next_run(state, instance)
            when = f" at {iso(coming.replace(microsecond=0))}" if coming is not None else ""
            until = iso(instance.waits_until.replace(microsecond=0))
            found.append(
                f"{instance.place.host}/{instance.place.instance}: waiting for its first run{when}; "
                f"without a backup it is a failure from {until} on"
            )
    return found


def _message(state: HostState, complaints: Sequence[str]) -> str:
    counts = Counter(database.verdict for instance in state.instances for database in instance.databases)
    counts.pop(WAITING, None)  # what is known of them is how many instances wait
    waiting = _waiting(state)
    told = [f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict]]
    told += [f"{len(waiting)} instance{'s'[: len(waiting) != 1]} waiting for the first run"] if waiting else []
    parts = ", ".join(told) or "no backups"
    size = human_size(sum(instance.disk_bytes for instance in state.instances))
    size += "".join(f" in copy {state.copy}, {one.path}" for one in state.repositories if state.copy is not None)
    free = "".join(f", {human_size(one.free)} free in {one.path}" for one in state.repositories if one.free is not None)
    covered = f"; {copies_told.coverage_text(state.coverage)}" if state.coverage is not None else ""
    worst = f". {complaints[0]}" if complaints else ""
    more = f" (and {len(complaints) - 1} more)" if len(complaints) > 1 else ""
    return f"{parts}; {size}{free}{covered}{worst}{more}"


def _waiting(state: HostState) -> list[str]:
    return [f"{one.place.host}/{one.place.instance}" for one in state.instances if one.waits_until is not None]


def _row(state: HostState, instance: InstanceState, database: DatabaseState) -> dict[str, Any]:
    stored = database.stored
    manifest = stored.newest.manifest if stored.newest is not None else None
    drill = stored.last_drill
    return {
        "host": instance.place.host,
        "instance": instance.place.instance,
        "database": database.subject.database,
        "kind": database.kind,
        "state": database.verdict,
        "newest": None if stored.newest is None else iso(stored.newest.time),
        "newest_complete": _iso(stored.newest_complete),
        "without": "" if manifest is None else without(manifest),
        "path": None if stored.newest is None else stored.newest.where,
        "age_seconds": None if database.age is None else round(database.age),
        "max_age_seconds": round(database.max_age),
        "duration": None if manifest is None else manifest.get("duration_seconds"),
        "plain_bytes": None if manifest is None else manifest["plain_bytes"],
        "stored_bytes": None if manifest is None else manifest["stored_bytes"],
        "backups": stored.count,
        "disk_bytes": stored.disk_bytes,
        "proven": _iso(stored.proven),
        "drill": None if drill is None else {"finished": iso(drill.finished), "verdict": drill.verdict},
        "error": database.error,
        "next_run": _iso(next_run(state, instance)),
        "copies": [copies_told.row(copy) for copy in database.copies],
        "coverage": copies_told.coverage_values(None if state.copy is not None else database.coverage),
    }


def _cells(state: HostState, instance: InstanceState, database: DatabaseState, copies: Sequence[str]) -> list[str]:
    stored = database.stored
    moment = next_run(state, instance)
    in_copies = {copy.name: copies_told.cell(copy) for copy in database.copies}
    words = [job.next_run.words for job in state.jobs if job.job.name in instance.place.jobs]
    return [
        instance.place.instance,
        database.name,
        database.verdict if stored.newest is None else with_without(database.verdict, stored.newest.manifest),
        "-" if stored.newest is None else f"{stored.newest.time:%Y-%m-%d %H:%M}",
        "-" if database.age is None else human_duration(max(0.0, database.age)),
        human_duration(database.max_age),
        "-" if stored.newest is None else human_size(stored.newest.manifest["stored_bytes"]),
        _proven(database),
        *(in_copies.get(name, "-") for name in copies),
        f"{moment:%Y-%m-%d %H:%M}" if moment is not None else words[0] if words else "-",
    ]


def _proven(database: DatabaseState) -> str:
    stored = database.stored
    if database.subject.is_accounts:
        return "-"  # they are drilled with each database
    if stored.last_drill is not None and not stored.last_drill.proved:
        return f"NO: {stored.last_drill.verdict}"
    return "never" if stored.proven is None else f"{stored.proven:%Y-%m-%d}"


def _instance(state: HostState, instance: InstanceState) -> dict[str, Any]:
    run = instance.run
    return {
        "repository": instance.place.repository,
        "host": instance.place.host,
        "instance": instance.place.instance,
        "engine": None if run is None else run.engine,
        "server_version": None if run is None else run.server_version,
        "status": "failed" if instance.error is not None else None if run is None else run.status,
        "error": instance.error,
        "last_run": None if run is None else iso(run.finished),
        "expected": instance.count(*EXPECTED),
        "well": instance.count(OK, PARTIAL),
        "gone": [one.name for one in instance.databases if one.verdict == GONE],
        "left_out": [one.name for one in instance.databases if one.verdict == LEFT_OUT],
        "disk_bytes": instance.disk_bytes,
        "jobs": instance.place.jobs,
        "next_run": _iso(next_run(state, instance)),
        "waits_until": _iso(instance.waits_until),
    }


def _jobs(state: HostState) -> list[dict[str, Any]]:
    return [
        {
            "name": job.job.name,
            "status": job.status,
            "message": job.record.get("message"),
            "finished": _iso(job.moment("finished")),
            "last_success": _iso(job.moment("last_success")),
            "duration": job.duration,
            "next_run": _iso(job.next_run.moment),
            "schedule": job.next_run.words,
            "copies": [
                {"name": one.name, "finished": iso(one.finished), "error": one.error} for one in job.copy_results
            ],
        }
        for job in state.jobs
    ]


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)
