# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rights the login lacks for a truthful dump, with the statement that gives each.

pg_read_all_data reads tables and sequences, but neither tables with row security (BYPASSRLS does) nor large objects of
others. For a login that is no superuser pg_dump leaves out subscriptions and the options of user mappings, and ends
well: such a backup is partial.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .interface import FATAL, PARTIAL, Database, MissingPrivilege, ServerFacts
from .postgresql_quoting import identifier, literal

if TYPE_CHECKING:
    from ..connection import Server

_MOST_NAMED = 10  # relations named one by one; more are better served by one role
_MOST_LARGE_OBJECTS = 100  # in one GRANT
_READ_ALL_DATA = (14,)  # the version that brought pg_read_all_data
_HAS_LARGE_OBJECT_PRIVILEGE = (18,)

_LOGIN = "SELECT current_user, rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user"
_MAY_CONNECT = """
    SELECT has_database_privilege(oid, 'CONNECT') FROM pg_catalog.pg_database WHERE datname = :name"""

_USER_SCHEMA = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
_SCHEMAS = f"""
    SELECT DISTINCT n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'S') AND c.relpersistence <> 't' AND {_USER_SCHEMA}
       AND NOT has_schema_privilege(n.oid, 'USAGE') ORDER BY 1"""  # noqa: S608
_UNREADABLE = f"""
    SELECT c.relkind = 'S' AS is_sequence, n.nspname AS schema, c.relname AS name
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relpersistence <> 't' AND {_USER_SCHEMA}
       AND CASE WHEN c.relkind IN ('r', 'p') THEN NOT has_table_privilege(c.oid, 'SELECT')
                WHEN c.relkind = 'S' THEN NOT has_sequence_privilege(c.oid, 'SELECT') ELSE false END
     ORDER BY 2, 3"""  # noqa: S608
_ROW_SECURITY = f"""
    SELECT format('%I.%I', n.nspname, c.relname)
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND {_USER_SCHEMA} AND row_security_active(c.oid) ORDER BY 1"""  # noqa: S608
_LARGE_OBJECTS = """
    SELECT m.oid FROM pg_catalog.pg_largeobject_metadata m
     WHERE current_setting('lo_compat_privileges') = 'off' AND NOT pg_has_role(m.lomowner, 'USAGE')
       AND NOT EXISTS (
           SELECT FROM aclexplode(m.lomacl) a WHERE a.privilege_type = 'SELECT'
              AND CASE WHEN a.grantee = 0 THEN true ELSE pg_has_role(a.grantee, 'USAGE') END)
     ORDER BY 1"""
_LARGE_OBJECTS_18 = """
    SELECT m.oid FROM pg_catalog.pg_largeobject_metadata m
     WHERE current_setting('lo_compat_privileges') = 'off' AND NOT has_largeobject_privilege(m.oid, 'SELECT')
     ORDER BY 1"""
_USER_MAPPINGS = """
    SELECT DISTINCT srvname FROM pg_catalog.pg_user_mappings WHERE umoptions IS NULL ORDER BY 1"""
_SUBSCRIPTIONS = """
    SELECT s.subname FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
     WHERE d.datname = current_database() ORDER BY 1"""


def find_missing(server: Server, facts: ServerFacts, databases: Sequence[Database]) -> list[MissingPrivilege]:
    """Look at every one of the databases; a superuser lacks nothing."""
    ((login, superuser),) = server.rows(_LOGIN)
    if superuser:
        return []
    return [entry for database in databases for entry in _in_database(server, facts, identifier(login), database.name)]


def _in_database(server: Server, facts: ServerFacts, login: str, name: str) -> list[MissingPrivilege]:
    if server.value(_MAY_CONNECT, {"name": name}) is False:
        grant = f"GRANT CONNECT ON DATABASE {identifier(name)} TO {login};"
        return [MissingPrivilege("CONNECT", FATAL, "nothing of it can be read", grant, name)]
    return [
        *_relations(server, facts, login, name),
        *_row_security(server, login, name),
        *_large_objects(server, facts, login, name),
        *_superuser_only(server, login, name),
    ]


def _relations(server: Server, facts: ServerFacts, login: str, name: str) -> list[MissingPrivilege]:
    schemas = [schema for (schema,) in server.rows(_SCHEMAS, database=name)]
    unreadable = server.rows(_UNREADABLE, database=name)
    if len(schemas) + len(unreadable) > _MOST_NAMED and facts.version_number >= _READ_ALL_DATA:
        some = ", ".join(f"{row.schema}.{row.name}" for row in unreadable[:_MOST_NAMED])
        return [
            MissingPrivilege(
                f"SELECT on {len(unreadable)} tables and sequences" + (f" ({some}, …)" if some else ""),
                FATAL,
                "their rows cannot be read",
                f"GRANT pg_read_all_data TO {login};",
                name,
            )
        ]
    missing = [
        MissingPrivilege(
            f"USAGE on schema {identifier(schema)}",
            FATAL,
            "nothing in it can be read",
            f"GRANT USAGE ON SCHEMA {identifier(schema)} TO {login};",
            name,
        )
        for schema in schemas
    ]
    for row in unreadable:
        what = f"{'SEQUENCE' if row.is_sequence else 'TABLE'} {identifier(row.schema)}.{identifier(row.name)}"
        effect = "its value cannot be read" if row.is_sequence else "its rows cannot be read"
        grant = f"GRANT SELECT ON {what} TO {login};"
        missing.append(MissingPrivilege(f"SELECT on {what}", FATAL, effect, grant, name))
    return missing


def _row_security(server: Server, login: str, name: str) -> list[MissingPrivilege]:
    tables = [table for (table,) in server.rows(_ROW_SECURITY, database=name)]
    if not tables:
        return []
    effect = f"row security hides rows of {_shortened(tables)} from the login"
    return [MissingPrivilege("BYPASSRLS", FATAL, effect, f"ALTER ROLE {login} BYPASSRLS;", name)]


def _large_objects(server: Server, facts: ServerFacts, login: str, name: str) -> list[MissingPrivilege]:
    query = _LARGE_OBJECTS_18 if facts.version_number >= _HAS_LARGE_OBJECT_PRIVILEGE else _LARGE_OBJECTS
    objects = [str(oid) for (oid,) in server.rows(query, database=name)]
    if not objects:
        return []
    return [
        MissingPrivilege(
            f"SELECT on {len(objects)} large objects",
            FATAL,
            "they cannot be read, and pg_dump stops at the first",
            _large_object_grant(objects, login),
            name,
        )
    ]


def _large_object_grant(objects: Sequence[str], login: str) -> str:
    if len(objects) <= _MOST_LARGE_OBJECTS:
        return f"GRANT SELECT ON LARGE OBJECT {', '.join(objects)} TO {login};"
    return (
        "DO $grant$ DECLARE o oid; BEGIN FOR o IN SELECT oid FROM pg_largeobject_metadata LOOP "  # noqa: S608
        f"EXECUTE 'GRANT SELECT ON LARGE OBJECT ' || o || {literal(' TO ' + login)}; END LOOP; END $grant$;"
    )


def _superuser_only(server: Server, login: str, name: str) -> list[MissingPrivilege]:
    mappings = [mapped for (mapped,) in server.rows(_USER_MAPPINGS, database=name)]
    subscriptions = [subscription for (subscription,) in server.rows(_SUBSCRIPTIONS, database=name)]
    left_out = []
    if mappings:
        left_out.append(f"options of user mappings on foreign servers {_shortened(mappings)}")
    if subscriptions:
        left_out.append(f"subscriptions {_shortened(subscriptions)}")
    return [
        MissingPrivilege("SUPERUSER", PARTIAL, f"pg_dump leaves out {what}", f"ALTER ROLE {login} SUPERUSER;", name)
        for what in left_out
    ]


def _shortened(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
