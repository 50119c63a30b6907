# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login of who restores into an instance: the one that is given, else that of the socket's administrator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.engines.registry import engine_of

_ACCOUNT = ("login_user", "login_password", "login_system_user")
_PLACES = {"login_host": "login_unix_socket", "login_unix_socket": "login_host"}


def administrator_of(
    instance: Mapping[str, Any], given: Mapping[str, Any] | None = None, *, as_root: bool = True
) -> dict[str, Any]:
    """Return an instance with the login of its administrator.

    What is `given` wins: a host replaces a socket and a socket a host, and another socket or any part of an account
    replaces the whole account of the backups. Through a socket without a password it is the operating system's user of
    the name of the account; one that is not given is who administers such a server as packages set it up. Only for work
    that is done `as_root`.
    """
    chosen = {name: value for name, value in (given or {}).items() if value not in (None, "")}
    displaced = [_PLACES[name] for name in chosen if name in _PLACES]
    if any(name in chosen for name in (*_ACCOUNT, "login_unix_socket")):
        displaced += _ACCOUNT
    found = {name: value for name, value in instance.items() if name not in displaced or name in chosen}
    found.update(chosen)
    if not as_root or not found.get("login_unix_socket") or found.get("login_password"):
        return found
    user = chosen.get("login_user") or chosen.get("login_system_user")
    user = user or engine_of(str(found["engine"])).SOCKET_ADMINISTRATOR
    return {**found, "login_user": user, "login_system_user": chosen.get("login_system_user") or user}
