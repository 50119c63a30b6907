# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a whole host back: plan what its backups cover, and with --confirm restore it."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..archives import options as archives
from ..connection.options import SYSTEM_USER
from ..credentials.json_object import json_object
from ..credentials.private_files import read_private_file
from ..credentials.secrets import read_secrets
from ..engines.options import OPTIONS as SERVER_OPTIONS
from ..engines.socket_login import through_socket
from ..errors import InvalidOption
from ..jobs.definition import job_path, read_job
from ..rebuild.options import REBUILD_OPTIONS, rebuild_request_from
from ..rebuild.run import run as rebuild
from ..repository.copy_source import CopySource
from ..repository.options import COPY_STATE_DIR
from ..repository.stores.settings import BEST, copy_from
from ..repository.stores.settings import SECRET_OPTIONS as COPY_SECRETS
from ..system.options import parse_assignment, validate_options
from . import exit_status
from .common_options import add_config_dir, add_signed_by, copies_of, copy_source, jobs_of, whole_number
from .output import add_json, complain, show
from .restore_server import is_administrators

_SECRETS = tuple(name for name, option in SERVER_OPTIONS.items() if option.secret)
_OF_SERVER = {**{name: option for name, option in SERVER_OPTIONS.items() if name != "instance"}, **SYSTEM_USER}
_FROM_ENVIRONMENT = {name: option.environment for name, option in SERVER_OPTIONS.items() if option.environment}
_PASSPHRASE = str(archives.OPTIONS["passphrase"].environment)


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument("--repository", metavar="FOLDER", help="the repository that has the backups")
    parser.add_argument(
        "--copy",
        metavar="NAME",
        help="the copy that has the backups, of --settings or of a job; best: each is read from --repository, if that "
        "is given and has it, else from any copy",
    )
    parser.add_argument("--host", required=True, metavar="NAME", help="the host to bring back, as the backups call it")
    parser.add_argument("--confirm", metavar="NAME", help="name of the host again: do it; without it only the plan")
    parser.add_argument("-i", "--identity", metavar="FILE", dest="identity_file", help="file with an age identity")
    parser.add_argument(
        "--settings",
        metavar="FILE",
        help="JSON, for its owner alone: servers by the names of the instances, copies by their names, with passwords",
    )
    parser.add_argument(
        "--server",
        action="append",
        default=[],
        dest="given_servers",
        metavar="INSTANCE=JSON",
        help="options of a server, as a job has them but without a password; may be repeated",
    )
    parser.add_argument(
        "--job", action="append", default=[], dest="job_names", metavar="JOB", help="takes the servers of this job"
    )
    parser.add_argument("--at", metavar="WHEN", help="the newest backups that are not after this moment")
    parser.add_argument("--jobs", type=whole_number, metavar="N", help="how many databases at once (default: 2)")
    parser.add_argument("--dropped", action="store_true", help="also what was dropped before the last run")
    parser.add_argument("--accept-errors", action="store_true", help="keep databases of which something is missing")
    parser.add_argument(
        "-o",
        "--option",
        action="append",
        default=[],
        dest="more",
        metavar="NAME=VALUE",
        help="another option of the module host_rebuild, such as rate=100M; may be repeated",
    )
    parser.add_argument("--check", action="store_true", help="only plan, also with --confirm")
    parser.add_argument(
        "--state-dir",
        default=COPY_STATE_DIR,
        metavar="FOLDER",
        help="where this host keeps what it knows of a copy (default: %(default)s)",
    )
    add_signed_by(parser)
    add_config_dir(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Plan or do it and return the exit status."""
    if options.copy is None and options.repository is None:
        raise InvalidOption("say where the backups are: --repository FOLDER, --copy NAME, or --copy best")
    settings = _settings(options.settings)
    request = rebuild_request_from(
        {
            **validate_options(_chosen(options), REBUILD_OPTIONS, "option"),
            "repository": None if options.repository is None else str(Path(options.repository).resolve()),
            "copy": None if options.copy == BEST else _copy(options, settings),
            "copies": _copies(options, settings) if options.copy == BEST else [],
            "servers": list(_servers(options, settings)),
            "identity_file": options.identity_file,
            "identity": None,
            "passphrase": os.environ.get(_PASSPHRASE),
            "signed_by": options.signed_by,
        }
    )
    result = rebuild(request, check_mode=options.check, report=complain)
    show(result, _lines(result), as_json=options.json)
    return exit_status.of_result(result)


def _chosen(options: argparse.Namespace) -> dict[str, Any]:
    """Return what is brought back, and how, without what was not said."""
    names = ("host", "confirm", "at", "jobs")
    chosen = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    flags = {name: True for name in ("dropped", "accept_errors") if getattr(options, name)}
    return {**dict(parse_assignment(text, REBUILD_OPTIONS) for text in options.more), **chosen, **flags}


def _settings(path: str | None) -> Mapping[str, Mapping[str, Any]]:
    """Read the file with servers and copies; raises `CredentialsMissing` and `InvalidOption`."""
    if path is None:
        return {}
    advice = 'it has {"servers": {INSTANCE: {...}}, "copies": {NAME: {...}}}'
    values = json_object(read_private_file(Path(path)), path, advice=advice)
    for key, entries in values.items():
        if key not in ("servers", "copies"):
            raise InvalidOption(f"{path}: key {key!r} is not known; {advice}")
        if not isinstance(entries, dict) or not all(isinstance(entry, dict) for entry in entries.values()):
            raise InvalidOption(f"{path}: {key} is not an object of objects; {advice}")
    return values


def _copy(options: argparse.Namespace, settings: Mapping[str, Mapping[str, Any]]) -> CopySource | None:
    """Return the copy that was named: as the settings describe it, or a job of this host."""
    values = settings.get("copies", {}).get(options.copy)
    return copy_source(options) if values is None else _described(options, options.copy, values)


def _copies(options: argparse.Namespace, settings: Mapping[str, Mapping[str, Any]]) -> list[CopySource]:
    """Return all copies that the settings describe, or without any those of the jobs of this host."""
    described = settings.get("copies", {})
    if described:
        return [_described(options, name, values) for name, values in described.items()]
    found: dict[str, CopySource] = {}
    for job in jobs_of(options.config_dir, options.job_names):
        for copy in copies_of(job):
            found.setdefault(copy.settings.name, copy)
    if not found and options.repository is None:
        raise InvalidOption("no job of this host has copies; describe them in --settings, or name the repository")
    return list(found.values())


def _described(options: argparse.Namespace, name: str, values: Mapping[str, Any]) -> CopySource:
    place = {key: value for key, value in values.items() if key not in COPY_SECRETS}
    secrets = {key: value for key, value in values.items() if key in COPY_SECRETS}
    where = f"{options.settings}: copies.{name}"
    return CopySource(copy_from({**place, "name": name}, where, secrets), options.state_dir)


def _servers(options: argparse.Namespace, settings: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the options of each server: from jobs, over them those of the file, over these the given ones."""
    found = _servers_of_jobs(options.config_dir, options.job_names)
    for instance, values in settings.get("servers", {}).items():
        found[instance] = validate_options(values, _OF_SERVER, f"servers.{instance}")
    for text in options.given_servers:
        instance, values = _given(text)
        found[instance] = validate_options(values, _OF_SERVER, f"server {instance}", secrets=_SECRETS)
    for instance, values in found.items():
        from_environment = {
            name: os.environ[variable] for name, variable in _FROM_ENVIRONMENT.items() if variable in os.environ
        }
        given = {name: value for name, value in values.items() if value is not None}
        yield through_socket({**values, **from_environment, **given, "instance": instance})


def _servers_of_jobs(config_dir: str, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        job = read_job(job_path(config_dir, name))
        secrets = read_secrets(job.credentials_source, job.credentials_path, os.environ)
        for entry in job.backups:
            values = {key: entry.get(key) for key in _OF_SERVER}  # a job's file has no secret
            login = {**values, **secrets.login(entry["instance"])}
            if is_administrators(entry, login):
                login["login_user"] = None
            found[entry["instance"]] = login
    return found


def _given(text: str) -> tuple[str, Any]:
    instance, separator, value = text.partition("=")
    try:
        values = json.loads(value)
    except (ValueError, RecursionError):
        values = None
    if not separator or not instance or not isinstance(values, dict):
        raise InvalidOption('--server is not INSTANCE=JSON, such as shop={"engine": "...", "login_host": "..."}')
    return instance, values


def _lines(result: Mapping[str, Any]) -> Iterator[str]:
    yield from result["lines"]
    yield from (f"does not come back: {line}" for line in result["lost"])
    yield f"{result['status']}: {result['message']}"
