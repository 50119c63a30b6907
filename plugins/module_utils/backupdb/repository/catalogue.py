# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue: which backups a repository holds, read from their manifests and from nothing else.

What cannot be read is kept and reported, never fatal and never hidden.
"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Callable

from ..errors import ManifestDamaged, RepositoryError
from ..system.files import is_folder, is_gone, read_small_file
from . import layout
from .archive_files import ArchiveFiles, CopiedFiles, LocalFiles
from .beside import NotesReader
from .drill_records import is_proof
from .files import storage_errors
from .manifest import parse, started
from .problems import Problems
from .subject import Subject

# Clocks of hosts differ a little; a backup further ahead than this was made under a wrong clock.
CLOCK_TOLERANCE = timedelta(minutes=5)
_SECOND = timedelta(seconds=1)
LARGEST_MANIFEST = 64 << 20  # bytes; a database of 100,000 tables with row counts stays far below


@dataclass(frozen=True)
class StoredBackup:
    """One backup that exists. In a copy `folder` has what is small, and `copied` the archives."""

    folder: Path
    time: datetime
    manifest: Mapping[str, Any] = field(repr=False)
    copied: CopiedFiles | None = field(default=None, repr=False, compare=False)

    @property
    def files(self) -> ArchiveFiles:
        """How its archives are opened."""
        return self.copied or LocalFiles(self.folder)

    @property
    def where(self) -> str:
        """Where it rests, for people."""
        return str(self.folder) if self.copied is None else self.copied.where("").rstrip("/")

    def beside(self, folder: Path, backup: StoredBackup) -> StoredBackup:
        """Return a backup that was read from `folder` near this one as one of the same copy, if this is in one."""
        if self.copied is None:
            return backup
        return replace(backup, copied=self.copied.beside("/".join(folder.parts[-4:])))

    @property
    def database(self) -> str | None:
        """The true name of the database; None for accounts."""
        name = self.manifest.get("database")
        return name if isinstance(name, str) else None

    @property
    def subject(self) -> Subject:
        """What it is a backup of."""
        return Subject(self.database)

    @property
    def kind(self) -> str:
        """ "database" or "accounts"."""
        return str(self.manifest["kind"])

    @property
    def name(self) -> str:
        """What it is called where databases and accounts are named side by side."""
        return self.subject.title

    @property
    def instance_folder(self) -> Path | None:
        """The instance's folder; None for a backup that was copied out of its repository or lies in a wrong place."""
        return self.folder.parent.parent if self.is_in_place() else None

    def is_in_place(self) -> bool:
        """Return whether the names of its folders are those that its manifest asks for."""
        return self.folder.parts[-4:] == self.place()

    def place(self) -> tuple[str, str, str, str]:
        """Return the folders below a repository where it belongs."""
        return (
            layout.encode_name(self.manifest["host"]),
            layout.encode_name(self.manifest["instance"]),
            self.subject.folder,
            self.manifest["backup_id"],
        )


def read_backup(folder: Path) -> StoredBackup:
    """Read one backup's manifest; raises `ManifestDamaged`."""
    path = folder / layout.MANIFEST_FILE
    try:
        manifest = parse(read_small_file(path, LARGEST_MANIFEST), str(path))
    except OSError as error:
        raise ManifestDamaged(f"{path} cannot be read: {error.strerror}") from error
    return StoredBackup(folder, started(manifest, str(path)), manifest)


def backups(
    database_folder: Path, problems: Problems, *, only: Callable[[Path], bool] | None = None
) -> Iterator[StoredBackup]:
    """Yield the backups of one database (or of the accounts), newest first.

    With `only`, those of a sealed repository whose folder it takes; of the others no byte is read, and they are
    counted in `problems`.
    """
    waiting = 0
    for folder in _entries(database_folder, problems):
        if folder.name.startswith("."):
            continue  # in the making, or on its way out
        if layout.parse_backup_folder(folder.name) is None:
            problems.add_foreign(folder)
            continue
        if only is not None and not only(folder):
            waiting += 1
            continue
        try:
            yield read_backup(folder)
        except ManifestDamaged as error:
            if not is_gone(folder):
                problems.add_damaged(folder, str(error))
    if waiting:
        problems.add(f"{waiting} backups in {database_folder} are not sealed yet and were left alone")


@dataclass(frozen=True)
class Filter:
    """Which backups of a repository; what is None does not matter.

    `host`, `instance` and `database` are names or shell-style patterns and are compared with the true names in the
    manifests; accounts have no database. `since` and `until` are inclusive.
    """

    host: str | None = None
    instance: str | None = None
    database: str | None = None
    kind: str | None = None
    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    proven: bool | None = None

    def may_take(self, time: datetime) -> bool:
        """Return, by the whole seconds of a folder's name, whether its manifest need be read."""
        return (self.since is None or time + _SECOND > self.since) and (self.until is None or time <= self.until)

    def takes(self, backup: StoredBackup) -> bool:
        """Return whether all but `proven`, which is not in the manifest, is as wanted."""
        return (
            _is_called(backup.manifest["host"], self.host)
            and _is_called(backup.manifest["instance"], self.instance)
            and _is_called(backup.database, self.database)
            and self.kind in (None, backup.kind)
            and self.status in (None, backup.manifest["status"])
            and (self.since is None or backup.time >= self.since)
            and (self.until is None or backup.time <= self.until)
        )


def read_all(root: Path, *, problems: Problems, **wanted: Any) -> Iterator[StoredBackup]:
    """Yield the backups of a repository, newest first, that a `Filter` with these fields takes."""
    return read_wanted(root, Filter(**wanted), problems)


def read_wanted(root: Path, wanted: Filter, problems: Problems) -> Iterator[StoredBackup]:
    """Yield the wanted backups of a repository, newest first, reading each manifest only when its turn comes.

    What cannot be read is reported in `problems`, whoever it belongs to, since nobody can know; so is a manifest
    that lies where another should. Raises `RepositoryError` when there is no repository to read.
    """
    notes = NotesReader(problems)
    for name, folder in _all_folders(root, problems):
        if not wanted.may_take(name.time):
            continue
        try:
            backup = read_backup(folder)
        except ManifestDamaged as error:
            if not is_gone(folder):  # a prune was faster
                problems.add_damaged(folder, str(error))
            continue
        if not backup.is_in_place():
            problems.add(f"{folder} holds a backup that belongs in {root.joinpath(*backup.place())}")
        if not wanted.takes(backup):
            continue
        if wanted.proven is None or wanted.proven == is_proof(notes.read(folder).drill):
            yield backup


def is_future(backup: StoredBackup, now: datetime) -> bool:
    """Return whether a backup was made under a clock that is, or was, wrong: it never counts as newest."""
    return backup.time - now > CLOCK_TOLERANCE


def database_folders(instance_folder: Path, problems: Problems) -> list[Path]:
    """Return the folders of an instance that hold backups, accounts included."""
    entries = _entries(instance_folder, problems)
    return sorted(path for path in entries if not path.name.startswith(".") and is_folder(path))


def newest(database_folder: Path, *, now: datetime, problems: Problems) -> StoredBackup | None:
    """Return the newest backup, complete or partial; one from the future is reported and does not count."""
    for backup in backups(database_folder, problems):
        if not is_future(backup, now):
            return backup
        problems.add_future(backup.folder)
    return None


def last_run_databases(instance_folder: Path, *, now: datetime, problems: Problems) -> set[str]:
    """Return the names of the databases that the newest run of an instance backed up."""
    latest = [newest(folder, now=now, problems=problems) for folder in database_folders(instance_folder, problems)]
    found = [backup for backup in latest if backup is not None and backup.database is not None]
    if not found:
        return set()
    run_id = max(found, key=lambda backup: backup.time).manifest["run_id"]
    return {backup.manifest["database"] for backup in found if backup.manifest["run_id"] == run_id}


def is_called(name: str, patterns: Iterable[str]) -> bool:
    """Return whether a name is one of these names or patterns."""
    return any(_is_called(name, pattern) for pattern in patterns)


def _entries(folder: Path, problems: Problems) -> list[Path]:
    """List a folder, the last name first; one that cannot be read is a problem, one that is not there is empty."""
    try:
        return sorted(folder.iterdir(), reverse=True)
    except FileNotFoundError:
        return []
    except OSError as error:
        line = f"{folder} cannot be read: {error.strerror}; it must be a folder of the backup user"
        problems.add_damaged(folder, line)
        return []


def _all_folders(root: Path, problems: Problems) -> list[tuple[layout.BackupName, Path]]:
    """Return every folder that should hold a backup, newest first by name."""
    if not is_folder(root):
        raise RepositoryError(f"repository {root} is not there, or is no folder; mount it, or check the path")
    with storage_errors(root, "reading the repository"):
        hosts = _visible(root)
    found: list[tuple[layout.BackupName, Path]] = []
    level = hosts
    for _depth in ("instances", "databases", "backups"):
        level = [entry for folder in level for entry in _visible_or_problem(folder, problems)]
    for path in level:
        name = layout.parse_backup_folder(path.name)
        if name is None:
            problems.add_foreign(path)
        else:
            found.append((name, path))
    return sorted(found, reverse=True)


def _visible(folder: Path) -> list[Path]:
    """Return what a folder holds; hidden entries are locks and backups in the making."""
    with os.scandir(folder) as entries:
        return [folder / name for name in sorted(entry.name for entry in entries) if not name.startswith(".")]


def _visible_or_problem(folder: Path, problems: Problems) -> list[Path]:
    try:
        return _visible(folder)
    except NotADirectoryError:
        problems.add_foreign(folder)
    except OSError as error:
        problems.add_unreadable(folder, error)
    return []


def _is_called(name: str | None, wanted: str | None) -> bool:
    return wanted is None or (name is not None and (name == wanted or fnmatch.fnmatchcase(name, wanted)))
