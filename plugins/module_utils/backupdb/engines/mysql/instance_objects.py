# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs to the whole instance and to no account: servers, loadable functions, spatial reference systems.

The dump clients leave all of it out. Statements go into the document of the accounts; what cannot be taken is named.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...connection.server import Server
from ...errors import ConnectionFailed, QueryFailed
from ..accounts_document import Statement
from .statements import DENIED_CODES, ask, quoted, quoted_account, quoted_text
from .system_tables import is_known

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

FOREIGN_SERVER = "foreign_server"
LOADABLE_FUNCTION = "loadable_function"
REFERENCE_SYSTEM = "spatial_reference_system"
TABLESPACE = "tablespace"  # a file of the source's host: written down, and made by people only

_SERVERS = "SELECT * FROM mysql.servers ORDER BY server_name"
_FUNCTIONS = "SELECT name, ret, dl, type FROM mysql.func ORDER BY name"
# Those that every server has are of EPSG, but for the plane without a name.
_REFERENCE_SYSTEMS = (
    "SELECT srs_id, srs_name, organization, organization_coordsys_id, definition, description"
    " FROM information_schema.st_spatial_reference_systems"
    " WHERE srs_id <> 0 AND (organization IS NULL OR organization <> 'EPSG') ORDER BY srs_id"
)
_TABLESPACES = (
    "SELECT f.tablespace_name, f.file_name FROM information_schema.files f"
    " JOIN information_schema.innodb_tablespaces t ON t.name = f.tablespace_name"
    " WHERE t.space_type = 'General' AND t.name <> 'mysql' ORDER BY 1"
)
_RESOURCE_GROUPS = (
    "SELECT resource_group_name FROM information_schema.resource_groups"
    " WHERE resource_group_name NOT IN ('USR_default', 'SYS_default') ORDER BY 1"
)
_COSTS = (
    "SELECT cost_name FROM mysql.server_cost WHERE cost_value IS NOT NULL"
    " UNION ALL SELECT CONCAT(cost_name, ' of ', engine_name) FROM mysql.engine_cost WHERE cost_value IS NOT NULL"
)
_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'mysql' AND table_type <> 'VIEW'"

_RESULTS = {0: "STRING", 1: "REAL", 2: "INTEGER", 4: "DECIMAL"}
_OPTIONS = {  # of CREATE SERVER, by the column
    "host": "HOST",
    "db": "DATABASE",
    "username": "USER",
    "password": "PASSWORD",
    "socket": "SOCKET",
    "owner": "OWNER",
}


@dataclass
class InstanceObjects:
    """The statements in the order of their restore, and what is missing."""

    statements: list[Statement] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def instance_objects(server: Server, connection: Connection) -> InstanceObjects:
    """Read all of it; what a version does not have is passed over, what the login may not read is named.

    A login that may not read the costs of the optimizer may not read the servers either, and is told that once.
    """
    found = InstanceObjects()

    def rows(what: str | None, query: str) -> Sequence[Any]:
        try:
            return ask(server, connection, query)
        except (QueryFailed, ConnectionFailed) as error:
            denied = (
                error.kind == "access_denied" if isinstance(error, ConnectionFailed) else error.code in DENIED_CODES
            )
            if denied and what is not None:
                login = quoted_account(str(ask(server, connection, "SELECT CURRENT_USER()")[0][0]))
                found.missing.append(f"{what}: the login cannot read them; GRANT SELECT ON `mysql`.* TO {login}")
            elif not denied and isinstance(error, ConnectionFailed):
                raise
            return []

    _take(found, rows)
    _name(found, rows)
    return found


def _take(found: InstanceObjects, rows: Callable[[str | None, str], Sequence[Any]]) -> None:
    for row in rows("servers (CREATE SERVER)", _SERVERS):
        values = {str(name).lower(): value for name, value in row._mapping.items()}
        found.statements.append(Statement(FOREIGN_SERVER, _server(values)))
    for name, result, library, kind in rows("loadable functions", _FUNCTIONS):
        aggregate = "AGGREGATE " if str(kind) == "aggregate" else ""
        returns = _RESULTS.get(int(result), "STRING")
        sql = (
            f"CREATE {aggregate}FUNCTION {quoted(_text(name))} RETURNS {returns} SONAME {quoted_text(_text(library))};"
        )
        found.statements.append(Statement(LOADABLE_FUNCTION, sql))
    for row in rows("spatial reference systems", _REFERENCE_SYSTEMS):
        found.statements.append(Statement(REFERENCE_SYSTEM, _reference_system(row)))
    for name, path in rows(None, _TABLESPACES):
        sql = f"CREATE TABLESPACE {quoted(_text(name))} ADD DATAFILE {quoted_text(_text(path))};"
        found.statements.append(Statement(TABLESPACE, sql))


def _name(found: InstanceObjects, rows: Callable[[str | None, str], Sequence[Any]]) -> None:
    for what, query in (("resource group", _RESOURCE_GROUPS), ("changed cost of the optimizer", _COSTS)):
        found.missing += [f"{what} {_text(row[0])}: it is in no backup" for row in rows(None, query)]
    found.missing += [
        f"table mysql.{_text(row[0])}: it is none of the server's own that are known, and in no backup"
        for row in rows(None, _TABLES)
        if not is_known(_text(row[0]))
    ]


def _server(values: Mapping[str, Any]) -> str:
    options = {
        word: quoted_text(_text(values[column])) for column, word in _OPTIONS.items() if _text(values.get(column) or "")
    }
    if values.get("port"):
        options["PORT"] = str(int(values["port"]))
    for name, value in _further_options(values):
        options.setdefault(name, value)
    listed = ", ".join(f"{name} {value}" for name, value in options.items())
    name, wrapper = quoted(_text(values["server_name"])), quoted(_text(values["wrapper"]))
    return f"CREATE SERVER {name} FOREIGN DATA WRAPPER {wrapper} OPTIONS ({listed});"


def _further_options(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Read the options of other wrappers, which newer versions of MariaDB keep as JSON."""
    with suppress(ValueError, AttributeError):
        for name, value in json.loads(_text(values.get("options") or "{}")).items():
            known = str(name).upper()
            yield known if known in (*_OPTIONS.values(), "PORT") else quoted(str(name)), quoted_text(str(value))


def _reference_system(row: Sequence[Any]) -> str:
    identity, name, organization, coordinates, definition, description = row
    of = f" ORGANIZATION {quoted_text(_text(organization))} IDENTIFIED BY {int(coordinates)}" if organization else ""
    about = f" DESCRIPTION {quoted_text(_text(description))}" if description else ""
    return (
        f"CREATE SPATIAL REFERENCE SYSTEM IF NOT EXISTS {int(identity)} NAME {quoted_text(_text(name))}{of}"
        f" DEFINITION {quoted_text(_text(definition))}{about};"
    )


def _text(value: Any) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
