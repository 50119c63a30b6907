# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of the role status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.text import human_duration, human_size

from .overview import Columns, Summary
from .summaries import Done, run_summary
from .work import Work, with_its_lines

_STATUS_KEYS = ("rows", "late", "waiting", "complaints", "instances", "jobs", "repositories", "lines")
_JUDGED = ("ok", "partial", "failed", "late", "no backup")


def _status_of(done: Done) -> dict[str, Any]:
    summary = run_summary(done, {}, "the module returned nothing")
    kept = {key: done.last[key] for key in _STATUS_KEYS if key in done.last}
    # The module also knows the status partial.
    return {**kept, **summary, "status": done.last.get("status", summary["status"])}


def _judged(status: Summary) -> list[Mapping[str, Any]]:
    return [row for row in status["rows"] if row["state"] in _JUDGED and row["kind"] == "database"]


def _oldest(status: Summary) -> str:
    ages = [row["age_seconds"] for row in _judged(status) if row["age_seconds"] is not None]
    return human_duration(max(0, *ages)) if ages else "-"


def _free(status: Summary) -> str:
    free = [repository["free_bytes"] for repository in status["repositories"] if repository["free_bytes"] is not None]
    return human_size(min(free)) if free else "-"


def _next_run(status: Summary) -> str:
    coming = [instance["next_run"] for instance in status["instances"] if instance["next_run"]]
    return min(coming)[:16].replace("T", " ") if coming else "-"


def _state(status: Summary) -> str:
    return "waiting" if status["status"] == "ok" and status.get("waiting") else str(status["status"])


STATUS = Work(
    name="status",
    title="Status",
    nothing="Nothing is known",
    sum_up=_status_of,
    columns=Columns(
        known="rows",
        state=_state,
        cells={
            "WELL": lambda status: str(sum(row["state"] in ("ok", "partial") for row in _judged(status))),
            "EXPECTED": lambda status: str(len(_judged(status))),
            "OLDEST": _oldest,
            "PROVEN": lambda status: str(sum(row["proven"] is not None for row in _judged(status))),
            "STORED": lambda status: human_size(sum(one["disk_bytes"] for one in status["repositories"])),
            "FREE": _free,
            "NEXT RUN (UTC)": _next_run,
        },
        texts=("NEXT RUN (UTC)",),
    ),
    complaints=lambda status: list(status.get("complaints") or [status["message"]]),
    published=with_its_lines,
    is_a_table=True,
    is_announced=False,
)
