# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a run: what would be backed up, what is fresh enough, and how much each backup will likely take.

The run and its check mode make it in the same way. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from ..engines.values import Database
from ..repository.catalogue import StoredBackup
from ..repository.left_out import filters_of
from ..repository.subject import ACCOUNTS, Subject
from ..system.text import human_duration, utc_now
from .forecast import Forecast, forecast
from .previous import NOTHING_KNOWN, PreviousBackups, read_previous
from .request import BackupRequest
from .survey import Survey


@dataclass(frozen=True)
class PlannedBackup:
    """One backup that a run would make. `skip_reason` says why it is not needed now."""

    subject: Subject
    database: Database | None  # None for the accounts
    last: StoredBackup | None  # the backup before this one
    forecast: Forecast | None  # of its stored size; None where nothing tells
    skip_reason: str | None


@dataclass(frozen=True)
class BackupPlan:
    """All of it, the accounts first."""

    request: BackupRequest
    run_id: str
    found: Survey
    previous: PreviousBackups
    backups: Sequence[PlannedBackup]

    @property
    def to_make(self) -> list[PlannedBackup]:
        """The backups that are due."""
        return [backup for backup in self.backups if backup.skip_reason is None]


def make_plan(
    request: BackupRequest, found: Survey, folder: Path | None, run_id: str, *, empty_bytes: int
) -> BackupPlan:
    """Plan a run over what the survey found; `folder` is the instance's, None where the repository is not there.

    `empty_bytes` is the size that the engine's databases have when they are empty.
    """
    previous = read_previous(folder, found, request.dump.filters.values()) if folder is not None else NOTHING_KNOWN
    return BackupPlan(request, run_id, found, previous, list(_planned(request, found, previous, empty_bytes)))


def _planned(
    request: BackupRequest, found: Survey, previous: PreviousBackups, empty_bytes: int
) -> Iterator[PlannedBackup]:
    wanted: list[Database | None] = [*([None] if request.accounts else []), *found.selected]
    for database in wanted:
        subject = ACCOUNTS if database is None else Subject(database.name)
        last = previous.newest.get(subject)
        size = None
        if database is not None:
            size = forecast(database, last, compression=request.compression.method, empty_bytes=empty_bytes)
        yield PlannedBackup(subject, database, last, size, _skip_reason(request, last))


def _skip_reason(request: BackupRequest, last: StoredBackup | None) -> str | None:
    """Say why no backup is needed now; None when one is."""
    if last is None or request.skip_if_newer_than is None:
        return None
    if not last.subject.is_accounts and filters_of(last.manifest) != request.dump.filters.values():
        return None  # it has not what this one is to have
    age = utc_now() - last.time
    if age >= timedelta(seconds=request.skip_if_newer_than):
        return None
    return f"its {last.manifest['status']} backup {last.folder.name} is {human_duration(age.total_seconds())} old"
