# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a database back, under a new name unless another one is given."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from ..archives import options as archives
from ..connection import options as connection
from ..errors import InvalidOption
from ..jobs.options import SECRETS
from ..repository.options import SOURCE_OPTIONS
from ..restore import run as restore
from ..restore.options import RESTORE_OPTIONS, restore_request_from
from ..system.options import Option, defaults_of, parse_assignment, validate_options
from . import exit_status
from .common_options import add_config_dir, add_copy, add_signed_by
from .live_line import live_line
from .output import add_json, show
from .restore_server import PASSWORD_VARIABLE, USER_VARIABLE, add_login, server_from

_OPTIONS: Mapping[str, Option] = {
    **RESTORE_OPTIONS,
    **{name: connection.OPTIONS[name] for name in connection.TRANSPORT},
}


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.usage = (
        "backupdb restore JOB INSTANCE DATABASE [OPTION...]\n"
        "       backupdb restore --repository FOLDER INSTANCE DATABASE --login-socket PATH [OPTION...]"
    )
    parser.add_argument(
        "words",
        nargs="+",
        metavar="JOB INSTANCE DATABASE",
        help="the job that knows the server and the repository (not with --repository), id of the server, and name of"
        " the database (not with --path)",
    )
    parser.add_argument("--repository", metavar="FOLDER", help="without a job: the repository that has the backup")
    parser.add_argument("--host", metavar="NAME", help="without a job: the host whose backup is meant")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--at", metavar="WHEN", help="the newest backup that is not after this moment")
    which.add_argument("--backup-id", metavar="ID", help="this backup")
    which.add_argument("--path", metavar="FOLDER", help="the backup in this folder")
    parser.add_argument("--proven", action="store_true", help="only a backup that a drill has proven counts")
    parser.add_argument(
        "--masking",
        action="append",
        default=[],
        metavar="FILE",
        help="SQL that is run in the restored database before anybody else may enter it; may be repeated",
    )
    parser.add_argument("--target", metavar="NAME", help="name of the restored database (default: a new one)")
    parser.add_argument("--replace", action="store_true", help="the target may exist and is then replaced")
    parser.add_argument("--confirm", metavar="NAME", help="with --replace: the name of the target again")
    parser.add_argument("-i", "--identity", metavar="FILE", dest="identity_file", help="file with an age identity")
    add_login(parser)
    parser.add_argument(
        "-o",
        "--option",
        action="append",
        default=[],
        dest="more",
        metavar="NAME=VALUE",
        help="another option of the module database_restore; what is not text is written as JSON; may be repeated",
    )
    parser.add_argument("--check", action="store_true", help="only plan")
    add_copy(parser, or_best=True)
    add_signed_by(parser)
    add_config_dir(parser)
    add_json(parser)
    parser.epilog = (
        "Root logs in through the socket as the server's administrator, or as --login-user, without a password. "
        f"${USER_VARIABLE} is --login-user, and ${PASSWORD_VARIABLE} its password."
    )


def run(options: argparse.Namespace) -> int:
    """Restore it and return the exit status."""
    more = dict(parse_assignment(text, _OPTIONS) for text in options.more)
    transport = {name: more.pop(name) for name in connection.TRANSPORT if name in more}
    if options.target is not None:
        more["target"] = options.target
    if options.masking:
        more["masking"] = [_script(Path(name)) for name in options.masking]
    if options.signed_by is not None:
        more["signed_by"] = options.signed_by
    if options.replace:
        more.update(replace=True, confirm=options.confirm)
    complete = {
        **validate_options(more, RESTORE_OPTIONS, "option", secrets=SECRETS),
        **defaults_of(SOURCE_OPTIONS),
        **defaults_of(archives.OPTIONS),
        "path": None if options.path is None else str(Path(options.path).resolve()),
        "at": options.at,
        "backup_id": options.backup_id,
        "identity_file": options.identity_file,
        "proven": options.proven,
        **server_from(options, transport),
    }
    request = restore_request_from(complete)
    with live_line() as report:
        result = restore.run(request, check_mode=options.check, report=report)
    show(result, [f"{result['status']}: {result['message']}"], as_json=options.json)
    accepted = complete["accept_errors"] and result["status"] == "restored_with_errors"
    return exit_status.OK if accepted else exit_status.of_result(result)


def _script(path: Path) -> dict[str, str]:
    try:
        return {"name": path.name, "sql": path.read_text(encoding="utf-8")}
    except OSError as error:
        raise InvalidOption(f"the script {path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InvalidOption(f"the script {path} is not in UTF-8: {error}") from error
