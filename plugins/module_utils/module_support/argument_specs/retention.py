# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module options of what keeps and removes backups, and their way into the library's values.

`retention_arguments` has a documentation fragment that matches it key for key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...backupdb.retention.pin import PinRequest
from ...backupdb.retention.policy import OPTIONS, policy_from
from ...backupdb.retention.prune import PruneRequest
from ...backupdb.system.options import duration_from


def retention_arguments() -> dict[str, Any]:
    """The policy: what is kept. None of them has a default, so that what was given can be seen."""
    return {
        "keep_last": {"type": "int"},
        "keep_within": {"type": "str"},
        "keep_hourly": {"type": "int"},
        "keep_daily": {"type": "int"},
        "keep_weekly": {"type": "int"},
        "keep_monthly": {"type": "int"},
        "keep_yearly": {"type": "int"},
        "keep_min": {"type": "int"},
        "max_age": {"type": "str"},
        "time_zone": {"type": "str"},
    }


def prune_arguments() -> dict[str, Any]:
    """The module's options: whose backups are pruned, and by which policy."""
    return {
        "repository": {"type": "path", "required": True},
        "host": {"type": "str"},
        "instance": {"type": "str"},
        "databases": {"type": "list", "elements": "str", "default": ["*"]},
        "acknowledge_gone": {"type": "list", "elements": "str", "default": []},
        "repository_lock_timeout": {"type": "str", "default": "0s"},
        **retention_arguments(),
    }


def prune_request_from(options: Mapping[str, Any]) -> PruneRequest:
    """Make the library's request; raises `InvalidOption`."""
    return PruneRequest(
        repository=options["repository"],
        policy=policy_from({name: options[name] for name in OPTIONS}),
        host=options["host"],
        instance=options["instance"],
        databases=tuple(options["databases"]),
        acknowledge_gone=tuple(options["acknowledge_gone"]),
        repository_lock_timeout=duration_from(options, "repository_lock_timeout") or 0.0,
    )


def pin_arguments() -> dict[str, Any]:
    """The module's options: which backup is pinned, and why."""
    return {
        "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
        "path": {"type": "path"},
        "repository": {"type": "path"},
        "host": {"type": "str"},
        "instance": {"type": "str"},
        "database": {"type": "str"},
        "backup_id": {"type": "str"},
        "reason": {"type": "str"},
    }


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
