# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue as plain values: what a repository holds, how old it is, and whether it is proven."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..system.text import counted, human_duration, human_size, iso, utc_now
from .beside import NotesReader
from .catalogue import Filter, StoredBackup, is_future, read_wanted
from .copy_source import CopySource
from .drill_records import is_proof
from .left_out import left_out, without
from .place import open_place
from .problems import Problems


def collect(repository: str | None, wanted: Filter, copy: CopySource | None = None) -> dict[str, Any]:
    """Return the wanted backups, newest first, with what could not be read.

    Raises `RepositoryError` when there is no repository to read; nothing else in it stops the others.
    """
    now = utc_now()
    problems = Problems()
    with open_place(repository, copy, host=wanted.host, instance=wanted.instance) as place:
        for line in place.problems:
            problems.add(line)
        notes = NotesReader(problems)
        entries = [entry_of(place.adopt(backup), now, notes) for backup in read_wanted(place.root, wanted, problems)]
    stored = sum(entry["stored_bytes"] for entry in entries)
    return {
        "repository": place.where,
        "backups": entries,
        "count": len(entries),
        "stored_bytes": stored,
        "problems": problems.lines,
        "damaged": [{"path": str(folder), "problem": line} for folder, line in problems.damaged.items()],
        "message": _message(entries, stored, problems),
        "warnings": problems.lines,
    }


def entry_of(backup: StoredBackup, now: datetime, notes: NotesReader) -> dict[str, Any]:
    """Return one backup as plain values, with what is noted beside it."""
    manifest = backup.manifest
    drill, pin = notes.read(backup.folder)
    return {
        "host": manifest["host"],
        "instance": manifest["instance"],
        "database": backup.database,
        "kind": backup.kind,
        "backup_id": manifest["backup_id"],
        "run_id": manifest["run_id"],
        "path": backup.where,
        "status": manifest["status"],
        "engine": manifest["engine"],
        "server_version": manifest["server"].get("version"),
        "started": iso(backup.time),
        "finished": manifest["finished"],
        "age_seconds": round((now - backup.time).total_seconds()),
        "future": is_future(backup, now),
        "plain_bytes": manifest["plain_bytes"],
        "stored_bytes": manifest["stored_bytes"],
        "archives": len(manifest["archives"]),
        "encryption": sorted({archive["encryption"] for archive in manifest["archives"]}),
        "recipients": _recipients(manifest),
        "signing_key": manifest.get("signing_key"),
        "inventory": manifest.get("inventory"),
        "inventory_trusted": manifest.get("inventory_trusted"),
        "missing": manifest["missing"],
        "filters": left_out(manifest),
        "without": without(manifest),
        "warnings": manifest["warnings"],
        "proven": is_proof(drill),
        "drill": None if drill is None else {key: drill.get(key) for key in ("verdict", "finished", "content")},
        "pinned": pin is not None,
        "pin_reason": None if pin is None else pin.reason,
    }


def _recipients(manifest: Mapping[str, Any]) -> list[str]:
    """Return the fingerprints of the keys that open all of it."""
    return sorted({str(key) for archive in manifest["archives"] for key in archive.get("recipients") or ()})


def _message(entries: list[dict[str, Any]], stored: int, problems: Problems) -> str:
    newest = f", the newest {human_duration(max(0, entries[0]['age_seconds']))} old" if entries else ""
    unread = f"; {len(problems.damaged)} more cannot be read" if problems.damaged else ""
    return f"{counted(len(entries), 'backup')}, {human_size(stored)}{newest}{unread}"
