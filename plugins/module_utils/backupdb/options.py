# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options as plain values, from a module, a job's file or the command line, on their way into the library's values.

Options of kind duration, size or moment are text (`12h`, `50M`, `7d`); they are read here, so that a wrong one is
refused before any work. Every mapping has all options of its kind, with their defaults filled in.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .archives.keys import Keys
from .backup.request import BackupRequest, Compression, Encryption, Selection
from .connection.instance import Instance
from .engines.interface import DumpOptions
from .errors import InvalidOption
from .repository.catalogue import Filter
from .repository.find import Wanted
from .system.text import parse_duration, parse_moment, parse_size

ENGINES = ("postgresql", "mysql", "mariadb")
GREATEST_NICENESS = 19


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
            "timeout": duration_from(options, "timeout"),
            "db_lock_timeout": duration_from(options, "db_lock_timeout"),
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
        skip_if_newer_than=duration_from(options, "skip_if_newer_than"),
        repository_lock_timeout=duration_from(options, "repository_lock_timeout") or 0,
        bandwidth_limit=_size(options, "bandwidth_limit"),
    )


def short_host_name() -> str:
    """Name this host as its folder in a repository is called when nobody says otherwise."""
    return platform.node().split(".")[0]


def keys_from(options: Mapping[str, Any]) -> Keys:
    """Make the library's keys; they are read when they are needed."""
    return Keys(identity_file=options["identity_file"], identity=options["identity"], passphrase=options["passphrase"])


def filter_from(options: Mapping[str, Any]) -> Filter:
    """Make the library's filter; raises `InvalidOption`."""
    return Filter(
        host=options["host"],
        instance=options["instance"],
        database=options["database"],
        kind=options["kind"],
        status=options["status"],
        since=moment_from(options, "since"),
        until=moment_from(options, "until"),
        proven=options["proven"],
    )


def moment_from(options: Mapping[str, Any], name: str) -> datetime | None:
    """Read an option that is a moment; raises `InvalidOption` which names it."""
    if options[name] is None:
        return None
    try:
        return parse_moment(options[name])
    except InvalidOption as error:
        raise InvalidOption(f"option {name}: {error}") from error


def wanted_from(options: Mapping[str, Any]) -> Wanted:
    """Make the library's word for it; without an option `database` the accounts are meant. Raises `InvalidOption`."""
    if options["latest"] is False:
        raise InvalidOption("option latest: false says which backup is not meant; set path, at or backup_id instead")
    return Wanted(
        path=options["path"],
        host=options["host"],
        instance=options["instance"],
        database=options.get("database"),
        at=moment_from(options, "at"),
        backup_id=options["backup_id"],
    )


def duration_from(options: Mapping[str, Any], name: str) -> float | None:
    """Read an option that is a duration, in seconds; raises `InvalidOption` which names it."""
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
