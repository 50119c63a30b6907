# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The newest backup that can be used: whole as far as shows at once, opened by the keys, signed where that is demanded.

What is passed over is named with the reason, because its data does not come back.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from ..accounts.stored import read_document
from ..age.recipients import Identity
from ..errors import (
    ArchiveDamaged,
    InvalidOption,
    RepositoryError,
    SignatureRefused,
    StoreUnavailable,
    WrongKey,
)
from ..repository.best_place import Standing, standing_of
from ..repository.catalogue import StoredBackup, backups, is_future
from ..repository.place import Place
from ..repository.problems import Problems
from ..restore.plan import open_archives
from ..signatures.check import check_manifest
from ..system.text import utc_now

_DEPTH = 3  # host, instance, database
# What is wrong with one backup and not with the way to all of them: an older one may do.
UNUSABLE = (ArchiveDamaged, WrongKey, SignatureRefused, RepositoryError)


@dataclass(frozen=True)
class Chosen:
    """The backup to use, None without one; newer ones that were passed over; `document` is that of accounts."""

    backup: StoredBackup | None
    passed_over: Sequence[str] = ()
    document: dict[str, Any] | None = None


@dataclass(frozen=True)
class Chooser:
    """Chooses in all places, with the same keys and demands for every database.

    The newest backup counts; where several places have it, the first one of them, the repository, is nearest, and of
    the others one comes first in which a drill has proven it. A store that goes away is left out from then on, as long
    as there are others.
    """

    places: Sequence[Place]
    identities: Sequence[Identity]
    signed_by: Sequence[str] | None
    at: datetime | None
    problems: Problems
    away: set[str] = field(default_factory=set)

    @property
    def where(self) -> str:
        """Say where all of it is looked for."""
        return ", ".join(place.where for place in self.places)

    def newest(self, folder: Path, *, before: StoredBackup | None = None) -> Chosen:
        """Return the newest usable backup in the folder of a database or of accounts, as it is called in any place.

        With `before`, only what comes after that one: the same backup in another place, and older ones.
        """
        passed_over: list[tuple[str, str]] = []  # each with its id
        away: list[tuple[str, str]] = []
        found: StoredBackup | None = None
        document: dict[str, Any] | None = None
        seen = Problems()
        for place, backup in self._candidates(folder, seen, before, passed_over):
            if place.where in self.away:
                away.append((backup.folder.name, f"{backup.where} cannot be read now"))
                continue
            try:
                document = self._opened(backup)
            except StoreUnavailable as error:  # it is so for all of them
                self._leave_out(place, error)
                away.append((backup.folder.name, f"{backup.where} cannot be read now: {error}"))
                continue
            except (*UNUSABLE, InvalidOption) as error:  # the last for a document of a newer version of this collection
                passed_over.append((backup.folder.name, str(error)))
                continue
            found = backup
            break
        if before is None:
            self.problems.lines += seen.beside_damaged()
        damaged = [(path.name, line) for path, line in seen.damaged.items()]
        wrong = [pair for pair in damaged if before is None or pair[0] < before.folder.name] + passed_over
        if found is None:
            wrong += away
        else:  # what is wrong with it in one place, and not in another one, loses nothing
            instead = [line for backup_id, line in wrong if backup_id == found.folder.name]
            wrong = [pair for pair in wrong + away if pair[0] != found.folder.name]
            self.problems.lines += [f"{line}; {found.where} is read instead" for line in instead]
        return Chosen(found, [line for _backup_id, line in wrong], document)

    def _leave_out(self, place: Place, error: StoreUnavailable) -> None:
        """Read nothing from a place any more that has gone away; raises the error when it is the last one."""
        self.away.add(place.where)
        if all(one.where in self.away for one in self.places):
            raise error
        self.problems.add(f"nothing is read from {place.where} any more: {error}")

    def _candidates(
        self, folder: Path, seen: Problems, before: StoredBackup | None, passed_over: list[tuple[str, str]]
    ) -> Iterator[tuple[Place, StoredBackup]]:
        now = utc_now()
        for place, backup in self._in_order(folder, seen, before):
            if self.at is not None and backup.time > self.at:
                continue
            if is_future(backup, now):
                why = "is dated in the future, so it does not count; check the clocks"
            elif not backup.is_in_place():
                why = "holds the backup of another database"
            else:
                yield place, place.adopt(backup)
                continue
            passed_over.append((backup.folder.name, f"{backup.where} {why}"))

    def _in_order(
        self, folder: Path, seen: Problems, before: StoredBackup | None
    ) -> Iterator[tuple[Place, StoredBackup]]:
        """Yield the backups of all places, newest first, and each where it is best read before the others."""
        ahead = before is not None  # what comes before `before`, and that itself, is not for the caller
        streams = [self._of(place, folder, seen) for place in self.places]
        merged = heapq.merge(*streams, key=lambda pair: pair[1].folder.name, reverse=True)
        for backup_id, same in groupby(merged, key=lambda pair: pair[1].folder.name):
            if before is not None and backup_id > before.folder.name:
                continue
            ahead = ahead and before is not None and backup_id == before.folder.name
            for place, backup in sorted(same, key=self._rank):
                if not ahead:
                    yield place, backup
                ahead = ahead and before is not None and backup.folder != before.folder

    def _of(self, place: Place, folder: Path, seen: Problems) -> Iterator[tuple[Place, StoredBackup]]:
        return ((place, backup) for backup in backups(place.root.joinpath(*folder.parts[-_DEPTH:]), seen))

    def _rank(self, pair: tuple[Place, StoredBackup]) -> tuple[bool, bool, int]:
        """The lower, the earlier: what was found damaged is last, then the repository is first, and the proven."""
        place, backup = pair
        standing = standing_of(backup.folder) if len(self.places) > 1 else Standing.UNKNOWN
        return (standing == Standing.DAMAGED, place.store is not None, -standing)

    def _opened(self, backup: StoredBackup) -> dict[str, Any] | None:
        """Open it; returns the document of accounts. Raises what is wrong with it."""
        check_manifest(backup, self.signed_by)
        if backup.database is None:
            return read_document(backup, self.identities)
        open_archives(backup, self.identities)
        return None
