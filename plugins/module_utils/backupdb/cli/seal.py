# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give published backups to root, so that the user who makes them can neither change nor remove them."""

from __future__ import annotations

import argparse
import grp
import pwd
from functools import partial

from ..errors import InvalidOption
from ..jobs.steps import worst
from ..repository.sealing import seal
from ..system.parallel import result_of
from . import exit_status
from .common_options import add_config_dir, repositories_of
from .output import add_json, complain, write_json, write_lines


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument("repository", nargs="?", help="folder of the hosts' folders (default: those of all jobs)")
    parser.add_argument("--user", required=True, help="the user who makes the backups")
    parser.add_argument("--group", help="the group that may go on reading them (default: the user's)")
    add_config_dir(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Seal and return the exit status: partial when something has to be looked at."""
    user, group = _ids(options.user, options.group)
    repositories = repositories_of(options, only_one=options.json)
    done = [result_of(partial(seal, repository, user, group)) for repository in repositories]
    results = [one.value for one in done if one.value is not None]
    errors = [one.error for one in done if one.error is not None]
    if errors and not results:
        raise errors[0]
    if options.json:
        write_json(results[0])
    else:
        write_lines(result["message"] for result in results)
        for result in results:
            for line in result["problems"]:
                complain(line)
        for error in errors:
            complain(str(error))
    statuses = [result["status"] for result in results] + ["failed"] * len(errors)
    return exit_status.of_result({"status": worst(statuses)})


def _ids(user: str, group: str | None) -> tuple[int, int]:
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise InvalidOption(f"there is no user {user!r} on this host") from None
    try:
        return entry.pw_uid, entry.pw_gid if group is None else grp.getgrnam(group).gr_gid
    except KeyError:
        raise InvalidOption(f"there is no group {group!r} on this host") from None
