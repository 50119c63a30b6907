# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session for statements about roles, in which hashes of passwords stay out of the server's log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ...connection.server import Server
from ...errors import QueryFailed

# Before our statements: no hash in the server's log (a superuser's right), no membership that nobody asked for.
_SETTINGS = (
    "SET log_statement TO 'none'",
    "SET log_min_duration_statement TO -1",
    "SET log_min_error_statement TO 'panic'",
    "SET createrole_self_grant TO ''",
)


@contextmanager
def account_session(server: Server, database: str | None = None) -> Iterator[Callable[[str], None]]:
    """Give a function that carries out one statement, as it is; it raises `QueryFailed` or `ConnectionFailed`.

    A setting that the server does not know, or that the login may not change, is left as it is.
    """
    with server.connect(database) as lent:
        connection = lent.execution_options(no_parameters=True)

        def carry_out(sql: str) -> None:
            with server.translated(database):
                connection.exec_driver_sql(sql).close()

        try:
            for statement in _SETTINGS:
                with suppress(QueryFailed):
                    carry_out(statement)
            yield carry_out
        finally:
            connection.invalidate()  # its settings are for nobody else
