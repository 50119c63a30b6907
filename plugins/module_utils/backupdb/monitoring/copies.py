# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fresh the copies of a database are: judged by what is known to be in them, not by what was sent.

Nothing is asked of a store here. What is known is as old as the last look at the copy, so a copy that nobody looks at
any more becomes late.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ..repository.arrivals import Arrived, read_arrivals
from ..repository.copy_source import copy_home
from ..repository.problems import Problems
from ..repository.stores.settings import MEDIA, CopySettings
from ..retention.copy_plan import CLOCK_TOLERANCE
from ..retention.wanted import missing_by_name, policy_of
from .stored import Stored, look

# What is said of a database in a copy, from good to bad; the first two are no reason to worry.
OK, BEHIND, LATE, NONE = "ok", "behind", "late", "no backup"
FRESH = (OK, BEHIND)
REPOSITORY_MEDIA = "disk"


@dataclass(frozen=True)
class CopyState:
    """One database, or the accounts, in one copy. `age` and `max_age` in seconds; times are those of the snapshots.

    `missing` are those of this host that the copy is to have and has not. `tampered` are backups whose manifests
    somebody wrote over or removed. `locked_until` is of the newest backup, where it can be known.
    """

    name: str
    verdict: str  # OK, BEHIND, LATE or NONE
    required: bool
    media: str
    off_site: bool
    newest: datetime | None
    age: float | None
    max_age: float
    missing: int
    missing_bytes: int
    proven: datetime | None
    backups: int
    stored_bytes: int
    tampered: int
    locked_until: datetime | None


@dataclass(frozen=True)
class Coverage:
    """In how many places there is a fresh backup, on how many kinds of media, and how many of them are off-site."""

    copies: int
    media: int
    off_site: int


class KnownCopies:
    """What this host knows of copies; each is read once."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._arrivals: dict[Path, dict[str, dict[str, Arrived]]] = {}

    def state_of(
        self,
        copy: CopySettings,
        state_dir: str,
        database_folder: Path,
        *,
        max_age: float,
        expected: bool,
        now: datetime,
    ) -> CopyState:
        """Look at a database, whose folder is that in the repository, in a copy; one not `expected` is never late."""
        place = "/".join(database_folder.parts[-3:])
        home = copy_home(state_dir, copy.name)
        arrivals = self._of(home).get(place, {})
        copied = home / "shadow" / place
        stored = look(copied, now, self._problems, counts=lambda name, time: may_be(time, arrivals.get(name)))
        missing = missing_by_name(policy_of(copy), database_folder, copied, now)
        newest = None if stored.newest is None else stored.newest.time
        age = None if newest is None else (now - newest).total_seconds()
        limit = copy.max_age if copy.max_age is not None else max_age
        if expected and age is None:
            verdict = NONE
        elif expected and age is not None and age > limit:
            verdict = LATE
        else:
            verdict = BEHIND if missing else OK
        return CopyState(
            name=copy.name,
            verdict=verdict,
            required=copy.required,
            media=MEDIA[copy.type],
            off_site=copy.off_site,
            newest=newest,
            age=age,
            max_age=limit,
            missing=len(missing),
            missing_bytes=sum(_size(database_folder / name) for name in missing),
            proven=stored.proven,
            backups=stored.count,
            stored_bytes=sum(arrived.stored_bytes for arrived in arrivals.values()),
            tampered=sum(arrived.tampered for arrived in arrivals.values()),
            locked_until=_locked_until(copy, stored, arrivals),
        )

    def _of(self, home: Path) -> Mapping[str, dict[str, Arrived]]:
        """Return the arrivals of a copy by the place of the database and the id."""
        if home not in self._arrivals:
            found = self._arrivals[home] = {}
            for place, arrived in read_arrivals(home / "arrivals.json").of.items():
                database, _slash, backup_id = place.rpartition("/")
                found.setdefault(database, {})[backup_id] = arrived
        return self._arrivals[home]


def coverage_of(repository_is_fresh: bool, copies: Sequence[CopyState]) -> Coverage:
    """Count where a database has a fresh backup: the repository is one place, on a disk and not off-site."""
    fresh = [copy for copy in copies if copy.verdict in FRESH]
    media = {copy.media for copy in fresh} | ({REPOSITORY_MEDIA} if repository_is_fresh else set())
    return Coverage(len(fresh) + repository_is_fresh, len(media), sum(copy.off_site for copy in fresh))


def least(coverages: Iterable[Coverage]) -> Coverage | None:
    """Return what can be said of all of these together; None of none."""
    found = list(coverages)
    if not found:
        return None
    return Coverage(
        min(one.copies for one in found), min(one.media for one in found), min(one.off_site for one in found)
    )


def may_be(time: datetime, arrived: Arrived | None) -> bool:
    """Return whether a backup can be of this time: one that came before it would make a copy look fresh in advance."""
    return arrived is None or arrived.time is None or time - arrived.time <= CLOCK_TOLERANCE


def _locked_until(copy: CopySettings, stored: Stored, arrivals: Mapping[str, Arrived]) -> datetime | None:
    days = (copy.place.get("lock") or {}).get("days")
    arrived = None if stored.newest is None else arrivals.get(stored.newest.folder.name)
    if not days or arrived is None or arrived.time is None:
        return None
    return arrived.time + timedelta(days=days)


def _size(folder: Path) -> int:
    size = 0
    with suppress(OSError), os.scandir(folder) as entries:
        size = sum(entry.stat(follow_symlinks=False).st_size for entry in entries)
    return size
