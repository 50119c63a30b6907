# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a backup's manifest says about its snapshot: what is in it, what is not, and what deserves a warning.

The inventory counts what was dumped. What else the database has is named under `missing`.
"""

from __future__ import annotations

from typing import Any

from ..values import DumpOptions
from .observation import Observation, Preflight, Surroundings

# Routine kinds as information_schema.routines has them; packages are MariaDB's.
_ROUTINES = ("function", "procedure", "package", "package body")


def dumped_kinds(options: DumpOptions) -> frozenset[str]:
    """Return the kinds of programs that the options ask for."""
    return frozenset(
        (
            *(_ROUTINES if options.routines else ()),
            *(("trigger",) if options.triggers else ()),
            *(("event",) if options.events else ()),
        )
    )


def inventory(seen: Observation, options: DumpOptions) -> dict[str, int]:
    """Count the dumped objects by kind."""
    dumped = dumped_kinds(options)
    counts = {
        "tables": sum(1 for one in seen.found if one.is_table),
        "views": sum(1 for one in seen.found if one.type == "VIEW"),
        "sequences": sum(1 for one in seen.found if one.type == "SEQUENCE"),
        "system_versioned_tables": sum(1 for one in seen.found if one.type == "SYSTEM VERSIONED"),
    }
    names = {"package body": "package_bodies"}
    programs = {
        names.get(kind, f"{kind}s"): seen.programs.count(kind)
        for kind in (*_ROUTINES, "trigger", "event")
        if kind in dumped
    }
    return {**counts, **programs}


def left_out(seen: Observation, preflight: Preflight, options: DumpOptions, *, history: bool) -> list[str]:
    """Name what the backup does not have; anything here makes it partial."""
    named = [f"{broken.kind} {broken.name}: {broken.reason}" for broken in preflight.broken]
    named += [f"table {one.name}: {one.unanswered}" for one in seen.found if one.unanswered is not None]
    dumped = dumped_kinds(options)
    for kind in (*_ROUTINES, "trigger", "event"):
        count = seen.programs.count(kind)
        if kind not in dumped and count:
            named.append(f"{count} of kind {kind}: switched off by option")
    versioned = [one.name for one in seen.found if one.type == "SYSTEM VERSIONED"]
    if versioned and not history:
        named.append(f"history rows of {', '.join(versioned)}: the dump client does not know --dump-history")
    return named


def warnings(
    seen: Observation, around: Surroundings, options: DumpOptions, *, unlocked: str | None, jobs: int
) -> list[str]:
    """Say what the user should know, though nothing is missing."""
    warned = []
    if unlocked is not None:
        warned.append(f"no global read lock: {unlocked}")
        if options.row_counts or options.fingerprints:
            warned.append(
                "row counts and fingerprints were not taken: without the lock they would be of another snapshot"
            )
    if jobs < options.jobs:
        warned.append(f"{options.jobs} jobs were asked for, {jobs} could be used")
    far = [one.name for one in seen.found if one.is_table and (one.engine or "").upper() == "FEDERATED"]
    if far:
        warned.append(f"rows of FEDERATED tables are on other servers, and not in the backup: {', '.join(far)}")
    outside = [f"{one.name} ({one.engine})" for one in seen.found if one.is_table and not one.is_transactional]
    if outside:
        warned.append(f"tables of engines without transactions are outside the snapshot: {', '.join(outside)}")
    others = sorted({str(one["database"]) for one in around.outside})
    if others:
        warned.append(f"views or defaults name other databases, which a restore needs first: {', '.join(others)}")
    if around.dead_definers is None:
        warned.append("definers were not checked: the login cannot read mysql.user")
    for definer, objects in (around.dead_definers or {}).items():
        warned.append(f"definer {definer} is not an account of this server; used by {', '.join(objects)}")
    return warned


def extra(preflight: Preflight, around: Surroundings) -> dict[str, Any]:
    """Return the definitions of what was left out, the definers, which a restore needs, and the dead ones of them."""
    found: dict[str, Any] = {"definers": list(around.definers)}
    if preflight.broken:
        found["left_out"] = [
            {"name": one.name, "kind": one.kind, "reason": one.reason, "definition": one.definition}
            for one in preflight.broken
        ]
    if around.outside:
        found["outside"] = [dict(one) for one in around.outside]
    if around.dead_definers:
        found["dead_definers"] = {definer: list(objects) for definer, objects in around.dead_definers.items()}
    return found
