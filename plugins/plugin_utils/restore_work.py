# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The works of the roles that bring something back on one host: restore and rebuild."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.text import human_duration

from .overview import Columns
from .summaries import Done, message_of
from .work import Work, of_one_host
from .work import message_of as complaint_of

_NOTHING = "the host could not be prepared"


def _state(done: Done, good: Collection[str]) -> str:
    if done.last.get("unreachable"):
        return "unreachable"
    if done.last.get("expected"):
        return "unknown"
    return "ok" if done.last.get("status") in good else "failed"


def _restored(done: Done) -> dict[str, Any]:
    result = done.last
    errors = list(result.get("errors") or ())
    differences = [*(result.get("inventory_difference") or ()), *(result.get("row_count_difference") or ())]
    return {
        "status": _state(done, ("restored", "planned")),
        "message": message_of(done, _NOTHING),
        "lines": errors + differences,
        "outcome": {
            "host": done.host,
            **done.about,
            "status": result.get("status", "failed"),
            "message": message_of(done, _NOTHING),
            "path": result.get("path") or "",
            "safety_backup": result.get("safety_backup") or "",
            "kept_as": result.get("kept_as") or "",
            "errors": errors,
            "differences": differences,
            "warnings": list(result.get("warnings") or ()),
            "seconds": result.get("seconds") or {},
        },
    }


def _rebuilt(done: Done) -> dict[str, Any]:
    result = done.last
    lost, lines = list(result.get("lost") or ()), list(result.get("lines") or ())
    return {
        "status": _state(done, ("ok", "planned")),
        "message": message_of(done, _NOTHING),
        "lines": [*lines, *lost],
        "outcome": {
            "host": done.host,
            **done.about,
            "status": "unknown" if result.get("expected") else result.get("status", "failed"),
            "message": message_of(done, _NOTHING),
            "executed": result.get("executed", False),
            "lost": lost,
            "lines": lines,
            "warnings": list(result.get("warnings") or ()),
            "predicted_seconds": result.get("predicted_seconds") or 0,
            "seconds": result.get("seconds") or 0,
        },
    }


RESTORE = Work(
    name="restore",
    title="Restore",
    nothing="Nothing was restored",
    sum_up=_restored,
    columns=Columns(
        known="outcome",
        cells={
            "INSTANCE": lambda host: host["outcome"]["instance"],
            "DATABASE": lambda host: host["outcome"]["target"],
            "RESULT": lambda host: host["outcome"]["status"],
            "TIME": lambda host: human_duration(host["outcome"]["seconds"].get("total") or 0),
        },
        texts=("INSTANCE", "DATABASE", "RESULT"),
    ),
    complaints=lambda host: [*complaint_of(host), *host.get("lines", ())],
    published=of_one_host,
    is_announced=False,
)

REBUILD = Work(
    name="rebuild",
    title="Rebuild",
    nothing="Nothing was brought back",
    sum_up=_rebuilt,
    columns=Columns(
        known="outcome",
        cells={
            "REBUILT": lambda host: host["outcome"]["rebuilt"],
            "RESULT": lambda host: host["outcome"]["status"],
            "LOST": lambda host: str(len(host["outcome"]["lost"])),
            "TIME": lambda host: human_duration(host["outcome"]["seconds"]),
        },
        texts=("REBUILT", "RESULT"),
    ),
    complaints=lambda host: (
        [*complaint_of(host), *host["outcome"]["lost"]] if "outcome" in host else complaint_of(host)
    ),
    published=of_one_host,
    is_announced=False,
    good=("ok", "unknown"),
)
