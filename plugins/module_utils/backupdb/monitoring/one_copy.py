# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fresh the backups in one copy are, after a look at its store.

Jobs that have the copy say what is expected in it, as do the records of their newest runs, which are in the
repository. What no job of this host backs up is expected to be as young as all else: a copy alone does not tell that a
database was dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from ..jobs.definition import Job
from ..repository import place as repository_place
from ..repository.arrivals import Arrived, read_arrivals
from ..repository.copy_source import CopySource
from ..repository.place import open_place
from ..repository.problems import Problems
from .copies import KnownCopies, may_be
from .freshness import HostState, RepositoryState, look_at_each
from .job_state import job_states
from .places import Place, places_of_jobs, places_of_repository
from .stored import Stored, look

_DEPTH = 2  # host, instance


@dataclass(frozen=True)
class CopiedPlace(Place):
    """One instance in a copy. `record` is its folder in the repository, where a job of this host backs it up."""

    opened: repository_place.Place | None = None
    arrivals: Mapping[str, Mapping[str, Arrived]] = field(default_factory=dict)
    record: Path | None = None

    @property
    def record_folder(self) -> Path:
        """Where the newest run has left its record: in the repository; a copy has none."""
        return self.record or self.folder

    def look(self, folder: str, now: datetime, problems: Problems) -> Stored:
        """Look at what is known of a database; its backups are those of the store, and count when they arrived."""
        place = "/".join((*self.folder.parts[-_DEPTH:], folder))
        arrivals = self.arrivals.get(place, {})
        stored = look(self.folder / folder, now, problems, counts=lambda name, time: may_be(time, arrivals.get(name)))
        newest = stored.newest
        return replace(
            stored,
            newest=newest if newest is None or self.opened is None else self.opened.adopt(newest),
            disk_bytes=sum(arrived.stored_bytes for arrived in arrivals.values()),
            tampered=sum(arrived.tampered for arrived in arrivals.values()),
        )


def collect(
    source: CopySource, jobs: Sequence[Job] = (), *, host: str | None = None, max_age: float, now: datetime
) -> HostState:
    """Look at a copy: at what `jobs` send there, and at what else it has of `host` (None: of all).

    `max_age` in seconds is for what no job backs up, if the copy has no limit of its own. Raises `StoreError`, and what
    opening the store raises.
    """
    problems = Problems()
    sending = [job for job in jobs if any(copy.name == source.settings.name for copy in job.copies)]
    limit = source.settings.max_age
    with open_place(None, source, host=None if sending else host) as opened:
        problems.lines += opened.problems
        copied = _Copied(opened, limit)
        expected = [copied.place(place, record=place.folder) for place in places_of_jobs(job_states(sending, now))]
        there = places_of_repository(opened.root, host, max_age if limit is None else limit, problems)
        known = {place.folder for place in expected}
        places = [*expected, *(copied.place(place) for place in there if place.folder not in known)]
        instances = tuple(look_at_each(places, KnownCopies(problems), now, problems))
    return HostState(
        moment=now,
        instances=instances,
        jobs=(),
        repositories=(RepositoryState(opened.where, sum(instance.disk_bytes for instance in instances)),),
        problems=tuple(dict.fromkeys(problems.lines)),
        copy=source.settings.name,
    )


class _Copied:
    """Makes places in a copy; `limit` is how old its backups may be, in seconds, None: as old as any."""

    def __init__(self, opened: repository_place.Place, limit: float | None) -> None:
        self._opened = opened
        self._limit = limit
        self._arrivals: dict[str, dict[str, Arrived]] = {}
        for place, arrived in read_arrivals(opened.root.parent / "arrivals.json").of.items():
            database, _slash, backup_id = place.rpartition("/")
            self._arrivals.setdefault(database, {})[backup_id] = arrived

    def place(self, place: Place, *, record: Path | None = None) -> CopiedPlace:
        """Return the same instance in the copy."""
        return CopiedPlace(
            repository=self._opened.where,
            host=place.host,
            instance=place.instance,
            folder=self._opened.root.joinpath(*place.folder.parts[-_DEPTH:]),
            max_age=place.max_age if self._limit is None else self._limit,
            choices=tuple(
                replace(one, copies=(), max_age=one.max_age if self._limit is None else self._limit)
                for one in place.choices
            ),
            tried=place.tried,
            opened=self._opened,
            arrivals=self._arrivals,
            record=record,
        )
