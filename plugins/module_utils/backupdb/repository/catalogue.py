# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue: which backups a repository holds, read from their manifests and from nothing else.

What cannot be read is kept and reported, never fatal and never hidden.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ..errors import ManifestDamaged
from . import layout
from .manifest import parse, started

# Clocks of hosts differ a little; a backup further ahead than this was made under a wrong clock.
CLOCK_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True)
class StoredBackup:
    """One backup that exists."""

    folder: Path
    time: datetime
    manifest: Mapping[str, Any] = field(repr=False)

    @property
    def database(self) -> str | None:
        """The true name of the database; None for accounts."""
        name = self.manifest.get("database")
        return name if isinstance(name, str) else None


@dataclass
class Problems:
    """What could not be read, in words, one line each."""

    lines: list[str] = field(default_factory=list)


def read_backup(folder: Path) -> StoredBackup:
    """Read one backup's manifest; raises `ManifestDamaged`."""
    path = folder / layout.MANIFEST_FILE
    try:
        manifest = parse(path.read_bytes(), str(path))
    except OSError as error:
        raise ManifestDamaged(f"{path} cannot be read: {error.strerror}") from error
    return StoredBackup(folder, started(manifest, str(path)), manifest)


def backups(database_folder: Path, problems: Problems) -> Iterator[StoredBackup]:
    """Yield the backups of one database (or of the accounts), newest first."""
    for folder in _entries(database_folder, problems):
        if folder.name.startswith(layout.PARTIAL_PREFIX):
            continue
        if layout.parse_backup_folder(folder.name) is None:
            problems.lines.append(f"{folder} does not belong in a repository and is left alone")
            continue
        try:
            yield read_backup(folder)
        except ManifestDamaged as error:
            problems.lines.append(str(error))


def database_folders(instance_folder: Path, problems: Problems) -> list[Path]:
    """Return the folders of an instance that hold backups, accounts included."""
    entries = _entries(instance_folder, problems)
    return sorted(path for path in entries if not path.name.startswith(".") and path.is_dir())


def newest(database_folder: Path, *, now: datetime, problems: Problems) -> StoredBackup | None:
    """Return the newest backup, complete or partial; one from the future is reported and does not count."""
    for backup in backups(database_folder, problems):
        if backup.time - now <= CLOCK_TOLERANCE:
            return backup
        problems.lines.append(f"{backup.folder} is dated in the future, so it does not count; check the clocks")
    return None


def last_run_databases(instance_folder: Path, *, now: datetime, problems: Problems) -> set[str]:
    """Return the names of the databases that the newest run of an instance backed up."""
    latest = [newest(folder, now=now, problems=problems) for folder in database_folders(instance_folder, problems)]
    found = [backup for backup in latest if backup is not None and backup.database is not None]
    if not found:
        return set()
    run_id = max(found, key=lambda backup: backup.time).manifest["run_id"]
    return {backup.manifest["database"] for backup in found if backup.manifest["run_id"] == run_id}


def _entries(folder: Path, problems: Problems) -> list[Path]:
    """List a folder, the last name first; one that cannot be read is a problem, one that is not there is empty."""
    try:
        return sorted(folder.iterdir(), reverse=True)
    except FileNotFoundError:
        return []
    except OSError as error:
        problems.lines.append(f"{folder} cannot be read: {error.strerror}; it must be a folder of the backup user")
        return []
