# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one host has seen of its drills, as values that are read strictly: the host that says it may not be one's own.

`folder` of a database is its place in a repository, `host/instance/database` as names of folders; that is ASCII, and
the same for all who look at a backup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import InvalidOption
from ..repository import layout
from ..repository.drill_records import PROVING, VERDICTS
from ..system.json_text import count, seconds
from ..system.text import iso, parse_iso, printable

SCHEMA = 1
_COMPONENT = re.compile(r"[a-z0-9_%@][a-z0-9_.%~-]{0,199}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DEPTH = 3
_LONGEST = 4096  # characters


@dataclass(frozen=True)
class Drill:
    """One drill that ended in the period. `seconds` are those of the whole drill, None where they are not known."""

    backup_id: str
    finished: str
    verdict: str
    seconds: float | None
    restore_seconds: float | None
    server: str
    isolation: str
    differences: int
    error: str

    @property
    def proves(self) -> bool:
        """Whether it found the restored backup equal."""
        return self.verdict in PROVING


@dataclass(frozen=True)
class Manifest:
    """A backup by the SHA-256 of its manifest, and through that of its archives, whose digests the manifest has."""

    backup_id: str
    sha256: str


@dataclass(frozen=True)
class DatabaseFacts:
    """One database. `backups` is how many were made in the period, `kept` how many there are from before its end.

    `manifests` are of the newest backup and of all that were drilled in the period.
    """

    folder: str
    host: str
    instance: str
    database: str
    backups: int
    kept: int
    newest: str  # id of the newest backup, or empty
    manifests: tuple[Manifest, ...]
    drills: tuple[Drill, ...]  # the newest first


@dataclass(frozen=True)
class Facts:
    """All that was seen in one place."""

    place: str
    copy: str
    since: str
    until: str
    databases: tuple[DatabaseFacts, ...]
    problems: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, fit for JSON in UTF-8."""
        plain: dict[str, Any] = printable({"schema": SCHEMA, **asdict(self)})
        return plain


def facts_from(values: Any, where: str) -> Facts:
    """Read what `Facts.to_dict` gave; raises `InvalidOption`, which begins with `where`, for all else."""
    try:
        if values["schema"] != SCHEMA:
            raise ValueError(
                f"schema {values['schema']!r} is not {SCHEMA}; the host has another version of this program"
            )
        return Facts(
            place=_text(values["place"]),
            copy=_text(values["copy"]),
            since=iso(parse_iso(values["since"])),
            until=iso(parse_iso(values["until"])),
            databases=tuple(_database(one) for one in _list(values["databases"])),
            problems=tuple(_text(line) for line in _list(values["problems"])),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InvalidOption(f"{where}: what was gathered there cannot be used: {error!r}") from error


def check_folder(folder: str) -> str:
    """Return the place of a database; raises ValueError for what is none, such as one that leads elsewhere."""
    parts = str(folder).split("/")
    if len(parts) != _DEPTH or not all(_COMPONENT.fullmatch(part) for part in parts):
        raise ValueError(f"{str(folder)[:100]!r} is no place of a database")
    return str(folder)


def _database(values: Mapping[str, Any]) -> DatabaseFacts:
    manifests = tuple(_manifest(one) for one in _list(values["manifests"]))
    drills = tuple(_drill(one) for one in _list(values["drills"]))
    known = {one.backup_id for one in manifests}
    unknown = {one.backup_id for one in drills} - known
    if unknown:
        raise ValueError(f"a drill of {min(unknown)}, whose manifest was not gathered")
    return DatabaseFacts(
        folder=check_folder(values["folder"]),
        host=_text(values["host"]),
        instance=_text(values["instance"]),
        database=_text(values["database"]),
        backups=count(values["backups"]),
        kept=count(values["kept"]),
        newest=_backup_id(values["newest"]) if values["newest"] else "",
        manifests=manifests,
        drills=tuple(sorted(drills, key=lambda one: (one.finished, one.backup_id), reverse=True)),
    )


def _manifest(values: Mapping[str, Any]) -> Manifest:
    if not isinstance(values["sha256"], str) or not _SHA256.fullmatch(values["sha256"]):
        raise ValueError("a digest that is none")
    return Manifest(_backup_id(values["backup_id"]), values["sha256"])


def _drill(values: Mapping[str, Any]) -> Drill:
    if values["verdict"] not in VERDICTS:
        raise ValueError("a verdict that is none")
    return Drill(
        backup_id=_backup_id(values["backup_id"]),
        finished=iso(parse_iso(values["finished"])),
        verdict=values["verdict"],
        seconds=_seconds(values["seconds"]),
        restore_seconds=_seconds(values["restore_seconds"]),
        server=_text(values["server"]),
        isolation=_text(values["isolation"]),
        differences=count(values["differences"]),
        error=_text(values["error"]),
    )


def _seconds(value: Any) -> float | None:
    return None if value is None else round(seconds(value), 3)


def _backup_id(value: Any) -> str:
    if not isinstance(value, str) or layout.parse_backup_folder(value) is None:
        raise ValueError("an id of a backup that is none")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise ValueError("a text that is none, or too long")
    return str(printable(value))


def _list(value: Any) -> Sequence[Any] | Iterable[Any]:
    if not isinstance(value, (list, tuple)):
        raise ValueError("a list that is none")
    return value
