# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that pick backups of a repository, on their way into the library's values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidOption
from ..system.options import Option, moment_from
from .catalogue import Filter
from .copy_source import CopySource
from .find import BackupSelector
from .manifest import KINDS, STATUSES
from .stores.settings import copies_from, copy_from

# Where backups rest.
COPY_STATE_DIR = "/var/lib/backupdb"
REPOSITORY_OPTIONS: Mapping[str, Option] = {
    "repository": Option("path"),
    "copy": Option("dict"),
    "copy_credentials": Option("dict", secret=True),
    "copy_state_dir": Option("path", default=COPY_STATE_DIR),
}
# Further places that may have a backup, for what is read from the best one.
COPIES_OPTIONS: Mapping[str, Option] = {
    "copies": Option("list", elements="dict"),
    "copies_credentials": Option("dict", secret=True),
}
# Which backups of a repository; `host`, `instance` and `database` are names or patterns.
FILTER_OPTIONS: Mapping[str, Option] = {
    "host": Option(),
    "instance": Option(),
    "database": Option(),
    "kind": Option(choices=KINDS),
    "status": Option(choices=STATUSES),
    "since": Option(),
    "until": Option(),
    "proven": Option("bool"),
}
LISTING_OPTIONS: Mapping[str, Option] = {**REPOSITORY_OPTIONS, **FILTER_OPTIONS}
# Which one backup; a backup of a database has the option `database` too.
SOURCE_OPTIONS: Mapping[str, Option] = {
    "path": Option("path"),
    "host": Option(),
    "instance": Option(),
    "latest": Option("bool"),
    "at": Option(),
    "backup_id": Option(),
}


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


def selector_from(options: Mapping[str, Any]) -> BackupSelector:
    """Make the library's word for it; without an option `database` the accounts are meant. Raises `InvalidOption`."""
    if options["latest"] is False:
        raise InvalidOption("option latest: false says which backup is not meant; set path, at or backup_id instead")
    return BackupSelector(
        path=options["path"],
        host=options["host"],
        instance=options["instance"],
        database=options.get("database"),
        at=moment_from(options, "at"),
        backup_id=options["backup_id"],
        proven=bool(options.get("proven")),
    )


def copy_source_from(options: Mapping[str, Any]) -> CopySource | None:
    """Make the library's word for the copy to read from, None without one; raises `InvalidOption`."""
    values = options.get("copy")
    if values is None or isinstance(values, CopySource):
        return values
    secrets = options.get("copy_credentials") or {}
    return CopySource(copy_from(values, "copy", secrets), options.get("copy_state_dir") or COPY_STATE_DIR)


def copy_sources_from(options: Mapping[str, Any]) -> tuple[CopySource, ...]:
    """Make the library's words for several copies that may have a backup; raises `InvalidOption`."""
    copies = options.get("copies") or ()
    if all(isinstance(copy, CopySource) for copy in copies):
        return tuple(copies)
    secrets = options.get("copies_credentials") or {}
    state_dir = options.get("copy_state_dir") or COPY_STATE_DIR
    return tuple(
        CopySource(copy.opened_by(secrets.get(copy.name) or {}), state_dir)
        for copy in copies_from(list(copies), "copies")
    )
