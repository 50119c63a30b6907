# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of the role evidence: what was gathered on a host, for whoever signs it, and in numbers for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.errors import InvalidOption
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.evidence.facts import facts_from
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.evidence.statement import result_of

from .overview import Columns, of_counts
from .summaries import Done, run_summary
from .work import Work


def _gathered(done: Done) -> dict[str, Any]:
    summary = run_summary(done, {"facts": None}, "nothing was gathered")
    if summary["status"] != "ok":
        return {**summary, "facts": None, "counts": {}}
    try:
        facts = facts_from(summary["facts"], done.host)
    except InvalidOption as error:
        return {"status": "failed", "message": str(error), "facts": None, "counts": {}}
    newest = Counter(result_of(one) for one in facts.databases)
    drills = sum(len(one.drills) for one in facts.databases)
    return {**summary, "counts": {"databases": len(facts.databases), "drills": drills, **newest}}


def _published(overview: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the facts, which are in the statement."""
    hosts = {
        host: {key: told.get(key, {}) for key in ("status", "message", "counts")}
        for host, told in overview["hosts"].items()
    }
    return {"status": overview["status"], "hosts": hosts}


EVIDENCE = Work(
    name="evidence",
    title="Evidence",
    nothing="Nothing was gathered",
    sum_up=_gathered,
    columns=Columns(
        known="counts",
        cells={
            "DATABASES": of_counts("databases"),
            "DRILLS": of_counts("drills"),
            "PROVEN": of_counts("proven"),
            "NOT PROVEN": of_counts("not proven"),
            "NO DRILL": of_counts("no drill"),
            "NO BACKUP": of_counts("no backup"),
        },
    ),
    published=_published,
    is_announced=False,
    is_notified=False,
)
