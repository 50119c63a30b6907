# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that say which server is meant and how to log in, on their way into the library's `Instance`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..system.options import Option, at_least
from .instance import SSL_MODES, Instance

OPTIONS: Mapping[str, Option] = {
    "instance": Option(required=True),
    "engine": Option(required=True),  # its choices are added where engines are known, in engines/options.py
    "login_host": Option(),
    "login_port": Option("int"),
    "login_user": Option(environment="BACKUPDB_LOGIN_USER"),
    "login_password": Option(secret=True, environment="BACKUPDB_LOGIN_PASSWORD"),
    "login_unix_socket": Option("path"),
    "login_db": Option(),
    "ssl_mode": Option(default="prefer", choices=SSL_MODES),
    "ca_cert": Option("path"),
    "client_cert": Option("path"),
    "client_key": Option("path", secret=False),
    "connect_timeout": Option("int", default=10),
}
# What is beyond the place of the server and the account.
TRANSPORT = ("login_db", "ssl_mode", "ca_cert", "client_cert", "client_key", "connect_timeout")
# Of those who restore. What reads repositories as one user may log in as another one, whom the socket takes.
SYSTEM_USER: Mapping[str, Option] = {"login_system_user": Option()}


def instance_from(options: Mapping[str, Any]) -> Instance:
    """Make the library's instance; raises `InvalidOption`."""
    system_user = options.get("login_system_user") or None
    return Instance(
        id=options["instance"],
        engine=options["engine"],
        host=options["login_host"],
        port=options["login_port"],
        user=options["login_user"] or system_user,
        password=options["login_password"],
        unix_socket=options["login_unix_socket"],
        database=options["login_db"],
        ssl_mode=options["ssl_mode"],
        ca_cert=options["ca_cert"],
        client_cert=options["client_cert"],
        client_key=options["client_key"],
        connect_timeout=at_least(options, "connect_timeout", 1),
        system_user=system_user,
    )
