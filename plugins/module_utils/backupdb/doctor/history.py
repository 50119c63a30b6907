# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a job went: its last run, the backups of what it backs up, and the folders in which it notes that."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ..jobs.definition import Job
from ..monitoring import status
from ..monitoring.job_state import job_states
from ..system.files import is_folder
from ..system.text import iso, utc_now
from .finding import FAILED, OK, WARNING, Finding

_OF_STATUS = {"ok": OK, "partial": WARNING, "busy": WARNING, "failed": FAILED}


def look_at_last_run(job: Job) -> Iterator[Finding]:
    """Yield how the last run of the job ended, as far as the host remembers."""
    state = job_states([job], utc_now())[0]
    finished = state.moment("finished")
    if state.status is None or finished is None:
        yield Finding("last run", WARNING, "it has not run here yet", _start(job))
        return
    what = f"{state.status}, {iso(finished)}"
    if state.status == "ok":
        yield Finding("last run", OK, what)
    else:
        step = f"{_start(job)}, once the reason is gone"
        yield Finding("last run", _OF_STATUS.get(state.status, FAILED), f"{what}: {state.record.get('message')}", step)


def _start(job: Job) -> str:
    """Return the command that runs the job; systemd hands its secrets to the service alone."""
    by_systemd = job.credentials_source == "systemd"
    return f"systemctl start backupdb-{job.name}.service" if by_systemd else f"backupdb run {job.name}"


def look_at_backups(job: Job) -> Iterator[Finding]:
    """Yield whether every database has a young backup, here and in the copies, as the status judges it."""
    told = status.of_host([job])
    of_job = f"job {job.name} "  # said of its last run
    complaints = [line for line in told["complaints"] if not line.startswith(of_job)]
    state = FAILED if told["status"] == "failed" else WARNING
    for line in complaints:
        yield Finding("backups", state, line, f"backupdb status {job.name}")
    for line in told["warnings"]:
        yield Finding("backups", WARNING, line)
    if not complaints:
        yield Finding("backups", OK, told["message"])


def look_at_folders(job: Job) -> Iterator[Finding]:
    """Yield whether the folders can be written in which a job remembers its runs, and in which metrics are read."""
    for link, folder in (("state", job.state_dir), ("metrics", job.metrics_dir)):
        if folder is None:
            continue
        if not is_folder(Path(folder)):
            yield Finding(link, WARNING, f"{folder} is not there", "run the playbook schedule, which makes it")
        elif not os.access(folder, os.W_OK | os.X_OK):
            yield Finding(link, FAILED, f"uid {os.geteuid()} cannot write into {folder}", "give it to the backup user")
        else:
            yield Finding(link, OK, f"{folder} is writable")
