# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove backups: restore each into a throw-away server of its own, and compare."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from ..archives import options as archives
from ..drill import run as drill
from ..drill.options import DRILL_OPTIONS, drill_request_from
from ..errors import InvalidOption
from . import exit_status
from .common_options import (
    add_backup,
    add_config_dir,
    add_copy,
    add_filter,
    add_signed_by,
    backup_folder,
    copy_source,
    repositories_of,
    values,
    whole_number,
)
from .live_line import live_line
from .output import add_json, show

_PASSPHRASE = str(archives.OPTIONS["passphrase"].environment)


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    add_backup(parser, many=True)
    add_filter(parser)
    select = DRILL_OPTIONS["select"]
    parser.add_argument(
        "--select", choices=select.choices, default=select.default, help="which of them (default: %(default)s of each)"
    )
    parser.add_argument("--count", type=whole_number, default=1, metavar="N", help="how many oldest_unproven or random")
    parser.add_argument(
        "-i", "--identity", metavar="FILE", help="file with an age identity; - reads it from standard input"
    )
    parser.add_argument("--work-dir", metavar="FOLDER", help="where the servers live (default: /var/tmp)")
    parser.add_argument("--run-as", metavar="USER", help="who runs the servers when root drills (default: nobody)")
    parser.add_argument("--jobs", type=whole_number, default=1, metavar="N", help="how many jobs of the restore client")
    parser.add_argument("--timeout", metavar="TIME", help="for each drill, such as 2h")
    parser.add_argument("--check", action="store_true", help="only say which backups, and with which server programs")
    add_signed_by(parser)
    add_copy(parser)
    add_config_dir(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Drill and return the exit status: failed when a backup did not come back equal."""
    request = drill_request_from(values(options, **_source(options), **_keys(options)))
    with live_line() as report:
        result = drill.run(request, check_mode=options.check, report=report)
    lines = _plan(result) if options.check else result["lines"]
    show(result, [*lines, f"{result['status']}: {result['message']}"], as_json=options.json)
    return exit_status.of_result(result)


def _source(options: argparse.Namespace) -> dict[str, Any]:
    """Return where the backups are: named one by one, or in a repository or copy."""
    if options.backups:
        if options.copy is not None:
            raise InvalidOption("a backup that is named lies on this host; pick those of a copy by --database")
        paths = [str(backup_folder(text, options)) for text in options.backups]
        return {"paths": paths, "repository": None, "copy": None}
    copy = copy_source(options)
    repository = None if copy is not None else repositories_of(options, only_one=True)[0]
    return {"paths": None, "repository": repository, "copy": copy}


def _keys(options: argparse.Namespace) -> dict[str, Any]:
    """Return what opens the backups; a program that runs as another user can be handed a key by its input."""
    from_input = options.identity == "-"
    return {
        "identity_file": None if from_input else options.identity,
        "identity": sys.stdin.read() if from_input else None,
        "passphrase": os.environ.get(_PASSPHRASE),
    }


def _plan(result: dict[str, Any]) -> list[str]:
    return [f"{entry['path']}: {entry['program'] or entry['error']}" for entry in result["drills"]]
