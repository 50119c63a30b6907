# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read backups back and say of each whether it is good."""

from __future__ import annotations

import argparse

from ..errors import InvalidOption
from ..verify import run as verify_run
from ..verify.options import OPTIONS, verify_request_from
from . import exit_status
from .common_options import (
    add_config_dir,
    add_copy,
    add_filter,
    add_signed_by,
    copy_source,
    repositories_of,
    values,
)
from .output import add_json, show


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument(
        "repository", nargs="?", help="folder that holds the hosts' folders (default: that of the jobs)"
    )
    parser.add_argument(
        "--path",
        action="append",
        default=[],
        dest="paths",
        metavar="FOLDER",
        help="folder of one backup; may be repeated",
    )
    level = OPTIONS["level"]
    parser.add_argument(
        "--level", choices=level.choices, default=level.default, help="how far to read (default: %(default)s)"
    )
    parser.add_argument("-i", "--identity", metavar="FILE", dest="identity_file", help="file with an age identity")
    add_signed_by(parser)
    add_copy(parser)
    add_config_dir(parser)
    add_filter(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Verify and return the exit status."""
    if options.paths and options.repository is not None:
        raise InvalidOption("say what to verify: a repository or the paths of backups, not both")
    copy = copy_source(options)
    repository = None if options.paths or copy else repositories_of(options, only_one=True)[0]
    request = verify_request_from(values(options, repository=repository, copy=copy, identity=None, passphrase=None))
    result = verify_run.run(request)
    lines = [
        f"{entry['verdict']} {entry['folder']}" + "".join(f": {problem}" for problem in entry["problems"][:1])
        for entry in result["backups"]
    ]
    show(result, [*lines, result["message"]], as_json=options.json)
    return exit_status.of_result(result)
