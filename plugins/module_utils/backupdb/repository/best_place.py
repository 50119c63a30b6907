# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From where a backup is best read, when it may rest in several places.

The repository of this host comes first, if the backup is there, its archives have their sizes and no drill has found
them damaged. Otherwise it is the copy that has the freshest one; of equal ones one that a drill has proven, then the
order of the copies decides. What a drill has found damaged is read only where there is nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum
from pathlib import Path

from ..errors import ArchiveDamaged, BackupNotFound, InvalidOption, RepositoryError
from ..system.files import is_folder
from .catalogue import StoredBackup
from .copy_source import CopySource
from .drill_records import is_proof, newest_drill
from .find import BackupSelector, SelectedBackup, find
from .place import Place, open_place
from .problems import Problems

_ELSEWHERE = (ArchiveDamaged, BackupNotFound, RepositoryError)  # another place may be better
_LOOK = 60.0  # seconds; whether a store is there at all is not waited for any longer where there are others


class Standing(IntEnum):
    """What the newest drill of a backup, in one place, says of it there; the better, the higher."""

    DAMAGED = 0
    UNKNOWN = 1
    PROVEN = 2


@dataclass(frozen=True)
class _Candidate:
    found: SelectedBackup
    name: str  # "copy NAME"
    opened: ExitStack

    def rank(self) -> tuple[bool, datetime, Standing]:
        """The higher, the better."""
        standing = standing_of(self.found.backup.folder)
        return (standing > Standing.DAMAGED, self.found.backup.time, standing)


@contextmanager
def find_best(
    repository: str | None, copies: Sequence[CopySource], wanted: BackupSelector, cancel: threading.Event | None = None
) -> Iterator[SelectedBackup]:
    """Find one backup where it is best read from, and keep that place open; warnings say from where, and why.

    Raises `BackupNotFound` with what each place said, when none has it.
    """
    if wanted.path is not None:
        raise InvalidOption("the path of a backup says where it is; to look into copies, name instance and database")
    why_not: list[str] = []
    local = None if repository is None else _in_repository(repository, wanted, why_not)
    if local is not None and standing_of(local.backup.folder) > Standing.DAMAGED:
        yield local
        return
    with ExitStack() as opened:
        candidates = _in_copies(copies, wanted, cancel, opened, why_not)
        if local is not None:
            if not any(candidate.rank()[0] for candidate in candidates):
                why = "a drill has found it damaged there, and no copy has one that can be read instead"
                yield SelectedBackup(local.backup, [f"it is read from the repository: {why}", *local.warnings])
                return
            why_not.insert(0, f"the repository: a drill has found {local.backup.where} damaged")
        if not candidates:
            raise BackupNotFound(f"no place has a backup of {wanted.subject()} that can be read: {'; '.join(why_not)}")
        # The first of equal ones stays, as `max` takes it.
        best = max(candidates, key=_Candidate.rank)
        for other in candidates:
            if other is not best:
                other.opened.close()
        backup = best.found.backup
        told = [f"it is read from copy {best.name}, {backup.where}", *(f"not from {line}" for line in why_not)]
        yield SelectedBackup(backup, [*told, *best.found.warnings])


def _in_repository(repository: str, wanted: BackupSelector, why_not: list[str]) -> SelectedBackup | None:
    try:
        found = find(Path(repository), wanted)
        check_sizes(found.backup)
    except _ELSEWHERE as error:
        why_not.append(f"the repository: {error}")
        return None
    return found


def _in_copies(
    copies: Sequence[CopySource],
    wanted: BackupSelector,
    cancel: threading.Event | None,
    opened: ExitStack,
    why_not: list[str],
) -> list[_Candidate]:
    candidates = []
    for copy in copies:
        stack = opened.enter_context(ExitStack())
        try:
            place = stack.enter_context(_looked_at(copy, wanted.host, wanted.instance, cancel))
            found = find(place.root, wanted)
            backup = place.adopt(found.backup)
            check_sizes(backup)
        except _ELSEWHERE as error:
            why_not.append(f"copy {copy.settings.name}: {error}")
            stack.close()
        else:
            selected = SelectedBackup(backup, [*place.problems, *found.warnings])
            candidates.append(_Candidate(selected, copy.settings.name, stack))
    return candidates


@contextmanager
def open_places(
    repository: str | None, copies: Sequence[CopySource], *, host: str, cancel: threading.Event | None = None
) -> Iterator[tuple[list[Place], list[str]]]:
    """Open the repository and all copies that can be looked at, in this order; the others are named, with the reason.

    Raises `BackupNotFound` when none can be.
    """
    places: list[Place] = []
    why_not: list[str] = []
    with ExitStack() as opened:
        if repository is not None:
            if is_folder(Path(repository)):
                places.append(Place(Path(repository), repository))
            else:
                why_not.append(f"nothing is read from repository {repository}: it is not there")
        for copy in copies:
            try:
                places.append(opened.enter_context(_looked_at(copy, host, None, cancel)))
            except RepositoryError as error:
                why_not.append(f"nothing is read from copy {copy.settings.name}: {error}")
        if not places:
            raise BackupNotFound(f"there is no place that can be read: {'; '.join(why_not)}")
        yield places, why_not


@contextmanager
def _looked_at(
    copy: CopySource, host: str | None, instance: str | None, cancel: threading.Event | None
) -> Iterator[Place]:
    """Open a copy, with little patience for one that is away; what is then read has that of the copy."""
    patience = min(copy.settings.patience, _LOOK)
    quick = replace(copy, settings=replace(copy.settings, patience=patience))
    with ExitStack() as opened:
        place = opened.enter_context(open_place(None, quick, host=host, instance=instance, cancel=cancel))
        if place.patience is not None:
            place.patience.seconds = copy.settings.patience
        yield place


def standing_of(folder: Path) -> Standing:
    """Return what the newest drill of a backup says of it, by the records in the folder; who drilled nothing, nothing.

    A drill that failed for another reason than the archives says nothing about the place.
    """
    record = newest_drill(folder, Problems())
    if is_proof(record):
        return Standing.PROVEN
    damaged = record is not None and record.get("error_kind") == ArchiveDamaged.__name__
    return Standing.DAMAGED if damaged else Standing.UNKNOWN


def check_sizes(backup: StoredBackup) -> None:
    """Raise `ArchiveDamaged` for an archive that is missing or has another size than the manifest says."""
    for archive in backup.manifest["archives"]:
        size = backup.files.size(archive["name"])
        if size != archive["stored_bytes"]:
            found = "is missing" if size is None else f"has {size} bytes"
            where = backup.files.where(archive["name"])
            raise ArchiveDamaged(f"{where} {found}, the manifest says {archive['stored_bytes']}; use another backup")
