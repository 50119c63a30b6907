# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at fleets that do not exist, with the history of every database: one with every state in it, and large ones."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from backupdb.report.fleet import Look
from backupdb.system.text import iso

NOW = datetime(2026, 11, 24, 7, 0, tzinfo=timezone.utc)
HOSTILE = (
    "<script>alert(1)</script>",
    '../x"; --',
    "\u202egpj.exe",
    "line\nbreak",
    "'; DROP TABLE t",
    "</script><img src=x>",
)
KEYS = ("age1qyqszqgpqyqszqgpqyqszqgp", "age1recovery0offline0key")
_HOUR = 3600.0
_MIB = 1 << 20


def point(hours: float, plain_bytes: int = 40 * _MIB, **changes: Any) -> dict[str, Any]:
    """A backup of a history, so many hours old."""
    time = NOW - timedelta(hours=hours)
    return {
        "id": f"{time:%Y%m%dT%H%M%SZ}-3f0c9a52",
        "time": iso(time),
        "complete": True,
        "filters": "",
        "plain_bytes": plain_bytes,
        "stored_bytes": plain_bytes // 5,
        "seconds": round(plain_bytes / (25 * _MIB), 2),
        "rows": plain_bytes // 120,
        "objects": 84,
        "compression": "zstd",
        "proven": None,
        **changes,
    }


def series(sizes: Sequence[int], **newest: Any) -> list[dict[str, Any]]:
    """A history of one backup a day, newest first; `sizes` are in MiB, oldest first, `newest` changes of the newest."""
    points = [point(5 + 24 * place, size * _MIB) for place, size in enumerate(reversed(sizes))]
    points[0] = {**points[0], **newest}
    return points


def database(
    name: str | None,
    *,
    host: str,
    instance: str,
    state: str = "ok",
    history: Sequence[dict[str, Any]] = (),
    proven: float | None = None,
    verdict: str = "equal",
    **changes: Any,
) -> dict[str, Any]:
    """A database of a facts document; `proven` is hours since the newest proven backup, `verdict` of the last drill."""
    newest = history[0] if history else None
    age = (
        None
        if newest is None
        else (NOW - datetime.fromisoformat(newest["time"].replace("Z", "+00:00"))).total_seconds()
    )
    drilled = proven is not None or verdict != "equal"
    finished = iso(NOW - timedelta(hours=(proven or 30) - 1))
    folder = f"/var/backups/backupdb/{host}/{instance}/{(name or '@accounts').encode().hex()[:24]}"
    path = None if newest is None else f"{folder}/{newest['id']}"
    drill = {
        "finished": finished,
        "backup": newest["id"] if newest else "",
        "verdict": verdict,
        "restore_seconds": None if newest is None else round(newest["plain_bytes"] / (9 * _MIB), 1),
        "total_seconds": None,
        "plain_bytes": newest["plain_bytes"] if newest else 0,
        "differences": 3 if verdict == "different" else 0,
        "error": "archive data.sql.zst.age is damaged: digest differs" if verdict == "failed" else None,
    }
    return {
        "host": host,
        "instance": instance,
        "database": name,
        "kind": "accounts" if name is None else "database",
        "state": state,
        "newest": newest and newest["time"],
        "newest_complete": newest and newest["time"],
        "without": "",
        "path": path,
        "age_seconds": age,
        "max_age_seconds": 26 * _HOUR,
        "duration": newest and newest["seconds"],
        "plain_bytes": newest and newest["plain_bytes"],
        "stored_bytes": newest and newest["stored_bytes"],
        "backups": len(history),
        "disk_bytes": sum(one["stored_bytes"] for one in history),
        "proven": None if proven is None else iso(NOW - timedelta(hours=proven)),
        "drill": {"finished": finished, "verdict": verdict} if drilled else None,
        "error": None,
        "next_run": iso(NOW + timedelta(hours=19)),
        "copies": [],
        "restore_seconds": drill["restore_seconds"],
        "restore_source": None if newest is None else "drill" if drilled and verdict != "failed" else "rate",
        "proven_path": None if proven is None else path,
        "read": len(history),
        "history": list(history),
        "drills": [drill] if drilled else [],
        "emptied": [],
        "retention": {
            "policy": "keep_daily 14, keep_weekly 8",
            "refused": None,
            "keeps": min(14, len(history)),
            "oldest": history[-1]["time"],
            "freed_bytes": [
                0,
                sum(one["stored_bytes"] for one in history) // 4,
                sum(one["stored_bytes"] for one in history) // 2,
            ],
        }
        if history
        else None,
        **changes,
    }


def copy(name: str, state: str = "ok", hours: float = 5.0) -> dict[str, Any]:
    """What a copy has of a database."""
    return {
        "name": name,
        "state": state,
        "required": True,
        "off_site": True,
        "newest": None if state == "no backup" else iso(NOW - timedelta(hours=hours)),
        "age_seconds": None if state == "no backup" else hours * _HOUR,
        "proven": None,
        "backups": 30,
        "tampered": 0,
    }


def facts(
    host: str, databases: Sequence[dict[str, Any]], *, complaints: Sequence[dict[str, Any]] = (), **changes: Any
) -> dict[str, Any]:
    """A facts document of one host, with a list of what nobody takes."""
    instances = sorted({(entry["host"], entry["instance"]) for entry in databases})
    excluded = changes.pop("excluded", [])
    new = changes.pop("new", [])
    engine, version = changes.pop("server", ("postgresql", "17.10"))
    days = [
        {
            "day": f"{NOW - timedelta(days=29 - number):%Y-%m-%d}",
            "runs": len(instances),
            "backups": len(databases),
            "partial": int(number % 11 == 6),
            "failed": int(number % 13 == 4),
            "stored_bytes": sum(entry["stored_bytes"] or 0 for entry in databases),
            "drills": int(number % 7 == 2),
            "drills_failed": int(number == 28),
        }
        for number in range(30)
    ]
    return {
        "schema": 1,
        "version": "1.0.0",
        "made": iso(NOW),
        "copy": None,
        "status": "failed"
        if any(one["level"] == "failed" for one in complaints)
        else "partial"
        if complaints
        else "ok",
        "message": "told",
        "complaints": list(complaints),
        "databases": list(databases),
        "instances": [
            {
                "repository": "/var/backups/backupdb",
                "host": place[0],
                "instance": place[1],
                "engine": engine,
                "server_version": version,
                "status": "ok",
                "error": None,
                "last_run": iso(NOW - timedelta(hours=5)),
                "next_run": iso(NOW + timedelta(hours=19)),
                "waits_until": None,
                "jobs": ["nightly"],
                "excluded": excluded,
                "new": new,
            }
            for place in instances
        ],
        "jobs": [{"name": "nightly", "status": "ok", "finished": iso(NOW - timedelta(hours=5)), "next_run": None}],
        "repositories": [
            {
                "path": "/var/backups/backupdb",
                "disk_bytes": sum(entry["disk_bytes"] for entry in databases),
                "free_bytes": 40 << 30,
                "size_bytes": 100 << 30,
            }
        ],
        "days": days,
        "keys": [
            {
                "use": "opens",
                "key": key,
                "since": iso(NOW - timedelta(days=90)),
                "last": iso(NOW - timedelta(hours=5)),
                "backups": 30 * len(databases),
                "alone": 0,
            }
            for key in KEYS
        ],
        "problems": [],
        **changes,
    }


def complaint(host: str, instance: str, name: str | None, why: str, **changes: Any) -> dict[str, Any]:
    """What the status says of a database that is not well."""
    return {
        "level": "failed",
        "kind": "database",
        "text": f"{host}/{instance}/{name or '@accounts'}: {why}",
        "host": host,
        "instance": instance,
        "database": name,
        "accounts": name is None,
        **changes,
    }


def every_state() -> list[Look]:
    """A small fleet in which each class has a database, and one host is out of reach."""
    steady = [36 + day for day in range(20)]

    def of(name: str | None, host: str, instance: str, sizes: Sequence[int] = steady, **more: Any) -> dict[str, Any]:
        newest = more.pop("newest", {})
        known = "ok" if sizes else "no backup"
        more.setdefault("copies", [copy("offsite", known), copy("vault", known)])
        return database(name, host=host, instance=instance, history=series(sizes, **newest) if sizes else [], **more)

    shop = [
        of("shop", "db1.example.org", "shop-pg", proven=29, newest={"proven": None}),
        of("orders", "db1.example.org", "shop-pg", [900 + 3 * day for day in range(20)], proven=29, verdict="failed"),
        of("crm", "db1.example.org", "shop-pg", [210] * 20, proven=53),
        of("search", "db1.example.org", "shop-pg", [80] * 19 + [37], proven=53),
        of("campaigns", "db1.example.org", "shop-pg", [12], state="ok"),
        of(None, "db1.example.org", "shop-pg", [1] * 20),
    ]
    blog = [
        of("blog", "db2.example.org", "web", [140 + day for day in range(20)], proven=101),
        of(
            "wiki", "db2.example.org", "web", [64] * 20, copies=[copy("offsite", "late", 60), copy("vault")], proven=101
        ),
        of("forum", "db2.example.org", "web", [320] * 20, state="late", proven=220),
        of("old_shop", "db2.example.org", "web", [55] * 20, state="gone", proven=500),
        of("sessions", "db2.example.org", "web", [9] * 6, state="left out"),
        of(None, "db2.example.org", "web", [1] * 20),
    ]
    blog[2]["age_seconds"] = 75 * _HOUR
    books = [
        of("ledger", "db3.example.org", "books", [2100 + 11 * day for day in range(20)], proven=29),
        of("payroll", "db3.example.org", "books", [], state="no backup", error="permission denied for schema payroll"),
        of("invoices", "db3.example.org", "books", [410 + day for day in range(20)], state="failed", proven=29),
        of("archive", "db3.example.org", "books", [5200] * 20, state="partial"),
        of("staging", "db3.example.org", "books", [], state="waiting"),
        of("media", "db3.example.org", "books", [700] * 20, proven=53, newest={"stored_bytes": 690 * _MIB}),
    ]
    books[3]["without"] = ""
    said = [
        complaint("db3.example.org", "books", "payroll", "there is no backup: permission denied for schema payroll"),
        complaint(
            "db3.example.org", "books", "invoices", "the newest attempt failed: canceling statement due to lock timeout"
        ),
        complaint(
            "db3.example.org", "books", "archive", "the newest backup is partial: missing view totals", level="partial"
        ),
    ]
    silent = {"name": "db4.example.org", "error": "Failed to connect to the host via ssh: connection timed out"}
    others = [
        Look(
            f"{name}.example.org",
            facts(
                f"{name}.example.org",
                [of(one, f"{name}.example.org", "main", [size] * 20, proven=41) for one, size in sizes.items()],
            ),
        )
        for name, sizes in (("db5", {"app": 180, "queue": 22, "reports": 730}), ("db6", {"tickets": 95, "sso": 14}))
    ]
    left = [{"name": "template1", "rule": "system database"}, {"name": "scratch_7", "rule": "excluded by 'scratch_*'"}]
    return [
        Look("db1.example.org", facts("db1.example.org", shop, excluded=left, new=["campaigns"])),
        Look(
            "db2.example.org",
            facts(
                "db2.example.org",
                blog,
                server=("mariadb", "11.8.9"),
                complaints=[
                    complaint(
                        "db2.example.org", "web", "forum", "the newest backup is 3 d 3 h old, 26 h 0 min are allowed"
                    ),
                    complaint(
                        "db2.example.org",
                        "web",
                        "wiki",
                        "the newest backup in copy offsite is 60 h 0 min old, 26 h 0 min are allowed",
                        kind="copy",
                    ),
                ],
                excluded=[
                    {"name": "sessions", "rule": "excluded by 'sess*'"},
                    {"name": "information_schema", "rule": "system database"},
                ],
            ),
        ),
        Look("db3.example.org", facts("db3.example.org", books, complaints=said, server=("mysql", "9.7.4"))),
        Look(**silent),
        *others,
    ]


def large(hosts: int, databases: int, *, seed: int = 1) -> list[Look]:
    """A fleet of so many hosts with so many databases each; every tenth is late, and some names are hostile."""
    chance = random.Random(seed)  # noqa: S311  the same numbers each time
    looks = []
    for number in range(hosts):
        host = f"db{number:03}.example.org"
        entries, said = [], []
        for place in range(databases):
            name = (
                HOSTILE[number // 10 % len(HOSTILE)]
                if place == 0 and number % 10 == 0
                else f"{chance.choice(['shop', 'crm', 'wiki', 'app'])}_{place}"
            )
            size = chance.randint(5, 4000)
            history = series([max(1, size + chance.randint(-2, 2) + day) for day in range(30)])
            is_late = (number * databases + place) % 10 == 3
            entry = database(
                name,
                host=host,
                instance="main",
                history=history,
                proven=29,
                state="late" if is_late else "ok",
                copies=[copy("offsite"), copy("vault")],
            )
            if is_late:
                said.append(complaint(host, "main", name, "the newest backup is 3 d 0 h old, 26 h 0 min are allowed"))
            entries.append(entry)
        looks.append(Look(host, facts(host, entries, complaints=said)))
    return looks
