# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes of tables and databases.

The server asks each table for them, so a single one that does not answer must cost nobody else: where the whole list
fails it is asked for database by database, and there table by table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...connection.server import Server
from ...errors import QueryFailed
from .statements import ask

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

BASE_TABLE_TYPES = ("BASE TABLE", "SYSTEM VERSIONED")

_WHOLE = (
    "SELECT MIN(table_schema), SUM(data_length + index_length), SUM(table_type IN ('BASE TABLE', 'SYSTEM VERSIONED'))"
    " FROM information_schema.tables GROUP BY CAST(table_schema AS BINARY)"
)
_IN_DATABASE = "table_schema = :database AND CAST(table_schema AS BINARY) = CAST(:database AS BINARY)"
_NAMES = f"SELECT table_name, table_type FROM information_schema.tables WHERE {_IN_DATABASE}"  # noqa: S608
_LENGTHS = "SELECT table_name, COALESCE(data_length, 0), COALESCE(index_length, 0) FROM information_schema.tables"
_SIZES = f"{_LENGTHS} WHERE {_IN_DATABASE}"
_OF_TABLE = f"{_SIZES} AND table_name = :name AND CAST(table_name AS BINARY) = CAST(:name AS BINARY)"


@dataclass(frozen=True)
class TableSizes:
    """Bytes of rows and of indexes by table, and those tables that did not answer, each with the server's words."""

    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    dead: dict[str, str] = field(default_factory=dict)


def database_sizes(server: Server, connection: Connection) -> dict[str, tuple[int | None, int | None]]:
    """Return bytes and number of tables for each database that has any; without the tables that do not answer."""
    try:
        return {str(name): (_integer(size), _integer(tables)) for name, size, tables in ask(server, connection, _WHOLE)}
    except QueryFailed:
        schemata = ask(server, connection, "SELECT schema_name FROM information_schema.schemata")
        return {str(name): size for (name,) in schemata for size in _of_database(server, connection, str(name))}


def table_sizes(server: Server, connection: Connection, database: str) -> TableSizes:
    """Return what the tables of a database say of their sizes."""
    try:
        rows = ask(server, connection, _SIZES, database=database)
        return TableSizes({str(name): (int(data), int(index)) for name, data, index in rows})
    except QueryFailed:
        found = TableSizes()
        for name, _kind in ask(server, connection, _NAMES, database=database):
            try:
                rows = ask(server, connection, _OF_TABLE, database=database, name=str(name))
                found.sizes.update({str(row[0]): (int(row[1]), int(row[2])) for row in rows})
            except QueryFailed as error:
                found.dead[str(name)] = str(error)
        return found


def _of_database(server: Server, connection: Connection, name: str) -> Iterator[tuple[int | None, int | None]]:
    try:
        kinds = [str(kind) for _name, kind in ask(server, connection, _NAMES, database=name)]
        sizes = table_sizes(server, connection, name).sizes
    except QueryFailed:
        yield None, None
        return
    if kinds:
        yield sum(sum(pair) for pair in sizes.values()), sum(kind in BASE_TABLE_TYPES for kind in kinds)


def _integer(value: object) -> int | None:
    return None if value is None else int(str(value))
