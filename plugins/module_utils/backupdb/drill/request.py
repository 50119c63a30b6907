# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backups are drilled, and how; made once at the edge (a module, the command line)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from ..archives.keys import Keys
from ..errors import InvalidOption, ManifestDamaged
from ..repository.catalogue import Filter, StoredBackup, is_future, read_backup, read_wanted
from ..repository.copy_source import CopySource
from ..repository.drill_records import last_tried, proven
from ..repository.place import Place
from ..repository.problems import Problems
from ..system.text import counted, human_size, utc_now

NEWEST = "newest"
OLDEST_UNPROVEN = "oldest_unproven"
ALL = "all"
RANDOM = "random"
SELECTS = (NEWEST, OLDEST_UNPROVEN, ALL, RANDOM)
_NEVER = datetime.min.replace(tzinfo=timezone.utc)


@dataclass(frozen=True)
class DrillRequest:
    """Drills of the backups in `paths`, or of those that `select` picks from what `wanted` takes in a repository.

    `count` is how many `oldest_unproven` and `random` pick. `work_dir` is where private servers live, `run_as` the
    user who runs them when we are root. `timeout` is in seconds, for each drill. `signed_by` are
    the public keys one of which must have signed a backup, and that of its accounts.
    """

    repository: str | None = None
    paths: tuple[str, ...] = ()
    wanted: Filter = field(default_factory=Filter)
    select: str = NEWEST
    count: int = 1
    keys: Keys = field(default_factory=Keys)
    work_dir: str | None = None
    run_as: str | None = None
    jobs: int = 1
    timeout: float | None = None
    signed_by: tuple[str, ...] | None = None
    copy: CopySource | None = None

    def __post_init__(self) -> None:
        if self.select not in SELECTS:
            raise InvalidOption(f"select {self.select!r} is not known; use one of {', '.join(SELECTS)}")
        if [self.repository is None, self.copy is None, not self.paths].count(False) != 1:
            raise InvalidOption(
                "say what to drill: a repository, a copy, or the paths of backups, and one of them only"
            )
        if self.count < 1 or self.jobs < 1:
            raise InvalidOption("count and jobs must be at least 1")
        if self.wanted.kind == "accounts":
            raise InvalidOption("accounts are drilled with each database of their instance, not alone")


def choose(request: DrillRequest, place: Place | None, problems: Problems) -> list[StoredBackup]:
    """Return the backups of a place to drill, or without one those at `paths`; what cannot be read is in `problems`.

    Raises `ManifestDamaged` when no path has a manifest that can be read, and `RepositoryError` without a repository.
    """
    if place is None:
        return _at(request.paths, problems)
    now = utc_now()
    found = [
        place.adopt(backup)
        for backup in read_wanted(place.root, request.wanted, problems)
        if backup.kind == "database" and not is_future(backup, now)
    ]
    if request.select == NEWEST:
        return _affordable(_newest_of_each(found), place, problems)
    if request.select == RANDOM:
        return _affordable(random.sample(found, min(request.count, len(found))), place, problems)
    if request.select == OLDEST_UNPROVEN:
        return _affordable(_unproven(found), place, problems, count=request.count)
    return _affordable(found, place, problems)


def _affordable(
    chosen: Sequence[StoredBackup], place: Place, problems: Problems, *, count: int | None = None
) -> list[StoredBackup]:
    """Return the first `count` (None: all) of the backups that the budget of a copy still has room for this month."""
    left = place.allowance(problems)
    able, others = within_budget(chosen, left)
    if others and left is not None and (count is None or len(able) < count):
        problems.add(
            f"{counted(len(others), 'backup')} in {place.where} must wait for the next month: verify_budget "
            f"has {human_size(left)} left, and the first of them needs {human_size(others[0].manifest['stored_bytes'])}"
        )
    return able[:count]


def within_budget(backups: Sequence[StoredBackup], left: int | None) -> tuple[list[StoredBackup], list[StoredBackup]]:
    """Return those of the backups, in their order, that can be read within `left` bytes (None: all), and the others.

    One that is too large is passed over, so that it does not keep the smaller ones after it waiting.
    """
    chosen, others = [], []
    for backup in backups:
        size = backup.manifest["stored_bytes"]
        if left is not None and size > left:
            others.append(backup)
            continue
        chosen.append(backup)
        left = None if left is None else left - size
    return chosen, others


def _at(paths: Sequence[str], problems: Problems) -> list[StoredBackup]:
    found: list[StoredBackup] = []
    unread: list[ManifestDamaged] = []
    for path in map(Path, paths):
        try:
            found.append(read_backup(path))
        except ManifestDamaged as error:
            problems.add_damaged(path, str(error))
            unread.append(error)
    if unread and not found:
        raise unread[0]
    return found


def _newest_of_each(found: Sequence[StoredBackup]) -> list[StoredBackup]:
    newest: dict[tuple[str, ...], StoredBackup] = {}
    for backup in found:  # newest first
        newest.setdefault(backup.place()[:3], backup)
    return list(newest.values())


def _unproven(found: Sequence[StoredBackup]) -> list[StoredBackup]:
    """Return what is not proven: the oldest first of those never tried, then those whose last try is longest ago.

    So a backup that fails for ever, or that this host cannot drill, never keeps the others waiting.
    """
    unproven = [backup for backup in reversed(found) if not proven(backup.folder)]
    return sorted(unproven, key=lambda backup: last_tried(backup.folder) or _NEVER)
