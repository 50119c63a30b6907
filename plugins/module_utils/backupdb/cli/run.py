# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a job: back up, prune, drill when it is due, remember and notify."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from ..credentials.secrets import read_secrets
from ..errors import BackupDbError, InvalidOption, LockBusy, Postponed
from ..jobs.definition import Job, job_names, job_path, read_job
from ..jobs.run import refused_job, run_job
from ..monitoring import metrics
from ..system.journal import Journal
from ..system.text import human_size
from . import exit_status
from .common_options import add_config_dir
from .output import add_json, complain, write_json, write_lines

_FAULT = "the program ended by a fault of its own, which is on its standard error or in the journal; please report it"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument("job", help="name of the job")
    parser.add_argument("--at-any-time", action="store_true", help="also within the times of not_between")
    add_config_dir(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Run it and return the exit status."""
    job = read_job(job_path(options.config_dir, options.job))
    write_metrics = partial(metrics.write_for, _readable_jobs(options.config_dir))
    report = Journal(job=job.name).event
    reported = False
    try:
        secrets = read_secrets(job.credentials_source, job.credentials_path, os.environ)
        result = run_job(job, secrets, at_any_time=options.at_any_time, write_metrics=write_metrics, report=report)
        reported = True
    except LockBusy:
        reported = True  # by the run that holds the job
        raise
    except Postponed as error:
        report(str(error), priority="warning")
        reported = True
        raise
    except BackupDbError as error:
        result = refused_job(job, error, write_metrics=write_metrics, report=report)
        reported = True
        complain(result["message"])
    finally:
        if not reported:  # a fault of the program's own must not go unnoticed either
            refused_job(job, BackupDbError(_FAULT), write_metrics=write_metrics, report=report)
    if options.json:
        write_json(result)
    else:
        write_lines(_lines(result))
    return _status(result)


def _readable_jobs(config_dir: str) -> list[Job]:
    """Return all jobs of the host; another one that is wrong is reported when it is its turn."""
    jobs = []
    for name in job_names(config_dir):
        with suppress(InvalidOption):
            jobs.append(read_job(job_path(config_dir, name)))
    return jobs


def _status(result: Mapping[str, Any]) -> int:
    """Return the exit status; where no instance could begin for one and the same reason, it is that reason's."""
    kinds = {entry.get("error_kind") for entry in result["backups"]}
    if len(kinds) == 1 and result["status"] == "failed":
        return exit_status.of_result({"status": "failed", "error_kind": result.get("error_kind") or kinds.pop()})
    return exit_status.of_result(result)


def _lines(result: Mapping[str, Any]) -> list[str]:
    lines = []
    for backup in result["backups"]:
        for entry in [*backup["databases"], *([backup["accounts"]] if backup["accounts"] else [])]:
            what = entry["error"] or entry["reason"] or f"{human_size(entry['stored_bytes'])} {entry['path']}"
            status = " ".join(filter(None, [entry["status"], entry["without"]]))
            lines.append(f"{backup['host']}/{backup['instance']} {entry['name']!r} {status} {what}")
    if result["drill"] is not None:
        lines += result["drill"]["lines"]
    return [*lines, f"{result['status']}: {result['message']}"]
