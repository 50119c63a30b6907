# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Grants on tables, columns and routines that are not there any more: both servers keep them when these are dropped.

No server would give them anew, so an export marks them, and neither a restore nor a comparison expects them back. What
is granted together, on one table, is taken apart as far as only some of its columns are gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...connection.server import Server
from ..accounts_document import Statement
from .grants import ALL, UNQUOTED_TEXT, Grants, parse_line
from .statements import ask

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_NAME = r"`(?:[^`]|``)*`"
_SPLIT = re.compile(rf"^GRANT (?P<rights>{UNQUOTED_TEXT}) ON (?P<rest>.*)$", re.DOTALL)
_RIGHT = re.compile(rf"(?P<right>[A-Z][A-Z ]*?)\s*(?:\((?P<columns>{_NAME}(?:, ?{_NAME})*)\))?(?:, ?|$)")
_COLUMN = re.compile(_NAME)

_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = :database"
_COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_schema = :database AND table_name = :table"
_ROUTINES = "SELECT routine_name FROM information_schema.routines WHERE routine_schema = :database"


class LiveObjects:
    """What is there, as far as a grant may be on it; asked for once. Names are the same in any case: rather too few
    grants are dead than too many."""

    def __init__(self, server: Server, connection: Connection, grants: Grants) -> None:
        """`grants` are those of the login: where it does not see everything, nothing is known to be gone."""
        self._server = server
        self._connection = connection
        self._grants = grants
        self._known: dict[tuple[str, ...], frozenset[str]] = {}

    def parted(self, statement: Statement) -> Iterator[Statement]:
        """Yield the statement, or what of it is alive and what is dead."""
        entry = parse_line(statement.sql.rstrip(";")) if statement.kind == "object_grant" else None
        if entry is None or not self._grants.has_on_database("SELECT", entry.database) or is_promise(statement.sql):
            yield statement
        elif entry.of_routine:
            yield self._whole(statement, entry.object, _ROUTINES, database=entry.database)
        elif entry.object.casefold() not in self._names(_TABLES, database=entry.database):
            yield Statement(statement.kind, statement.sql, statement.database, dead=True)
        else:
            columns = self._names(_COLUMNS, database=entry.database, table=entry.object)
            yield from _parted_by_columns(statement, columns)

    def _whole(self, statement: Statement, name: str, query: str, **place: str) -> Statement:
        dead = name.casefold() not in self._names(query, **place)
        return Statement(statement.kind, statement.sql, statement.database, dead=dead)

    def _names(self, query: str, **place: str) -> frozenset[str]:
        key = (query, *place.values())
        if key not in self._known:
            rows = ask(self._server, self._connection, query, **place)
            self._known[key] = frozenset(str(row[0]).casefold() for row in rows)
        return self._known[key]


def is_promise(sql: str) -> bool:
    """Tell whether the grant may be given before its table is there: with it the table can be made."""
    entry = parse_line(sql.rstrip(";"))
    return entry is not None and bool(entry.rights & {ALL, "ALL", "CREATE"})


def _parted_by_columns(statement: Statement, there: frozenset[str]) -> Iterator[Statement]:
    split = _SPLIT.match(statement.sql)
    if split is None or "(" not in split["rights"]:
        yield statement
        return
    alive: list[str] = []
    dead: list[str] = []
    for found in _RIGHT.finditer(split["rights"]):
        if found["columns"] is None:
            alive.append(found["right"])
            continue
        columns = _COLUMN.findall(found["columns"])
        for target, is_there in ((alive, True), (dead, False)):
            chosen = [one for one in columns if (_plain(one) in there) == is_there]
            target.extend([f"{found['right']} ({', '.join(chosen)})"] if chosen else [])
    if not dead:
        yield statement
        return
    for rights, is_dead in ((alive, False), (dead, True)):
        if rights:
            yield Statement(statement.kind, _granted(rights, split["rest"]), statement.database, dead=is_dead)


def _granted(rights: Sequence[str], rest: str) -> str:
    return f"GRANT {', '.join(rights)} ON {rest}"


def _plain(column: str) -> str:
    return column[1:-1].replace("``", "`").casefold()
