# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job's run on its host, without a controller: back up, copy, prune, drill when it is due, remember and notify.

What goes wrong in one step or with one instance is in the result and does not stop the others. Being asked to stop
(SIGTERM) ends the step at work in good order, leaves out the rest, and is remembered and reported like any failure.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from typing import Any, Callable

from ..credentials.secrets import Secrets
from ..errors import BackupDbError, Postponed
from ..system.run_id import run_id_or_new
from ..system.stopping import stop_at, stop_signals
from ..system.text import clock_time, human_size, iso, parse_duration, utc_now
from . import steps
from .definition import Job
from .finish import finish, notify_start
from .options import STOP
from .prune_copies import prune_copies, prunes_copies
from .record import job_lock, read_record, remembered_time
from .window import closed_now, next_closed

# Timers do not fire by the second: a weekly drill must not become one of every eight days.
_DRILL_TOLERANCE = 3600.0  # seconds

Report = Callable[..., None]


@dataclass(frozen=True)
class Closing:
    """From `moment` on, in seconds since 1970, the job may not run; `reason` says why."""

    moment: float
    reason: str


WriteMetrics = Callable[[], list[str]]


def run_job(
    job: Job,
    secrets: Secrets,
    *,
    run_id: str | None = None,
    at_any_time: bool = False,
    write_metrics: WriteMetrics = list,
    report: Report,
) -> dict[str, Any]:
    """Run a job and return its result as plain values; `status` is ok, partial, failed or busy.

    Raises `Postponed` at a time at which the job may not run, unless `at_any_time`.

    `write_metrics` writes those of the whole host, once the run is remembered, and returns warnings.
    `report(message, priority=..., **fields)` is called with what goes on. Raises `LockBusy` when the job runs already,
    and `RepositoryError` when its state folder cannot be used.
    """
    started = _now()
    run_id = run_id_or_new(run_id)
    closing = None if at_any_time else closing_of(job)
    with job_lock(job.state_dir, job.name), stop_signals(threading.Event()) as received:
        report(f"job {job.name} begins", run_id=run_id)
        sent = notify_start(job, secrets, run_id)
        result = _steps(job, secrets, run_id, received, report, closing)
        head = {"job": job.name, "run_id": run_id, "started": started, "finished": _now()}
        result = {**head, **result, "notifications": sent}
        return finish(job, secrets, result, write_metrics=write_metrics, report=report)


def refused_job(
    job: Job, error: BackupDbError, *, write_metrics: WriteMetrics = list, report: Report
) -> dict[str, Any]:
    """Remember and report that a job could not begin, as for missing credentials, and return that as its result."""
    now = _now()
    result = {
        "job": job.name,
        "run_id": run_id_or_new(),
        "started": now,
        "finished": now,
        **steps.failure(error),
        "message": f"job {job.name} could not begin: {error}",
        "backups": [],
        "copy": None,
        "prune": None,
        "drill": None,
        "warnings": [],
        "notifications": [],
    }
    return finish(job, Secrets(), result, write_metrics=write_metrics, report=report)


def closing_of(job: Job) -> Closing | None:
    """Return when the next time begins at which the job may not run; raises `Postponed` when it may not run now."""
    now = utc_now().timestamp()
    closed = closed_now(job.not_between, now)
    if closed is not None:
        raise Postponed(
            f"job {job.name} was not begun: it is {clock_time(now)}, and not_between has {closed.text}. "
            "It begins at its next time; --at-any-time begins it now"
        )
    found = next_closed(job.not_between, now)
    return None if found is None else Closing(found[0], f"not_between {found[1].text}")


def drill_is_due(job: Job, now: float) -> bool:
    """Return whether the last drill that proved everything is long enough ago; a failed one is tried again at once."""
    if job.drill is None:
        return False
    last = remembered_time(read_record(job.state_dir, job.name), "last_drill")
    every = parse_duration(job.drill["every"])
    return last is None or now - last >= every - min(_DRILL_TOLERANCE, every / 2)


def _steps(
    job: Job, secrets: Secrets, run_id: str, received: list[str], report: Report, closing: Closing | None
) -> dict[str, Any]:
    """Do all steps. When it closes, dumps come to their end or are ended, as the job says; what follows is ended."""
    moment, reason = (None, "") if closing is None else (closing.moment, closing.reason)
    with stop_at(moment if job.at_window == STOP else None, reason):
        backups = _back_up_all(job, secrets, run_id, received, report, moment)
    with stop_at(moment, reason):
        result = _after_backups(job, secrets, run_id, received, report, backups)
    by_signal = any(name != reason for name in received)
    status = steps.worst([result["status"], "partial"]) if received else result["status"]
    return {**result, "status": "failed" if by_signal else status}


def _back_up_all(
    job: Job, secrets: Secrets, run_id: str, received: list[str], report: Report, begin_until: float | None
) -> list[dict[str, Any]]:
    backups = []
    for options in job.backups:
        if received:
            entry = steps.not_begun(options, f"not begun, stopped by {received[0]}", run_id)
        else:
            report(f"instance {options['instance']}: backup begins", run_id=run_id, instance=options["instance"])
            entry = steps.back_up(options, secrets, run_id, begin_until=begin_until)
        backups.append(entry)
        _report_backup(entry, report)
    return backups


def _after_backups(
    job: Job, secrets: Secrets, run_id: str, received: list[str], report: Report, backups: list[dict[str, Any]]
) -> dict[str, Any]:
    copied = pruned = drilled = None
    if job.copies and not received:
        report("copying begins", run_id=run_id)
        copied = steps.copy_backups(job, secrets, report=partial(report, run_id=run_id))
        for line, entry in zip_longest(copied["lines"], copied["copies"], fillvalue=copied):
            status = entry["status"] if entry.get("required", True) else "partial"
            report(line, priority=_priority(status if entry["status"] == "failed" else entry["status"]), run_id=run_id)
    safe = [options for options, entry in zip(job.backups, backups) if steps.has_backups(entry)]
    if job.retention is not None and safe and not received:
        pruned = steps.prune_backups(job.retention, safe, run_id, stopped=received, copies=steps.unsent_rules(job))
        report(f"prune: {pruned['message']}", priority=_priority(pruned["status"]), run_id=run_id)
    if safe and not received and prunes_copies(job):
        in_copies = prune_copies(job, secrets, safe, run_id, stopped=received)
        report(f"prune: {in_copies['message']}", priority=_priority(in_copies["status"]), run_id=run_id)
        pruned = in_copies if pruned is None else steps.combined_prunes([pruned, in_copies], run_id)
    if job.drill is not None and not received and drill_is_due(job, utc_now().timestamp()):
        report("drill begins", run_id=run_id)
        drilled = steps.prove(job, job.drill, secrets, stopped=received)
        report(f"drill: {drilled['message']}", priority=_priority(drilled["status"]), run_id=run_id)
    return {
        "status": _status(backups, copied, pruned, drilled),
        "message": _message(job, backups, {"copy": copied, "prune": pruned, "drill": drilled}, received),
        "backups": backups,
        "copy": copied,
        "prune": pruned,
        "drill": drilled,
        "warnings": [*_untold(copied), *(f"stopped by {name}" for name in received)],
    }


def _status(
    backups: list[dict[str, Any]],
    copied: Mapping[str, Any] | None,
    pruned: Mapping[str, Any] | None,
    drilled: Mapping[str, Any] | None,
) -> str:
    """Return the worst of all.

    That something is missing in a copy, or that old backups could not be removed, leaves no backup out here, so it is
    partial at most.
    """
    statuses = [entry["status"] for entry in backups]
    if all(status == "busy" for status in statuses):
        return "busy"
    statuses += ["ok" if step["status"] == "ok" else "partial" for step in (copied, pruned) if step is not None]
    if drilled is not None:
        statuses.append(drilled["status"])
    return steps.worst(statuses)


def _untold(copied: Mapping[str, Any] | None) -> list[str]:
    """Return the warnings of the copying that are not among the lines that were reported."""
    return [] if copied is None else [line for line in copied["warnings"] if line not in copied["lines"]]


def _report_backup(entry: Mapping[str, Any], report: Report) -> None:
    about = {"run_id": entry["run_id"], "instance": entry["instance"]}
    for item in [*entry["databases"], *([entry["accounts"]] if entry["accounts"] else [])]:
        what = item["error"] or item["reason"] or f"{human_size(item['stored_bytes'])} stored"
        report(
            f"{item['name']}: {', '.join(filter(None, [item['status'], item['without'], what]))}",
            priority=_priority(item["status"]),
            database=item["name"],
            **about,
        )
    for warning in entry["warnings"]:
        report(warning, priority="warning", **about)
    report(entry["message"], priority=_priority(entry["status"]), **about)


def _now() -> str:
    return iso(utc_now().replace(microsecond=0))


def _priority(status: str) -> str:
    return {"failed": "error", "busy": "warning", "partial": "warning"}.get(status, "info")


def _message(
    job: Job,
    backups: list[dict[str, Any]],
    done: Mapping[str, Mapping[str, Any] | None],
    received: list[str],
) -> str:
    parts = [entry["message"] for entry in backups]
    parts += [f"{name}: {step['message']}" for name, step in done.items() if step is not None]
    parts += [f"stopped by {name}" for name in received[:1]]
    return f"job {job.name}: " + ". ".join(parts)
