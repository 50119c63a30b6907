# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of the role gate: which databases of a host do not pass, each once."""

from __future__ import annotations

from typing import Any

from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.text import counted, human_duration

from .overview import Columns, Summary
from .summaries import Called, Done, message_of
from .work import Work, with_its_lines
from .work import message_of as complaint_of

_NOTHING = "nothing was looked at"


def _looked_at(done: Done) -> dict[str, Any]:
    rows = [row for one in done.called for row in one.result.get("rows") or ()]
    lines = [line for one in done.called for line in _lines(done, one)]
    if done.error or not done.called:
        lines = [message_of(done, _NOTHING)]
    status = "unreachable" if done.last.get("unreachable") else "failed" if lines else "ok"
    passed = sum(row["passed"] for row in rows)
    told = f"{counted(passed, 'database')} of {len(rows)} {'passes' if passed == 1 else 'pass'}"
    message = told if not lines else lines[0] if len(lines) == 1 else f"{told}; {lines[0]} (and {len(lines) - 1} more)"
    return {"status": status, "message": message, "rows": rows, "failing": lines}


def _lines(done: Done, one: Called) -> list[str]:
    """Return what does not pass of one instance, or why that is not known."""
    if one.result.get("rows") is not None:
        return list(one.result.get("lines") or ())
    return [f"{one.item}: {message_of(Done(done.host, [one]), _NOTHING)}"] if one.has_failed else []


def _oldest(host: Summary) -> str:
    ages = [row["age_seconds"] for row in host["rows"] if row["age_seconds"] is not None]
    return human_duration(max(0, *ages)) if ages else "-"


GATE = Work(
    name="gate",
    title="Gate",
    nothing="Nothing is known",
    sum_up=_looked_at,
    columns=Columns(
        known="rows",
        cells={
            "PASS": lambda host: str(sum(row["passed"] for row in host["rows"])),
            "OF": lambda host: str(len(host["rows"])),
            "OLDEST": _oldest,
            "PROVEN": lambda host: str(sum(row["proven"] is not None for row in host["rows"])),
        },
    ),
    complaints=lambda host: list(host.get("failing") or complaint_of(host)),
    published=with_its_lines,
    is_announced=False,
    is_notified=False,
)
