# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of the role refresh: what came of each database of a host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.text import counted, human_duration

from .overview import Columns, Summary
from .summaries import Called, Done, message_of
from .work import Work
from .work import message_of as complaint_of

_NOTHING = "the host could not be prepared"
_GOOD = ("restored", "planned")
_KEPT: Mapping[str, Any] = {
    "backup_id": "",
    "masked_by": [],
    "safety_backup": "",
    "kept_as": "",
    "warnings": [],
    "seconds": {},
}


def _refreshed(done: Done) -> dict[str, Any]:
    databases = [_database(done, one) for one in done.called]
    bad = [one for one in databases if one["status"] not in _GOOD]
    status = "unreachable" if done.last.get("unreachable") else "failed" if bad or not databases else "ok"
    if done.error or not databases:
        message = message_of(done, _NOTHING)
    elif bad:
        message = f"{counted(len(bad), 'database')} of {len(databases)} not refreshed: {bad[0]['message']}"
    else:
        planned = any(one["status"] == "planned" for one in databases)
        message = f"{counted(len(databases), 'database')} {'would be refreshed' if planned else 'refreshed'}"
    return {
        "status": status,
        "message": message,
        "lines": [one["message"] for one in databases],
        "databases": databases,
    }


def _database(done: Done, one: Called) -> dict[str, Any]:
    item = one.item or {}
    return {
        "database": item.get("database"),
        "target": item.get("target") or item.get("database"),
        "status": one.result.get("status") or "failed",
        "message": message_of(Done(done.host, [one]), _NOTHING),
        **{key: one.result.get(key) or empty for key, empty in _KEPT.items()},
    }


def _complaints(host: Summary) -> list[str]:
    bad = [str(one["message"]) for one in host.get("databases") or () if one["status"] not in _GOOD]
    return bad if len(bad) > 1 else complaint_of(host)


REFRESH = Work(
    name="refresh",
    title="Refresh",
    nothing="Nothing was refreshed",
    sum_up=_refreshed,
    columns=Columns(
        known="databases",
        cells={
            "DATABASE": lambda one: str(one["target"]),
            "RESULT": lambda one: str(one["status"]),
            "SCRIPTS": lambda one: str(len(one["masked_by"])),
            "TIME": lambda one: human_duration(one["seconds"].get("total") or 0),
        },
        texts=("DATABASE", "RESULT"),
        each=True,
    ),
    complaints=_complaints,
    is_announced=False,
)
