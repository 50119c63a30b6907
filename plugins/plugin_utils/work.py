# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role does on its hosts, as far as its report must know it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

from .overview import Columns, Summary, overview_of
from .summaries import Done

_LINES, _LINE = 20, 500  # of what is published in short, and characters of one


@dataclass(frozen=True)
class Written:
    """What a report has written on the controller: in words for the screen, and what is published of it."""

    said: str = ""
    error: str | None = None
    changed: bool = False
    published: Mapping[str, Any] = field(default_factory=dict)


def message_of(summary: Summary) -> list[str]:
    """Return what is not well on a host in one line: its message."""
    return [f"{summary['status']}: {summary['message']}"]


def _for_all_hosts(overview: Mapping[str, Any]) -> dict[str, Any]:
    return {"status": overview["status"], "hosts": overview["hosts"]}


@dataclass(frozen=True)
class Work:
    """How the result on one host is summed up, and how many hosts become one table.

    A summary has `status` (`ok`, `unknown`, `partial`, `failed` or `unreachable`), `message`, and may have `lines` that
    say more.
    """

    name: str  # of its role
    title: str  # in notifications
    nothing: str  # is said of a host on which it was not done
    sum_up: Callable[[Done], dict[str, Any]]
    columns: Columns
    complaints: Callable[[Summary], list[str]] = message_of
    published: Callable[[Mapping[str, Any]], dict[str, Any]] = _for_all_hosts
    # What is written on the controller of the summaries of all hosts, the values of the variables `writes_with` and
    # whether that is only to be told.
    write: Callable[[Mapping[str, Summary], Mapping[str, Any], bool], Written] | None = None
    writes_with: Sequence[str] = ()
    good: Collection[str] = ("ok",)  # statuses with which the task of a host does not fail
    is_a_table: bool = False  # for whoever reads the lines of the overview, too
    is_announced: bool = True  # by notifications when it begins
    is_notified: bool = True  # when it ends

    def overview(self, summaries: Mapping[str, Summary], hosts: Iterable[str]) -> dict[str, Any]:
        """Put the summaries of the hosts into one; a host without one counts as failed."""
        message = f"{self.nothing}: the host did not get as far as that, see its error."
        unknown = {"status": "failed", "message": message}
        found = overview_of({host: summaries.get(host, unknown) for host in hosts}, self.columns, self.complaints)
        statuses = {told["status"] for told in found["hosts"].values()}
        is_good = bool(statuses) and statuses <= set(self.good)
        found["status"] = "failed" if not is_good else "unknown" if "unknown" in statuses else "ok"
        if self.is_a_table:
            found["lines"] = [found["message"], *found["table"], *found["complaints"]]
        return found


def with_its_lines(overview: Mapping[str, Any]) -> dict[str, Any]:
    """Publish the overview as it is read, too."""
    return {key: overview[key] for key in ("status", "message", "lines", "hosts")}


def in_short(overview: Mapping[str, Any]) -> dict[str, Any]:
    """Publish what fits everywhere, whatever the work and however many hosts: the verdict, and the worst of why."""
    complaints = [line[:_LINE] for line in overview["complaints"][:_LINES]]
    left_out = len(overview["complaints"]) - len(complaints)
    more = [f"... and {left_out} more"] if left_out else []
    return {"status": overview["status"], "message": overview["message"], "complaints": [*complaints, *more]}


def of_one_host(overview: Mapping[str, Any]) -> dict[str, Any]:
    """Publish what came of the work of a role that works on one host alone, and refuses a play with more."""
    summary = next(iter(overview["hosts"].values()))
    return dict(summary.get("outcome", summary))
