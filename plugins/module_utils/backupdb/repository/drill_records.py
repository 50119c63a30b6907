# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of drills, beside the manifest of the backup they proved or disproved; a manifest is never rewritten.

A record is `drill-<YYYYMMDDTHHMMSSZ>.json`, named by the end of the drill. It appears whole or not at all. Where only
root may still write beside the manifest, as in a sealed repository, it waits as `.drills/<backup id>.<its name>` in the
folder of the database, until root puts it in its place (`backupdb seal`).

`.drills/<backup id>.attempt.json` says that a drill began and has left no record: it was ended from outside, or the
fault was this host's and says nothing about the backup. In the shadow of a copy `.drills/<backup id>.<record>.own` says
that this host made a record, which may be in the store as well: all other records there are the words of others.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import NotEnoughSpace, RepositoryError
from ..system.files import is_there, read_small_file, remove_dead, remove_file, rename_new, write_file
from ..system.json_text import read_json
from ..system.text import iso, parse_iso
from . import layout
from .files import make_folder, replace_file, storage_errors
from .problems import Problems
from .sealed import is_of_root

SCHEMA = 1
EQUAL = "equal"
EQUAL_REWRITTEN = "equal, expressions rewritten"
DIFFERENT = "different"
FAILED = "failed"
VERDICTS = (EQUAL, EQUAL_REWRITTEN, DIFFERENT, FAILED)
PROVING = (EQUAL, EQUAL_REWRITTEN)
LARGEST_RECORD = 16 << 20  # bytes; the differences in a record are bounded
_NAME = re.compile(r"drill-\d{8}T\d{6}Z\.json", re.ASCII)
_ATTEMPT = "attempt.json"
_OWN = ".own"


def write_drill(folder: Path, record: Mapping[str, Any]) -> Path:
    """Add a record to the backup in `folder` and return its file.

    `record` has `schema`, `backup_id`, `verdict` and `finished` (a text of `text.iso`) at least. Raises
    `RepositoryError` or `NotEnoughSpace`, also for a second record of the same second: none is ever replaced.
    """
    name = drill_file(record)
    content = _content(record)
    target = folder / name
    if is_of_root(folder) and not os.access(folder, os.W_OK):
        target = _beside(folder, name)
        make_folder(target.parent)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    remove_dead(target.parent)
    with storage_errors(target, "writing"):
        try:
            write_file(temporary, content)
            rename_new(temporary, target)  # not a hard link: not every network filesystem has them
        except FileExistsError:
            raise RepositoryError(
                f"{target} is there already: another drill ended in the same second; run it again"
            ) from None
        finally:
            remove_file(temporary)
    return target


def read_drills(folder: Path, problems: Problems) -> list[dict[str, Any]]:
    """Return the records of a backup, newest first; one that cannot be read is reported."""
    records = []
    for path in _files(folder, problems):
        record = _read(path, folder.name, problems)
        if record is not None:
            records.append(record)
    return records


def newest_drill(folder: Path, problems: Problems) -> dict[str, Any] | None:
    """Return the newest record; None without one, or when the newest cannot be read, which is reported."""
    files = _files(folder, problems)
    return _read(files[0], folder.name, problems) if files else None


def newest_of(folder: Path, names: Iterable[str], waiting: Sequence[str], problems: Problems) -> dict[str, Any] | None:
    """As `newest_drill`, for a backup whose files have these `names`, and of which these records wait for root."""
    files = _newest_first(folder, names, waiting)
    return _read(files[0], folder.name, problems) if files else None


def note_attempt(folder: Path, when: datetime, error: str | None = None) -> None:
    """Note that a drill of a backup has begun, or why it could not be done; where that cannot be noted, it is not."""
    path = _beside(folder, _ATTEMPT)
    values = {"schema": SCHEMA, "backup_id": folder.name, "time": iso(when), "error": error}
    with suppress(RepositoryError, NotEnoughSpace):
        make_folder(path.parent)
        replace_file(path, _content(values))


def forget_attempt(folder: Path) -> None:
    """Forget an attempt: there is a record of it."""
    with suppress(OSError):
        remove_file(_beside(folder, _ATTEMPT))
        _beside(folder, _ATTEMPT).parent.rmdir()  # refused while it holds anything


def note_own(record: Path) -> None:
    """Note that a record of a backup in a copy was made by this host; raises `RepositoryError`."""
    mark = _beside(record.parent, record.name + _OWN)
    make_folder(mark.parent)
    replace_file(mark, b"")


def is_own(record: Path) -> bool:
    """Return whether it is noted that this host made a record."""
    return is_there(_beside(record.parent, record.name + _OWN))


def last_tried(folder: Path) -> datetime | None:
    """Return when a backup was last drilled, or tried in vain; None for one that never was."""
    names = [path.name.rpartition("drill-")[2].partition(".")[0] for path in _files(folder, Problems())]
    times = [time for time in map(layout.parse_stamp, names) if time is not None]
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        attempt = read_json(read_small_file(_beside(folder, _ATTEMPT), LARGEST_RECORD))
        times.append(parse_iso(attempt["time"]))
    return max(times, default=None)


def waiting_records(database_folder: Path) -> dict[str, list[str]]:
    """Return the names of the records that wait for root, by the ids of their backups."""
    found: dict[str, list[str]] = {}
    with suppress(OSError):
        for entry in os.listdir(database_folder / layout.DRILLS_FOLDER):  # noqa: PTH208  names, not paths
            backup_id, _dot, name = entry.partition(".")
            if is_drill_file(name):
                found.setdefault(backup_id, []).append(name)
    return found


def remove_notes(database_folder: Path, backup_ids: Iterable[str]) -> None:
    """Remove what is noted beside backups that are gone."""
    folder = database_folder / layout.DRILLS_FOLDER
    gone = set(backup_ids)
    with suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208  names, not paths
            if name.partition(".")[0] in gone:
                remove_file(folder / name)
        folder.rmdir()  # refused while it holds anything


def is_proof(record: Mapping[str, Any] | None) -> bool:
    """Return whether a newest record proves its backup."""
    return record is not None and record["verdict"] in PROVING


def is_drill_file(name: str) -> bool:
    """Return whether a file of a backup is called as records are."""
    return _NAME.fullmatch(name) is not None


def parse_record(content: bytes, backup_id: str) -> dict[str, Any]:
    """Read the record of a drill of this backup; raises ValueError for all else."""
    record = read_json(content)
    if not isinstance(record, dict) or record.get("schema") != SCHEMA or record.get("verdict") not in VERDICTS:
        raise ValueError("it is not a drill record of this version")
    if record.get("backup_id") != backup_id:
        raise ValueError(f"it is about another backup, {record.get('backup_id')!r}")
    parse_iso(record.get("finished", ""))
    return record


def drill_file(record: Mapping[str, Any]) -> str:
    """Return how the file of a record is called."""
    return f"drill-{layout.stamp(parse_iso(record['finished']))}.json"


def proven(folder: Path) -> bool:
    """Return whether the newest drill of a backup succeeded; an unreadable newest record proves nothing."""
    return is_proof(newest_drill(folder, Problems()))


def _beside(folder: Path, name: str) -> Path:
    """Return where something about the backup in `folder` lies when it cannot lie in it."""
    return folder.parent / layout.DRILLS_FOLDER / f"{folder.name}.{name}"


def _content(values: Mapping[str, Any]) -> bytes:
    return (json.dumps(values, indent=2, sort_keys=True) + "\n").encode("ascii")


def _files(folder: Path, problems: Problems) -> list[Path]:
    try:
        names = os.listdir(folder)  # noqa: PTH208  names, not paths
    except OSError as error:
        problems.add(f"{folder} cannot be listed: {error.strerror}")
        return []
    return _newest_first(folder, names, waiting_records(folder.parent).get(folder.name, []))


def _newest_first(folder: Path, names: Iterable[str], waiting: Sequence[str]) -> list[Path]:
    """Return the files of records; one that was sealed counts instead of one of that name which waits."""
    found = {name: folder / name for name in names if is_drill_file(name)}
    found = {**{name: _beside(folder, name) for name in waiting}, **found}
    return [path for _name, path in sorted(found.items(), reverse=True)]


def _read(path: Path, backup_id: str, problems: Problems) -> dict[str, Any] | None:
    try:
        return parse_record(read_small_file(path, LARGEST_RECORD), backup_id)
    except OSError as error:
        problems.add_unreadable(path, error)
    except ValueError as error:
        problems.add(f"{path} does not count: {error}")
    return None
