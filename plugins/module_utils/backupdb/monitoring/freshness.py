# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fresh the backups of a host are: every database, judged by what the repository holds and by no report of a run.

A database is expected when the newest run of its instance wanted it, or a job does. It is well when its newest backup
is complete, young enough, and the newest attempt did not fail. Before the first run of a new job it is waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from ..jobs.definition import Job
from ..repository import last_run, layout, local
from ..repository.catalogue import database_folders
from ..repository.last_run import BackupOutcome, LastRun
from ..repository.problems import Problems
from ..repository.subject import ACCOUNTS, Subject
from ..system.parallel import result_of
from .copies import CopyState, Coverage, KnownCopies, coverage_of, least
from .job_state import JobState, job_states
from .places import Place, places_of_jobs, places_of_repository
from .stored import Stored

# Verdicts on a database, from good to bad; the first four are no reason to worry.
OK, GONE, LEFT_OUT, WAITING = "ok", "gone", "left out", "waiting"
PARTIAL, FAILED, LATE, NONE = "partial", "failed", "late", "no backup"
VERDICTS = (OK, GONE, LEFT_OUT, WAITING, PARTIAL, FAILED, LATE, NONE)
EXPECTED = (OK, PARTIAL, FAILED, LATE, NONE)
BAD = (FAILED, LATE, NONE)
FRESH = (OK, PARTIAL, FAILED)  # its newest backup is young enough
_SHOWN = 100  # characters


@dataclass(frozen=True)
class DatabaseState:
    """One database, or the accounts, of an instance. `age` and `max_age` in seconds; `age` None: there is no backup."""

    subject: Subject
    verdict: str  # one of VERDICTS
    stored: Stored
    age: float | None
    max_age: float
    error: str | None = None  # why the newest attempt failed
    copies: tuple[CopyState, ...] = ()

    @property
    def coverage(self) -> Coverage:
        """Where it has fresh backups."""
        return coverage_of(self.verdict in FRESH, self.copies)

    @property
    def name(self) -> str:
        """What it is called where databases and accounts are named side by side."""
        return self.subject.title

    @property
    def kind(self) -> str:
        """ "database" or "accounts"."""
        return self.subject.kind


@dataclass(frozen=True)
class InstanceState:
    """One instance and its newest run. `error` says why the newest run could not even begin."""

    place: Place
    run: LastRun | None
    databases: tuple[DatabaseState, ...]
    error: str | None = None
    waits_until: datetime | None = None  # nothing was tried yet, and nothing need be there before

    def count(self, *verdicts: str) -> int:
        """Return how many databases, accounts not included, have one of these verdicts."""
        return sum(state.verdict in verdicts for state in self.databases if not state.subject.is_accounts)

    @property
    def disk_bytes(self) -> int:
        """Bytes of all its backups on the disk."""
        return sum(state.stored.disk_bytes for state in self.databases)


@dataclass(frozen=True)
class RepositoryState:
    """A repository. `free` and `size` are bytes of its filesystem, None where it cannot be looked at."""

    path: str
    disk_bytes: int  # of the instances that were looked at
    free: int | None = None
    size: int | None = None


@dataclass(frozen=True)
class HostState:
    """All that was looked at: what jobs back up and a repository holds, or what is in one copy, by its name."""

    moment: datetime
    instances: tuple[InstanceState, ...]
    jobs: tuple[JobState, ...]
    repositories: tuple[RepositoryState, ...]
    problems: tuple[str, ...] = field(repr=False)
    copy: str | None = None

    @property
    def coverage(self) -> Coverage | None:
        """Where every expected database has fresh backups, at the least; None where no job has copies."""
        if not any(job.job.copies for job in self.jobs):
            return None
        return least(
            database.coverage
            for instance in self.instances
            for database in instance.databases
            if database.verdict in EXPECTED and instance.place.choices
        )


def collect(
    jobs: Sequence[Job],
    *,
    repository: str | None = None,
    host: str | None = None,
    max_age: float,
    now: datetime,
) -> HostState:
    """Look at what jobs back up, and at what else `repository` holds of `host` (None: of all).

    `max_age` in seconds is for what no job backs up. Raises `RepositoryError` when `repository` is not there; a
    repository of a job that is not there is a problem, and its databases have no backup.
    """
    problems = Problems()
    states = job_states(jobs, now)
    places = places_of_jobs(states)
    if repository is not None:
        known = {place.folder for place in places}
        found = places_of_repository(Path(repository), host, max_age, problems)
        places += [place for place in found if place.folder not in known]
    instances = tuple(look_at_each(places, KnownCopies(problems), now, problems))
    return HostState(
        moment=now,
        instances=instances,
        jobs=states,
        repositories=tuple(_repositories(instances, repository, problems)),
        problems=tuple(dict.fromkeys(problems.lines)),
    )


def look_at_each(
    places: Iterable[Place], copies: KnownCopies, now: datetime, problems: Problems
) -> Iterator[InstanceState]:
    """Look at each instance; what nobody thought of in one of them is a problem, and hides no other."""
    for place in places:
        looked = result_of(partial(_instance, place, copies, now, problems))
        if looked.value is not None:
            yield looked.value
        else:
            problems.add(f"{place.folder} cannot be looked at: {looked.error}")


def _instance(place: Place, copies: KnownCopies, now: datetime, problems: Problems) -> InstanceState:
    run = last_run.read(place.record_folder, problems)
    error, failure = None, place.failure
    # A run that began has left its own record, with what failed of it.
    if failure is not None and (run is None or (failure.run_id != run.run_id and failure.moment > run.finished)):
        error = failure.words
    due = place.waits_until if run is None else None
    waits_until = due if due is not None and now < due else None
    databases = tuple(sorted(_databases(place, run, copies, now, problems), key=lambda state: (state.kind, state.name)))
    if run is not None:
        place = place.called(run.host, run.instance)
    else:
        newest = next((state.stored.newest for state in databases if state.stored.newest is not None), None)
        if newest is not None:
            place = place.called(newest.manifest["host"], newest.manifest["instance"])
    if waits_until is not None:
        databases = tuple(_waiting(state) for state in databases)
    return InstanceState(place, run, databases, error, waits_until)


def _waiting(state: DatabaseState) -> DatabaseState:
    """Return what has no backup as waiting for its first one; copies have none either."""
    return replace(state, verdict=WAITING, copies=()) if state.verdict == NONE else state


def _databases(
    place: Place, run: LastRun | None, copies: KnownCopies, now: datetime, problems: Problems
) -> Iterator[DatabaseState]:
    outcomes = {} if run is None else {outcome.name: outcome for outcome in run.databases}
    names = {layout.encode_name(name): name for name in (*(run.present if run else ()), *outcomes)}
    wanted = {Subject(name).folder for name in outcomes}
    if (run is not None and run.accounts is not None) or any(choice.accounts for choice in place.choices):
        wanted.add(ACCOUNTS.folder)
    stored_here = {path.name for path in database_folders(place.folder, problems)}
    for folder in sorted(wanted | stored_here):
        stored = place.look(folder, now, problems)
        if folder not in wanted and not stored.count:
            continue  # an empty folder
        outcome: BackupOutcome | None
        if folder == ACCOUNTS.folder:
            subject, outcome = ACCOUNTS, run.accounts if run is not None else None
            gone, expected = False, folder in wanted or run is None
        else:
            name = _name_in(folder, stored, problems) or names.get(folder) or folder
            outcome = outcomes.get(name)
            gone = run is not None and name not in run.present and outcome is None
            expected = run is None or outcome is not None or any(choice.takes(name) for choice in place.choices)
            subject = Subject(name)
        judged = _judged(place, subject, stored, run, outcome, GONE if gone else None if expected else LEFT_OUT, now)
        yield replace(judged, copies=tuple(_copies(place, judged, place.folder / folder, copies, now)))


def _copies(
    place: Place, judged: DatabaseState, folder: Path, copies: KnownCopies, now: datetime
) -> Iterator[CopyState]:
    expected = judged.verdict in EXPECTED
    for copy, state_dir in place.copies_of(judged.subject.database):
        yield copies.state_of(copy, state_dir, folder, max_age=judged.max_age, expected=expected, now=now)


def _name_in(folder: str, stored: Stored, problems: Problems) -> str | None:
    """Return the name in the newest manifest; not that of another database, whose state it would hide."""
    name = stored.newest.database if stored.newest is not None else None
    if stored.newest is None or name is None or layout.encode_name(name) == folder:
        return name
    problems.add(f"{stored.newest.folder} holds a backup of another database: {name[:_SHOWN]!r}")
    return None


def _judged(
    place: Place,
    subject: Subject,
    stored: Stored,
    run: LastRun | None,
    outcome: BackupOutcome | None,
    excused: str | None,
    now: datetime,
) -> DatabaseState:
    newest = stored.newest
    age = None if newest is None else (now - newest.time).total_seconds()
    max_age = place.max_age_of(subject.database)
    # A backup that is younger than the run that failed was made since, by a run that could not leave its record.
    failed = (
        outcome is not None
        and outcome.status == "failed"
        and run is not None
        and (newest is None or newest.time < run.started)
    )
    if excused is not None:
        verdict = excused
    elif newest is None or age is None:
        verdict = NONE
    elif age > max_age:
        verdict = LATE
    elif failed:
        verdict = FAILED
    else:
        verdict = PARTIAL if newest.manifest["status"] == "partial" else OK
    error = outcome.error if failed and outcome is not None else None
    return DatabaseState(subject, verdict, stored, age, max_age, error)


def away(path: str) -> str:
    """Say of a repository that it cannot be looked at, and what to do."""
    return f"repository {path} cannot be looked at; mount it, or check the path"


def _repositories(
    instances: Iterable[InstanceState], repository: str | None, problems: Problems
) -> Iterator[RepositoryState]:
    stored: dict[str, int] = {} if repository is None else {repository: 0}
    for instance in instances:
        stored[instance.place.repository] = stored.get(instance.place.repository, 0) + instance.disk_bytes
    for path, disk_bytes in sorted(stored.items()):
        space = local.space_of(Path(path))
        if space is None:
            problems.add(away(path))
            yield RepositoryState(path, disk_bytes)
        else:
            yield RepositoryState(path, disk_bytes, *space)
