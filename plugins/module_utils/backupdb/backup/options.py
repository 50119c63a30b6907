# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a backup, from a module, a job's file or the command line, on their way into the library's request."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

from ..archives import options as archives
from ..archives.envelope import ENCRYPTION_MODES, Encryption
from ..connection.options import instance_from
from ..engines import options as engines
from ..engines.filters import OPTIONS as FILTER_OPTIONS
from ..engines.filters import Filters
from ..engines.values import DumpOptions
from ..errors import InvalidOption
from ..hooks.options import OPTIONS as HOOK_OPTIONS
from ..hooks.options import hooks_from
from ..streams.compression import COMPRESSION_METHODS, Compression
from ..system.options import Option, at_least, duration_from, size_from
from .request import BackupRequest, Selection

GREATEST_NICENESS = 19

# Which databases of the instance are meant.
SELECTION_OPTIONS: Mapping[str, Option] = {
    "databases": Option("list", elements="str", default=["*"]),
    "exclude": Option("list", elements="str", default=[]),
}
# What is dumped, and so which rights and clients are needed.
DUMP_OPTIONS: Mapping[str, Option] = {
    "jobs": Option("int", default=1),
    "jobs_min_size": Option(default="256M"),
    "triggers": Option("bool", default=True),
    "routines": Option("bool", default=True),
    "events": Option("bool", default=True),
    "row_counts": Option("bool", default=False),
    "fingerprints": Option("bool", default=False),
    "allow_newer_client": Option("bool", default=False),
    **{option: Option("list", elements="str", default=[]) for option in FILTER_OPTIONS},
}
# What only a run has: where to, how stored, and within which limits.
RUN_OPTIONS: Mapping[str, Option] = {
    "accounts": Option("bool", default=True),
    "allow_empty": Option("bool", default=False),
    "repository": Option("path", required=True),
    "host": Option(),
    "encryption": Option(default="age", choices=ENCRYPTION_MODES),
    "recipients": Option("list", elements="str"),
    "passphrase": archives.OPTIONS["passphrase"],
    "signing_key": Option("path", secret=False),
    "compression": Option(default="zstd", choices=COMPRESSION_METHODS),
    "compression_level": Option("int"),
    "compression_threads": Option("int", default=1),
    "workers": Option("int"),
    "skip_if_newer_than": Option(),
    "timeout": Option(),
    "db_lock_timeout": Option(default="60s"),
    "repository_lock_timeout": Option(default="0s"),
    "nice": Option("int", default=0),
    "bandwidth_limit": Option(),
    "retry_after": Option(),
    "hooks": Option("list", elements="dict", options=HOOK_OPTIONS),
}
INFO_OPTIONS: Mapping[str, Option] = {**engines.OPTIONS, **SELECTION_OPTIONS, **DUMP_OPTIONS}
OPTIONS: Mapping[str, Option] = {**INFO_OPTIONS, **RUN_OPTIONS}


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
        jobs_min_size=size_from(options, "jobs_min_size") or 0,
        triggers=options["triggers"],
        routines=options["routines"],
        events=options["events"],
        row_counts=options["row_counts"],
        fingerprints=options["fingerprints"],
        allow_newer_client=options["allow_newer_client"],
        filters=Filters(**{option: tuple(options[option]) for option in FILTER_OPTIONS}),
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
            threads=at_least(options, "compression_threads", 1),
        ),
        repository=options["repository"],
        host=options["host"] or short_host_name(),
        accounts=options["accounts"],
        workers=options["workers"],
        skip_if_newer_than=duration_from(options, "skip_if_newer_than"),
        repository_lock_timeout=duration_from(options, "repository_lock_timeout") or 0,
        bandwidth_limit=size_from(options, "bandwidth_limit"),
        signing_key=options["signing_key"],
        hooks=hooks_from(options["hooks"]),
        retry_after=duration_from(options, "retry_after"),
    )


def short_host_name() -> str:
    """Name this host as its folder in a repository is called when nobody says otherwise."""
    return platform.node().split(".")[0]


def _niceness(value: int) -> int:
    if not 0 <= value <= GREATEST_NICENESS:
        raise InvalidOption(f"option nice: {value} is not between 0 (as now) and {GREATEST_NICENESS} (idle)")
    return value
