# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions that views call: MariaDB shows the columns of such a view only to those who may execute them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...connection.server import Server
from ...errors import ConnectionFailed, QueryFailed
from .statements import ask, quoted

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

Function = tuple[str, str]  # database and name

_FUNCTIONS = "SELECT routine_schema, routine_name FROM information_schema.routines WHERE routine_type = 'FUNCTION'"
_VIEWS = (
    "SELECT table_name, view_definition FROM information_schema.views WHERE table_schema = :database"
    " AND CAST(table_schema AS BINARY) = CAST(:database AS BINARY)"
)
_NAME = r"`(?:[^`]|``)*`"
# A text is passed over; a function is a quoted name before a parenthesis, in its own database without that one's name.
_CALL = re.compile(rf"'(?:[^'\\]|\\.|'')*'|(?:(?P<database>{_NAME})\.)?(?P<name>{_NAME})\(", re.DOTALL)


def functions_of_views(
    server: Server, connection: Connection, databases: Sequence[str]
) -> dict[str, Mapping[Function, list[str]]]:
    """Return for each database the functions that its views call, with the views. What cannot be read has none."""
    known = {(str(database), str(name)) for database, name in ask(server, connection, _FUNCTIONS)}
    found: dict[str, Mapping[Function, list[str]]] = {}
    for database in databases if known else ():
        try:
            views = ask(server, connection, _VIEWS, database=database)
        except (QueryFailed, ConnectionFailed):
            continue  # a table of it that does not answer; the views are looked at one by one later
        called: dict[Function, list[str]] = {}
        for view, definition in views:
            for function in sorted(calls(str(definition or ""), database) & known):
                called.setdefault(function, []).append(str(view))
        found[database] = called
    return found


def calls(definition: str, database: str) -> set[Function]:
    """Return what a view's definition may call."""
    return {
        (_plain(found["database"]) if found["database"] else database, _plain(found["name"]))
        for found in _CALL.finditer(definition)
        if found["name"]
    }


def execute_on(function: Function) -> str:
    """Write the right on the function as GRANT does."""
    return f"EXECUTE ON FUNCTION {quoted(function[0])}.{quoted(function[1])}"


def _plain(name: str) -> str:
    return name[1:-1].replace("``", "`")
