# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a database needs of others: described in the backup, so that a drill can make empty stand-ins of it.

Views name tables, views and functions; the default of a column may take the next value of a sequence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...connection.server import Server
from ...errors import ConnectionFailed, QueryFailed
from ..sql_tokens import NUMBER, TEXT, WORD, NotAllowed
from .accounts_grammar import statement_cursor
from .statements import ask, own_session, quoted

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

VIEWS = (
    "SELECT view_definition, table_name FROM information_schema.views WHERE table_schema = :database"
    " AND CAST(table_schema AS BINARY) = CAST(:database AS BINARY)"
)
_DEFAULTS = (
    "SELECT column_default FROM information_schema.columns WHERE table_schema = :database"
    " AND CAST(table_schema AS BINARY) = CAST(:database AS BINARY) AND column_default LIKE '%val(%'"
)
_SEQUENCE = (
    "SELECT 1 FROM information_schema.tables WHERE table_schema = :database AND table_name = :name"
    " AND table_type = 'SEQUENCE' AND CAST(table_schema AS BINARY) = CAST(:database AS BINARY)"
    " AND CAST(table_name AS BINARY) = CAST(:name AS BINARY)"
)
_SCHEMATA = "SELECT schema_name FROM information_schema.schemata"
_COLUMNS = (
    "SELECT column_name, column_type, character_set_name, collation_name FROM information_schema.columns"
    " WHERE table_schema = :database AND table_name = :name"
    " AND CAST(table_schema AS BINARY) = CAST(:database AS BINARY)"
    " AND CAST(table_name AS BINARY) = CAST(:name AS BINARY) ORDER BY ordinal_position"
)
_FUNCTION = (
    "SELECT dtd_identifier FROM information_schema.routines WHERE routine_type = 'FUNCTION'"
    " AND routine_schema = :database AND routine_name = :name"
    " AND CAST(routine_schema AS BINARY) = CAST(:database AS BINARY)"
)
_PARAMETERS = (
    "SELECT dtd_identifier FROM information_schema.parameters WHERE specific_schema = :database"
    " AND specific_name = :name AND routine_type = 'FUNCTION' AND ordinal_position > 0"
    " AND CAST(specific_schema AS BINARY) = CAST(:database AS BINARY) ORDER BY ordinal_position"
)
# What is not closed reaches to the end, and a name alone is passed as a whole, so that the time is linear.
_NAME = r"`(?:[^`]|``)*(?:`|\Z)"
_PAIR = re.compile(rf"'(?:[^'\\]|\\.|'')*(?:'|\Z)|(?P<database>{_NAME})(?:\.(?P<name>{_NAME}))?", re.DOTALL)
# What the servers write behind some types of columns.
_REMARKS = re.compile(r" ?/\*(?:M?!100301 COMPRESSED| mariadb-5\.3 )\*/")
_OF_TYPES = ("UNSIGNED", "SIGNED", "ZEROFILL", "PRECISION", "VARYING", "BINARY", "CHARACTER")
_NAMED_AFTER = ("CHARSET", "SET", "COLLATE")
_WORD = re.compile(r"[A-Za-z0-9_]+\Z")


def find_outside(
    server: Server, connection: Connection, database: str, system: Mapping[str, str], *, views: bool
) -> list[dict[str, Any]]:
    """Describe what the database, which may have `views`, names of others; what cannot be read is left out."""
    definitions: list[str] = []
    for question in (VIEWS, _DEFAULTS) if views else (_DEFAULTS,):
        try:
            definitions += [str(row[0] or "") for row in ask(server, connection, question, database=database)]
        except (QueryFailed, ConnectionFailed):
            continue  # a view that does not answer; it is named by itself
    pairs = sorted({pair for text in definitions for pair in named_pairs(text)})
    if not pairs:
        return []
    there = {str(row[0]) for row in ask(server, connection, _SCHEMATA)} - {database}
    wanted = [pair for pair in pairs if pair[0] in there and pair[0].lower() not in system]
    return [found for pair in wanted for found in _described(server, connection, *pair)]


def named_pairs(definition: str) -> set[tuple[str, str]]:
    """Return whatever may be a database with an object of it in the definition of a view or a default."""
    return {(_plain(one["database"]), _plain(one["name"])) for one in _PAIR.finditer(definition) if one["name"]}


def outside_databases(manifest: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the other databases, as the manifest of a backup has them."""
    wanted = (manifest.get("engine_details") or {}).get("outside") or ()
    if not isinstance(wanted, (list, tuple)):
        return frozenset()
    return frozenset(str(one["database"]) for one in wanted if isinstance(one, Mapping) and "database" in one)


def make_stand_ins(server: Server, manifest: Mapping[str, Any]) -> list[str]:
    """Make empty ones on a private server, and return their names."""
    wanted: Sequence[Mapping[str, Any]] = (manifest.get("engine_details") or {}).get("outside") or ()
    made = []
    with own_session(server) as connection:
        for one in wanted:
            try:
                ask(server, connection, f"CREATE DATABASE IF NOT EXISTS {quoted(str(one['database']))}")
                ask(server, connection, stand_in(one))
            except (QueryFailed, NotAllowed):
                continue  # what needs it will name it
            made.append(f"{one['database']}.{one['name']}")
    return made


def _described(server: Server, connection: Connection, database: str, name: str) -> Iterator[dict[str, Any]]:
    try:
        sequence = ask(server, connection, _SEQUENCE, database=database, name=name)
        columns = ask(server, connection, _COLUMNS, database=database, name=name)
        functions = ask(server, connection, _FUNCTION, database=database, name=name)
        parameters = ask(server, connection, _PARAMETERS, database=database, name=name) if functions else []
    except (QueryFailed, ConnectionFailed):
        return
    if sequence:
        yield {"kind": "sequence", "database": database, "name": name}
    elif columns:
        listed = [[None if value is None else str(value) for value in row] for row in columns]
        yield {"kind": "table", "database": database, "name": name, "columns": listed}
    for (returns,) in functions:
        types = [str(row[0]) for row in parameters]
        yield {"kind": "function", "database": database, "name": name, "returns": str(returns), "parameters": types}


def stand_in(one: Mapping[str, Any]) -> str:
    """Write the statement that makes an empty one; raises `NotAllowed` for a type or collation that is none."""
    place = f"{quoted(str(one['database']))}.{quoted(str(one['name']))}"
    if one["kind"] == "function":
        parameters = ", ".join(f"p{number} {_type(text)}" for number, text in enumerate(one["parameters"]))
        returns = _type(one["returns"])
        return f"CREATE FUNCTION IF NOT EXISTS {place}({parameters}) RETURNS {returns} DETERMINISTIC RETURN NULL"
    if one["kind"] == "sequence":
        return f"CREATE SEQUENCE IF NOT EXISTS {place}"
    return f"CREATE TABLE IF NOT EXISTS {place} ({', '.join(_column(*column) for column in one['columns'])})"


def _column(name: str, kind: str, charset: str | None, collation: str | None) -> str:
    words = f" CHARACTER SET {_word(charset)} COLLATE {_word(collation)}" if charset and collation else ""
    return f"{quoted(name)} {_type(kind)}{words}"


def _type(text: str) -> str:
    """Return it if it is a type and nothing else; raises `NotAllowed`, as somebody may have made up the manifest."""
    shown = _REMARKS.sub("", text)
    cursor = statement_cursor(shown)
    cursor.take(WORD)
    if cursor.has("("):
        cursor.listed(lambda: cursor.take(NUMBER, TEXT))
        cursor.need(")")
    while cursor.next() is not None:
        word = cursor.take(WORD).text.upper()
        if word in _NAMED_AFTER:
            cursor.take(WORD)
        elif word not in _OF_TYPES:
            raise NotAllowed(f"{word[:40]!a} belongs to no type")
    return shown


def _word(text: str) -> str:
    if not _WORD.match(text):
        raise NotAllowed("a character set or collation of a column is no word")
    return text


def _plain(name: str) -> str:
    return name[1:-1].replace("``", "`")
