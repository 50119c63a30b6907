# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try every link of a job, from its secrets to its copies, and change nothing."""

from __future__ import annotations

import argparse
import os
from typing import Any

from ..doctor import run as doctor
from ..doctor.finding import OK, UNKNOWN, Finding, failed
from ..errors import InvalidOption
from ..jobs.definition import Job, job_names, job_path, read_job
from ..jobs.in_service import answer_of_service
from ..system.files import is_there
from ..system.parallel import result_of
from . import exit_status
from .common_options import add_config_dir
from .output import add_json, show


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument("jobs", nargs="*", metavar="job", help="only these jobs (default: all jobs)")
    parser.add_argument("--send-test", action="store_true", help="also send a test message to the notifications")
    add_config_dir(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Examine and return the exit status: 0 all is well, 1 there are warnings, 2 something failed."""
    names = options.jobs or job_names(options.config_dir)
    if not names:
        raise InvalidOption(f"no job is defined in {options.config_dir}/jobs.d; the role schedule writes them")
    result = doctor.result([row for name in names for row in _rows(name, options)])
    show(result, [*result["lines"], f"{result['status']}: {result['message']}"], as_json=options.json)
    return exit_status.of_result(result)


def _rows(name: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    path = job_path(options.config_dir, name)
    read = result_of(lambda: read_job(path))
    if read.value is None and read.error is not None:
        if not is_there(path):
            raise read.error
        return doctor.values_of(name, [failed("definition", read.error)])
    job = read.value
    return [] if job is None else [*doctor.values_of(name, [_definition(job)]), *_examined(job, options)]


def _definition(job: Job) -> Finding:
    instances = ", ".join(str(entry["instance"]) for entry in job.backups)
    return Finding("definition", OK, f"backs up {instances}")


def _examined(job: Job, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Examine a job as its service would run, where that can be; else as who we are."""
    arguments = ["doctor", job.name, "--json", "--config-dir", options.config_dir]
    told = answer_of_service(job, [*arguments, *(["--send-test"] * options.send_test)], os.environ)
    if isinstance(told, dict) and "rows" in told:
        return [row for row in told["rows"] if row["link"] != "definition"]
    rows = doctor.values_of(job.name, doctor.examine(job, os.environ, send_test=options.send_test))
    return [*rows, *doctor.values_of(job.name, [Finding("as its service", UNKNOWN, str(told))] if told else [])]
