# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When jobs run next, asked of what starts them: systemd's timers, or cron, whose lines are only shown."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from ..jobs.in_service import UNIT_FOLDER
from ..system.files import read_small_file

CRON_FOLDER = "/etc/cron.d"
_PATIENCE = 10.0  # seconds
_PLAIN = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
_IN_UTC = {**_PLAIN, "TZ": "UTC"}
# With these, systemd's programs write moments so, whatever their version.
_MOMENT = re.compile(r"[A-Z][a-z]{2} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)? UTC")
_NEXT_ELAPSE = re.compile(rf"(?:Next elapse|\(in UTC\)): ({_MOMENT.pattern})")
_CRON_LINE = re.compile(r"(@[a-z]+|[-*/,0-9A-Za-z~]+(?:\s+[-*/,0-9A-Za-z~]+){4})\s+\S+\s+\S")
_LARGEST_CRON_FILE = 1 << 20  # bytes


@dataclass(frozen=True)
class NextRun:
    """When a job runs next. Without a moment, `words` say what is known."""

    moment: datetime | None
    words: str


@dataclass(frozen=True)
class Timer:
    """An active timer of systemd, and when it fires next, which systemd does not say while its job is at work."""

    moment: datetime | None


NOT_SCHEDULED = NextRun(None, "not scheduled")


def next_runs(
    jobs: Mapping[str, str | None],
    *,
    now: datetime,
    cron_folder: str = CRON_FOLDER,
    unit_folder: str = UNIT_FOLDER,
) -> dict[str, NextRun]:
    """Return when each of these jobs, with what it has as OnCalendar, runs next.

    Never raises, since nothing depends on it.
    """
    timers = _timers(list(jobs))
    found = {}
    for job, on_calendar in jobs.items():
        if timers is not None:
            timer = timers.get(timer_name(job))
        else:  # nobody to ask: no systemd, or no bus for users other than root
            timer = Timer(None) if Path(unit_folder, timer_name(job)).is_file() else None
        if timer is None:
            cron = _cron_line(Path(cron_folder, f"backupdb-{job}"))
            found[job] = NOT_SCHEDULED if cron is None else NextRun(None, f"cron: {cron}")
            continue
        moment = timer.moment
        if moment is None or moment <= now:  # systemd did not say, since the job is at work
            moment = next_elapse(on_calendar) if on_calendar else None
        found[job] = NextRun(moment, "scheduled" if moment is None else f"{moment:%Y-%m-%d %H:%M}Z")
    return found


def timer_name(job: str) -> str:
    """Return the name of a job's timer unit."""
    return f"backupdb-{job}.timer"


def read_timers(text: str) -> dict[str, Timer]:
    """Read what `systemctl show` wrote of timers; those that are not active are left out."""
    found = {}
    for block in text.split("\n\n"):
        values: Mapping[str, str] = dict(line.partition("=")[::2] for line in block.splitlines())
        if values.get("ActiveState") == "active":
            found[values.get("Id", "")] = Timer(_moment(values.get("NextElapseUSecRealtime", "")))
    return found


def next_elapse(on_calendar: str, after: datetime | None = None) -> datetime | None:
    """Return the next moment of a calendar event of systemd, as this host's time zone has it; None without one.

    `after` is another moment than now to count from, which systemd knows since version 244.
    """
    base = [] if after is None else [f"--base-time=@{int(after.timestamp())}"]
    text = _output(["systemd-analyze", "calendar", *base, "--", on_calendar], _PLAIN)
    match = _NEXT_ELAPSE.search(text)
    return _moment(match.group(1)) if match else None


def ask_systemd(units: Sequence[str], properties: Sequence[str]) -> str:
    """Return what `systemctl show` writes of units, with moments in UTC; "" when systemd cannot be asked."""
    return _output(["systemctl", "show", f"--property={','.join(properties)}", "--", *units], _IN_UTC)


def _timers(jobs: Sequence[str]) -> dict[str, Timer] | None:
    """Return the active timers; None when systemd cannot be asked."""
    if not jobs:
        return {}
    text = ask_systemd([timer_name(job) for job in jobs], ["Id", "ActiveState", "NextElapseUSecRealtime"])
    return read_timers(text) if text else None


def _output(command: Sequence[str], environment: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):  # no systemd here, or one that does not answer
        return ""
    return done.stdout.decode("utf-8", "replace")


def _moment(text: str) -> datetime | None:
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    return datetime.strptime(match.group(1), "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)


def _cron_line(path: Path) -> str | None:
    """Return when cron starts a job, as it is written there."""
    try:
        lines = read_small_file(path, _LARGEST_CRON_FILE, follow=True).decode("utf-8", "replace").splitlines()
    except OSError:
        return None
    return next((match.group(1) for match in map(_CRON_LINE.match, lines) if match), None)
