# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a job's run: it is remembered, and its notifications are sent. Neither can fail what was backed up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ..credentials.secrets import Secrets
from ..notify.message import TEST, Event
from ..notify.sending import send_all
from ..system.parallel import result_of
from ..system.text import human_duration, parse_iso
from .definition import Job
from .record import record_of, write_record

_WORDS = {"ok": "succeeded", "partial": "is incomplete", "failed": "failed", "busy": "found another run at work"}
_TEST = "Test message of the backup job {} on {}"
_PRIORITIES = {"ok": "notice", "partial": "warning", "failed": "error", "busy": "warning"}


def notify_start(job: Job, secrets: Secrets, run_id: str) -> list[dict[str, Any]]:
    """Notify that the job has begun; returns how each notification ended."""
    host = _host(job)
    event = Event(
        "start", f"Backup job {job.name} on {host} begins", host=host, job=job.name, details={"run_id": run_id}
    )
    return send_all(job.notifications, event, secrets)


def notify_test(job: Job, secrets: Secrets) -> list[dict[str, Any]]:
    """Send a test message to all of a job's notifications; returns how each of them ended."""
    host = _host(job)
    lines = ("Nothing has happened: somebody wants to see whether messages arrive.",)
    event = Event(TEST, _TEST.format(job.name, host), lines, host=host, job=job.name)
    return send_all(job.notifications, event, secrets)


def finish(
    job: Job,
    secrets: Secrets,
    result: dict[str, Any],
    *,
    write_metrics: Callable[[], list[str]],
    report: Callable[..., None],
) -> dict[str, Any]:
    """Remember a result, write the metrics, notify; returns the result with what came of each of these."""
    _remember(job, result)
    written = result_of(write_metrics)
    result["warnings"] += written.value or []
    result["warnings"] += [f"the metrics were not written: {written.error}"] if written.error is not None else []
    result["notifications"] += send_all(job.notifications, _event(job, result), secrets)
    result["warnings"] += [
        f"notification {told['name']!r} was not sent: {told['error']}"
        for told in result["notifications"]
        if not told["sent"]
    ]
    if result["notifications"]:
        _remember(job, result)
    for warning in result["warnings"]:
        report(warning, priority="warning", run_id=result["run_id"], job=job.name)
    _report_end(job, result, report)
    return result


def _report_end(job: Job, result: Mapping[str, Any], report: Callable[..., None]) -> None:
    """Say in a line of its own how the run ended, also where it ended well: that a line is missing says something."""
    took = human_duration((parse_iso(result["finished"]) - parse_iso(result["started"])).total_seconds())
    end = f"job {job.name} {_WORDS[result['status']]} after {took}" if result["backups"] else result["message"]
    report(end, priority=_PRIORITIES[result["status"]], run_id=result["run_id"], job=job.name)


def _remember(job: Job, result: dict[str, Any]) -> None:
    error = result_of(lambda: write_record(job.state_dir, result)).error
    if error is not None:
        warning = f"the result of the job could not be remembered: {error}"
        if warning not in result["warnings"]:
            result["warnings"].append(warning)


def _event(job: Job, result: Mapping[str, Any]) -> Event:
    host = _host(job)
    lines = [result["message"]] if not result["backups"] else [entry["message"] for entry in result["backups"]]
    for name in ("copy", "prune", "drill"):
        if result.get(name) is not None:
            lines.append(f"{name}: {result[name]['message']}")
    return Event(
        "success" if result["status"] == "ok" else "failure",
        f"Backup job {job.name} on {host} {_WORDS[result['status']]}",
        lines=(*lines, *result["warnings"], f"run {result['run_id']}, {result['started']} to {result['finished']}"),
        host=host,
        job=job.name,
        details=record_of(result, {}),
    )


def _host(job: Job) -> str:
    """Return under which name the host keeps its backups."""
    return str(job.backups[0]["host"])
