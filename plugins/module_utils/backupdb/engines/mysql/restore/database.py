# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What surrounds a load: the client, the empty database with the original's properties, and dropping one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ....errors import QueryFailed, RestoreFailed, RestoreRefused
from ...interface import Client, RestoreOptions, ServerFacts
from ..clients import find_clients
from ..family import LOCK_WAIT_TIMEOUT, Family, ask, own_session, quoted, quoted_text

if TYPE_CHECKING:
    from ....connection.server import Server

_EXISTS = "1007"
_UNKNOWN_DATABASE = "1008"
_UNKNOWN_WORDS = ("1115", "1253", "1273")  # character set, collation of another character set, collation
_DROP_PATIENCE = 10  # seconds that DROP DATABASE waits for others before their sessions are ended


def find_restore_clients(facts: ServerFacts, *, family: Family) -> list[Client]:
    """Look at every installed client; any version of the server's own vendor can pass the statements on."""

    def fits(vendor: str, version: tuple[int, ...], server: tuple[int, ...]) -> tuple[bool, str]:
        if vendor != family.vendor:
            return False, f"it is not {family.vendor}'s client and may not be able to log in"
        if version[:2] == server[:2]:
            return True, "it is of the server's own series"
        return True, "it is newer than the server" if version > server else "it is older than the server"

    return find_clients(facts, family=replace(family, dump_programs=family.restore_programs, client_fits=fits))


def create_database(
    server: Server, facts: ServerFacts, name: str, manifest: Mapping[str, Any], options: RestoreOptions
) -> list[str]:
    """Create the empty database with character set, collation and comment of the original; never replaces one."""
    properties = manifest.get("properties") or {}
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
    return []


def finish_database(
    server: Server, facts: ServerFacts, name: str, manifest: Mapping[str, Any], options: RestoreOptions
) -> list[str]:
    """Nothing is left to do: all properties are given when the database is created; rights belong to accounts."""
    return []


def drop_database(server: Server, facts: ServerFacts, name: str) -> None:
    """Drop the database; the sessions in it are ended when they keep it from being dropped."""
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
                _end_sessions(server, name)


def replace_problems(server: Server, facts: ServerFacts, target: str) -> list[str]:
    """Nothing but sessions holds a database here, and those are ended when it is dropped."""
    return []


def swap(server: Server, facts: ServerFacts, scratch: str, target: str) -> str:
    """Never called: `SWAPS` is False."""
    raise RestoreFailed(f"{server.instance.where()}: a database of this server cannot be given another name")


def _end_sessions(server: Server, name: str) -> None:
    rows = server.rows(
        "SELECT id FROM information_schema.processlist WHERE db = :name AND id <> CONNECTION_ID()", {"name": name}
    )
    for row in rows:
        with suppress(QueryFailed):  # it has ended meanwhile
            server.rows(f"KILL CONNECTION {int(row[0])}")
