# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The model of a report: many looks judged together, as plain values. It is what the page, JSON and CSV are made of."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from ..monitoring.freshness import EXPECTED
from ..repository.subject import Subject
from ..system.text import iso, parse_iso
from ..version import VERSION
from .anomalies import anomalies
from .attention import LOST, items
from .coverage import CLASSES, NOT_EXPECTED, PROVEN, coverage_of
from .outlook import HORIZONS
from .shape import Malformed, checked
from .split import by_host

SCHEMA = 1
_DAY = 86400.0


@dataclass(frozen=True)
class Look:
    """What came of looking at one host: its facts document as it arrived, or why there is none."""

    name: str
    facts: Any = None
    error: str | None = None


def fleet_of(looks: Sequence[Look], *, now: datetime, title: str) -> dict[str, Any]:
    """Judge looks; one that is malformed makes its host unknown, and hides no other."""
    hosts: list[dict[str, Any]] = []
    databases: list[dict[str, Any]] = []
    for look in looks:
        facts, unknown = None, look.error
        if unknown is None:
            try:
                facts = checked(look.facts)
            except Malformed as error:
                unknown = f"its answer cannot be read: {error}"
        if facts is None:
            hosts.append(_unknown(look.name, unknown or "it gave no answer"))
            continue
        for label, found in by_host(look.name, facts):
            of_host = list(_databases(label, found, now))
            for entry in of_host:
                entry.update(number=len(databases), seen_at=look.name)
                databases.append(entry)
            hosts.append(_host(label, found, of_host))
    model: dict[str, Any] = {
        "schema": SCHEMA,
        "version": VERSION,
        "title": title,
        "made": iso(now.replace(microsecond=0)),
        "hosts": hosts,
        "databases": databases,
    }
    attention = [asdict(item) for item in items(model)]
    model.update(attention=attention, summary=_summary(model, attention), days=_days(hosts), keys=_keys(hosts))
    return model


def _unknown(name: str, why: str) -> dict[str, Any]:
    return {
        "name": name,
        "unknown": why,
        "status": "unknown",
        "message": why,
        "made": None,
        "copy": None,
        "complaints": [],
        "instances": [],
        "repositories": [],
        "days": [],
        "keys": [],
        "problems": [],
        "restore": None,
        "disk_bytes": None,
        "freed_bytes": [0] * len(HORIZONS),
    }


def _host(name: str, facts: Mapping[str, Any], databases: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    kept = ("status", "message", "made", "copy", "complaints", "instances", "repositories", "days", "keys", "problems")
    return {
        "name": name,
        "unknown": None,
        **{key: facts[key] for key in kept},
        "restore": _restore(databases),
        "disk_bytes": sum(entry["disk_bytes"] for entry in databases),
        "freed_bytes": _freed(databases),
    }


def _restore(databases: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Say how long it takes to bring all of a host back, one after the other, and for how many that was measured."""
    wanted = [entry for entry in databases if entry["state"] in EXPECTED and entry["kind"] == "database"]
    known = [entry for entry in wanted if entry["restore_seconds"] is not None]
    if not known:
        return None
    return {
        "seconds": round(sum(entry["restore_seconds"] for entry in known), 1),
        "measured": sum(entry["restore_source"] == "drill" for entry in known),
        "known": len(known),
        "databases": len(wanted),
    }


def _databases(look: str, facts: Mapping[str, Any], now: datetime) -> Iterator[dict[str, Any]]:
    new = {(one["host"], one["instance"], name) for one in facts["instances"] for name in one["new"]}
    rules = {
        (one["host"], one["instance"], entry["name"]): entry["rule"]
        for one in facts["instances"]
        for entry in one["excluded"]
    }
    for database in facts["databases"]:
        place = (database["host"], database["instance"], database["database"])
        coverage = coverage_of(database, is_new=place in new)
        yield {
            "number": 0,
            "look": look,
            **database,
            "title": Subject(database["database"]).title,
            "coverage": coverage.name,
            "rule": rules.get(place),
            "proven_age_seconds": _age(database["proven"], now),
            "anomalies": [asdict(one) for one in anomalies(database["history"], database["emptied"])]
            if coverage not in NOT_EXPECTED
            else [],
            "trend": _trend(database["history"]),
        }


def _age(moment: str | None, now: datetime) -> int | None:
    return None if moment is None else max(0, round((now - parse_iso(moment)).total_seconds()))


def _trend(history: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return by what factor size and duration have changed since the oldest backup of the history."""
    if len(history) < 2:
        return None
    newest, oldest = history[0], history[-1]
    days = (parse_iso(newest["time"]) - parse_iso(oldest["time"])).total_seconds() / _DAY
    return {
        "days": round(days, 1),
        "size": _factor(newest["plain_bytes"], oldest["plain_bytes"]),
        "seconds": _factor(newest["seconds"], oldest["seconds"]),
    }


def _factor(now: float | None, before: float | None) -> float | None:
    return None if not now or not before else round(now / before, 3)


def _summary(model: Mapping[str, Any], attention: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    databases = [entry for entry in model["databases"] if entry["kind"] == "database"]
    counts = Counter(entry["coverage"] for entry in databases)
    excluded = sum(len(one["excluded"]) for host in model["hosts"] for one in host["instances"])
    ages = [entry["proven_age_seconds"] for entry in databases if entry["coverage"] == PROVEN.name]
    return {
        "hosts": len(model["hosts"]),
        "unknown_hosts": sum(host["unknown"] is not None for host in model["hosts"]),
        "databases": len(databases),
        "expected": sum(entry["state"] in EXPECTED for entry in databases),
        "not_restorable": sum(item["level"] == LOST for item in attention),
        "coverage": {one.name: counts[one.name] for one in CLASSES},
        "never_taken": excluded,
        "attention": len(attention),
        "oldest_proof_seconds": max(ages, default=None),
        "stored_bytes": sum(entry["disk_bytes"] for entry in model["databases"]),
        "freed_bytes": _freed(model["databases"]),
    }


def _freed(databases: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return the bytes of today's backups that the policies free until each horizon."""
    told = [entry["retention"]["freed_bytes"] for entry in databases if entry["retention"] is not None]
    return [sum(freed[place] for freed in told if place < len(freed)) for place in range(len(HORIZONS))]


def _days(hosts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for host in hosts:
        for day in host["days"]:
            found[day["day"]].update({key: value for key, value in day.items() if key != "day"})
    names = ("runs", "backups", "partial", "failed", "stored_bytes", "drills", "drills_failed")
    return [{"day": day, **{name: found[day][name] for name in names}} for day in sorted(found)]


def _keys(hosts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for host in hosts:
        for key in host["keys"]:
            entry = found.setdefault((key["use"], key["key"]), {**key, "backups": 0, "alone": 0, "hosts": 0})
            entry["since"], entry["last"] = min(entry["since"], key["since"]), max(entry["last"], key["last"])
            entry["backups"] += key["backups"]
            entry["alone"] += key["alone"]
            entry["hosts"] += 1
    return [found[key] for key in sorted(found)]
