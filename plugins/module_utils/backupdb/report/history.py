# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The history of one database as plain values: its backups, its drills, and what changed in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from ..repository.catalogue import StoredBackup, backups, is_future
from ..repository.drill_records import is_proof, read_drills
from ..repository.left_out import patterns_text
from ..repository.problems import Problems
from ..system.text import iso

READ = 400  # manifests of a database; what is older is counted, and not read
POINTS = 30  # backups that a facts document has
DRILLS = 10
EMPTIED = 5
_ROWS_THAT_COUNT = 100  # a table with fewer may be empty for a while


@dataclass(frozen=True)
class Stored:
    """One backup with the records of its drills, newest first."""

    backup: StoredBackup
    drills: Sequence[Mapping[str, Any]]


def read_history(database_folder: Path, now: datetime, problems: Problems) -> list[Stored]:
    """Return the newest backups, newest first; those of a wrong clock are left out, as they never count."""
    found = islice(backups(database_folder, problems), READ)
    return [Stored(one, read_drills(one.folder, problems)) for one in found if not is_future(one, now)]


def points(history: Sequence[Stored]) -> list[dict[str, Any]]:
    """Return the newest backups as plain values. Sizes are bytes; what is not known is None."""
    return [_point(one) for one in history[:POINTS]]


def drills(history: Sequence[Stored]) -> list[dict[str, Any]]:
    """Return the newest drills as plain values."""
    records = [(record, one.backup) for one in history for record in one.drills]
    newest = sorted(records, key=lambda pair: str(pair[0]["finished"]), reverse=True)[:DRILLS]
    return [_drill(record, backup) for record, backup in newest]


def emptied(history: Sequence[Stored]) -> list[str]:
    """Return the tables that had rows in the backup before the newest, and have none in the newest."""
    now, before = ([*(one.backup.manifest.get("row_counts") for one in history[:2]), None, None])[:2]
    if not isinstance(now, Mapping) or not isinstance(before, Mapping):
        return []
    lost = (
        str(table)
        for table, rows in before.items()
        if isinstance(rows, int) and rows >= _ROWS_THAT_COUNT and now.get(table) == 0
    )
    return list(islice(lost, EMPTIED))


def _point(one: Stored) -> dict[str, Any]:
    manifest = one.backup.manifest
    return {
        "id": str(manifest["backup_id"]),
        "time": iso(one.backup.time),
        "complete": manifest["status"] == "complete",
        "filters": patterns_text(manifest),
        "plain_bytes": manifest["plain_bytes"],
        "stored_bytes": manifest["stored_bytes"],
        "seconds": _number(manifest.get("duration_seconds")),
        "rows": _total(manifest.get("row_counts")),
        "objects": _total(manifest.get("inventory")),
        "compression": "+".join(sorted({str(archive["compression"]) for archive in manifest["archives"]})),
        "proven": is_proof(one.drills[0]) if one.drills else None,
    }


def _drill(record: Mapping[str, Any], backup: StoredBackup) -> dict[str, Any]:
    seconds = record.get("seconds")
    differences = record.get("differences")
    error = record.get("error")
    return {
        "finished": str(record["finished"]),
        "backup": backup.folder.name,
        "verdict": str(record["verdict"]),
        "restore_seconds": _number(seconds.get("restore")) if isinstance(seconds, Mapping) else None,
        "total_seconds": _number(seconds.get("total")) if isinstance(seconds, Mapping) else None,
        "plain_bytes": backup.manifest["plain_bytes"],
        "differences": len(differences) if isinstance(differences, list) else 0,
        "error": str(error)[:500] if error else None,
    }


def _total(counts: Any) -> int | None:
    if not isinstance(counts, Mapping) or not counts:
        return None
    return sum(count for count in counts.values() if isinstance(count, int) and not isinstance(count, bool))


def _number(value: Any) -> float | None:
    """Return a number of seconds; a manifest or a record is a file that anybody may have written."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < 1e9:
        return None
    return round(float(value), 3)
