# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What starts a job: its timer and service of systemd, or its line in a crontab."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..jobs.definition import Job
from ..monitoring.next_run import ask_systemd, next_runs, timer_name
from ..system.text import utc_now
from .finding import FAILED, OK, UNKNOWN, WARNING, Finding

_ROLE = "run the playbook schedule"
_TIMER = ("Id", "LoadState", "ActiveState", "UnitFileState", "LastTriggerUSec")
_SERVICE = ("Id", "LoadState", "ActiveState", "Result", "ExecMainStatus")
_BUSY = "75"  # another run made the backup, which its unit takes for a success


def look_at_schedule(job: Job) -> Iterator[Finding]:
    """Yield whether something starts the job, when it does next, and how the last start ended."""
    coming = next_runs({job.name: job.on_calendar}, now=utc_now())[job.name]
    timer, service = timer_name(job.name), f"backupdb-{job.name}.service"
    told = read_units(ask_systemd([timer], _TIMER) + "\n\n" + ask_systemd([service], _SERVICE))
    if is_there(told.get(timer, {})):
        yield timer_finding(timer, told[timer], coming.words)
        yield service_finding(service, told.get(service, {}))
    elif coming.words.startswith("cron: "):
        yield Finding("schedule", OK, f"a crontab starts it, {coming.words}")
    elif coming.words == "scheduled":
        yield Finding("schedule", UNKNOWN, f"{timer} is there, and systemd cannot be asked")
    else:
        yield Finding("schedule", WARNING, f"nothing starts this job: no {timer}, and no crontab", _ROLE)


def timer_finding(timer: str, told: Mapping[str, str], coming: str) -> Finding:
    """Judge what systemd tells of the timer; `coming` is when it fires next."""
    last = told.get("LastTriggerUSec") or "never"
    what = f"{timer}: next {coming}, last {'never' if last == 'n/a' else last}"
    if told.get("ActiveState") != "active":
        return Finding("timer", FAILED, f"{timer} is not active: nothing starts it", f"systemctl enable --now {timer}")
    if told.get("UnitFileState") not in ("enabled", "enabled-runtime", "static"):
        return Finding("timer", WARNING, f"{what}; it will not be started after a boot", f"systemctl enable {timer}")
    return Finding("timer", OK, what)


def service_finding(service: str, told: Mapping[str, str]) -> Finding:
    """Judge what systemd tells of the service."""
    result, status = told.get("Result", ""), told.get("ExecMainStatus", "")
    if not is_there(told):
        return Finding("service", FAILED, f"{service} is not installed, so its timer starts nothing", _ROLE)
    if result not in ("", "success"):
        what = f"{service}: the last start ended with {result}, status {status}"
        return Finding("service", FAILED, what, f"journalctl --unit {service}")
    busy = "at the last start another run was at work"
    ended = busy if status == _BUSY else "the last start ended well, or there was none"
    at_work = told.get("ActiveState") in ("activating", "active")
    return Finding("service", OK, f"{service}: {'it is at work now' if at_work else ended}")


def read_units(text: str) -> dict[str, dict[str, str]]:
    """Read what `systemctl show` wrote, by the names of the units."""
    blocks = [dict(line.partition("=")[::2] for line in block.splitlines() if line) for block in text.split("\n\n")]
    return {block["Id"]: block for block in blocks if "Id" in block}


def is_there(told: Mapping[str, str]) -> bool:
    """Tell whether a unit is installed and can be read."""
    return told.get("LoadState") == "loaded"
