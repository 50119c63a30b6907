# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print which backups there are, newest first."""

from __future__ import annotations

import argparse
from typing import Any

from ..repository import listing as overview
from ..repository.options import filter_from
from ..system.text import human_size
from . import exit_status
from .common_options import add_config_dir, add_copy, add_filter, copy_source, repositories_of, values
from .output import add_json, complain, write_json, write_lines


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument(
        "repository", nargs="?", help="folder that holds the hosts' folders (default: those of all jobs)"
    )
    add_config_dir(parser)
    add_copy(parser)
    add_filter(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print it and return the exit status: partial when something could not be read."""
    wanted = filter_from(values(options))
    copy = copy_source(options)
    if copy is not None:
        results = [overview.collect(None, wanted, copy)]
    else:
        repositories = repositories_of(options, only_one=options.json)
        results = [overview.collect(repository, wanted) for repository in repositories]
    if options.json:
        write_json(results[0])
    else:
        for result in results:
            write_lines(_line(entry) for entry in result["backups"])
    problems = [line for result in results for line in result["problems"]]
    for line in problems:
        complain(line)
    return exit_status.PARTIAL if problems else exit_status.OK


def _line(entry: dict[str, Any]) -> str:
    name = "(accounts)" if entry["database"] is None else repr(entry["database"])
    proven = " proven" if entry["proven"] else ""
    size = human_size(entry["stored_bytes"])
    place = f"{entry['host']}/{entry['instance']}"
    return f"{place} {name} {entry['started']} {entry['status']}{proven} {size} {entry['path']}"
