# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of what removes and pins backups, on their way into the library's requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidOption
from ..repository.copy_source import CopySource
from ..repository.options import REPOSITORY_OPTIONS, copy_source_from
from ..repository.stores.settings import copies_from
from ..system.options import Option, duration_from
from . import policy
from .copy_request import PruneCopyRequest
from .pin import PinRequest
from .prune import PruneRequest
from .unsent import rules_of
from .wanted import policy_of

# Whose backups are pruned, and by which policy.
PRUNE_OPTIONS: Mapping[str, Option] = {
    **REPOSITORY_OPTIONS,
    "copies": Option("list", elements="dict", default=[]),
    "host": Option(),
    "instance": Option(),
    "databases": Option("list", elements="str", default=["*"]),
    "acknowledge_gone": Option("list", elements="str", default=[]),
    "repository_lock_timeout": Option(default="0s"),
    **policy.OPTIONS,
}
# Which backup is pinned, and why.
PIN_OPTIONS: Mapping[str, Option] = {
    "state": Option(default="present", choices=("present", "absent")),
    "path": Option("path"),
    "repository": Option("path"),
    "host": Option(),
    "instance": Option(),
    "database": Option(),
    "backup_id": Option(),
    "reason": Option(),
}


def prune_request_from(options: Mapping[str, Any]) -> PruneRequest:
    """Make the library's request; raises `InvalidOption`."""
    return PruneRequest(
        repository=options["repository"],
        policy=policy.policy_from({name: options[name] for name in policy.OPTIONS}),
        host=options["host"],
        instance=options["instance"],
        databases=tuple(options["databases"]),
        acknowledge_gone=tuple(options["acknowledge_gone"]),
        repository_lock_timeout=duration_from(options, "repository_lock_timeout") or 0.0,
        copies=tuple(rules_of(copies_from(options["copies"], "copies"), options["copy_state_dir"])),
    )


def copy_prune_from(options: Mapping[str, Any]) -> tuple[CopySource, PruneCopyRequest]:
    """Make the library's request for a prune of the copy in the options, by its own policy unless there is another.

    Raises `InvalidOption`.
    """
    source = copy_source_from(options)
    if source is None:
        raise InvalidOption("there is no copy; name it with the option copy")
    given = {name: options[name] for name in policy.OPTIONS if options[name] is not None}
    chosen = policy.policy_from(given) if given else policy_of(source.settings)
    if chosen is None:
        raise InvalidOption(f"copy {source.settings.name} has no retention; say what it keeps, there or here")
    return source, PruneCopyRequest(
        copy=source.settings,
        policy=chosen,
        host=options["host"],
        instance=options["instance"],
        databases=tuple(options["databases"]),
    )


def pin_request_from(options: Mapping[str, Any]) -> PinRequest:
    """Make the library's request; raises `InvalidOption`."""
    return PinRequest(
        present=options["state"] == "present",
        reason=options["reason"],
        repository=options["repository"],
        path=options["path"],
        host=options["host"],
        instance=options["instance"],
        database=options["database"],
        backup_id=options["backup_id"],
    )
