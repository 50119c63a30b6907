# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a connection, on their way into the library's `Instance`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..system.options import at_least
from .instance import Instance


def instance_from(options: Mapping[str, Any]) -> Instance:
    """Make the library's instance; raises `InvalidOption`."""
    return Instance(
        id=options["instance"],
        engine=options["engine"],
        host=options["login_host"],
        port=options["login_port"],
        user=options["login_user"],
        password=options["login_password"],
        unix_socket=options["login_unix_socket"],
        database=options["login_db"],
        ssl_mode=options["ssl_mode"],
        ca_cert=options["ca_cert"],
        client_cert=options["client_cert"],
        client_key=options["client_key"],
        connect_timeout=at_least(options, "connect_timeout", 1),
    )
