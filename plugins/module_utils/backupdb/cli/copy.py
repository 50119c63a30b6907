# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send the backups of a job that its copies do not have yet."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from ..copying.meter import EVERY
from ..credentials.secrets import read_secrets
from ..errors import InvalidOption
from ..jobs import steps
from ..jobs.definition import job_path, read_job
from ..jobs.run import closing_of
from ..system.stopping import stop_at
from . import exit_status
from .common_options import add_config_dir
from .live_line import live_line
from .output import add_json, show


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument("job", help="name of the job")
    parser.add_argument("--check", action="store_true", help="only plan, and look at the rights")
    parser.add_argument("--at-any-time", action="store_true", help="also within the times of not_between")
    add_config_dir(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Copy and return the exit status."""
    job = read_job(job_path(options.config_dir, options.job))
    if not job.copies:
        raise InvalidOption(f"job {job.name} has no copies; add some with backupdb_copies, and the role schedule")
    secrets = read_secrets(job.credentials_source, job.credentials_path, os.environ)
    closing = None if options.check or options.at_any_time else closing_of(job)
    with stop_at(*((None, "") if closing is None else (closing.moment, closing.reason))), live_line() as live:
        result = steps.copy_backups(
            job, secrets, check_mode=options.check, report=live or _progress, report_every=1.0 if live else EVERY
        )
    show(result, [*_lines(result), f"{result['status']}: {result['message']}"], as_json=options.json)
    return exit_status.of_result(result)


def _progress(line: str) -> None:
    """Progress is for people, or a journal, and no part of what the command prints."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _lines(result: dict[str, Any]) -> list[str]:
    """Say what is known of the rights, and how a key gets the least of them."""
    lines = []
    for copy in result["copies"]:
        for right in copy["rights"]:
            detail = f" ({right['detail']})" if right["detail"] else ""
            lines.append(f"copy {copy['name']}: {right['right']}: {right['known']}{detail}")
        if copy["policy"]:
            lines.append(f"copy {copy['name']}: a key that can only add backups has this policy:")
            lines += [f"    {line}" for line in copy["policy"].splitlines()]
    return lines
