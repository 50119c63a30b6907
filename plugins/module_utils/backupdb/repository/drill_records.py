# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of drills, beside the manifest of the backup they proved or disproved; a manifest is never rewritten.

A record is `drill-<YYYYMMDDTHHMMSSZ>.json`, named by the end of the drill. It appears whole or not at all.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import RepositoryError
from ..system.files import read_small_file, remove_file, rename_new, write_file
from ..system.text import parse_iso
from . import layout
from .files import storage_errors
from .problems import Problems

SCHEMA = 1
EQUAL = "equal"
EQUAL_REWRITTEN = "equal, expressions rewritten"
DIFFERENT = "different"
FAILED = "failed"
VERDICTS = (EQUAL, EQUAL_REWRITTEN, DIFFERENT, FAILED)
PROVING = (EQUAL, EQUAL_REWRITTEN)
_LARGEST_RECORD = 16 << 20  # bytes; the differences in a record are bounded
_NAME = re.compile(r"drill-\d{8}T\d{6}Z\.json")


def write_drill(folder: Path, record: Mapping[str, Any]) -> Path:
    """Add a record to the backup in `folder` and return its file.

    `record` has `schema`, `backup_id`, `verdict` and `finished` (a text of `text.iso`) at least. Raises
    `RepositoryError` or `NotEnoughSpace`, also for a second record of the same second: none is ever replaced.
    """
    name = f"drill-{layout.stamp(parse_iso(record['finished']))}.json"
    content = (json.dumps(record, indent=2, sort_keys=True) + "\n").encode("ascii")
    target = folder / name
    temporary = folder / f".{name}.{secrets.token_hex(4)}.partial"
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
        record = _read(path, problems)
        if record is not None:
            records.append(record)
    return records


def newest_drill(folder: Path, problems: Problems) -> dict[str, Any] | None:
    """Return the newest record; None without one, or when the newest cannot be read, which is reported."""
    files = _files(folder, problems)
    return _read(files[0], problems) if files else None


def is_proof(record: Mapping[str, Any] | None) -> bool:
    """Return whether a newest record proves its backup."""
    return record is not None and record["verdict"] in PROVING


def is_drill_file(name: str) -> bool:
    """Return whether a file of a backup is called as records are."""
    return _NAME.fullmatch(name) is not None


def proven(folder: Path) -> bool:
    """Return whether the newest drill of a backup succeeded; an unreadable newest record proves nothing."""
    return is_proof(newest_drill(folder, Problems()))


def _files(folder: Path, problems: Problems) -> list[Path]:
    try:
        names = [name for name in os.listdir(folder) if is_drill_file(name)]  # noqa: PTH208  names, not paths
    except OSError as error:
        problems.add(f"{folder} cannot be listed: {error.strerror}")
        return []
    return [folder / name for name in sorted(names, reverse=True)]


def _read(path: Path, problems: Problems) -> dict[str, Any] | None:
    try:
        record = json.loads(read_small_file(path, _LARGEST_RECORD))
        if not isinstance(record, dict) or record.get("schema") != SCHEMA or record.get("verdict") not in VERDICTS:
            raise ValueError("it is not a drill record of this version")
        if record.get("backup_id") != path.parent.name:
            raise ValueError(f"it is about another backup, {record.get('backup_id')!r}")
        parse_iso(record["finished"])
    except OSError as error:
        problems.add_unreadable(path, error)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        problems.add(f"{path} does not count: {error}")
    else:
        return record
    return None
