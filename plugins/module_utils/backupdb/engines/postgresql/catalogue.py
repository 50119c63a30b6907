# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a PostgreSQL server says about itself and its databases (system catalogues, PostgreSQL manual chapter 53)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...connection.server import Server
from ...errors import ConnectionFailed, QueryFailed
from ..values import Database, ServerFacts
from .relations import FROM, ORDINARY

MAINTENANCE_DATABASE = "postgres"
TEMPLATE_DATABASE = "template1"

# Every server has these, and they are made anew with a server.
SYSTEM_DATABASES = {
    MAINTENANCE_DATABASE: "the maintenance database that every server has to connect to",
    "template0": "the pristine template that every server has; nobody can connect to it or change it",
    TEMPLATE_DATABASE: "the template of new databases",
}

_PEOPLE_USE = (MAINTENANCE_DATABASE, TEMPLATE_DATABASE)  # of the server's own, those that may hold what is not

_SETTINGS = (
    "block_size",
    "data_checksums",
    "default_table_access_method",
    "default_text_search_config",
    "default_toast_compression",
    "integer_datetimes",
    "lc_messages",
    "lc_monetary",
    "lc_numeric",
    "lc_time",
    "max_connections",
    "max_locks_per_transaction",
    "max_prepared_transactions",
    "max_wal_senders",
    "max_worker_processes",
    "password_encryption",
    "server_encoding",
    "shared_preload_libraries",  # shown only to superusers and members of pg_read_all_settings
    "TimeZone",
    "wal_level",
)

# Sizes are refused without CONNECT on the database; pg_read_all_stats sees all of them.
_SIZE = """CASE WHEN has_database_privilege(d.oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')
                THEN pg_database_size(d.oid) END"""


def raw_name_bytes(expression: str) -> str:
    """Return SQL that gives a name's bytes in hexadecimal as they are, to be read by `name_from`.

    Names in shared catalogues are in the encoding of the database in which they were made: sending one that is not
    UTF-8 fails in the server or in the driver. As text for `bytea` (a backslash doubled) it is not looked at.
    """
    return f"encode({_bytes(expression)}, 'hex')"


def name_bytes(expression: str) -> str:
    """As `raw_name_bytes`, read in the encoding of the cluster where that has one byte a character (LATIN1, ...).

    It is what `initdb` was told, whatever database the login enters, so that a role has one name everywhere. Names of
    databases are not read so: a connection names them by their bytes.
    """
    raw = _bytes(expression)
    return (
        f"encode(CASE WHEN {_ONE_BYTE} THEN convert({raw}, CAST({_CLUSTER_ENCODING} AS name), 'UTF8') ELSE {raw} END,"
        " 'hex')"
    )


def _bytes(expression: str) -> str:
    backslash = "chr(92)"
    return f"CAST(replace(CAST({expression} AS text), {backslash}, repeat({backslash}, 2)) AS bytea)"


# That of the template which nobody changes. Bytes without meaning (SQL_ASCII) are read as UTF-8, as those of UTF8 are.
_CLUSTER_ENCODING = "(SELECT pg_encoding_to_char(encoding) FROM pg_catalog.pg_database WHERE datname = 'template0')"
_ONE_BYTE = """(SELECT encoding <> 0 AND pg_encoding_max_length(encoding) = 1
                  FROM pg_catalog.pg_database WHERE datname = 'template0')"""


def cluster_encoding(server: Server) -> str:
    """Return the encoding in which names of roles are read, as `name_bytes` does: UTF8 but for one byte a character."""
    return str(server.value(f"SELECT CASE WHEN {_ONE_BYTE} THEN {_CLUSTER_ENCODING} ELSE 'UTF8' END"))


def name_from(hexadecimal: str) -> str:
    """Read the bytes of a name as UTF-8; other bytes become lone surrogates, as in Python's file names."""
    return bytes.fromhex(hexadecimal).decode("utf-8", "surrogateescape")


_DATABASES = f"""
    SELECT {raw_name_bytes("d.datname")} AS name, {name_bytes("pg_get_userbyid(d.datdba)")} AS owner,
           d.oid AS oid, pg_encoding_to_char(d.encoding) AS encoding, d.datcollate AS collation,
           d.datistemplate AS is_template, d.datallowconn AS allows, d.datconnlimit AS connection_limit
      FROM pg_catalog.pg_database d ORDER BY 1"""  # noqa: S608  constants only

_SIZES = f"SELECT {_SIZE} AS size, d.oid AS oid FROM pg_catalog.pg_database d"  # noqa: S608

_INVALID = -2  # datconnlimit of a database whose DROP was interrupted (PostgreSQL 15.4 and newer)


def read_facts(server: Server) -> ServerFacts:
    """Ask for version, role, size and the settings that a restore must match."""
    ((version, number, replica),) = server.rows(
        "SELECT current_setting('server_version'), CAST(current_setting('server_version_num') AS int), "
        "pg_is_in_recovery()"
    )
    settings = server.rows(
        "SELECT name, setting FROM pg_catalog.pg_settings WHERE name = ANY(:names) ORDER BY name",
        {"names": list(_SETTINGS)},
    )
    known = [size for size in _sizes(server).values() if size is not None]
    return ServerFacts(
        vendor="postgresql",
        version=version.split()[0],
        version_number=(number // 10000, number % 10000),
        role="replica" if replica else "primary",
        data_bytes=sum(known) if known else None,
        settings=dict(tuple(row) for row in settings),
    )


def read_databases(server: Server) -> list[Database]:
    """List every database, in the order of their names' bytes.

    The maintenance database is left out like the templates, but some people keep tables in it, or in the template of
    new databases: those are counted, so that leaving them out is told, and each can be asked for by its name.
    """
    rows = server.rows(_DATABASES)
    sizes = _sizes(server)
    databases = [_database(row, sizes.get(row.oid)) for row in rows]
    return [
        replace(database, tables=_own_tables(server, database)) if database.name in _PEOPLE_USE else database
        for database in databases
    ]


def _sizes(server: Server) -> dict[int, int | None]:
    """Return the size of each database by its number, None where it cannot be told.

    A database that is dropped at this moment, or whose files cannot be read, makes the server refuse the sizes of all.
    """
    try:
        return {row.oid: row.size for row in server.rows(_SIZES)}
    except QueryFailed:
        return {oid: _size(server, oid) for (oid,) in server.rows("SELECT oid FROM pg_catalog.pg_database")}


def _size(server: Server, oid: int) -> int | None:
    try:
        size = server.value(f"{_SIZES} WHERE d.oid = :oid", {"oid": oid})
    except QueryFailed:
        return None
    return None if size is None else int(size)


def _own_tables(server: Server, database: Database) -> int | None:
    statement = f"SELECT count(*) {FROM} WHERE c.relkind IN ('r', 'p', 'm', 'f') AND {ORDINARY}"
    try:
        return int(server.value(statement, database=database.name))
    except (ConnectionFailed, QueryFailed):
        return None  # this login may not connect there
    finally:
        if database.name != MAINTENANCE_DATABASE:
            server.forget(database.name)  # nobody can make a database while a session is in its template


def _database(row: Any, size: int | None) -> Database:
    name = name_from(row.name)
    connectable = row.allows and row.connection_limit != _INVALID
    return Database(
        name=name,
        size_bytes=size,
        owner=name_from(row.owner),
        encoding=row.encoding,
        collation=row.collation,
        tables=None,
        is_system=name in SYSTEM_DATABASES,
        connectable=connectable,
        reason=_reason(name, row),
        on_request=connectable and (name in _PEOPLE_USE or (row.is_template and name not in SYSTEM_DATABASES)),
        unaddressable=_is_other_encoding(name),
    )


def _is_other_encoding(name: str) -> bool:
    return any("\udc80" <= character <= "\udcff" for character in name)


def _reason(name: str, row: Any) -> str | None:
    if name in SYSTEM_DATABASES:
        return SYSTEM_DATABASES[name]
    if row.connection_limit == _INVALID:
        return "it is invalid: its DROP DATABASE was interrupted; drop it"
    if not row.allows:
        return "it allows no connections (datallowconn is false)"
    if row.is_template:
        return "it is a template for other databases (datistemplate is true); name it in databases to have it backed up"
    if _is_other_encoding(name):
        return (
            "its name is not UTF-8 (it was made in a database of another encoding); "
            "rename it from a database with the encoding UTF8 to have it backed up"
        )
    return None
