# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`.last-run.json` in an instance's folder: what its newest run found and did, also what it could not back up.

Backups that failed leave nothing else in a repository, and a database that is gone is known only to those who saw the
server last. The record is written by the run, under its lock, and belongs to the backup user: whoever reads it where
that user is not trusted must not remove anything because of what it says.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import NotEnoughSpace, RepositoryError
from ..system.files import read_small_file
from ..system.json_text import count, read_json, seconds
from ..system.text import iso, parse_iso
from .files import replace_file
from .problems import Problems

FILE = ".last-run.json"
SCHEMA = 1
STATUSES = ("ok", "partial", "failed")
BACKUP_STATUSES = ("complete", "partial", "failed", "skipped")  # skipped: its backup was fresh enough
_LARGEST_RECORD = 64 << 20  # bytes; 100,000 databases stay far below
_OF_RUN = (
    "host",
    "instance",
    "run_id",
    "status",
    "engine",
    "server_version",
    "gone",
    "new",
    "duration",
    "plain_bytes",
    "stored_bytes",
)
_PER_BACKUP = ("name", "status", "error", "plain_bytes", "stored_bytes", "duration")


@dataclass(frozen=True)
class BackupOutcome:
    """How the backup of one database, or of the accounts, ended.

    Sizes in bytes, duration in seconds, 0 where none was made.
    """

    name: str
    status: str  # one of BACKUP_STATUSES
    error: str | None = None
    plain_bytes: int = 0
    stored_bytes: int = 0
    duration: float = 0.0


@dataclass(frozen=True)
class LastRun:
    """What the newest run of an instance found and did."""

    host: str
    instance: str
    run_id: str
    started: datetime
    finished: datetime
    status: str  # one of STATUSES
    engine: str
    server_version: str
    databases: tuple[BackupOutcome, ...]  # all that were wanted, with those that could not even be tried
    accounts: BackupOutcome | None  # None: not asked for
    present: frozenset[str] = field(repr=False)  # every database of the server, also what was not wanted
    gone: tuple[str, ...]
    new: tuple[str, ...]
    duration: float  # seconds
    plain_bytes: int
    stored_bytes: int
    skipped: Mapping[str, str] = field(default_factory=dict, repr=False)  # what was not wanted, with the rule


def write(
    folder: Path,
    result: Mapping[str, Any],
    *,
    started: datetime,
    finished: datetime,
    present: Iterable[str],
    faults: Mapping[str, str],
    skipped: Mapping[str, str] | None = None,
) -> list[str]:
    """Replace the record in an instance's folder, mode 0600, all at once; for the holder of the lock.

    `result` is the run's; `present` all databases of the server; `faults` those that were wanted and could not even
    be tried, with the reason; `skipped` those that were not wanted, with the rule. Never raises: backups count, and
    what went wrong comes back as warnings.
    """
    outcomes = [_kept(entry) for entry in result["databases"]]
    outcomes += [{"name": name, "status": "failed", "error": reason} for name, reason in faults.items()]
    record = {
        "schema": SCHEMA,
        **{key: result[key] for key in _OF_RUN},
        "started": iso(started),
        "finished": iso(finished),
        "databases": outcomes,
        "accounts": None if result["accounts"] is None else _kept(result["accounts"]),
        "present": sorted(present),
        "skipped": dict(skipped or {}),
    }
    try:
        replace_file(folder / FILE, (json.dumps(record, indent=1, sort_keys=True) + "\n").encode("ascii"), alone=True)
    except (RepositoryError, NotEnoughSpace) as error:
        return [f"what this run did could not be noted, so status and metrics show the run before it: {error}"]
    return []


def read(folder: Path, problems: Problems) -> LastRun | None:
    """Read the record of an instance; None without one, and for one that cannot be read, which is a problem."""
    path = folder / FILE
    try:
        return _parsed(read_json(read_small_file(path, _LARGEST_RECORD)))
    except FileNotFoundError:
        return None
    except OSError as error:
        problems.add_unreadable(path, error)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problems.add(f"{path} does not count: it is not the record of a run ({error!r})")
    return None


def _kept(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: entry[key] for key in _PER_BACKUP if entry[key] is not None}


def _parsed(record: Mapping[str, Any]) -> LastRun:
    if record["schema"] != SCHEMA or record["status"] not in STATUSES:
        raise ValueError("it is of another version")
    return LastRun(
        host=_name(record["host"]),
        instance=_name(record["instance"]),
        run_id=str(record["run_id"]),
        started=parse_iso(record["started"]),
        finished=parse_iso(record["finished"]),
        status=record["status"],
        engine=str(record["engine"]),
        server_version=str(record["server_version"]),
        databases=tuple(_outcome(entry) for entry in record["databases"]),
        accounts=None if record["accounts"] is None else _outcome(record["accounts"]),
        present=frozenset(_names(record["present"])),
        gone=tuple(_names(record["gone"])),
        new=tuple(_names(record["new"])),
        duration=seconds(record["duration"]),
        plain_bytes=count(record["plain_bytes"]),
        stored_bytes=count(record["stored_bytes"]),
        skipped={_name(name): str(reason) for name, reason in record.get("skipped", {}).items()},
    )


def _outcome(entry: Mapping[str, Any]) -> BackupOutcome:
    if entry["status"] not in BACKUP_STATUSES:
        raise ValueError(f"{entry['status']!r} is no status")
    error = entry.get("error")
    return BackupOutcome(
        name=_name(entry["name"]),
        status=entry["status"],
        error=None if error is None else str(error),
        plain_bytes=count(entry.get("plain_bytes", 0)),
        stored_bytes=count(entry.get("stored_bytes", 0)),
        duration=seconds(entry.get("duration", 0)),
    )


def _names(values: Sequence[Any]) -> list[str]:
    return [_name(value) for value in values]


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is no name")
    return value
