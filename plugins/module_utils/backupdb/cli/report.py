# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a report on all backups that this host knows: as a page, as JSON or as a table in CSV."""

from __future__ import annotations

import argparse
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import InvalidOption
from ..jobs.options import MAX_AGE
from ..report.facts import of_host
from ..report.fleet import Look, fleet_of
from ..report.written import FORMS, text_of
from ..repository.files import replace_file, storage_errors
from ..system.text import counted, parse_duration, utc_now
from . import exit_status
from .common_options import add_config_dir, add_copy, copy_source, jobs_of
from .output import add_json, show

_SHOWN = 20  # lines about what needs attention


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument("jobs", nargs="*", metavar="job", help="only what these jobs back up (default: all jobs)")
    parser.add_argument(
        "-o",
        "--output",
        action="append",
        default=[],
        metavar="FILE",
        help=f"write it there, readable for its owner only; the name ends in {', '.join(FORMS)}; may be repeated",
    )
    parser.add_argument("--title", help="title of the page (default: the name of this host)")
    parser.add_argument("--repository", metavar="FOLDER", help="also what else this repository holds, of all its hosts")
    add_copy(parser)
    parser.add_argument("--host", help="only this host of the repository, or of the copy")
    parser.add_argument(
        "--max-age", default=MAX_AGE, help="how old backups may be that no job makes, such as 2d (default: %(default)s)"
    )
    add_config_dir(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Write it and return the exit status: partial when something needs attention; a failed status is no failure."""
    paths = [Path(text) for text in options.output]
    for path in paths:
        if path.suffix.lower() not in FORMS:
            raise InvalidOption(f"--output {path}: the name of the file must end in {', '.join(FORMS)}")
    copy = copy_source(options)
    jobs = [] if options.repository is not None and not options.jobs else jobs_of(options.config_dir, options.jobs)
    facts = of_host(
        jobs,
        repository=options.repository,
        host=options.host,
        max_age=parse_duration(options.max_age),
        copy=copy,
    )
    here = socket.gethostname()
    model = fleet_of([Look(here, facts)], now=utc_now(), title=options.title or f"Backups of {here}")
    for path in paths:
        content = text_of(model, path).encode("utf-8", "backslashreplace")
        with storage_errors(path, "writing"):
            replace_file(path, content)
    show({**model, "warnings": []}, _lines(model, paths), as_json=options.json)
    return exit_status.PARTIAL if model["attention"] else exit_status.OK


def _lines(model: Mapping[str, Any], paths: list[Path]) -> list[str]:
    attention = model["attention"]
    lines = [
        f"{item['host']}{'/' if item['subject'] else ''}{item['subject']}: {item['why']} -> {item['next_step']}"
        for item in attention[:_SHOWN]
    ]
    lines += [f"and {len(attention) - _SHOWN} more"] if len(attention) > _SHOWN else []
    summary = model["summary"]
    counts = ", ".join(f"{count} {name}" for name, count in summary["coverage"].items() if count)
    written = f"; written: {', '.join(map(str, paths))}" if paths else ""
    return [*lines, f"{counted(summary['databases'], 'database')}: {counts or 'none'}{written}"]
