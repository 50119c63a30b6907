# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The enumeration: what an instance holds and what a backup of it would take, as plain values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..connection.instance import Instance
from ..engines.registry import open_engine
from ..engines.side_names import broken_restores
from ..engines.values import Database, DumpOptions
from .request import Selection
from .survey import Survey, filter_warnings, survey


def collect(instance: Instance, selection: Selection, dump: DumpOptions) -> dict[str, Any]:
    """Return server facts, databases with the reason why each is (not) selected, missing privileges and clients.

    Raises what connecting and selecting raise.
    """
    with open_engine(instance) as engine:
        found = survey(engine, selection, dump)
    reasons = {entry.name: entry.reason for entry in found.skipped}
    databases = [
        {
            **asdict(database),
            "selected": database.name not in reasons,
            "reason": reasons.get(database.name, "selected by databases"),
            "filters": _filters(found, database),
        }
        for database in found.databases
    ]
    warnings = [f"{entry.name!r}: {entry.reason}" for entry in found.skipped if entry.fault]
    warnings += [*found.unmatched, *filter_warnings(found)]
    warnings += broken_restores(database.name for database in found.databases)
    warnings += [f"{name!r} could not be looked into: {reason}" for name, reason in found.unexamined.items()]
    if found.client is None:
        warnings.append(f"no usable dump client on this host; install {found.package_hint}")
    return {
        "instance": instance.id,
        "engine": found.facts.vendor,
        "server": {
            "vendor": found.facts.vendor,
            "version": found.facts.version,
            "role": found.facts.role,
            "data_bytes": found.facts.data_bytes,
            "settings": dict(found.facts.settings),
        },
        "latency_ms": round(found.latency * 1000, 3),
        "databases": databases,
        "missing_privileges": [asdict(entry) for entry in found.missing],
        "clients": [asdict(client) for client in found.clients],
        "warnings": warnings,
    }


def _filters(found: Survey, database: Database) -> dict[str, Any] | None:
    filtered = found.filtered.get(database.name)
    return None if filtered is None else filtered.to_manifest()
