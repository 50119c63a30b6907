# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server's shared catalogues hold beside roles, and pg_dumpall --globals-only does not write, as statements.

Settings of all roles (`ALTER ROLE ALL SET`), comments on predefined roles, settings of roles in databases, and
settings of, comments on and rights on the server's own databases, which are backed up only on request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ...connection.server import Server
from ...errors import SnapshotLost
from ..accounts_document import Statement
from .catalogue import MAINTENANCE_DATABASE, TEMPLATE_DATABASE, name_bytes, name_from, raw_name_bytes
from .properties import read_properties
from .quoting import identifier, literal, setting_values

KIND = "instance_setting"

_SETTINGS = f"""
    SELECT {name_bytes("r.rolname")} AS role, {raw_name_bytes("d.datname")} AS database,
           {name_bytes("to_json(s.setconfig)")} AS settings
      FROM pg_catalog.pg_db_role_setting s LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
      LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
     WHERE (s.setrole = 0 AND s.setdatabase = 0) OR (r.rolname IS NOT NULL AND d.datname IS NOT NULL)
     ORDER BY 2 NULLS FIRST, 1 NULLS FIRST"""  # noqa: S608
_COMMENTS = f"""
    SELECT {name_bytes("r.rolname")} AS role, {name_bytes("s.description")} AS comment
      FROM pg_catalog.pg_shdescription s JOIN pg_catalog.pg_roles r ON r.oid = s.objoid
     WHERE s.classoid = CAST('pg_catalog.pg_authid' AS regclass) AND r.rolname ~ '^pg_' ORDER BY 1"""  # noqa: S608

# The comments that initdb makes.
_USUAL_COMMENTS = {
    MAINTENANCE_DATABASE: "default administrative connection database",
    TEMPLATE_DATABASE: "default template for new databases",
}
# The rights on it that a server has from the beginning.
_USUAL_RIGHTS = {
    MAINTENANCE_DATABASE: [],
    TEMPLATE_DATABASE: [
        f"REVOKE ALL ON DATABASE {identifier(TEMPLATE_DATABASE)} FROM PUBLIC;",
        f"GRANT CONNECT ON DATABASE {identifier(TEMPLATE_DATABASE)} TO PUBLIC;",
    ],
}


def of_instance(server: Server) -> list[Statement]:
    """Read them; those of one role in one database are of a kind of their own."""
    return [*_settings(server), *_comments(server), *_system_databases(server)]


def _settings(server: Server) -> Iterator[Statement]:
    for row in server.rows(_SETTINGS):
        role = "ALL" if row.role is None else identifier(name_from(row.role))
        database = None if row.database is None else name_from(row.database)
        where = "" if database is None else f" IN DATABASE {identifier(database)}"
        kind = KIND if database is None else "role_in_database_setting"
        for sql in setting_statements(f"ALTER ROLE {role}{where}", json.loads(name_from(row.settings))):
            yield Statement(kind, sql, database)


def _comments(server: Server) -> Iterator[Statement]:
    for row in server.rows(_COMMENTS):
        role, comment = identifier(name_from(row.role)), literal(name_from(row.comment)).strip()
        yield Statement(KIND, f"COMMENT ON ROLE {role} IS {comment};")


def _system_databases(server: Server) -> Iterator[Statement]:
    for name, usual in _USUAL_RIGHTS.items():
        try:
            properties = read_properties(server, name)
        except SnapshotLost:
            continue  # somebody dropped it
        of_all = [entry["settings"] for entry in properties["settings"] if entry["role"] is None]
        for sql in setting_statements(f"ALTER DATABASE {identifier(name)}", [one for some in of_all for one in some]):
            yield Statement(KIND, sql)
        yield from _rights(properties, usual)
        comment = properties["comment"]
        if comment not in (None, _USUAL_COMMENTS[name]):
            yield Statement(KIND, f"COMMENT ON DATABASE {identifier(name)} IS {literal(comment).strip()};")


def _rights(properties: dict[str, Any], usual: list[str]) -> Iterator[Statement]:
    # What the owner has, he has by owning; he has another name on another server.
    owner = identifier(properties["owner"])
    said = [sql for sql in properties["acl_statements"] if not re.search(rf" (?:FROM|TO) {re.escape(owner)}[; ]", sql)]
    if said != usual:
        yield from (Statement(KIND, sql) for sql in said)


def setting_statements(target: str, settings: list[str]) -> Iterator[str]:
    """Write stored settings, each `name=value`, for `target`, such as ALTER ROLE x."""
    for setting in settings:
        name, _mark, value = setting.partition("=")
        yield f"{target} SET {identifier(name)} TO {setting_value(name, value)};"


def setting_value(name: str, value: str) -> str:
    """Write a stored setting's value for ALTER … SET; lists of names element by element."""
    return ", ".join(literal(one).strip() for one in setting_values(name, value))
