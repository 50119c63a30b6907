# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statements to MySQL and MariaDB, the session that they run in, and how names and texts are quoted.

Statements go through `ask`, which turns the driver's errors into ours at once, so that they can be caught here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ...connection.server import Server
from ...errors import ConnectionFailed, Interrupted, QueryFailed
from ...system.stopping import repeating

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection
    from sqlalchemy.sql.elements import TextClause

# Errors that say "you may not", as opposed to "that is not there" (manuals, "Server Error Message Reference").
DENIED_CODES = ("1044", "1045", "1142", "1143", "1227", "1370")
LOCK_WAIT_TIMEOUT = "1205"
UNKNOWN_DATABASE = "1049"
NO_SUCH_ACCOUNT = "1133"
_INTERRUPTED = ("1317",)


def ask(server: Server, connection: Connection, statement: str, **parameters: Any) -> list[Any]:
    """Run a statement on a given connection; `:name` parameters only where some are passed.

    Raises `Interrupted` for a statement that was ended because `server.cancel` is set.
    """
    try:
        with server.translated():
            if parameters:
                return list(connection.execute(_with_parameters(statement), parameters))
            result = connection.execution_options(no_parameters=True).exec_driver_sql(statement)
            return list(result) if result.returns_rows else []
    except QueryFailed as error:
        if error.code in _INTERRUPTED and server.cancel.is_set():
            raise Interrupted(f"{server.instance.where()}: stopped while the server was being asked") from error
        raise
    except ConnectionFailed as error:
        # In a session that is open this is about the statement: about a view of another database, say.
        if error.kind != "unknown_database":
            raise
        refusal = str(error).rpartition(" (")[2].rstrip(")")
        raise QueryFailed(f"{server.instance.where()}: {refusal}", code=UNKNOWN_DATABASE) from error


@lru_cache(maxsize=128)
def _with_parameters(statement: str) -> TextClause:
    """Read which parameters a statement has; each is asked again for the next database."""
    from sqlalchemy import text

    return text(statement)


@contextmanager
def own_session(server: Server) -> Iterator[Connection]:
    """Lend a session with settings of its own: it is closed at the end, and takes no place in the pool.

    As in all sessions of ours, names in SHOW CREATE and SHOW GRANTS are quoted with backticks and times are in UTC. A
    statement that runs when `server.cancel` is set is ended on the server.
    """
    with server.translated():
        connection = server.own_connection()
        driver = connection.connection.dbapi_connection
        try:
            with _stopped(server, connection):
                yield connection
        finally:
            server.close_at_once(connection, driver)


@contextmanager
def kept_session(server: Server) -> Iterator[Connection]:
    """As `own_session`, for those whose settings do not matter to the next one: he gets the same session.

    To log in takes longer than much of what is asked of a small database. A session in which something went wrong is
    closed.
    """
    with server.translated():
        connection = _kept_alive(server) or server.own_connection()
        driver = connection.connection.dbapi_connection
        well = False
        try:
            with _stopped(server, connection):
                yield connection
            well = not server.cancel.is_set()
        finally:
            if well and _is_reset(server, connection):
                server.keep(connection)
            else:
                with suppress(ConnectionFailed, QueryFailed):
                    server.close_at_once(connection, driver)


def close_now(server: Server, connection: Connection) -> None:
    """Close a session that is lent, so that it is kept for nobody."""
    if not connection.invalidated:
        server.close_at_once(connection, connection.connection.dbapi_connection)


def _kept_alive(server: Server) -> Connection | None:
    """Return a kept session that answers."""
    while (connection := server.kept()) is not None:
        driver: Any = connection.connection.dbapi_connection
        try:
            with server.translated():
                driver.ping(reconnect=False)
        except (ConnectionFailed, QueryFailed):
            with suppress(ConnectionFailed, QueryFailed):
                server.close_at_once(connection, driver)
        else:
            return connection
    return None


def _is_reset(server: Server, connection: Connection) -> bool:
    """Leave whatever transaction the session is in; tell whether that could be done."""
    if connection.invalidated:
        return False
    try:
        with server.translated():
            connection.rollback()
    except (ConnectionFailed, QueryFailed):
        return False
    return True


@contextmanager
def _stopped(server: Server, connection: Connection) -> Iterator[None]:
    """End what the session is asking as soon as `server.cancel` is set."""
    session = int(ask(server, connection, "SELECT CONNECTION_ID()")[0][0])

    def stop() -> None:
        with suppress(QueryFailed, ConnectionFailed):  # the session may be gone
            server.rows(f"KILL QUERY {session}")

    with repeating(stop, while_set=server.cancel):
        yield


def run_statement(server: Server, statement: str, database: str | None) -> None:
    """Run and commit one statement of the user in a session of its own."""
    with own_session(server) as connection:
        if database is not None:
            ask(server, connection, f"USE {quoted(database)}")
        ask(server, connection, statement)
        ask(server, connection, "COMMIT")


def allowed(server: Server, statements: Sequence[str]) -> list[str]:
    """Return those statements that this server and this login's rights allow."""
    found = []
    with own_session(server) as connection:
        for statement in statements:
            with suppress(QueryFailed):
                ask(server, connection, statement)
                found.append(statement)
    return found


def first_answer(server: Server, connection: Connection, statements: Sequence[str]) -> list[dict[str, Any]]:
    """Run the first statement that this version and these rights allow; rows as name -> value.

    Raises `QueryFailed` of the last one when none is allowed.
    """
    refusal: QueryFailed | None = None
    for statement in statements:
        try:
            return [dict(row._mapping) for row in ask(server, connection, statement)]
        except QueryFailed as error:
            refusal = error
    raise refusal or QueryFailed("no statement to run")


def quoted(name: str) -> str:
    """Quote an identifier: backticks, each one inside doubled."""
    return "`" + name.replace("`", "``") + "`"


def quoted_text(value: str) -> str:
    """Quote a string literal, for a server without NO_BACKSLASH_ESCAPES."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def quoted_account(account: str) -> str:
    """Quote `user@host` as CURRENT_USER() gives it; the host is what follows the last `@`."""
    user, _mark, host = account.rpartition("@")
    return f"{quoted_text(user)}@{quoted_text(host)}"


def version_number(version: str) -> tuple[int, ...]:
    """Read "10.11.19-MariaDB-0+deb12u1" as (10, 11, 19)."""
    match = re.match(r"(?:5\.5\.5-)?(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?", version)
    return tuple(int(part) for part in match.groups() if part is not None) if match else ()
