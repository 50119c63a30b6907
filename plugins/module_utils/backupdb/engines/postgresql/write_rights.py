# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a role can change something in a database: what the catalogue says, and what happens when it tries.

The catalogue knows every table but only what rights say; an attempt shows what really happens, but of one table only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import QueryFailed
from ..login_interface import Attempt, ExcessPrivilege, Step
from ..values import ServerFacts
from .quoting import identifier
from .relations import FROM, OF_USERS
from .session import Session

_TABLE_RIGHTS = ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
_OF_COLUMNS = ("INSERT", "UPDATE", "REFERENCES")
_SEQUENCE_RIGHTS = ("USAGE", "UPDATE")
REFUSED = "42501"  # insufficient_privilege
_LOCK_TIMEOUT = "2s"
_NEW_TABLE = "backupdb_write_test"

_FOR_ALL = "'public'"  # so PostgreSQL's functions name what everybody has


def rights_to_write(
    session: Session, facts: ServerFacts, account: str, roles: Sequence[tuple[int, str]]
) -> list[ExcessPrivilege]:
    """Name everything in the session's database that the account can change, by itself or as one of `roles`.

    `roles` holds number and name of the account and of what it is a member of; none of them is a superuser.
    """
    return [
        surplus
        for number, role in roles
        for row in session.rows(_query(facts, f"CAST({number} AS oid)"))
        for surplus in _surplus(session, account, role, row)
    ]


def open_to_all(session: Session) -> list[str]:
    """Name the schemas in which everybody may make objects, with the statement that ends it."""
    rows = session.rows(
        f"SELECT format('%I', n.nspname) FROM pg_catalog.pg_namespace n WHERE {_SCHEMAS_OF_USERS}"  # noqa: S608
        f" AND has_schema_privilege({_FOR_ALL}, n.oid, 'CREATE') ORDER BY 1"
    )
    return [
        f"database {session.database}: every login may make objects in schema {name}; to end that: "
        f"REVOKE CREATE ON SCHEMA {name} FROM PUBLIC;"
        for name in (session.shown(name) for (name,) in rows)
    ]


def try_to_write(session: Session) -> list[Attempt]:
    """Try to change rows and to make a table, as whom the session is now; all of it is rolled back.

    Nothing is left where an attempt succeeds: no row is touched. Triggers for whole statements run, and are rolled
    back as well.
    """
    return [_attempt(session, statement) for statement in _statements(session)]


def _statements(session: Session) -> list[str]:
    statements = []
    for name, column in session.rows(_A_TABLE):
        statements.append(f"DELETE FROM ONLY {name} WHERE false")  # noqa: S608
        if column is not None:
            statements.append(f"INSERT INTO {name} ({column}) SELECT {column} FROM {name} WHERE false")  # noqa: S608
    schemas = [name for (name,) in session.rows(_A_SCHEMA)]
    return statements + [f"CREATE TABLE {name}.{_NEW_TABLE} ()" for name in schemas]


def _attempt(session: Session, statement: str) -> Attempt:
    shown = session.shown(statement)
    session.run("BEGIN")
    try:
        session.run(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
        session.run(statement)
        return Attempt(shown, session.database, refused=False, said="")
    except QueryFailed as error:
        refused = True if error.code == REFUSED else None
        return Attempt(shown, session.database, refused=refused, said=str(error))
    finally:
        session.run("ROLLBACK")


def _surplus(session: Session, account: str, role: str, row: Any) -> list[ExcessPrivilege]:
    target = f"{row.kind} {session.shown(row.name)}"
    place = f"{target} in database {session.database}"
    if row.owned:
        subject = "which it owns" if role == account else f"which {role} owns, of which it is a member"
        advice = f"give it another owner: ALTER {target} OWNER TO ...;"
        return [ExcessPrivilege(f"{row.rights} on {place}, {subject}", True, advice=advice)]
    of_all = row.everybody.split(", ") if row.everybody else []
    of_role = [right for right in row.rights.split(", ") if right not in of_all]
    found = []
    if of_all and role == account:
        rights = ", ".join(of_all)
        advice = f"take it from everybody: REVOKE {rights} ON {target} FROM PUBLIC;"
        found.append(ExcessPrivilege(f"{rights} on {place}, as everybody has", True, advice=advice))
    if of_role and role == account:
        rights = ", ".join(of_role)
        revoke = Step(f"REVOKE {rights} ON {target} FROM {identifier(account)};", session.database)
        found.append(ExcessPrivilege(f"{rights} on {place}", True, (revoke,)))
    elif of_role:
        found.append(
            ExcessPrivilege(
                f"{', '.join(of_role)} on {place}, as a member of {role}", True, advice="end the membership"
            )
        )
    return found


_SCHEMAS_OF_USERS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"

# Where the first attempts are made: a table that people use, if the account may at least see its schema.
_A_TABLE = f"""
    SELECT format('%I.%I', n.nspname, c.relname),
           (SELECT format('%I', a.attname) FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
               AND a.attidentity = '' ORDER BY a.attnum LIMIT 1)
      {FROM} WHERE c.relkind IN ('r', 'p') AND {OF_USERS}
     ORDER BY has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE') DESC, 1 LIMIT 1"""  # noqa: S608
_A_SCHEMA = f"""
    SELECT format('%I', n.nspname) FROM pg_catalog.pg_namespace n
     WHERE {_SCHEMAS_OF_USERS} AND NOT has_schema_privilege({_FOR_ALL}, n.oid, 'CREATE')
     ORDER BY has_schema_privilege(n.oid, 'CREATE') DESC, 1 LIMIT 1"""  # noqa: S608


def _query(facts: ServerFacts, role: str) -> str:
    rights = (*_TABLE_RIGHTS, "MAINTAIN") if facts.version_number >= (17,) else _TABLE_RIGHTS
    of_tables = _held(role, "c.oid", "has_table_privilege", rights, _OF_COLUMNS)
    for_all = _held(_FOR_ALL, "c.oid", "has_table_privilege", rights, _OF_COLUMNS)
    of_sequences = _held(role, "c.oid", "has_sequence_privilege", _SEQUENCE_RIGHTS)
    sequences_for_all = _held(_FOR_ALL, "c.oid", "has_sequence_privilege", _SEQUENCE_RIGHTS)
    return f"""
    SELECT kind, name, rights, owned, everybody FROM (
        SELECT 'TABLE' AS kind, format('%I.%I', n.nspname, c.relname) AS name, {of_tables} AS rights,
               pg_has_role({role}, c.relowner, 'USAGE') AS owned, {for_all} AS everybody
          {FROM} WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {OF_USERS}
        UNION ALL
        SELECT 'SEQUENCE', format('%I.%I', n.nspname, c.relname), {of_sequences},
               pg_has_role({role}, c.relowner, 'USAGE'), {sequences_for_all}
          {FROM} WHERE c.relkind = 'S' AND {OF_USERS}
        UNION ALL
        SELECT 'SCHEMA', format('%I', n.nspname), {_held(role, "n.oid", "has_schema_privilege", ("CREATE",))},
               pg_has_role({role}, n.nspowner, 'USAGE'), ''
          FROM pg_catalog.pg_namespace n
         WHERE {_SCHEMAS_OF_USERS} AND NOT has_schema_privilege({_FOR_ALL}, n.oid, 'CREATE')
        UNION ALL
        SELECT 'DATABASE', format('%I', d.datname), {_held(role, "d.oid", "has_database_privilege", ("CREATE",))},
               pg_has_role({role}, d.datdba, 'USAGE'), {_held(_FOR_ALL, "d.oid", "has_database_privilege", ("CREATE",))}
          FROM pg_catalog.pg_database d WHERE d.datname = current_database()
        UNION ALL
        SELECT 'LARGE OBJECT', CAST(m.oid AS text), {_LARGE_OBJECT.format(role=role)},
               pg_has_role({role}, m.lomowner, 'USAGE'), {_LARGE_OBJECT_FOR_ALL}
          FROM pg_catalog.pg_largeobject_metadata m
    ) AS every WHERE rights <> '' ORDER BY kind, name"""  # noqa: S608


_LARGE_OBJECT = """CASE WHEN pg_has_role({role}, m.lomowner, 'USAGE') OR EXISTS (
               SELECT FROM aclexplode(m.lomacl) a WHERE a.privilege_type = 'UPDATE'
                  AND CASE WHEN a.grantee = 0 THEN true ELSE pg_has_role({role}, a.grantee, 'USAGE') END)
               THEN 'UPDATE' ELSE '' END"""
_LARGE_OBJECT_FOR_ALL = """CASE WHEN EXISTS (
               SELECT FROM aclexplode(m.lomacl) a WHERE a.privilege_type = 'UPDATE' AND a.grantee = 0)
               THEN 'UPDATE' ELSE '' END"""


def _held(role: str, oid: str, function: str, rights: Sequence[str], of_columns: Sequence[str] = ()) -> str:
    """Write SQL that gives those of the rights that the role has, as GRANT would list them, or ''."""
    cases = ", ".join(
        f"CASE WHEN {'has_any_column_privilege' if right in of_columns else function}({role}, {oid}, '{right}')"
        f" THEN '{right}' END"
        for right in rights
    )
    return f"concat_ws(', ', {cases})"
