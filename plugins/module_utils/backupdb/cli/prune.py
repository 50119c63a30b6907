# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove the backups that a policy does not keep."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from ..credentials.secrets import read_secrets
from ..errors import InvalidOption
from ..jobs import steps
from ..jobs.definition import job_path, read_job
from ..jobs.prune_copies import prune_one
from ..retention import prune
from ..retention.policy import OPTIONS, policy_from
from ..retention.unsent import UnsentRule
from . import exit_status
from .common_options import add_config_dir, whole_number
from .output import add_json, show

_RETENTION = {
    "keep_last": "keep so many of the newest backups",
    "keep_hourly": "keep the newest backup of so many hours that have one",
    "keep_daily": "the same of days",
    "keep_weekly": "the same of weeks, from Monday on",
    "keep_monthly": "the same of months",
    "keep_yearly": "the same of years",
    "keep_within": "keep what is not older than this before the newest backup, such as 36h or 14d",
    "keep_min": "keep so many of the newest whatever the rest says",
    "max_age": "remove nothing while the newest backup is older than this, such as 3d",
    "time_zone": "where days begin, such as Europe/Berlin (default: UTC)",
}


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument("job", nargs="?", help="prune what this job backs up, by its retention")
    parser.add_argument("--repository", metavar="FOLDER", help="prune this repository, by the retention given here")
    parser.add_argument("--host", help="only this host, by its exact name")
    parser.add_argument("--instance", help="only this instance, by its exact name")
    parser.add_argument("--database", action="append", dest="databases", help="only this database; may be repeated")
    for name, option in OPTIONS.items():
        metavar, kind = ("TEXT", str) if option.is_text() else ("N", whole_number)
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, metavar=metavar, help=_RETENTION[name])
    parser.add_argument("--copy", metavar="NAME", help="prune this copy of the job, by the retention of the copy")
    parser.add_argument(
        "--copies-of", metavar="JOB", help="with --repository: keep what a required copy of this job does not have yet"
    )
    parser.add_argument("--check", action="store_true", help="only plan")
    add_config_dir(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Prune and return the exit status."""
    result = _result(options)
    show(result, [*result["lines"], f"{result['status']}: {result['message']}"], as_json=options.json)
    return exit_status.of_result(result)


def _unsent(options: argparse.Namespace) -> list[UnsentRule]:
    return steps.unsent_rules(read_job(job_path(options.config_dir, options.copies_of)))


def _result(options: argparse.Namespace) -> dict[str, Any]:
    retention = {name: getattr(options, name) for name in OPTIONS if getattr(options, name) is not None}
    place = (options.repository, options.host, options.instance, options.databases)
    if options.job is not None:
        if options.copies_of is not None:
            raise InvalidOption("a job waits for its own copies; leave out --copies-of")
        if retention or place != (None, None, None, None):
            raise InvalidOption("a job says what to prune and by which policy; leave out the job, or all of the rest")
        job = read_job(job_path(options.config_dir, options.job))
        if options.copy is not None:
            secrets = read_secrets(job.credentials_source, job.credentials_path, os.environ)
            return prune_one(job, options.copy, secrets, job.backups, None, check_mode=options.check)
        if job.retention is None:
            raise InvalidOption(f"job {job.name} has no retention, so it removes nothing")
        copies = steps.unsent_rules(job)
        return steps.prune_backups(job.retention, job.backups, None, check_mode=options.check, copies=copies)
    if options.copy is not None:
        raise InvalidOption("--copy names a copy of a job; name the job as well")
    if options.repository is None:
        raise InvalidOption("say what to prune: a job, or a repository")
    if not retention:
        raise InvalidOption("say what to keep, such as --keep-daily 14 --keep-weekly 8")
    request = prune.PruneRequest(
        repository=str(Path(options.repository).resolve()),
        policy=policy_from(retention),
        host=options.host,
        instance=options.instance,
        databases=tuple(options.databases or ("*",)),
        copies=() if options.copies_of is None else tuple(_unsent(options)),
    )
    return prune.run(request, check_mode=options.check)
