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

from ...connection.server import Server
from ..filters import Filters
from ..values import FATAL, PARTIAL, Database, MissingPrivilege, ServerFacts
from .quoting import identifier, literal
from .relations import FROM, NAME, WITH_ROWS
from .scope import Scope, read_scope
from .session import Session, coordinator

_MOST_NAMED = 10  # relations named one by one; more are better served by one role
_MOST_LARGE_OBJECTS = 100  # in one GRANT
_READ_ALL_DATA = (14,)  # the version that brought pg_read_all_data
_HAS_LARGE_OBJECT_PRIVILEGE = (18,)

_LOGIN = "SELECT current_user, rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user"
_MAY_CONNECT = """
    SELECT has_database_privilege(oid, 'CONNECT') FROM pg_catalog.pg_database WHERE datname = :name"""

_SCHEMAS = f"""
    SELECT DISTINCT n.nspname {FROM}
     WHERE c.relkind IN ('r', 'p', 'S') AND {WITH_ROWS} AND NOT has_schema_privilege(n.oid, 'USAGE')
     ORDER BY 1"""
_UNREADABLE = f"""
    SELECT c.relkind = 'S' AS is_sequence, n.nspname AS schema, c.relname AS name {FROM}
     WHERE {WITH_ROWS}
       AND CASE WHEN c.relkind IN ('r', 'p') THEN NOT has_table_privilege(c.oid, 'SELECT')
                WHEN c.relkind = 'S' THEN NOT has_sequence_privilege(c.oid, 'SELECT') ELSE false END
     ORDER BY 2, 3"""
_ROW_SECURITY = f"""
    SELECT {NAME} {FROM}
     WHERE c.relkind IN ('r', 'p') AND {WITH_ROWS} AND row_security_active(c.oid) ORDER BY 1"""
_LARGE_OBJECTS = """
    SELECT m.oid FROM pg_catalog.pg_largeobject_metadata m
     WHERE current_setting('lo_compat_privileges') = 'off' AND NOT pg_has_role({role}, m.lomowner, 'USAGE')
       AND NOT EXISTS (
           SELECT FROM aclexplode(m.lomacl) a WHERE a.privilege_type = 'SELECT'
              AND CASE WHEN a.grantee = 0 THEN true ELSE pg_has_role({role}, a.grantee, 'USAGE') END)
     ORDER BY 1"""
_LARGE_OBJECTS_18 = """
    SELECT m.oid FROM pg_catalog.pg_largeobject_metadata m
     WHERE current_setting('lo_compat_privileges') = 'off' AND NOT has_largeobject_privilege({role}, m.oid, 'SELECT')
     ORDER BY 1"""
_USER_MAPPINGS = """
    SELECT DISTINCT srvname FROM pg_catalog.pg_user_mappings WHERE umoptions IS NULL ORDER BY 1"""
_SUBSCRIPTIONS = """
    SELECT s.subname FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
     WHERE d.datname = current_database() ORDER BY 1"""


def find_missing(
    server: Server, facts: ServerFacts, databases: Sequence[Database], filters: Filters
) -> list[MissingPrivilege]:
    """Look at every one of the databases; a superuser lacks nothing. What filters leave out need not be readable."""
    ((login, superuser),) = server.rows(_LOGIN)
    if superuser:
        return []
    return [
        entry for database in databases for entry in _in_database(server, facts, identifier(login), database, filters)
    ]


def _in_database(
    server: Server, facts: ServerFacts, login: str, database: Database, filters: Filters
) -> list[MissingPrivilege]:
    name = database.name
    if server.value(_MAY_CONNECT, {"name": name}) is False:
        grant = f"GRANT CONNECT ON DATABASE {identifier(name)} TO {login};"
        return [MissingPrivilege("CONNECT", FATAL, "nothing of it can be read", grant, name)]
    with coordinator(server, facts, database) as session:
        scope = read_scope(session, filters)
        return [
            *_relations(session, facts, login, scope),
            *_row_security(session, login, scope),
            *_large_objects(session, facts, login),
            *_superuser_only(session, login),
        ]


def _relations(session: Session, facts: ServerFacts, login: str, scope: Scope) -> list[MissingPrivilege]:
    schemas = _names(session, scope.limit(_SCHEMAS))
    unreadable = session.rows(scope.limit(_UNREADABLE))
    if len(schemas) + len(unreadable) > _MOST_NAMED and facts.version_number >= _READ_ALL_DATA:
        some = ", ".join(session.shown(f"{row.schema}.{row.name}") for row in unreadable[:_MOST_NAMED])
        return [
            MissingPrivilege(
                f"SELECT on {len(unreadable)} tables and sequences" + (f" ({some}, …)" if some else ""),
                FATAL,
                "their rows cannot be read",
                f"GRANT pg_read_all_data TO {login};",
                session.database,
            )
        ]
    missing = [
        MissingPrivilege(
            f"USAGE on schema {identifier(schema)}",
            FATAL,
            "nothing in it can be read",
            f"GRANT USAGE ON SCHEMA {identifier(schema)} TO {login};",
            session.database,
        )
        for schema in schemas
    ]
    for row in unreadable:
        relation = session.shown(f"{identifier(row.schema)}.{identifier(row.name)}")
        what = f"{'SEQUENCE' if row.is_sequence else 'TABLE'} {relation}"
        effect = "its value cannot be read" if row.is_sequence else "its rows cannot be read"
        grant = f"GRANT SELECT ON {what} TO {login};"
        missing.append(MissingPrivilege(f"SELECT on {what}", FATAL, effect, grant, session.database))
    return missing


def _row_security(session: Session, login: str, scope: Scope) -> list[MissingPrivilege]:
    tables = _names(session, scope.limit(_ROW_SECURITY))
    if not tables:
        return []
    effect = f"row security hides rows of {_shortened(tables)} from the login"
    return [MissingPrivilege("BYPASSRLS", FATAL, effect, f"ALTER ROLE {login} BYPASSRLS;", session.database)]


def _large_objects(session: Session, facts: ServerFacts, login: str) -> list[MissingPrivilege]:
    objects = hidden_large_objects(session, facts)
    if not objects:
        return []
    return [
        MissingPrivilege(
            f"SELECT on {len(objects)} large objects",
            FATAL,
            "they cannot be read, and pg_dump stops at the first",
            large_object_grant(objects, login),
            session.database,
        )
    ]


def unreadable_schemas(session: Session, role: str) -> list[str]:
    """Return the schemas, quoted, with tables or sequences that a role may not read; `role` is SQL for its name."""
    rows = session.rows(
        f"SELECT DISTINCT format('%I', n.nspname) {FROM} WHERE c.relkind IN ('r', 'p', 'S') AND {WITH_ROWS}"
        f" AND NOT (has_schema_privilege({role}, n.oid, 'USAGE')"
        f" AND CASE c.relkind WHEN 'S' THEN has_sequence_privilege({role}, c.oid, 'SELECT')"
        f" ELSE has_table_privilege({role}, c.oid, 'SELECT') END) ORDER BY 1"
    )
    return [session.shown(name) for (name,) in rows]


def hidden_large_objects(session: Session, facts: ServerFacts, *, role: str = "current_user") -> list[str]:
    """Return the numbers of those that a role may not read; `role` is SQL for its name."""
    query = _LARGE_OBJECTS_18 if facts.version_number >= _HAS_LARGE_OBJECT_PRIVILEGE else _LARGE_OBJECTS
    return [str(oid) for (oid,) in session.rows(query.format(role=role))]


def large_object_grant(objects: Sequence[str], login: str) -> str:
    """Write the statement that lets the login read these large objects, or all where that is the shorter way."""
    if len(objects) <= _MOST_LARGE_OBJECTS:
        return f"GRANT SELECT ON LARGE OBJECT {', '.join(objects)} TO {login};"
    return (
        "DO $grant$ DECLARE o oid; BEGIN FOR o IN SELECT oid FROM pg_largeobject_metadata LOOP "  # noqa: S608
        f"EXECUTE 'GRANT SELECT ON LARGE OBJECT ' || o || {literal(' TO ' + login)}; END LOOP; END $grant$;"
    )


def _superuser_only(session: Session, login: str) -> list[MissingPrivilege]:
    mappings = _names(session, _USER_MAPPINGS)
    subscriptions = _names(session, _SUBSCRIPTIONS)
    left_out = []
    if mappings:
        left_out.append(f"options of user mappings on foreign servers {_shortened(mappings)}")
    if subscriptions:
        left_out.append(f"subscriptions {_shortened(subscriptions)}")
    return [
        MissingPrivilege(
            "SUPERUSER", PARTIAL, f"pg_dump leaves out {what}", f"ALTER ROLE {login} SUPERUSER;", session.database
        )
        for what in left_out
    ]


def _names(session: Session, query: str) -> list[str]:
    return [session.shown(name) for (name,) in session.rows(query)]


def _shortened(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
