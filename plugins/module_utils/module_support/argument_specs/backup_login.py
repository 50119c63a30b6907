# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the module backup_account and their way into the library's values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...backupdb.accounts.backup_login import LoginRequest
from ...backupdb.connection.options import instance_from
from ...backupdb.engines.login_interface import PASSWORD, SOCKET, WantedLogin
from .backup import CONNECTION_CONSTRAINTS, connection_arguments

BACKUP_ACCOUNT_CONSTRAINTS: Mapping[str, Any] = CONNECTION_CONSTRAINTS


def backup_account_arguments() -> dict[str, Any]:
    """All options of backup_account; the login options are those of the administrator."""
    return {
        **connection_arguments(),
        "name": {"type": "str", "required": True},
        "account_host": {"type": "str", "default": "localhost"},
        "auth": {"type": "str", "default": PASSWORD, "choices": [PASSWORD, SOCKET]},
        "password": {"type": "str", "no_log": True},
        "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
        "remove_surplus": {"type": "bool", "default": False},
        "triggers": {"type": "bool", "default": True},
        "events": {"type": "bool", "default": True},
        "read_lock": {"type": "bool", "default": True},
    }


def login_request_from(options: Mapping[str, Any]) -> LoginRequest:
    """Make the library's request; raises `InvalidOption`."""
    by_password = options["auth"] == PASSWORD
    return LoginRequest(
        instance=instance_from(options),
        login=WantedLogin(
            name=options["name"],
            host=options["account_host"],
            auth=options["auth"],
            password=options["password"] if by_password else None,
            triggers=options["triggers"],
            events=options["events"],
            read_lock=options["read_lock"],
        ),
        absent=options["state"] == "absent",
        remove_surplus=options["remove_surplus"],
    )
