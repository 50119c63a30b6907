# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The works of the roles that look at backups one by one: verify, drill and prune."""

from __future__ import annotations

from typing import Any

from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.text import human_duration, human_size

from .overview import Columns
from .summaries import Done, run_summary
from .work import Work, message_of

_OF_A_DRILL = (
    *("path", "record", "host", "instance", "database", "backup_id", "verdict", "content", "error", "seconds"),
    *("source", "server", "program", "not_compared"),
)

_OF_A_PRUNE: dict[str, Any] = {
    "lines": [],
    "removed": 0,
    "kept": 0,
    "freed_bytes": 0,
    "databases": [],
    "problems": [],
    "warnings": [],
}


def _verified(done: Done) -> dict[str, Any]:
    keep: dict[str, Any] = {"level": None, "counts": {}, "bytes": 0, "seconds": 0, "warnings": []}
    bad = [entry for entry in done.last.get("backups", ()) if entry["verdict"] != "good"]
    problems = [line for entry in bad for line in entry["problems"]]
    return {**run_summary(done, keep, "nothing was verified"), "bad": bad, "problems": problems}


VERIFY = Work(
    name="verify",
    title="Verification",
    nothing="Nothing was verified",
    sum_up=_verified,
    columns=Columns(
        known="counts",
        cells={
            "GOOD": lambda host: str(host["counts"]["good"]),
            "OF": lambda host: str(sum(host["counts"].values())),
            "READ": lambda host: human_size(host["bytes"]),
            "TIME": lambda host: human_duration(host["seconds"]),
        },
    ),
)


def _drilled(done: Done) -> dict[str, Any]:
    summary = run_summary(done, {"lines": [], "proven": 0, "warnings": []}, "nothing was drilled")
    drills = done.last.get("drills") or []
    return {**summary, "drills": [{key: one[key] for key in _OF_A_DRILL if key in one} for one in drills]}


DRILL = Work(
    name="drill",
    title="Drill",
    nothing="Nothing was drilled",
    sum_up=_drilled,
    columns=Columns(
        known="drills",
        cells={
            "PROVEN": lambda host: str(host["proven"]),
            "OF": lambda host: str(len(host["drills"])),
            "TIME": lambda host: human_duration(
                sum((one.get("seconds") or {}).get("total") or 0 for one in host["drills"])
            ),
        },
    ),
)

PRUNE = Work(
    name="prune",
    title="Pruning",
    nothing="Nothing was pruned",
    sum_up=lambda done: run_summary(done, _OF_A_PRUNE, "nothing was pruned"),
    columns=Columns(
        known="databases",
        cells={
            "REMOVED": lambda host: str(host["removed"]),
            "KEPT": lambda host: str(host["kept"]),
            "FREED": lambda host: human_size(host["freed_bytes"]),
        },
    ),
    complaints=lambda host: [*message_of(host), *host.get("problems", ())],
)
