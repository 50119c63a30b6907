# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What surrounds a load: making the empty database with the original's properties, and dropping one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ....connection.server import Server
from ....errors import QueryFailed, RestoreFailed, RestoreRefused
from ..family import MysqlFamily
from ..sessions import sessions_of
from ..statements import LOCK_WAIT_TIMEOUT, ask, own_session, quoted, quoted_text

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_EXISTS = "1007"
_UNKNOWN_DATABASE = "1008"
_UNKNOWN_WORDS = ("1115", "1253", "1273")  # character set, collation of another character set, collation
_DROP_PATIENCE = 10  # seconds that DROP DATABASE waits for others before their sessions are ended


def create_database(server: Server, name: str, properties: Mapping[str, Any]) -> None:
    """Create the empty database with the manifest's properties of the original; never replaces one."""
    words = [f"CREATE DATABASE {quoted(name)}"]
    if properties.get("character_set"):
        words.append(f"CHARACTER SET {quoted_text(properties['character_set'])}")
    if properties.get("collation"):
        words.append(f"COLLATE {quoted_text(properties['collation'])}")
    if properties.get("comment"):
        words.append(f"COMMENT {quoted_text(properties['comment'])}")
    if str(properties.get("encryption", "")).upper() == "YES":
        words.append("ENCRYPTION 'Y'")
    place = f"{server.instance.where()}, database {name}"
    try:
        with own_session(server) as connection:
            ask(server, connection, " ".join(words))
    except QueryFailed as error:
        if error.code == _EXISTS:
            raise RestoreRefused(f"{place}: it is there already; choose another target, or replace it") from error
        if error.code in _UNKNOWN_WORDS:
            raise RestoreRefused(
                f"{place}: this server does not know the database's character set or collation: {error}"
            ) from error
        raise


def drop_database(engine: MysqlFamily, name: str) -> None:
    """Drop the database; the sessions in it are ended when they keep it from being dropped."""
    server = engine.server
    with own_session(server) as connection:
        ask(server, connection, f"SET SESSION lock_wait_timeout = {_DROP_PATIENCE}")
        for last in (False, True):
            try:
                ask(server, connection, f"DROP DATABASE {quoted(name)}")
                return
            except QueryFailed as error:
                if error.code == _UNKNOWN_DATABASE:
                    return
                if error.code != LOCK_WAIT_TIMEOUT:
                    raise
                if last:
                    place = f"{server.instance.where()}, database {name}"
                    text = "cannot be dropped while other sessions hold its tables; end them and drop it"
                    raise RestoreFailed(f"{place}: {text}: {error}") from error
                _end_sessions(engine, connection, name)


def _end_sessions(engine: MysqlFamily, connection: Connection, name: str) -> None:
    own = int(ask(engine.server, connection, "SELECT CONNECTION_ID()")[0][0])
    for session in sessions_of(engine, connection):
        if session.database == name and session.id != own:
            with suppress(QueryFailed):  # it has ended meanwhile
                engine.server.rows(f"KILL CONNECTION {session.id}")
