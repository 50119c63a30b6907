# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module options of a restore and their way into the library's request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .arguments import CONNECTION_CONSTRAINTS, connection_arguments, instance_from, short_host_name
from .backupdb.engines.interface import RestoreOptions
from .backupdb.errors import InvalidOption
from .backupdb.request import Encryption
from .backupdb.restore_request import (
    ACL_POLICIES,
    DEFINER_POLICIES,
    EXTENSION_POLICIES,
    OWNER_POLICIES,
    RestoreRequest,
    Safety,
)
from .backupdb.text import parse_duration
from .reading_arguments import identity_arguments, keys_from, repository_arguments
from .source_arguments import SOURCE_CONSTRAINTS, source_arguments, wanted_from

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


def restore_request_from(options: Mapping[str, Any]) -> RestoreRequest:
    """Make the library's request for one restore; raises `InvalidOption`."""
    wanted = wanted_from(options)
    # The instance of the options is the backup's; the login is that of the server restored into.
    name = options["target_instance"] or options["instance"]
    recipients = tuple(options["safety_recipients"] or ())
    return RestoreRequest(
        instance=replace(instance_from(options), id=name),
        wanted=wanted,
        options=_restore_options_from(options),
        repository=options["repository"],
        keys=keys_from(options),
        target=options["target"],
        replace=options["replace"],
        confirm=options["confirm"],
        safety=Safety(
            wanted=options["safety_backup"],
            repository=options["safety_repository"],
            host=options["safety_host"] or short_host_name(),
            encryption=Encryption(recipients=recipients) if recipients else None,
        ),
        accept_errors=options["accept_errors"],
        keep_failed=options["keep_failed"],
        keep_replaced=options["keep_replaced"],
    )


def _restore_options_from(options: Mapping[str, Any]) -> RestoreOptions:
    return RestoreOptions(
        jobs=options["jobs"],
        tables=tuple(options["tables"]),
        schema_only=options["schema_only"],
        data_only=options["data_only"],
        owner_policy=options["owner_policy"],
        acl_policy=options["acl_policy"],
        definer_policy=options["definer_policy"],
        owner_map={str(old): str(new) for old, new in options["owner_map"].items()},
        extensions=options["extensions"],
        allow_qualified_references=options["allow_qualified_references"],
        enable_events=options["enable_events"],
        spool=options["spool"],
        spool_folder=options["spool_directory"],
        timeout=_timeout(options["timeout"]),
    )


def _timeout(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return parse_duration(text)
    except InvalidOption as error:
        raise InvalidOption(f"option timeout: {error}") from error
