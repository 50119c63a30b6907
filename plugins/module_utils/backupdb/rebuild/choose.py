# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The newest backup that can be used: whole as far as shows at once, opened by the keys, signed where that is demanded.

What is passed over is named with the reason, because its data does not come back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ..accounts.stored import read_document
from ..age.recipients import Identity
from ..errors import ArchiveDamaged, InvalidOption, SignatureRefused, WrongKey
from ..repository.catalogue import StoredBackup, backups, is_future
from ..repository.place import Place
from ..repository.problems import Problems
from ..restore.plan import open_archives
from ..signatures.check import check_manifest
from ..system.text import utc_now

# What is wrong with one backup and not with the way to all of them: an older one may do.
UNUSABLE = (ArchiveDamaged, WrongKey, SignatureRefused)


@dataclass(frozen=True)
class Chosen:
    """The backup to use, None without one; newer ones that were passed over; `document` is that of accounts."""

    backup: StoredBackup | None
    passed_over: Sequence[str] = ()
    document: dict[str, Any] | None = None


@dataclass(frozen=True)
class Chooser:
    """Chooses in one place, with the same keys and demands for every database."""

    place: Place
    identities: Sequence[Identity]
    signed_by: Sequence[str] | None
    at: datetime | None
    problems: Problems

    def newest(self, folder: Path, *, before: StoredBackup | None = None) -> Chosen:
        """Return the newest usable backup in the folder of a database or of accounts, older than `before` if given."""
        passed_over: list[str] = []
        found: StoredBackup | None = None
        document: dict[str, Any] | None = None
        seen = Problems()
        for backup in self._candidates(folder, seen, before, passed_over):
            try:
                document = self._opened(backup)
            except (*UNUSABLE, InvalidOption) as error:  # the last for a document of a newer version of this collection
                passed_over.append(str(error))
                continue
            found = backup
            break
        if before is None:
            self.problems.lines += seen.beside_damaged()
        damaged = [line for path, line in seen.damaged.items() if before is None or path.name < before.folder.name]
        return Chosen(found, [*damaged, *passed_over], document)

    def _candidates(
        self, folder: Path, seen: Problems, before: StoredBackup | None, passed_over: list[str]
    ) -> Iterator[StoredBackup]:
        now = utc_now()
        for backup in backups(folder, seen):
            too_late = self.at is not None and backup.time > self.at
            if too_late or (before is not None and backup.folder.name >= before.folder.name):
                continue
            if is_future(backup, now):
                passed_over.append(f"{backup.where} is dated in the future, so it does not count; check the clocks")
            elif not backup.is_in_place():
                passed_over.append(f"{backup.where} holds the backup of another database")
            else:
                yield self.place.adopt(backup)

    def _opened(self, backup: StoredBackup) -> dict[str, Any] | None:
        """Open it; returns the document of accounts. Raises what is wrong with it."""
        check_manifest(backup, self.signed_by)
        if backup.database is None:
            return read_document(backup, self.identities)
        open_archives(backup, self.identities)
        return None
