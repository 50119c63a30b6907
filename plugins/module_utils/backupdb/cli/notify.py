# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send a test message to all notifications of a job."""

from __future__ import annotations

import argparse
import os
from typing import Any

from ..credentials.secrets import read_secrets
from ..errors import BackupDbError, InvalidOption
from ..jobs.definition import Job, job_path, read_job
from ..jobs.finish import notify_test
from ..jobs.in_service import answer_of_service
from ..outcome import Outcome
from ..system.text import counted
from . import exit_status
from .common_options import add_config_dir
from .output import add_json, show


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument("job", help="name of the job")
    parser.add_argument("--test", action="store_true", required=True, help="send a test message; nothing else is sent")
    add_config_dir(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Send it and return the exit status: failed when a receiver did not take it."""
    job = read_job(job_path(options.config_dir, options.job))
    if not job.notifications:
        raise InvalidOption(f"job {job.name} has no notifications; set backupdb_notifications, run the role schedule")
    arguments = ["notify", job.name, "--test", "--json", "--config-dir", options.config_dir]
    answer = answer_of_service(job, arguments, os.environ)
    if answer is not None and (isinstance(answer, str) or "notifications" not in answer):
        raise BackupDbError(answer if isinstance(answer, str) else str(answer.get("message")))
    result = _sent(job) if answer is None else answer
    lines = [
        f"{one['name']} ({one['type']}): {'sent' if one['sent'] else one['error']}" for one in result["notifications"]
    ]
    show(result, [*lines, f"{result['status']}: {result['message']}"], as_json=options.json)
    return exit_status.of_result(result)


def _sent(job: Job) -> dict[str, Any]:
    told = notify_test(job, read_secrets(job.credentials_source, job.credentials_path, os.environ))
    good = sum(one["sent"] for one in told)
    return Outcome(
        status="ok" if good == len(told) else "failed",
        changed=good > 0,
        message=f"{good} of {counted(len(told), 'test message')} sent",
        facts={"notifications": told},
    ).to_dict()
