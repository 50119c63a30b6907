# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which server is restored into, from where, and by which login: what a job knows, or what is given in its place."""

from __future__ import annotations

import argparse
import os
import pwd
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..archives import options as archives
from ..connection import options as connection
from ..credentials.secrets import Secrets, read_secrets
from ..engines.names import ENGINE_NAMES
from ..engines.options import OPTIONS as SERVER_OPTIONS
from ..engines.socket_login import through_socket
from ..errors import CredentialsMissing, InvalidOption
from ..jobs.definition import Job, copy_of, job_path, read_job
from ..repository.copy_source import CopySource
from ..repository.find import find
from ..repository.options import SOURCE_OPTIONS, selector_from
from ..repository.stores.settings import BEST
from ..system.options import validate_options
from .common_options import copies_of, whole_number

USER_VARIABLE = str(connection.OPTIONS["login_user"].environment)
PASSWORD_VARIABLE = str(connection.OPTIONS["login_password"].environment)
_PASSPHRASE = str(archives.OPTIONS["passphrase"].environment)


def add_login(parser: argparse.ArgumentParser) -> None:
    """Give the command the options of a login other than that of the backups."""
    parser.add_argument(
        "--engine", choices=ENGINE_NAMES, help="without a job: kind of the server (default: that of the backup)"
    )
    parser.add_argument("--login-user", default=os.environ.get(USER_VARIABLE), metavar="NAME", help="account instead")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--login-socket", metavar="PATH", help="socket of the server, or its folder, as a job has it")
    where.add_argument("--login-host", metavar="NAME", help="name or address of the server")
    parser.add_argument("--login-port", type=whole_number, metavar="N", help="port of the server")
    parser.add_argument(
        "--system-user", metavar="NAME", help="log in through the socket as this user of the operating system; for root"
    )


def server_from(options: argparse.Namespace, transport: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that say which server, whose backup, from where, and what opens it; raises `InvalidOption`.

    `transport` are those of the connection that go beyond the place.
    """
    if options.repository is None:
        return _of_job(options, transport)
    return _of_repository(options, transport)


def is_administrators(entry: Mapping[str, Any], login: Mapping[str, Any]) -> bool:
    """Tell whether root is meant as the administrator: by the socket, where the account is not root's own."""
    ours = pwd.getpwuid(os.geteuid()).pw_name
    by_socket = entry["login_unix_socket"] is not None and login["login_password"] is None
    return os.geteuid() == 0 and by_socket and entry["login_user"] != ours


def _of_job(options: argparse.Namespace, transport: Mapping[str, Any]) -> dict[str, Any]:
    job_name, instance, database = _words(options, ("the job", "the instance"))
    if options.host is not None or options.engine is not None:
        raise InvalidOption("--host and --engine go with --repository; a job knows them")
    job = read_job(job_path(options.config_dir, job_name))
    entry = next((entry for entry in job.backups if entry["instance"] == instance), None)
    if entry is None:
        known = ", ".join(str(entry["instance"]) for entry in job.backups)
        raise InvalidOption(f"job {job.name} has no instance {instance!r}; it has {known}")
    secrets = _secrets(job, entry, options)
    place = {name: entry[name] for name in connection.OPTIONS if name in entry}  # a job's file has no secret
    login = {**place, "login_user": None, "login_password": None, **transport, **secrets.login(instance)}
    if options.login_user is None and options.login_socket is not None and os.geteuid() == 0:
        login.update(login_user=None, login_password=None)  # another socket, which root enters as the administrator
    elif options.login_user is None and login["login_user"] is None and not is_administrators(entry, login):
        login["login_user"] = entry["login_user"]
    return {
        **_login(login, options),
        **_source(options, entry["host"], instance, database),
        "repository": entry["repository"] if options.copy in (None, BEST) else None,
        "copy": None if options.copy in (None, BEST) else _copy(job, options),
        "copies": copies_of(job) if options.copy == BEST else [],
        "passphrase": secrets.passphrase(),
    }


def _of_repository(options: argparse.Namespace, transport: Mapping[str, Any]) -> dict[str, Any]:
    instance, database = _words(options, ("the instance",))
    if options.copy is not None:
        raise InvalidOption("--repository and --copy both say where the backup is; remove one of them")
    if options.login_socket is None and options.login_host is None:
        raise InvalidOption("say where the server is, with --login-socket or --login-host")
    source = _source(options, options.host, instance, database)
    repository = Path(options.repository).resolve()
    login = validate_options(
        {
            **transport,
            "instance": instance,
            "engine": options.engine or _engine_of(repository, source, options),
            "login_password": os.environ.get(PASSWORD_VARIABLE),
        },
        SERVER_OPTIONS,
        "option",
    )
    return {
        **_login(login, options),
        **source,
        "repository": str(repository),
        "copy": None,
        "passphrase": os.environ.get(_PASSPHRASE),
    }


def _words(options: argparse.Namespace, needed: tuple[str, ...]) -> list[Any]:
    """Return the words of the command line, and the database at their end, None where it is that of the path."""
    words = [*options.words, *([] if options.path is None else [None])]
    if len(words) != len(needed) + 1:
        what = " and ".join(needed)
        raise InvalidOption(f"say {what}, and which database, or with --path which backup, and not both")
    return words


def _source(options: argparse.Namespace, host: str | None, instance: str, database: str | None) -> dict[str, Any]:
    by_path = options.path is not None
    return {
        "instance": None if by_path else instance,
        "target_instance": instance,
        "host": None if by_path else host,
        "database": database,
    }


def _login(login: Mapping[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Return a login with what was given in its place."""
    given = {
        "login_user": options.login_user,
        "login_port": options.login_port,
        "login_system_user": options.system_user,
    }
    changed = {**login, **{name: value for name, value in given.items() if value is not None}}
    if options.login_socket is not None:
        changed.update(login_unix_socket=options.login_socket, login_host=None)
    if options.login_host is not None:
        changed.update(login_host=options.login_host, login_unix_socket=None)
    return through_socket(changed)


def _engine_of(repository: Path, source: Mapping[str, Any], options: argparse.Namespace) -> str:
    """Return the kind of server that the backup is of."""
    which = {"path": options.path, "at": options.at, "backup_id": options.backup_id, "latest": None}
    wanted = selector_from({**dict.fromkeys(SOURCE_OPTIONS), **source, **which})
    return str(find(repository, wanted).backup.manifest["engine"])


def _copy(job: Job, options: argparse.Namespace) -> CopySource:
    """Return the copy to read from; what opens its store is the job's, whoever restores."""
    secrets = read_secrets(job.credentials_source, job.credentials_path, os.environ)
    return copy_of(job, options.copy, secrets)


def _secrets(job: Job, entry: Mapping[str, Any], options: argparse.Namespace) -> Secrets:
    """Return the job's secrets, or for another account those of the environment, without a look at the job's.

    Root enters a socket without those that systemd gives to the service of the job only.
    """
    if options.login_user is None:
        try:
            return read_secrets(job.credentials_source, job.credentials_path, os.environ)
        except CredentialsMissing:
            does_without = job.credentials_source == "systemd" and entry["login_unix_socket"] is not None
            if os.geteuid() != 0 or not does_without:
                raise
    login = {"login_password": os.environ[PASSWORD_VARIABLE]} if PASSWORD_VARIABLE in os.environ else {}
    return Secrets(logins={entry["instance"]: login}, archive_passphrase=os.environ.get(_PASSPHRASE))
