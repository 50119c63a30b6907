# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print which backups there are, newest first."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from ..repository import listing as overview
from ..repository.options import filter_from
from ..repository.subject import Subject
from ..system.table import table
from ..system.text import human_age, human_size, parse_iso
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
        write_lines(_lines(results))
    problems = [line for result in results for line in result["problems"]]
    for line in problems:
        complain(line)
    return exit_status.PARTIAL if problems else exit_status.OK


def _lines(results: Sequence[dict[str, Any]]) -> list[str]:
    """Return one table of all repositories, and a sentence about each."""
    entries = [entry for result in results for entry in result["backups"]]
    pins = any(entry["pinned"] for entry in entries)
    titles = ["INSTANCE", "DATABASE", "STARTED (UTC)", "AGE", "STATE", "SIZE", "PROVEN", *(["PIN"] * pins), "BACKUP"]
    rows = [_cells(entry, pins=pins) for entry in entries]
    sentences = [f"{result['repository']}: {result['message']}" for result in results]
    return [*(table([titles, *rows], right=(3, 5)) if rows else []), *sentences]


def _cells(entry: dict[str, Any], *, pins: bool) -> list[str]:
    return [
        f"{entry['host']}/{entry['instance']}",
        Subject(entry["database"]).title,
        f"{parse_iso(entry['started']):%Y-%m-%d %H:%M:%S}",
        human_age(entry["age_seconds"]),
        " ".join(filter(None, [entry["status"], entry["without"]])),
        human_size(entry["stored_bytes"]),
        _proven(entry),
        *(["pinned" if entry["pinned"] else "-"] * pins),
        entry["path"],
    ]


def _proven(entry: dict[str, Any]) -> str:
    """Say it as the status does: the day of the last drill, or that it went wrong; accounts have none of their own."""
    drill = entry["drill"]
    if entry["kind"] == "accounts":
        return "-"
    if drill is None:
        return "never"
    return str(drill["finished"])[:10] if entry["proven"] else f"NO: {drill['verdict']}"
