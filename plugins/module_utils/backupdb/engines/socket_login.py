# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How root logs in through a socket that asks for no password: as the account's user of the operating system."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..system.acting_as import can_act_as
from .registry import engine_of


def through_socket(login: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a login with `login_system_user`, where root logs in through a socket without a password.

    It is the user of the name of the account, if the operating system has one; an account that is not given is the one
    that administers a server of its kind as packages set it up. Every other login is returned as it is.
    """
    found = dict(login)
    others = ("login_password", "login_system_user")
    if os.geteuid() != 0 or not login.get("login_unix_socket") or any(login.get(name) is not None for name in others):
        return found
    user = login.get("login_user") or engine_of(login["engine"]).SOCKET_ADMINISTRATOR
    return {**found, "login_user": user, "login_system_user": user if can_act_as(user) else None}
