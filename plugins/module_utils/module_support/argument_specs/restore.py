# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module options of a restore."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...backupdb.restore.options import restore_request_from
from ...backupdb.restore.request import ACL_POLICIES, DEFINER_POLICIES, EXTENSION_POLICIES, OWNER_POLICIES
from .backup import CONNECTION_CONSTRAINTS, connection_arguments
from .catalogue import identity_arguments, repository_arguments
from .source import SOURCE_CONSTRAINTS, source_arguments

__all__ = ["RESTORE_CONSTRAINTS", "restore_arguments", "restore_request_from"]

RESTORE_CONSTRAINTS: Mapping[str, Any] = {
    "mutually_exclusive": [
        *CONNECTION_CONSTRAINTS["mutually_exclusive"],
        *SOURCE_CONSTRAINTS["mutually_exclusive"],
        ("path", "database"),
    ],
    "required_one_of": [
        *CONNECTION_CONSTRAINTS["required_one_of"],
        *SOURCE_CONSTRAINTS["required_one_of"],
        ("path", "database"),
    ],
    "required_together": CONNECTION_CONSTRAINTS["required_together"],
    "required_by": {**SOURCE_CONSTRAINTS["required_by"], "path": "target_instance"},
}


def restore_arguments() -> dict[str, Any]:
    """All options of the module, those of the server restored into included."""
    return {
        **connection_arguments(),
        **repository_arguments(),
        **source_arguments(),
        "database": {"type": "str"},
        **identity_arguments(),
        "target": {"type": "str"},
        "target_instance": {"type": "str"},
        "replace": {"type": "bool", "default": False},
        "confirm": {"type": "str"},
        "safety_backup": {"type": "bool", "default": True},
        "safety_repository": {"type": "path"},
        "safety_host": {"type": "str"},
        "safety_recipients": {"type": "list", "elements": "str"},
        "keep_replaced": {"type": "bool", "default": True},
        "keep_failed": {"type": "bool", "default": False},
        "accept_errors": {"type": "bool", "default": False},
        "tables": {"type": "list", "elements": "str", "default": []},
        "schema_only": {"type": "bool", "default": False},
        "data_only": {"type": "bool", "default": False},
        "jobs": {"type": "int", "default": 1},
        "spool": {"type": "bool", "default": False},
        "spool_directory": {"type": "path"},
        "owner_policy": {"type": "str", "default": "keep", "choices": list(OWNER_POLICIES)},
        "owner_map": {"type": "dict", "default": {}},
        "acl_policy": {"type": "str", "default": "keep", "choices": list(ACL_POLICIES)},
        "definer_policy": {"type": "str", "default": "keep", "choices": list(DEFINER_POLICIES)},
        "extensions": {"type": "str", "default": "create", "choices": list(EXTENSION_POLICIES)},
        "allow_qualified_references": {"type": "bool", "default": False},
        "enable_events": {"type": "bool", "default": False},
        "timeout": {"type": "str"},
    }
