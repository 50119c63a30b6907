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

from ..repository.files import read_small_file

CRON_FOLDER = "/etc/cron.d"
_PATIENCE = 10.0  # seconds
# With these, systemctl writes moments as `Tue 2026-11-24 02:15:00 UTC`, whatever its version.
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_MOMENT = re.compile(r"[A-Z][a-z]{2} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)? UTC")
_CRON_LINE = re.compile(r"(@[a-z]+|[-*/,0-9A-Za-z~]+(?:\s+[-*/,0-9A-Za-z~]+){4})\s+\S+\s+\S")
_LARGEST_CRON_FILE = 1 << 20  # bytes


@dataclass(frozen=True)
class NextRun:
    """When a job runs next. Without a moment, `words` say what is known."""

    moment: datetime | None
    words: str


NOT_SCHEDULED = NextRun(None, "not scheduled")


def next_runs(jobs: Sequence[str], *, cron_folder: str = CRON_FOLDER) -> dict[str, NextRun]:
    """Return when each of these jobs runs next; never raises, since nothing depends on it."""
    moments = _timers(jobs)
    found = {}
    for job in jobs:
        moment = moments.get(timer(job))
        cron = _cron_line(Path(cron_folder, f"backupdb-{job}")) if moment is None else None
        if moment is not None:
            found[job] = NextRun(moment, f"{moment:%Y-%m-%d %H:%M}Z")
        else:
            found[job] = NOT_SCHEDULED if cron is None else NextRun(None, f"cron: {cron}")
    return found


def timer(job: str) -> str:
    """Return the name of a job's timer unit."""
    return f"backupdb-{job}.timer"


def read_timers(text: str) -> dict[str, datetime]:
    """Read what `systemctl show` wrote of timers: the next moment of each unit that has one."""
    found = {}
    for block in text.split("\n\n"):
        values: Mapping[str, str] = dict(line.partition("=")[::2] for line in block.splitlines())
        match = _MOMENT.fullmatch(values.get("NextElapseUSecRealtime", ""))
        if match:
            moment = datetime.strptime(match.group(1), "%Y-%m-%d %H:%M:%S")
            found[values.get("Id", "")] = moment.replace(tzinfo=timezone.utc)
    return found


def _timers(jobs: Sequence[str]) -> dict[str, datetime]:
    if not jobs:
        return {}
    command = ["systemctl", "show", "--property=Id,NextElapseUSecRealtime", "--", *(timer(job) for job in jobs)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_ENVIRONMENT,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):  # no systemd here, or one that does not answer
        return {}
    return read_timers(done.stdout.decode("utf-8", "replace"))


def _cron_line(path: Path) -> str | None:
    """Return when cron starts a job, as it is written there."""
    try:
        lines = read_small_file(path, _LARGEST_CRON_FILE).decode("utf-8", "replace").splitlines()
    except OSError:
        return None
    return next((match.group(1) for match in map(_CRON_LINE.match, lines) if match), None)
