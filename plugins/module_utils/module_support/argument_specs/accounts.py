# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules for accounts and their way into the library's values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...backupdb.accounts.plan import POLICIES
from ...backupdb.accounts.run import AccountRestoreRequest, StoredAccounts
from .backup import CONNECTION_CONSTRAINTS, connection_arguments, instance_from
from .catalogue import identity_arguments, keys_from, repository_arguments
from .source import SOURCE_CONSTRAINTS, selector_from, source_arguments

ACCOUNT_RESTORE_CONSTRAINTS: Mapping[str, Any] = {
    "mutually_exclusive": [*CONNECTION_CONSTRAINTS["mutually_exclusive"], *SOURCE_CONSTRAINTS["mutually_exclusive"]],
    "required_one_of": [*CONNECTION_CONSTRAINTS["required_one_of"], *SOURCE_CONSTRAINTS["required_one_of"]],
    "required_together": CONNECTION_CONSTRAINTS["required_together"],
    "required_by": {**SOURCE_CONSTRAINTS["required_by"], "path": "target_instance"},
}
# A server or a backup.
_PLACES = ("login_host", "login_unix_socket", "path", "latest", "at", "backup_id")
ACCOUNT_INFO_CONSTRAINTS: Mapping[str, Any] = {
    "mutually_exclusive": [_PLACES, *SOURCE_CONSTRAINTS["mutually_exclusive"][1:]],
    "required_one_of": [_PLACES],
    "required_together": CONNECTION_CONSTRAINTS["required_together"],
    "required_by": {
        "login_host": ("engine", "instance"),
        "login_unix_socket": ("engine", "instance"),
        **{name: (needed, "instance") for name, needed in SOURCE_CONSTRAINTS["required_by"].items()},
    },
}


def account_restore_arguments() -> dict[str, Any]:
    """All options of account_restore; the login is that of the server restored into."""
    return {
        **connection_arguments(),
        **repository_arguments(),
        **source_arguments(),
        **identity_arguments(),
        "target_instance": {"type": "str"},
        "accounts": {"type": "list", "elements": "str", "default": ["*"]},
        "existing": {"type": "str", "default": "skip", "choices": list(POLICIES)},
        "object_grants_for": {"type": "list", "elements": "str"},
    }


def account_info_arguments() -> dict[str, Any]:
    """All options of account_info."""
    return {
        **connection_arguments(),
        "engine": {**connection_arguments()["engine"], "required": False},
        **repository_arguments(),
        **source_arguments(),
        **identity_arguments(),
        "accounts": {"type": "list", "elements": "str", "default": ["*"]},
        "show_hashes": {"type": "bool", "default": False},
    }


def account_restore_request_from(options: Mapping[str, Any]) -> AccountRestoreRequest:
    """Make the library's request; raises `InvalidOption`."""
    chosen = options["object_grants_for"]
    return AccountRestoreRequest(
        instance=instance_from({**options, "instance": options["target_instance"] or options["instance"]}),
        source=stored_accounts_from(options),
        patterns=tuple(options["accounts"]),
        existing=options["existing"],
        object_grants_for=None if chosen is None else tuple(chosen),
    )


def stored_accounts_from(options: Mapping[str, Any]) -> StoredAccounts:
    """Say which backup of accounts is meant; raises `InvalidOption`."""
    return StoredAccounts(selector_from(options), options["repository"], keys_from(options))
