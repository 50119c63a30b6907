# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of drills, in words: a sentence, and a table with a row for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..repository.drill_records import EQUAL, EQUAL_REWRITTEN
from ..system.grouping import Fault, grouped
from ..system.table import table
from ..system.text import human_duration

_TITLES = ("INSTANCE", "DATABASE", "BACKUP", "VERDICT", "CONTENT", "RESTORED IN")
_RIGHT = (5,)


def summary(records: Sequence[Mapping[str, Any]]) -> str:
    """Say in a sentence what became of several drills."""
    if not records:
        return "no backup was drilled"
    counts = {verdict: sum(record["verdict"] == verdict for record in records) for verdict in (EQUAL, EQUAL_REWRITTEN)}
    bad = [record for record in records if record["verdict"] not in counts]
    told = [f"{count} {verdict}" for verdict, count in counts.items() if count]
    filtered = sum(record["verdict"] in counts and bool(record.get("without")) for record in records)
    told += [f"{filtered} of them of a backup that leaves something out on purpose"] if filtered else []
    told += grouped([Fault(_short_name(one), _told(one), place=str(one.get("path", ""))) for one in bad], "backups")
    return f"{len(records)} drilled: {'; '.join(told)}"


def lines(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a table of drills, and below it what was wrong with those that proved nothing."""
    if not records:
        return []
    bad = [record for record in records if record["verdict"] not in (EQUAL, EQUAL_REWRITTEN)]
    faults = grouped([Fault(_name(one), _first(one), place=str(one.get("path", ""))) for one in bad], "backups")
    return [*table([_TITLES, *map(_cells, records)], right=_RIGHT), *faults]


def _cells(record: Mapping[str, Any]) -> list[str]:
    seconds = record["seconds"]["restore"]
    good = record["verdict"] in (EQUAL, EQUAL_REWRITTEN)
    return [
        f"{record['host']}/{record['instance']}",
        str(record["database"]),
        record["backup_id"],
        ", ".join(filter(None, [record["verdict"], _without(record)])),
        record["content"] if good else "-",
        "-" if seconds is None else human_duration(seconds),
    ]


def _without(record: Mapping[str, Any]) -> str:
    said = record.get("without")
    return f"{said} left out on purpose" if said else ""


def _name(record: Mapping[str, Any]) -> str:
    return f"{record['host']}/{record['instance']}/{_short_name(record)}"


def _short_name(record: Mapping[str, Any]) -> str:
    return f"{record['database']} {record['backup_id']}"


def _told(record: Mapping[str, Any]) -> str:
    return f"{record['verdict']}, {_first(record)}"


def _first(record: Mapping[str, Any]) -> str:
    if record["error"]:
        return str(record["error"])
    one = record["differences"][0]
    return f"{one['what']}: expected {one['expected']!r}, found {one['found']!r}"
