# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a rebuild as plain values on their way into the library's request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..archives import options as archives
from ..archives.keys import keys_from
from ..connection.instance import Instance
from ..connection.options import SYSTEM_USER, instance_from
from ..engines import options as engines
from ..errors import InvalidOption
from ..repository.options import COPIES_OPTIONS, REPOSITORY_OPTIONS, copy_source_from, copy_sources_from
from ..signatures import options as signatures
from ..signatures.options import signed_by_from
from ..system.options import Option, at_least, moment_from, size_from
from .request import RebuildRequest

# What is brought back, and how. From where, into which servers and what opens it is said by the other options.
REBUILD_OPTIONS: Mapping[str, Option] = {
    "host": Option(required=True),
    "confirm": Option(),
    "at": Option(),
    "jobs": Option("int", default=2),
    "dropped": Option("bool", default=False),
    "accept_errors": Option("bool", default=False),
    "load_with_own_rights": Option("bool", default=False),
    "rate": Option(default="20M"),
}
OPTIONS: Mapping[str, Option] = {
    **REPOSITORY_OPTIONS,
    **COPIES_OPTIONS,
    **REBUILD_OPTIONS,
    "servers": Option("list", elements="dict", required=True, options={**engines.OPTIONS, **SYSTEM_USER}),
    **archives.OPTIONS,
    **signatures.OPTIONS,
}


def rebuild_request_from(options: Mapping[str, Any]) -> RebuildRequest:
    """Make the library's request; raises `InvalidOption`."""
    rate = size_from(options, "rate")
    if not rate:
        raise InvalidOption(f"option rate: {options['rate']!r} is too small; say how many bytes a second are loaded")
    return RebuildRequest(
        host=options["host"],
        servers=_servers_from(options["servers"]),
        repository=options["repository"],
        copy=copy_source_from(options),
        copies=copy_sources_from(options),
        keys=keys_from(options),
        signed_by=signed_by_from(options),
        at=moment_from(options, "at"),
        confirm=options["confirm"] or None,
        jobs=at_least(options, "jobs", 1),
        dropped=options["dropped"],
        accept_errors=options["accept_errors"],
        load_with_own_rights=options["load_with_own_rights"],
        rate=rate,
    )


def _servers_from(entries: Sequence[Mapping[str, Any]]) -> dict[str, Instance]:
    servers: dict[str, Instance] = {}
    for entry in entries:
        if entry["instance"] in servers:
            raise InvalidOption(f"option servers: instance {entry['instance']!r} is there twice; remove one of them")
        servers[entry["instance"]] = instance_from(entry)
    return servers
