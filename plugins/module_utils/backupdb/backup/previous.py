# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the repository knew before a run: the newest backups, who came, who is gone, what is fresh enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from ..repository import catalogue, last_run, layout
from ..repository.catalogue import Problems, StoredBackup
from ..system.text import human_duration, utc_now
from .request import BackupRequest
from .survey import Survey


@dataclass(frozen=True)
class Past:
    """What the repository knew before the run."""

    newest: Mapping[str | None, StoredBackup]  # by database; None is the accounts
    last_run: frozenset[str]  # databases that the newest run saw and that have backups
    problems: Sequence[str]


def look_back(folder: Path, found: Survey) -> Past:
    """Read what earlier runs have left for the databases that are selected now."""
    now = utc_now()
    problems = Problems()
    newest: dict[str | None, StoredBackup] = {}
    for name in (None, *(database.name for database in found.selected)):
        database_folder = folder / (layout.ACCOUNTS_FOLDER if name is None else layout.encode_name(name))
        backup = catalogue.newest(database_folder, now=now, problems=problems)
        if backup is not None:
            newest[name] = backup
    record = last_run.read(folder, problems)
    if record is None:  # none was written: a first run, a full disk
        seen = catalogue.last_run_databases(folder, now=now, problems=problems)
    else:
        seen = {name for name in record.present if (folder / layout.encode_name(name)).is_dir()}
    return Past(newest, frozenset(seen), list(dict.fromkeys(problems.lines)))


def gone(past: Past, found: Survey) -> list[str]:
    """Return the databases of the last run that the server no longer has."""
    return sorted(past.last_run - {database.name for database in found.databases})


def new(past: Past, found: Survey) -> list[str]:
    """Return the selected databases that have no backup yet, where others have."""
    if not past.last_run:
        return []
    return sorted(database.name for database in found.selected if database.name not in past.newest)


def fresh_reason(request: BackupRequest, last: StoredBackup | None) -> str | None:
    """Say why a database needs no backup now; None when it does."""
    if last is None or request.skip_if_newer_than is None:
        return None
    age = utc_now() - last.time
    if age >= timedelta(seconds=request.skip_if_newer_than):
        return None
    return f"its {last.manifest['status']} backup {last.folder.name} is {human_duration(age.total_seconds())} old"
