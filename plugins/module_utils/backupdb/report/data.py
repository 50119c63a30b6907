# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page's script shows of each database, as small as it can be written: a fleet of 3000 has its place in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..monitoring.copies import BEHIND, LATE, NONE
from ..monitoring.copies import OK as COPY_OK
from ..monitoring.freshness import OK
from ..repository.drill_records import VERDICTS as DRILL_VERDICTS
from ..system.table import one_line
from ..system.text import parse_iso
from .coverage import CLASSES

_MOST, _LEAST = 30, 3  # backups of a database
_NUMBER = {one.name: number for number, one in enumerate(CLASSES)}
_VERDICT = {verdict: number for number, verdict in enumerate(DRILL_VERDICTS)}
_COPY_STATES = (COPY_OK, BEHIND, LATE, NONE)
_DRILLS = 5
_BELOW = 2  # folders of a backup below its instance: database, backup
_LONGEST = 300  # characters of an error


def data_of(model: Mapping[str, Any], room: int) -> str:
    """Return JSON that may stand in a page, with as many backups of each database as fit into `room` bytes."""
    values = _values(model)
    text = _text(values)
    if len(text) > room:
        histories = [entry["h"] for entry in values["databases"] if "h" in entry]
        of_histories = len(_text({"h": histories}))
        left = room - (len(text) - of_histories)
        count = max(_LEAST, min(_MOST, int(_MOST * left / max(1, of_histories))))
        for history in histories:
            del history[count:]
        text = _text(values)
    return text


def _text(values: Mapping[str, Any]) -> str:
    """Write it so that nothing in it can end the element that it stands in."""
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=True)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _values(model: Mapping[str, Any]) -> dict[str, Any]:
    made = parse_iso(model["made"])
    instances: dict[tuple[str, str, str], int] = {}
    copies: dict[str, int] = {}
    policies: dict[str, int] = {}
    folders: dict[int, str] = {}  # of instances
    databases = []
    for entry in model["databases"]:
        place = (entry["look"], entry["host"], entry["instance"])
        instance = instances.setdefault(place, len(instances))
        for copy in entry["copies"]:
            copies.setdefault(copy["name"], len(copies))
        if entry["path"]:
            folders.setdefault(instance, _shown(entry["path"].rsplit("/", _BELOW)[0]))
        values = {"i": instance, **_database(entry, copies, policies, made)}
        for key in ("q", "z"):
            values[key] = _below(folders.get(instance), values[key])
        databases.append(_without_nothing(values))
    return {
        "classes": [one.name for one in CLASSES],
        "signs": [one.sign for one in CLASSES],
        "instances": [
            _without_nothing({**values, "q": folders.get(number)})
            for number, values in enumerate(_instances(model, list(instances)))
        ],
        "copies": [_shown(name) for name in copies],
        "policies": [_shown(policy) for policy in policies],
        "verdicts": DRILL_VERDICTS,
        "states": _COPY_STATES,
        "databases": databases,
    }


def _instances(model: Mapping[str, Any], places: list[tuple[str, str, str]]) -> list[dict[str, Any]]:
    seen_at = {entry["look"]: entry["seen_at"] for entry in model["databases"]}
    copies = {host["name"]: host["copy"] for host in model["hosts"]}
    known = {(host["name"], one["host"], one["instance"]): one for host in model["hosts"] for one in host["instances"]}
    found = []
    for place in places:
        about = known.get(place, {})
        names = dict(zip("lhn", map(_shown, (seen_at[place[0]], *place[1:]))))
        where = {"p": _shown(about.get("repository") or ""), "c": _shown(copies[place[0]] or "")}
        found.append({**names, "j": about.get("jobs"), **where})
    return found


def _database(
    entry: Mapping[str, Any], copies: Mapping[str, int], policies: dict[str, int], made: datetime
) -> dict[str, Any]:
    """Return a database by keys of one letter, which page.js explains."""
    drill, retention = entry["drill"], entry["retention"]
    return {
        "n": _shown(entry["title"]),
        "c": _NUMBER[entry["coverage"]],
        "s": None if entry["state"] in (OK, entry["coverage"]) else entry["state"],
        "w": _shown(entry["without"]),
        "r": _shown(entry["rule"] or ""),
        "a": _whole(entry["age_seconds"]),
        "m": _whole(entry["max_age_seconds"]),
        "p": entry["proven_age_seconds"],
        "v": None if drill is None else _VERDICT[drill["verdict"]],
        "t": entry["restore_seconds"],
        "f": 1 if entry["restore_source"] == "drill" else None,
        "k": entry["backups"],
        "d": entry["disk_bytes"],
        "y": [_copy(copy, copies) for copy in entry["copies"]],
        "q": _shown(entry["path"] or ""),
        "z": _shown(entry["proven_path"] or "") if entry["proven_path"] != entry["path"] else None,
        "e": _shown(entry["error"] or "")[:_LONGEST],
        "x": [_shown(one["text"]) for one in entry["anomalies"]],
        "h": [_point(point, made) for point in entry["history"][:_MOST]],
        "g": [_drill(one, made) for one in entry["drills"][:_DRILLS]],
        "o": None if retention is None else _retention(retention, policies),
    }


def _below(folder: str | None, path: str | None) -> str | None:
    """Return a path as it goes on below the folder of its instance, after a dot; another one as it is."""
    if not path or folder is None or not path.startswith(f"{folder}/"):
        return path
    return f".{path[len(folder) :]}"


def _copy(copy: Mapping[str, Any], copies: Mapping[str, int]) -> list[Any]:
    return [copies[copy["name"]], _COPY_STATES.index(copy["state"]), _whole(copy["age_seconds"])]


def _point(point: Mapping[str, Any], made: datetime) -> list[Any]:
    """Return age in minutes, KiB stored and unpacked, seconds, rows, whether drills proved it, and 1 for a partial one.

    What is nothing at the end is left out.
    """
    values: list[Any] = [
        round(_seconds(point["time"], made) / 60),
        _kib(point["stored_bytes"]),
        _kib(point["plain_bytes"]),
        None if point["seconds"] is None else round(point["seconds"], 1),
        point["rows"],
        None if point["proven"] is None else int(point["proven"]),
        None if point["complete"] else 1,
    ]
    while values[-1] is None:
        values.pop()
    return values


def _drill(drill: Mapping[str, Any], made: datetime) -> list[Any]:
    said = _shown(drill["error"] or "")[:_LONGEST]
    if not said and drill["differences"]:
        said = f"{drill['differences']} differences"
    return [round(_seconds(drill["finished"], made) / 60), _VERDICT[drill["verdict"]], drill["restore_seconds"], said]


def _retention(retention: Mapping[str, Any], policies: dict[str, int]) -> list[Any]:
    refused = _shown(retention["refused"] or "")
    return [
        policies.setdefault(retention["policy"], len(policies)),
        retention["keeps"],
        retention["freed_bytes"],
        refused,
    ]


def _seconds(moment: str, made: datetime) -> int:
    return max(0, round((made - parse_iso(moment)).total_seconds()))


def _kib(size: int) -> float:
    return round(size / 1024) if size >= 10240 else round(size / 1024, 1)


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _shown(text: str) -> str:
    return one_line(text)


def _without_nothing(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, "", [])}
