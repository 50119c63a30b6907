# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not well on a host, each with its kind and what it is about, so that it can be told in other forms too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..system.text import human_duration, iso
from . import copies_told
from .copies import FRESH as FRESH_COPY
from .freshness import BAD, LATE, PARTIAL, DatabaseState, HostState, InstanceState, away

# What a complaint is about.
NOTHING, NOT_BEGUN, NEVER, RUN, DATABASE, COPY, JOB, REPOSITORY = (
    "nothing",
    "not begun",
    "never",
    "run",
    "database",
    "copy",
    "job",
    "repository",
)
KINDS = (NOTHING, NOT_BEGUN, NEVER, RUN, DATABASE, COPY, JOB, REPOSITORY)
_NOTHING = "nothing is backed up here: there is no job, and no backup in the repository"


@dataclass(frozen=True)
class Complaint:
    """One thing that is not well; `text` says it whole, with the place."""

    kind: str  # one of KINDS
    text: str
    instance: InstanceState | None = None
    database: DatabaseState | None = None


def failures(state: HostState) -> list[Complaint]:
    """Return why the status is failed, worst first; empty when it is not."""
    nothing = f"there is no backup in copy {state.copy}" if state.copy is not None else _NOTHING
    found = [] if state.instances else [Complaint(NOTHING, nothing)]
    for instance in state.instances:
        found += _of_instance(state, instance)
    for job in state.jobs:
        if job.status == "failed":
            found.append(Complaint(JOB, f"job {job.job.name} failed: {job.record.get('message')}"))
    if state.copy is None:
        found += [Complaint(REPOSITORY, away(one.path)) for one in state.repositories if one.free is None]
    return found


def shortcomings(state: HostState) -> list[Complaint]:
    """Return why the status is partial when nothing has failed; empty when it is not."""
    databases = [(instance, database) for instance in state.instances for database in instance.databases]
    found = [
        Complaint(DATABASE, f"{name_of(instance, database)}: {reason(database)}", instance, database)
        for instance, database in databases
        if database.verdict == PARTIAL
    ]
    found += [
        Complaint(COPY, f"{name_of(instance, database)}: {copies_told.reason(copy)}", instance, database)
        for instance, database in databases
        for copy in database.copies
        if copy.verdict not in FRESH_COPY and not copy.required
    ]
    found += [Complaint(JOB, f"job {job.job.name} ended partial") for job in state.jobs if job.status == "partial"]
    for job in state.jobs:
        for result in job.copy_results:
            if result.error is not None:
                found.append(Complaint(JOB, f"job {job.job.name}: copy {result.name}: {result.error}"))
    return found


def name_of(instance: InstanceState, database: DatabaseState) -> str:
    """Name a database for messages."""
    return f"{instance.place.host}/{instance.place.instance}/{database.name}"


def reason(database: DatabaseState) -> str:
    """Say why the newest backup of a database is not as it should be."""
    newest = database.stored.newest
    if database.age is None or newest is None:
        why = "there is no backup"
    elif database.verdict == LATE:
        why = f"the newest backup is {human_duration(database.age)} old, {human_duration(database.max_age)} are allowed"
    elif database.verdict == PARTIAL:
        return f"the newest backup is partial: missing {'; '.join(newest.manifest['missing'])}"
    else:
        why = "the newest attempt failed"
    return why if database.error is None else f"{why}: {database.error}"


def _of_instance(state: HostState, instance: InstanceState) -> Iterator[Complaint]:
    place = f"{instance.place.host}/{instance.place.instance}"
    bad = [one for one in instance.databases if one.verdict in BAD]
    if instance.error is not None:
        yield Complaint(NOT_BEGUN, f"{place}: the newest run could not begin: {instance.error}", instance)
    elif instance.run is None and not instance.databases and instance.waits_until is None:
        yield Complaint(NEVER, f"{place}: was never backed up{_missed(instance)}", instance)
    elif state.copy is None and instance.run is not None and instance.run.status == "failed" and not bad:
        ended = iso(instance.run.finished.replace(microsecond=0))
        yield Complaint(RUN, f"{place}: the newest run failed, {ended}", instance)
    for one in bad:
        yield Complaint(DATABASE, f"{name_of(instance, one)}: {reason(one)}", instance, one)
    for one in instance.databases:
        for line in (line for copy in one.copies for line in copies_told.failures(copy)):
            yield Complaint(COPY, f"{name_of(instance, one)}: {line}", instance, one)
        if state.copy is not None and one.stored.tampered:
            told = copies_told.tampering(state.copy, one.stored.tampered)
            yield Complaint(COPY, f"{name_of(instance, one)}: {told}", instance, one)


def _missed(instance: InstanceState) -> str:
    due = instance.place.waits_until
    return "" if due is None else f", though its first run should have ended by {iso(due.replace(microsecond=0))}"
