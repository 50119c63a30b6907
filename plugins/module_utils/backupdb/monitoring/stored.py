# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a database's folder holds, found out with few reads: sizes by looking, manifests of the newest backups only."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Callable

from ..errors import ManifestDamaged
from ..repository import layout
from ..repository.catalogue import CLOCK_TOLERANCE, StoredBackup, read_backup
from ..repository.drill_records import is_drill_file, is_proof, newest_drill, waiting_records
from ..repository.problems import Problems
from ..system.text import parse_iso


@dataclass(frozen=True)
class Drilled:
    """The end of a drill, and whether it proved its backup."""

    finished: datetime
    verdict: str
    proved: bool


@dataclass(frozen=True)
class Stored:
    """The backups of one database, or of the accounts. Times are those of the snapshots."""

    newest: StoredBackup | None = None  # complete or partial
    newest_complete: datetime | None = None
    proven: datetime | None = None  # of the newest backup that its own newest drill has proven
    last_drill: Drilled | None = None  # of any of them
    count: int = 0
    disk_bytes: int = 0  # of all files, manifests included
    tampered: int = 0  # in a copy: backups whose manifests somebody wrote over or removed


@dataclass(frozen=True)
class _Folder:
    path: Path
    time: datetime  # to the second
    disk_bytes: int
    drills: Sequence[str]  # names of the records


def look(
    database_folder: Path, now: datetime, problems: Problems, *, counts: Callable[[str, datetime], bool] | None = None
) -> Stored:
    """Look at the backups of one database. What cannot be read is a problem, and what is not there is nothing.

    Those that `counts` refuses, by id and time, are never the newest, and prove nothing.
    """
    folders = sorted(_folders(database_folder, problems), key=lambda folder: folder.path.name, reverse=True)
    past = [folder for folder in folders if folder.time - now <= CLOCK_TOLERANCE]
    for folder in folders[: len(folders) - len(past)]:
        problems.add_future(folder.path)
    if counts is not None:
        past = [folder for folder in past if counts(folder.path.name, folder.time)]
    newest, complete = _newest(past, problems)
    return Stored(
        newest=newest,
        newest_complete=complete,
        proven=_proven(past, problems),
        last_drill=_last_drill(past, problems),
        count=len(folders),
        disk_bytes=sum(folder.disk_bytes for folder in folders),
    )


def _folders(database_folder: Path, problems: Problems) -> Iterator[_Folder]:
    try:
        with os.scandir(database_folder) as entries:
            names = [entry.name for entry in entries]
    except FileNotFoundError:
        return
    except OSError as error:
        problems.add_unreadable(database_folder, error)
        return
    waiting = waiting_records(database_folder)
    for text in names:
        name = layout.parse_backup_folder(text)
        if name is None:
            if not text.startswith("."):
                problems.add_foreign(database_folder / text)
            continue
        path = database_folder / text
        try:
            with os.scandir(path) as files:
                sizes = [(file.name, _size(file)) for file in files]
        except FileNotFoundError:
            continue  # removed just now
        except OSError as error:
            problems.add_damaged(path, f"{path} cannot be read: {error.strerror}")
            continue
        drills = [*(file for file, _size in sizes if is_drill_file(file)), *waiting.get(text, ())]
        yield _Folder(path, name.time, sum(size for _file, size in sizes), drills)


def _size(file: os.DirEntry[str]) -> int:
    try:
        return file.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return 0  # the record of a drill in the making, which has its name by now


def _newest(folders: Sequence[_Folder], problems: Problems) -> tuple[StoredBackup | None, datetime | None]:
    """Return the newest backup that can be read, and the time of the newest complete one."""
    newest: StoredBackup | None = None
    for folder in folders:
        try:
            backup = read_backup(folder.path)
        except ManifestDamaged as error:
            problems.add_damaged(folder.path, str(error))
            continue
        newest = newest or backup
        if backup.manifest["status"] == "complete":
            return newest, backup.time
    return newest, None


def _proven(folders: Sequence[_Folder], problems: Problems) -> datetime | None:
    for folder in folders:
        if folder.drills and is_proof(newest_drill(folder.path, problems)):
            return folder.time
    return None


def _last_drill(folders: Sequence[_Folder], problems: Problems) -> Drilled | None:
    """Return the drill that ended last; records are named by the end of their drill."""
    drilled = [folder for folder in folders if folder.drills]
    if not drilled:
        return None
    record = newest_drill(max(drilled, key=lambda folder: max(folder.drills)).path, problems)
    if record is None:
        return None
    return Drilled(parse_iso(record["finished"]), record["verdict"], is_proof(record))
