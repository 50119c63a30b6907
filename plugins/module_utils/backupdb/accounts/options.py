# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of what looks at, restores and makes accounts, on their way into the library's requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..archives import options as archives
from ..archives.keys import keys_from
from ..connection.options import SYSTEM_USER, instance_from
from ..engines import options as engines
from ..engines.login_interface import PASSWORD, SOCKET, WantedLogin
from ..repository.options import REPOSITORY_OPTIONS, SOURCE_OPTIONS, copy_source_from, selector_from
from ..signatures import options as signatures
from ..signatures.options import signed_by_from
from ..system.options import Option
from .backup_login import LoginRequest
from .plan import POLICIES
from .run import AccountRestoreRequest, StoredAccounts

# A server or a backup; so a server's engine is only needed with one.
INFO_OPTIONS: Mapping[str, Option] = {
    **engines.OPTIONS,
    "engine": replace(engines.OPTIONS["engine"], required=False),
    **REPOSITORY_OPTIONS,
    **SOURCE_OPTIONS,
    **archives.OPTIONS,
    **signatures.OPTIONS,
    "accounts": Option("list", elements="str", default=["*"]),
    "show_hashes": Option("bool", default=False),
}
# The login is that of the server restored into; `instance` is the backup's.
RESTORE_OPTIONS: Mapping[str, Option] = {
    **engines.OPTIONS,
    **SYSTEM_USER,
    **REPOSITORY_OPTIONS,
    **SOURCE_OPTIONS,
    **archives.OPTIONS,
    **signatures.OPTIONS,
    "target_instance": Option(),
    "accounts": Option("list", elements="str", default=["*"]),
    "existing": Option(default="skip", choices=POLICIES),
    "object_grants_for": Option("list", elements="str"),
}
# The login is that of the administrator, who makes the backup login.
BACKUP_LOGIN_OPTIONS: Mapping[str, Option] = {
    **engines.OPTIONS,
    "name": Option(required=True),
    "account_host": Option(default="localhost"),
    "auth": Option(default=PASSWORD, choices=(PASSWORD, SOCKET)),
    "password": Option(secret=True),
    "state": Option(default="present", choices=("present", "absent")),
    "remove_surplus": Option("bool", default=False),
    "triggers": Option("bool", default=True),
    "events": Option("bool", default=True),
    "read_lock": Option("bool", default=True),
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
    return StoredAccounts(
        selector_from(options),
        options["repository"],
        keys_from(options),
        signed_by_from(options),
        copy_source_from(options),
    )


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
