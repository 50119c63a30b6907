# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From where a backup is best read, when it may rest in several places.

The repository of this host comes first, if the backup is there and its archives have their sizes. Otherwise it is the
copy that has the freshest one; of equal ones one that a drill has proven, then the order of the copies decides.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import ArchiveDamaged, BackupNotFound, InvalidOption, RepositoryError
from .catalogue import StoredBackup
from .drill_records import proven
from .find import BackupSelector, SelectedBackup, find
from .place import CopySource, open_place

_ELSEWHERE = (ArchiveDamaged, BackupNotFound, RepositoryError)  # another place may be better


@dataclass(frozen=True)
class _Candidate:
    found: SelectedBackup
    name: str
    opened: ExitStack


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
    if local is not None:
        yield local
        return
    with ExitStack() as opened:
        candidates = _in_copies(copies, wanted, cancel, opened, why_not)
        if not candidates:
            raise BackupNotFound(f"no place has a backup of {wanted.subject()} that can be read: {'; '.join(why_not)}")
        # The first of equal ones stays, as `max` takes it.
        best = max(candidates, key=lambda one: (one.found.backup.time, proven(one.found.backup.folder)))
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
            place = stack.enter_context(
                open_place(None, copy, host=wanted.host, instance=wanted.instance, cancel=cancel)
            )
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


def check_sizes(backup: StoredBackup) -> None:
    """Raise `ArchiveDamaged` for an archive that is missing or has another size than the manifest says."""
    for archive in backup.manifest["archives"]:
        size = backup.files.size(archive["name"])
        if size != archive["stored_bytes"]:
            found = "is missing" if size is None else f"has {size} bytes"
            where = backup.files.where(archive["name"])
            raise ArchiveDamaged(f"{where} {found}, the manifest says {archive['stored_bytes']}; use another backup")
