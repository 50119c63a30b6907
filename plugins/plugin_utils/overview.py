# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How what many hosts have done becomes one table, a sentence, and what is not well below it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable

from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.table import one_line, table

Summary = Mapping[str, Any]

_UNKNOWN = "-"  # the cell of a host of which nothing is known
_WORST_FIRST = ("failed", "unreachable", "partial", "unknown", "ok")


@dataclass(frozen=True)
class Columns:
    """Columns of the table after host and state. A host whose summary has nothing under the key `known` has none.

    With `each` a host has a line for each entry that is there, and the cells are of the entry.
    """

    known: str
    cells: Mapping[str, Callable[[Summary], str]]
    texts: Collection[str] = ()  # titles of those that are no numbers
    each: bool = False
    state: Callable[[Summary], str] = lambda summary: str(summary["status"])


def of_counts(key: str) -> Callable[[Summary], str]:
    """Return what makes a cell of one of the numbers that a summary has under `counts`."""
    return lambda summary: str(summary["counts"].get(key, 0))


def overview_of(
    summaries: Mapping[str, Summary], columns: Columns, complaints_of: Callable[[Summary], list[str]]
) -> dict[str, Any]:
    """Put the summaries of all hosts into one.

    `message` counts statuses, `table` has a line for each host, `complaints` what is not well, `lines` the message
    and the complaints.
    """
    worst_first = sorted(summaries, key=lambda host: (_WORST_FIRST.index(summaries[host]["status"]), host))
    counts = Counter(summary["status"] for summary in summaries.values())
    told = [f"{counts[status]} host{'s'[: counts[status] != 1]} {status}" for status in _WORST_FIRST if counts[status]]
    message = ", ".join(told) or "there was no host"
    bad = [host for host in worst_first if summaries[host]["status"] != "ok"]
    complaints = [one_line(f"{host}: {line}") for host in bad for line in complaints_of(summaries[host])]
    return {
        "message": message,
        "lines": [message, *complaints],
        "hosts": dict(summaries),
        "table": _table([(host, summaries[host]) for host in worst_first], columns),
        "complaints": complaints,
    }


def _table(hosts: Sequence[tuple[str, Summary]], columns: Columns) -> list[str]:
    titles = ["HOST", "STATE", *columns.cells]
    rows = [[host, columns.state(summary), *cells] for host, summary in hosts for cells in _cells(summary, columns)]
    numbers = [place for place, title in enumerate(titles) if place > 1 and title not in columns.texts]
    return table([titles, *rows], right=numbers)


def _cells(summary: Summary, columns: Columns) -> list[list[str]]:
    known = summary.get(columns.known)
    if not known:
        return [[_UNKNOWN] * len(columns.cells)]
    return [[cell(entry) for cell in columns.cells.values()] for entry in (known if columns.each else [summary])]
