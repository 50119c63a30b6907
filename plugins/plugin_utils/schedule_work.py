# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of the role schedule: which jobs a host has now, and when they run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .overview import Columns, Summary
from .summaries import Done
from .work import Work

_STATUS = "vya.backupdb.backup_status"
_KEY = "vya.backupdb.signing_key"


def _scheduled(done: Done) -> dict[str, Any]:
    # The status says when jobs run. That no backup is there yet is no fault of the schedule.
    found = {job["name"]: job for one in done.of(_STATUS) for job in one.result.get("jobs") or ()}
    keys = [one.result.get("public_key") or "" for one in done.of(_KEY)]
    jobs, removed = list(done.about.get("jobs") or ()), list(done.about.get("removed") or ())
    is_well = not done.error and not any(one.has_failed and one.module != _STATUS for one in done.called)
    count = f"{len(jobs)} job" if len(jobs) == 1 else f"{len(jobs)} jobs"
    return {
        "status": "unreachable" if done.last.get("unreachable") else "ok" if is_well else "failed",
        "message": done.error or (f"{count} on this host" if is_well else str(done.last.get("msg"))),
        "jobs": jobs,
        "removed": removed,
        "public_key": keys[-1] if keys else "",
        "timetable": [{"name": name, "when": _when(found.get(name, {}))} for name in jobs],
    }


def _when(job: Mapping[str, Any]) -> str:
    if job.get("next_run"):
        return f"{job['next_run'][:16].replace('T', ' ')} UTC"
    return str(job.get("schedule") or "-")


def _published(overview: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("jobs", "removed", "public_key")
    return {
        host: {key: told.get(key, "") for key in keys} for host, told in overview["hosts"].items() if _is_known(told)
    }


def _is_known(summary: Summary) -> bool:
    return "jobs" in summary


SCHEDULE = Work(
    name="schedule",
    title="Schedule",
    nothing="Nothing is known of the schedule",
    sum_up=_scheduled,
    columns=Columns(
        known="timetable",
        cells={"JOB": lambda job: job["name"], "NEXT RUN": lambda job: job["when"]},
        texts=("JOB", "NEXT RUN"),
        each=True,
    ),
    published=_published,
    is_announced=False,
    is_notified=False,
)
