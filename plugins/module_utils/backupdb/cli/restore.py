# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a database back, under a new name unless another one is given."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import Any

from ..archives import options as archives
from ..connection import options as connection
from ..credentials.secrets import Secrets, read_secrets
from ..errors import InvalidOption
from ..jobs.definition import Job, copy_of, job_path, read_job
from ..jobs.options import SECRETS
from ..repository.options import SOURCE_OPTIONS
from ..repository.place import CopySource
from ..repository.stores.settings import BEST
from ..restore import run as restore
from ..restore.options import RESTORE_OPTIONS, restore_request_from
from ..system.options import defaults_of, parse_assignment, validate_options
from . import exit_status
from .common_options import add_config_dir, add_copy, add_signed_by
from .output import add_json, show

# Names of variables of the environment.
_USER = str(connection.OPTIONS["login_user"].environment)
_PASSWORD = str(connection.OPTIONS["login_password"].environment)
_PASSPHRASE = str(archives.OPTIONS["passphrase"].environment)


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument("job", help="the job that knows the server and the repository")
    parser.add_argument("instance", help="id of the server, as the job has it")
    parser.add_argument("database", nargs="?", help="name of the database; not with --path")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--at", metavar="WHEN", help="the newest backup that is not after this moment")
    which.add_argument("--backup-id", metavar="ID", help="this backup")
    which.add_argument("--path", metavar="FOLDER", help="the backup in this folder")
    parser.add_argument("--target", metavar="NAME", help="name of the restored database (default: a new one)")
    parser.add_argument("--replace", action="store_true", help="the target may exist and is then replaced")
    parser.add_argument("--confirm", metavar="NAME", help="with --replace: the name of the target again")
    parser.add_argument("-i", "--identity", metavar="FILE", dest="identity_file", help="file with an age identity")
    parser.add_argument(
        "--login-user",
        default=os.environ.get(_USER),
        help=f"account instead of the job's (default: ${_USER}); its password is in ${_PASSWORD}",
    )
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
    add_copy(parser)
    add_signed_by(parser)
    add_config_dir(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Restore it and return the exit status."""
    more = dict(parse_assignment(text, RESTORE_OPTIONS) for text in options.more)
    if options.target is not None:
        more["target"] = options.target
    if options.signed_by is not None:
        more["signed_by"] = options.signed_by
    if options.replace:
        more.update(replace=True, confirm=options.confirm)
    complete = {
        **validate_options(more, RESTORE_OPTIONS, "option", secrets=SECRETS),
        **_server(read_job(job_path(options.config_dir, options.job)), options),
    }
    result = restore.run(restore_request_from(complete), check_mode=options.check)
    show(result, [f"{result['status']}: {result['message']}"], as_json=options.json)
    accepted = complete["accept_errors"] and result["status"] == "restored_with_errors"
    return exit_status.OK if accepted else exit_status.of_result(result)


def _server(job: Job, options: argparse.Namespace) -> dict[str, Any]:
    """Return the options that say which server, which backup, and what opens it."""
    if (options.path is None) == (options.database is None):
        raise InvalidOption("say which database, or with --path which backup, and not both")
    entry = next((entry for entry in job.backups if entry["instance"] == options.instance), None)
    if entry is None:
        known = ", ".join(str(entry["instance"]) for entry in job.backups)
        raise InvalidOption(f"job {job.name} has no instance {options.instance!r}; it has {known}")
    secrets = _secrets(job, options)
    login = secrets.login(options.instance)
    return {
        **{name: entry[name] for name in connection.OPTIONS if name in entry},  # a job's file has no secret
        **defaults_of(SOURCE_OPTIONS),
        **defaults_of(archives.OPTIONS),
        "login_user": options.login_user or login.get("login_user") or entry["login_user"],
        "login_password": login.get("login_password"),
        "instance": options.instance if options.path is None else None,
        "target_instance": options.instance,
        "repository": entry["repository"] if options.copy in (None, BEST) else None,
        "copy": None if options.copy in (None, BEST) else _copy(job, options),
        "copies": _copies(job) if options.copy == BEST else [],
        "host": entry["host"] if options.path is None else None,
        "database": options.database,
        "path": options.path,
        "at": options.at,
        "backup_id": options.backup_id,
        "identity_file": options.identity_file,
        "passphrase": secrets.passphrase(),
    }


def _copies(job: Job) -> list[CopySource]:
    """Return all copies of the job."""
    secrets = read_secrets(job.credentials_source, job.credentials_path, os.environ)
    return [copy_of(job, copy.name, secrets) for copy in job.copies]


def _copy(job: Job, options: argparse.Namespace) -> CopySource:
    """Return the copy to read from; what opens its store is the job's, whoever restores."""
    secrets = read_secrets(job.credentials_source, job.credentials_path, os.environ)
    return copy_of(job, options.copy, secrets)


def _secrets(job: Job, options: argparse.Namespace) -> Secrets:
    """Return the job's secrets, or for another account those of the environment, without a look at the job's."""
    environ: Mapping[str, str] = os.environ
    if options.login_user is None:
        return read_secrets(job.credentials_source, job.credentials_path, environ)
    login = {"login_password": environ[_PASSWORD]} if _PASSWORD in environ else {}
    return Secrets(logins={options.instance: login}, archive_passphrase=environ.get(_PASSPHRASE))
