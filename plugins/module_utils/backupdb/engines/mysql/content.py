# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Row counts and fingerprints of tables, read in the coordinator's own snapshot.

A fingerprint does not depend on the order of the rows: it is `rows:sum`, where sum adds up 64 bits of a SHA-256 of
each row.
A row's hash is over the hashes of its columns, so that NULL and empty values differ, and values that are split
over columns in another way; it is equal after a restore by the standard clients with the same column types.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from ...connection.server import Server
from .catalogue import Relation
from .statements import ask, quoted

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

# How history rows of a system-versioned table are named next to the table itself.
WITH_HISTORY = " FOR SYSTEM_TIME ALL"


def count_rows(
    server: Server, connection: Connection, database: str, tables: Sequence[Relation], *, empty: Collection[str] = ()
) -> dict[str, int]:
    """Count the rows of transactional tables; of system-versioned ones also with their history.

    Those in `empty` are taken for tables without rows.
    """
    counts = {}
    for table in tables:
        for suffix in _readings(table):
            if table.name in empty:
                counts[table.name + suffix] = 0
                continue
            source = f"{quoted(database)}.{quoted(table.name)}{suffix}"
            statement = f"SELECT COUNT(*) FROM {source}"  # noqa: S608  quoted identifiers
            counts[table.name + suffix] = int(ask(server, connection, statement)[0][0])
    return counts


def fingerprints(
    server: Server, connection: Connection, database: str, found: Sequence[Relation], *, empty: Collection[str] = ()
) -> dict[str, str]:
    """Take the fingerprints of transactional tables. Those in `empty` are taken for tables without rows."""
    prints = {}
    for relation in found:
        place = f"{quoted(database)}.{quoted(relation.name)}"
        for suffix in _readings(relation):
            if relation.name in empty:
                prints[relation.name + suffix] = "0:0"
                continue
            columns = _columns(server, connection, database, relation.name, history=bool(suffix))
            prints[relation.name + suffix] = _fingerprint(server, connection, f"{place}{suffix}", columns)
    return prints


def sequence_values(server: Server, connection: Connection, database: str, found: Sequence[Relation]) -> dict[str, str]:
    """Return the fingerprints of sequences. They are outside of every snapshot: what is read is their present value."""
    values = {}
    for relation in found:
        if relation.type == "SEQUENCE":
            place = f"{quoted(database)}.{quoted(relation.name)}"
            statement = f"SELECT next_not_cached_value, cycle_count FROM {place}"  # noqa: S608  quoted identifiers
            value = ask(server, connection, statement)
            values[relation.name] = f"sequence:{value[0][0]}:{value[0][1]}"
    return values


def _readings(table: Relation) -> Sequence[str]:
    if not table.is_table or not table.is_transactional:
        return ()
    return ("", WITH_HISTORY) if table.type == "SYSTEM VERSIONED" else ("",)


def _columns(server: Server, connection: Connection, database: str, table: str, *, history: bool) -> list[str]:
    """Name all columns, invisible ones too; with `history` also the two that tell from when to when a row was true."""
    rows = ask(
        server,
        connection,
        "SELECT column_name, generation_expression FROM information_schema.columns"
        " WHERE table_schema = :database AND table_name = :table"
        " AND CAST(table_schema AS BINARY) = CAST(:database AS BINARY)"
        " AND CAST(table_name AS BINARY) = CAST(:table AS BINARY) ORDER BY ordinal_position",
        database=database,
        table=table,
    )
    columns = [str(row[0]) for row in rows]
    declared = any(str(row[1]).upper() == "ROW START" for row in rows)
    return [*columns, "row_start", "row_end"] if history and not declared else columns


def _fingerprint(server: Server, connection: Connection, source: str, columns: Sequence[str]) -> str:
    hashes = ", ".join(f"COALESCE(SHA2({quoted(column)}, 256), '-')" for column in columns)
    row = f"CAST(CONV(LEFT(SHA2(CONCAT_WS(',', {hashes}), 256), 16), 16, 10) AS UNSIGNED)"
    statement = f"SELECT COUNT(*), COALESCE(SUM({row}), 0) FROM {source}"  # noqa: S608  quoted identifiers
    rows, total = ask(server, connection, statement)[0]
    return f"{int(rows)}:{int(total):x}"
