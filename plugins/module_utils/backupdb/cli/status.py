# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show how fresh the backups are: every database, its newest backup, and whether that is proven."""

from __future__ import annotations

import argparse

from ..jobs.options import MAX_AGE
from ..monitoring import status
from ..system.text import parse_duration
from . import exit_status
from .common_options import add_config_dir, add_copy, copy_source, jobs_of
from .output import add_json, show


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument("jobs", nargs="*", metavar="job", help="only what these jobs back up (default: all jobs)")
    parser.add_argument("--repository", metavar="FOLDER", help="also what else this repository holds")
    add_copy(parser)
    parser.add_argument("--host", help="only this host of the repository, or of the copy")
    parser.add_argument(
        "--max-age", default=MAX_AGE, help="how old backups may be that no job makes, such as 2d (default: %(default)s)"
    )
    add_config_dir(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Show it and return the exit status: failed when a database is late or a last run failed."""
    copy = copy_source(options)
    jobs = [] if options.repository is not None and not options.jobs else jobs_of(options.config_dir, options.jobs)
    max_age = parse_duration(options.max_age)
    result = status.of_host(jobs, repository=options.repository, host=options.host, max_age=max_age, copy=copy)
    show(result, [*result["lines"], f"{result['status']}: {result['message']}"], as_json=options.json)
    return exit_status.of_result(result)
