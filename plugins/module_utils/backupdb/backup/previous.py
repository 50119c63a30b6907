# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the repository knew before a run: the newest backups, and which databases the last run saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from ..repository import catalogue, last_run, layout
from ..repository.catalogue import Problems, StoredBackup
from ..repository.left_out import filters_of
from ..repository.subject import ACCOUNTS, Subject
from ..system.text import utc_now
from .survey import Survey

_LOOKED_THROUGH = 100  # backups of a database, for one that leaves out the same


@dataclass(frozen=True)
class PreviousBackups:
    """What the repository knew before the run. `newest` are the newest that leave out the same, if there are such."""

    newest: Mapping[Subject, StoredBackup]
    last_run: frozenset[str]  # databases that the newest run saw and that have backups
    problems: Sequence[str]
    left_out: Mapping[str, str]  # databases with backups that are no longer available to one, and why

    def gone(self, found: Survey) -> list[str]:
        """Return the databases of the last run that the server no longer has."""
        return sorted(self.last_run - {database.name for database in found.databases})

    def new(self, found: Survey) -> list[str]:
        """Return the selected databases that have no backup yet, where others have."""
        if not self.last_run:
            return []
        return sorted(database.name for database in found.selected if Subject(database.name) not in self.newest)


NOTHING_KNOWN = PreviousBackups({}, frozenset(), (), {})


def read_previous(folder: Path, found: Survey, filters: Mapping[str, Any]) -> PreviousBackups:
    """Read what earlier runs have left for the databases that are selected now; `filters` as a manifest has them."""
    now = utc_now()
    problems = Problems()
    newest: dict[Subject, StoredBackup] = {}
    for subject in (ACCOUNTS, *(Subject(database.name) for database in found.selected)):
        backup = _newest(folder / subject.folder, {} if subject.is_accounts else filters, now, problems)
        if backup is not None:
            newest[subject] = backup
    left_out = {
        skipped.name: skipped.reason
        for skipped in found.skipped
        if skipped.unavailable and catalogue.newest(folder / Subject(skipped.name).folder, now=now, problems=problems)
    }
    record = last_run.read(folder, problems)
    if record is None:  # none was written: a first run, a full disk
        seen = catalogue.last_run_databases(folder, now=now, problems=problems)
    else:
        seen = {name for name in record.present if (folder / layout.encode_name(name)).is_dir()}
    return PreviousBackups(newest, frozenset(seen), list(dict.fromkeys(problems.lines)), left_out)


def _newest(folder: Path, filters: Mapping[str, Any], now: datetime, problems: Problems) -> StoredBackup | None:
    newest = catalogue.newest(folder, now=now, problems=problems)
    if newest is None or filters_of(newest.manifest) == filters:
        return newest
    for backup in islice(catalogue.backups(folder, Problems()), _LOOKED_THROUGH):
        if filters_of(backup.manifest) == filters and not catalogue.is_future(backup, now):
            return backup
    return newest
