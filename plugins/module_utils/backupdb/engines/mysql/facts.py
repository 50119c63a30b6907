# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about a MySQL or MariaDB server, and the list of its databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...connection.server import Server
from ...errors import ConnectionFailed, QueryFailed
from ..values import Database, ServerFacts
from .family import MysqlFamily
from .sizes import database_sizes
from .statements import ask, first_answer, version_number

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

# A name that the server could not decode: a folder in the data directory, such as lost+found.
_UNDECODED_PREFIX = "#mysql50#"

# MySQL 8 and later serve sizes from a cache that is a day old by default.
FRESH_STATISTICS = "SET SESSION information_schema_stats_expiry = 0"


def detect_vendor(server: Server) -> str:
    """Tell the real vendor, whatever was asked for: "mariadb" or "mysql"."""
    text = " ".join(str(server.value(f"SELECT @@{name}")) for name in ("version", "version_comment"))
    return "mariadb" if "mariadb" in text.lower() else "mysql"


def read_facts(engine: MysqlFamily) -> ServerFacts:
    """Ask for vendor, version, role, size and settings. Settings that this version does not have are left out."""
    server = engine.server
    version = str(server.value("SELECT @@version"))
    number = version_number(version)
    with server.connect() as connection:
        fresh_statistics(server, connection)
        sizes = [size for size, _tables in database_sizes(server, connection).values() if size is not None]
        settings: dict[str, Any] = {}
        for name in engine.SETTINGS:
            value = variable(server, connection, name)
            if value is not None:
                settings[name] = value
        settings["plugins"] = _plugins(server, connection)
        settings.update(_components(server, connection))
        role = _role(engine, connection)
    return ServerFacts(
        vendor=detect_vendor(server),
        version=".".join(str(part) for part in number),
        version_number=number,
        role=role,
        data_bytes=sum(sizes) if sizes else None,
        settings=settings,
    )


def list_databases(engine: MysqlFamily) -> list[Database]:
    """List every database that the login may see, with sizes in bytes."""
    server = engine.server
    with server.connect() as connection:
        fresh_statistics(server, connection)
        sizes = database_sizes(server, connection)
        schemata = ask(
            server,
            connection,
            "SELECT schema_name, default_character_set_name, default_collation_name FROM information_schema.schemata",
        )
    found = [
        _database(engine, str(name), charset, collation, *sizes.get(str(name), (0, 0)))
        for name, charset, collation in schemata
    ]
    # Sorted here: names that differ in case only are equal to the server's collation.
    return sorted(found, key=lambda database: database.name)


def variable(server: Server, connection: Connection, name: str) -> Any:
    """Return a global variable; None where this version has none of that name or does not show it to the login."""
    try:
        return ask(server, connection, f"SELECT @@GLOBAL.{name}")[0][0]
    except QueryFailed:
        return None


def fresh_statistics(server: Server, connection: Connection) -> None:
    """Have sizes and counts read from the tables, where the server would serve them from a cache."""
    try:
        ask(server, connection, FRESH_STATISTICS)
    except QueryFailed:
        return  # a server without that cache


def _plugins(server: Server, connection: Connection) -> list[str]:
    rows = ask(
        server,
        connection,
        "SELECT plugin_name FROM information_schema.plugins"
        " WHERE plugin_status = 'ACTIVE' AND plugin_library IS NOT NULL ORDER BY plugin_name",
    )
    return [str(row[0]) for row in rows]


def _components(server: Server, connection: Connection) -> dict[str, list[str]]:
    """Name MySQL's components, where there are any and the login may see them."""
    try:
        rows = ask(server, connection, "SELECT component_urn FROM mysql.component ORDER BY 1")
    except (QueryFailed, ConnectionFailed):
        return {}
    return {"components": [str(row[0]) for row in rows]} if rows else {}


def _role(engine: MysqlFamily, connection: Connection) -> str:
    try:
        return "replica" if first_answer(engine.server, connection, engine.REPLICA_STATUS) else "primary"
    except QueryFailed:
        # Without the right to see the replication, a server that takes no writes is taken for a replica.
        return "replica" if variable(engine.server, connection, "read_only") in (1, "ON") else "primary"


def _database(
    engine: MysqlFamily,
    name: str,
    charset: str | None,
    collation: str | None,
    size: int | None,
    tables: int | None,
) -> Database:
    reason = engine.SYSTEM_DATABASES.get(name.lower())
    undecoded = name.startswith(_UNDECODED_PREFIX)
    return Database(
        name=name,
        size_bytes=size,
        owner=None,
        encoding=charset,
        collation=collation,
        tables=tables,
        is_system=reason is not None,
        connectable=not undecoded,
        reason="a folder in the data directory that the server did not make" if undecoded else reason,
    )
