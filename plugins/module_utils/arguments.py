# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module options of the collection and their way into the library's values.

Each `*_arguments` function has a documentation fragment of the same name that matches it key for key. Options of
kind duration or size are text (`12h`, `50M`); they are read here, so that a wrong one is refused before any work.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import env_fallback

from .backupdb.engines.interface import DumpOptions
from .backupdb.errors import InvalidOption
from .backupdb.instance import SSL_MODES, Instance
from .backupdb.request import BackupRequest, Compression, Encryption, Selection
from .backupdb.text import parse_duration, parse_size

ENGINES = ("postgresql", "mysql", "mariadb")
GREATEST_NICENESS = 19

CONNECTION_CONSTRAINTS: Mapping[str, Any] = {
    "mutually_exclusive": [("login_host", "login_unix_socket")],
    "required_one_of": [("login_host", "login_unix_socket")],
    "required_together": [("client_cert", "client_key")],
}
BACKUP_CONSTRAINTS: Mapping[str, Any] = {
    "mutually_exclusive": [*CONNECTION_CONSTRAINTS["mutually_exclusive"], ("recipients", "passphrase")],
    "required_one_of": CONNECTION_CONSTRAINTS["required_one_of"],
    "required_together": CONNECTION_CONSTRAINTS["required_together"],
    "required_if": [("encryption", "age", ("recipients", "passphrase"), True)],
}


def connection_arguments() -> dict[str, Any]:
    """Options that say which server is meant and how to log in."""
    return {
        "instance": {"type": "str", "required": True},
        "engine": {"type": "str", "required": True, "choices": list(ENGINES)},
        "login_host": {"type": "str"},
        "login_port": {"type": "int"},
        "login_user": {"type": "str", "fallback": (env_fallback, ["BACKUPDB_LOGIN_USER"])},
        "login_password": {"type": "str", "no_log": True, "fallback": (env_fallback, ["BACKUPDB_LOGIN_PASSWORD"])},
        "login_unix_socket": {"type": "path"},
        "login_db": {"type": "str"},
        "ssl_mode": {"type": "str", "default": "prefer", "choices": list(SSL_MODES)},
        "ca_cert": {"type": "path"},
        "client_cert": {"type": "path"},
        "client_key": {"type": "path", "no_log": False},
        "connect_timeout": {"type": "int", "default": 10},
    }


def selection_arguments() -> dict[str, Any]:
    """Options that say which databases of the instance are meant."""
    return {
        "databases": {"type": "list", "elements": "str", "default": ["*"]},
        "exclude": {"type": "list", "elements": "str", "default": []},
    }


def dump_arguments() -> dict[str, Any]:
    """Options that change what is dumped, and so which rights and clients are needed."""
    return {
        "jobs": {"type": "int", "default": 1},
        "triggers": {"type": "bool", "default": True},
        "routines": {"type": "bool", "default": True},
        "events": {"type": "bool", "default": True},
        "row_counts": {"type": "bool", "default": False},
        "fingerprints": {"type": "bool", "default": False},
        "allow_newer_client": {"type": "bool", "default": False},
    }


def backup_arguments() -> dict[str, Any]:
    """Options that only a run has: where to, how stored, and within which limits."""
    return {
        "accounts": {"type": "bool", "default": True},
        "allow_empty": {"type": "bool", "default": False},
        "repository": {"type": "path", "required": True},
        "host": {"type": "str"},
        "encryption": {"type": "str", "default": "age", "choices": ["age", "none"]},
        "recipients": {"type": "list", "elements": "str"},
        "passphrase": {"type": "str", "no_log": True, "fallback": (env_fallback, ["BACKUPDB_PASSPHRASE"])},
        "compression": {"type": "str", "default": "zstd", "choices": ["zstd", "gzip", "none"]},
        "compression_level": {"type": "int"},
        "compression_threads": {"type": "int", "default": 1},
        "workers": {"type": "int"},
        "skip_if_newer_than": {"type": "str"},
        "timeout": {"type": "str"},
        "db_lock_timeout": {"type": "str", "default": "60s"},
        "repository_lock_timeout": {"type": "str", "default": "0s"},
        "nice": {"type": "int", "default": 0},
        "bandwidth_limit": {"type": "str"},
    }


def instance_from(options: Mapping[str, Any]) -> Instance:
    """Make the library's instance; raises `InvalidOption`."""
    return Instance(
        id=options["instance"],
        engine=options["engine"],
        host=options["login_host"],
        port=options["login_port"],
        user=options["login_user"],
        password=options["login_password"],
        unix_socket=options["login_unix_socket"],
        database=options["login_db"],
        ssl_mode=options["ssl_mode"],
        ca_cert=options["ca_cert"],
        client_cert=options["client_cert"],
        client_key=options["client_key"],
        connect_timeout=_at_least(options, "connect_timeout", 1),
    )


def selection_from(options: Mapping[str, Any]) -> Selection:
    """Make the library's selection of databases. Only a run minds that it is empty."""
    return Selection(
        include=tuple(options["databases"]),
        exclude=tuple(options["exclude"]),
        allow_empty=options.get("allow_empty", True),
    )


def dump_options_from(options: Mapping[str, Any]) -> DumpOptions:
    """Make the library's dump options, with the limits of a run where the module has them; raises `InvalidOption`."""
    limits: dict[str, Any] = {}
    if "timeout" in options:
        limits = {
            "timeout": _duration(options, "timeout"),
            "db_lock_timeout": _duration(options, "db_lock_timeout"),
            "nice": _niceness(options["nice"]),
        }
    return DumpOptions(
        jobs=options["jobs"],
        triggers=options["triggers"],
        routines=options["routines"],
        events=options["events"],
        row_counts=options["row_counts"],
        fingerprints=options["fingerprints"],
        allow_newer_client=options["allow_newer_client"],
        **limits,
    )


def request_from(options: Mapping[str, Any]) -> BackupRequest:
    """Make the library's request for one run; raises `InvalidOption`."""
    return BackupRequest(
        instance=instance_from(options),
        selection=selection_from(options),
        dump=dump_options_from(options),
        encryption=Encryption(
            mode=options["encryption"],
            recipients=tuple(options["recipients"] or ()),
            passphrase=options["passphrase"],
        ),
        compression=Compression(
            method=options["compression"],
            level=options["compression_level"],
            threads=_at_least(options, "compression_threads", 1),
        ),
        repository=options["repository"],
        host=options["host"] or short_host_name(),
        accounts=options["accounts"],
        workers=options["workers"],
        skip_if_newer_than=_duration(options, "skip_if_newer_than"),
        repository_lock_timeout=_duration(options, "repository_lock_timeout") or 0,
        bandwidth_limit=_size(options, "bandwidth_limit"),
    )


def short_host_name() -> str:
    """Name this host as its folder in a repository is called when nobody says otherwise."""
    return platform.node().split(".")[0]


def _duration(options: Mapping[str, Any], name: str) -> float | None:
    if options[name] is None:
        return None
    try:
        return parse_duration(options[name])
    except InvalidOption as error:
        raise InvalidOption(f"option {name}: {error}") from error


def _size(options: Mapping[str, Any], name: str) -> int | None:
    if options[name] is None:
        return None
    try:
        return parse_size(options[name])
    except InvalidOption as error:
        raise InvalidOption(f"option {name}: {error}") from error


def _at_least(options: Mapping[str, Any], name: str, least: int) -> int:
    value: int = options[name]
    if value < least:
        raise InvalidOption(f"option {name}: {value} is too small; use {least} or more")
    return value


def _niceness(value: int) -> int:
    if not 0 <= value <= GREATEST_NICENESS:
        raise InvalidOption(f"option nice: {value} is not between 0 (as now) and {GREATEST_NICENESS} (idle)")
    return value
