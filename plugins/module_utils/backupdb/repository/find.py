# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backup is meant: by its path, by its id, the newest, or the newest at a given time.

Names are exact here: what is restored or drilled is never a guess.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ..errors import BackupNotFound, InvalidOption, RepositoryError
from ..system.files import is_folder
from ..system.text import counted, iso, utc_now, were
from . import layout
from .catalogue import StoredBackup, backups, is_future, read_backup
from .drill_records import proven
from .files import storage_errors
from .left_out import names_left_out, without
from .problems import Problems
from .subject import Subject

_SHOWN = 5


@dataclass(frozen=True)
class BackupSelector:
    """Which backup is asked for: a `path`, or an `instance` with a `database` (None: its accounts).

    Without `at` and `backup_id` it is the newest. With `at` it is the newest backup that is not after that time.
    With `proven` only those count that a drill has proven, in the place where they are looked for.
    `host` is needed only where several hosts have backups of an instance of this name.
    """

    path: str | None = None
    host: str | None = None
    instance: str | None = None
    database: str | None = None
    at: datetime | None = None
    backup_id: str | None = None
    proven: bool = False

    def __post_init__(self) -> None:
        if (self.path is None) == (self.instance is None):
            raise InvalidOption("say which backup: by its path, or by instance and database, not both")
        if self.path is not None and (self.host, self.database, self.at, self.backup_id) != (None, None, None, None):
            raise InvalidOption("the path of a backup says it all; remove host, database, at and backup_id")
        if self.at is not None and self.backup_id is not None:
            raise InvalidOption("at and backup_id both say which backup; remove one of them")
        if self.proven and (self.path is not None or self.backup_id is not None):
            raise InvalidOption("proven picks the newest backup that a drill has proven; remove path and backup_id")

    def subject(self) -> str:
        """Name the database, or the accounts, for messages."""
        what = Subject(self.database).text
        host = f" on host {self.host}" if self.host is not None else ""
        return f"{what} of instance {self.instance}{host}"


@dataclass(frozen=True)
class SelectedBackup:
    """The backup, and what its user should know: that a newer one is damaged, that it is partial."""

    backup: StoredBackup
    warnings: Sequence[str]


def find(root: Path | None, selector: BackupSelector) -> SelectedBackup:
    """Find the backup in the repository `root` (not needed with a path).

    Raises `BackupNotFound`, which says what there is, `ManifestDamaged` for one that is named and unreadable,
    `InvalidOption` where several hosts have such an instance, and `RepositoryError`.
    """
    if selector.path is not None:
        backup = _at_path(Path(selector.path))
        return SelectedBackup(backup, [*_future_warnings(backup), *_partial_warnings(backup)])
    if root is None:
        raise InvalidOption("the repository is not given; name it, or give the path of the backup")
    folder = _folder(root, selector)
    if selector.backup_id is not None:
        return _by_id(folder, selector)
    return _newest(folder, selector)


def _at_path(path: Path) -> StoredBackup:
    folder = path.parent if path.name == layout.MANIFEST_FILE else path
    if not is_folder(folder) or not os.path.lexists(folder / layout.MANIFEST_FILE):
        raise BackupNotFound(f"{folder} holds no backup: there is no {layout.MANIFEST_FILE} in it; check the path")
    return read_backup(folder)


def _by_id(folder: Path, selector: BackupSelector) -> SelectedBackup:
    path = folder / str(selector.backup_id)
    if layout.parse_backup_folder(path.name) is None or path.parent != folder or not is_folder(path):
        raise BackupNotFound(f"{selector.subject()} has no backup {selector.backup_id!r}; {_available(folder)}")
    backup = read_backup(path)
    return SelectedBackup(backup, [*_future_warnings(backup), *_partial_warnings(backup)])


def _newest(folder: Path, selector: BackupSelector) -> SelectedBackup:
    now = utc_now()
    problems = Problems()
    passed_over: list[str] = []
    unproven = 0
    for backup in backups(folder, problems):
        if is_future(backup, now):
            passed_over += _future_warnings(backup)
        elif not backup.is_in_place():
            passed_over.append(f"{backup.folder} holds the backup of another database and was passed over")
        elif selector.at is not None and backup.time > selector.at:
            continue
        elif selector.proven and not proven(backup.folder):
            unproven += 1
        else:
            if unproven:
                passed_over.append(f"{counted(unproven, 'newer backup')} {were(unproven)} passed over: not proven")
            newer = [f"passed over: {line}" for line in problems.lines]
            return SelectedBackup(backup, [*newer, *passed_over, *_partial_warnings(backup)])
    until = f" at or before {iso(selector.at)}" if selector.at is not None else ""
    faults = "".join(f"; {line}" for line in [*problems.lines, *passed_over][:_SHOWN])
    if unproven:
        raise BackupNotFound(
            f"{selector.subject()} has no backup{until} that a drill has proven, and {unproven} that none has; drill "
            "one, or do without proven"
        )
    raise BackupNotFound(f"{selector.subject()} has no readable backup{until}; {_available(folder)}{faults}")


def _folder(root: Path, selector: BackupSelector) -> Path:
    """Return the folder of the database; raises `BackupNotFound` with what there is instead."""
    if not is_folder(root):
        raise RepositoryError(f"repository {root} is not there, or is no folder; mount it, or check the path")
    instance = layout.encode_name(str(selector.instance))
    database = Subject(selector.database).folder
    host = "*" if selector.host is None else layout.encode_name(selector.host)
    folders = _matching(root, f"{host}/{instance}/{database}")
    if len(folders) == 1:
        return folders[0]
    if folders:
        hosts = ", ".join(_true_names(folders, "host"))
        raise InvalidOption(f"{selector.subject()} has backups of several hosts: {hosts}; say which with host")
    raise BackupNotFound(
        f"there is no backup of {selector.subject()} in {root}; {_suggestion(root, selector, host, instance)}"
    )


def _matching(root: Path, pattern: str) -> list[Path]:
    """Return the folders of that name; raises `RepositoryError` where one cannot be listed."""
    with storage_errors(root, "looking into"):
        return [path for path in sorted(root.glob(pattern)) if is_folder(path)]


def _suggestion(root: Path, selector: BackupSelector, host: str, instance: str) -> str:
    """Say what the repository has, from the nearest level that fits."""
    for pattern, key, asked in (
        (f"{host}/{instance}/*", "database", selector.database),
        (f"{host}/*/*", "instance", selector.instance),
        ("*/*/*", "host", selector.host),
    ):
        names = _true_names(_matching(root, pattern), key)
        if names:
            nearest = difflib.get_close_matches(str(asked).lower(), [name.lower() for name in names], n=1, cutoff=0.0)
            by_lower = {name.lower(): name for name in names}
            hint = f"nearest is {by_lower[nearest[0]]!r}; " if asked is not None and nearest else ""
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            return f"{hint}it has the {key}s {', '.join(repr(name) for name in names[:_SHOWN])}{more}"
    return "it is empty"


def _true_names(database_folders: Iterable[Path], key: str) -> list[str]:
    """Return the true names in the newest readable manifest of each folder."""
    names = set()
    for folder in database_folders:
        newest = next(backups(folder, Problems()), None)
        if newest is not None and newest.manifest.get(key) is not None:
            names.add(str(newest.manifest[key]))
    return sorted(names)


def _available(folder: Path) -> str:
    times = [backup.folder.name for backup in backups(folder, Problems())]
    if not times:
        return "none of what is there can be read"
    if len(times) <= _SHOWN:
        return f"it has {', '.join(times)}"
    return f"it has {len(times)}, from {times[-1]} to {times[0]}"


def _future_warnings(backup: StoredBackup) -> Iterator[str]:
    if is_future(backup, utc_now()):
        yield f"{backup.folder} is dated in the future, so it never counts as newest; check the clocks"


def _partial_warnings(backup: StoredBackup) -> Iterator[str]:
    if backup.manifest["status"] == "partial":
        missing = "; ".join(str(entry) for entry in backup.manifest["missing"][:_SHOWN])
        yield f"{backup.folder} is a partial backup; it lacks: {missing or 'what its warnings say'}"
    said = without(backup.manifest)
    if said:
        names = [name for kind in ("tables", "table_data") for name in names_left_out(backup.manifest, kind)]
        shown = ", ".join([*names[:_SHOWN], *(["..."] if len(names) > _SHOWN else [])])
        yield f"{backup.folder} was made {said}, as asked" + (f": {shown}" if shown else "")
