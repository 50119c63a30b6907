# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases to measure with: the same rows every time, of the kinds that real ones have."""

from __future__ import annotations

from contextlib import closing

from support.private_server import PrivateServer

# Of each kind of table: its columns, the row of number n, and about how many bytes of a dump a row is.
_ACCOUNT = "n int PRIMARY KEY, branch int NOT NULL, balance int NOT NULL, filler char(84) NOT NULL"
_POSTGRESQL = {
    "account": (_ACCOUNT, "n, n % 97, n % 99991, 'account ' || n", 110),
    "event": (
        "n int PRIMARY KEY, body text NOT NULL",
        """n, '{"user": ' || n % 5003 || ', "path": "/item/' || n % 977 || '", "b' || n % 7 || '": "'
        || repeat(md5((n % 1000)::text), 8) || '", "id": "' || md5(n::text) || '"}'""",
        400,
    ),
    "image": (
        "n int PRIMARY KEY, body bytea NOT NULL",
        "n, decode(string_agg(md5((n * 64 + i)::text), ''), 'hex')",
        2060,
    ),
}
_MYSQL = {
    "account": (_ACCOUNT, "n, n % 97, n % 99991, CONCAT('account ', n)", 110),
    "event": (
        "n int PRIMARY KEY, body text NOT NULL",
        """n, CONCAT('{"user": ', n % 5003, ', "path": "/item/', n % 977, '", "note": "', REPEAT(MD5(n % 1000), 8),
        '", "id": "', MD5(n), '"}')""",
        380,
    ),
    "image": ("n int PRIMARY KEY, body blob NOT NULL", "n, UNHEX(REPEAT(SHA2(n, 512), 8))", 1040),
}
_PARTS = {"account": 0.5, "event": 0.3, "image": 0.2}


def fill(server: PrivateServer, database: str, mib: float) -> None:
    """Make a database whose dump has about so many MiB, half of it narrow rows, the rest texts and bytes."""
    is_postgresql = server.engine == "postgresql"
    step = 20_000 if is_postgresql else 1_000  # as deep as a recursion may go
    server.sql(f"CREATE DATABASE {database}")
    with closing(server.connect(database=database)) as connection, connection.cursor() as cursor:
        for table, (columns, row, size) in (_POSTGRESQL if is_postgresql else _MYSQL).items():
            cursor.execute(f"CREATE TABLE {table} ({columns})")
            rows = max(1, int(mib * _PARTS[table] * (1 << 20) / size))
            for first in range(1, rows + 1, step):
                last = min(first + step - 1, rows)
                cursor.execute(f"INSERT INTO {table} {_rows(is_postgresql, first, last, row, table)}")


def _rows(is_postgresql: bool, first: int, last: int, row: str, table: str) -> str:
    if not is_postgresql:
        numbers = f"WITH RECURSIVE s (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM s WHERE n < {last})"
        return f"{numbers} SELECT {row} FROM s"
    pieces = ", generate_series(1, 64) i GROUP BY n" if table == "image" else ""
    return f"SELECT {row} FROM generate_series({first}, {last}) n{pieces}"


def fill_tables(server: PrivateServer, database: str, tables: int) -> None:
    """Make a database of many small tables with an index and a row each."""
    server.sql(f"CREATE DATABASE {database}")
    columns = "n int PRIMARY KEY, label varchar(40) NOT NULL, amount numeric(12, 2)"
    with closing(server.connect(database=database)) as connection, connection.cursor() as cursor:
        for number in range(tables):
            cursor.execute(f"CREATE TABLE t{number} ({columns})")
            cursor.execute(f"CREATE INDEX i{number} ON t{number} (label)")
            cursor.execute(f"INSERT INTO t{number} VALUES (1, 'one', 1.5)")


def fill_databases(server: PrivateServer, count: int) -> list[str]:
    """Make many small databases of five tables, and return their names."""
    names = [f"small{number}" for number in range(count)]
    for name in names:
        fill_tables(server, name, 5)
    return names
