# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pg_dump leaves out by its own design and says nothing about, by name.

It takes an extension for something that CREATE EXTENSION makes again: of the extension's members it writes only
changed rights and security labels, and the rows of tables that were registered with pg_extension_config_dump().
Whatever people put on members is lost. So is what they made in the server's own schemas, and what they said about the
row type, the array type or the multirange type that belongs to another object.

Whether a script of the extension or somebody else made a thing is told by the transaction that made it. Where
pg_upgrade made the server anew, every object has a transaction of its own, and this cannot be told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import QueryFailed
from .column_order import INHERITING, reordered
from .filled import Filled
from .relations import FROM, NAME, OF_USERS
from .scope import Scope
from .session import Session
from .unwritten import CHANGED, FIRST_NORMAL_OID, MEMBERS_PUBLISHED_SINCE, ON_MEMBERS, PUBLISHED, outside

_MOST_NAMED = 20
_LEAVES_OUT = "pg_dump leaves them out"

# Each extension with the transactions in which its scripts ran: those that made it or its members. For rows only those
# that made it or a function of it, as a table may have been given to the extension later, together with its rows.
_EXTENSIONS = """
    WITH member AS (
        SELECT d.refobjid AS extension, d.classid, d.xmin::text AS xid FROM pg_catalog.pg_depend d
         WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass),
    itself AS (
        SELECT e.oid AS extension, e.xmin::text AS xid FROM pg_catalog.pg_extension e
        UNION SELECT d.objid, d.xmin::text FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_extension'::regclass)
    SELECT e.oid, e.extname AS name,
           ARRAY(SELECT xid FROM itself WHERE extension = e.oid UNION SELECT xid FROM member WHERE extension = e.oid)
               AS scripts,
           ARRAY(SELECT xid FROM itself WHERE extension = e.oid
                  UNION SELECT xid FROM member WHERE extension = e.oid AND classid = 'pg_proc'::regclass) AS of_rows,
           ARRAY(SELECT xid FROM itself WHERE extension = e.oid) AS itself,
           EXISTS (SELECT FROM member m JOIN itself i USING (extension, xid) WHERE extension = e.oid)
               OR EXISTS (SELECT FROM member WHERE extension = e.oid GROUP BY xid HAVING count(*) > 1)
               OR NOT EXISTS (SELECT FROM member WHERE extension = e.oid) AS told
      FROM pg_catalog.pg_extension e WHERE e.oid >= {first} ORDER BY 2"""
_EXTENSION = f"SELECT FROM pg_catalog.pg_extension WHERE oid >= {FIRST_NORMAL_OID}"

# Given to the extension by ALTER EXTENSION … ADD: the object is older than its membership. No script makes it again.
_BY_HAND = """
    SELECT pg_describe_object(d.classid, d.objid, 0) FROM pg_catalog.pg_depend d
     WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass AND d.refobjid = {extension}
       AND d.xmin::text <> ALL ({itself})
       AND (SELECT min(age(s.xmin)) FROM pg_catalog.pg_depend s
             WHERE s.classid = d.classid AND s.objid = d.objid AND s.objsubid = 0
               AND s.refclassid <> 'pg_extension'::regclass AND s.deptype = 'n') > age(d.xmin) ORDER BY 1"""

# What is on members of extensions and was not made by a script: kind, object, transaction.
_ON_MEMBERS = f"""
    SELECT o.kind, pg_describe_object(o.classid, o.objid, o.objsubid) AS name, o.xid FROM ({ON_MEMBERS}) AS o
     WHERE o.extension = {{extension}} AND o.xid <> ALL ({{scripts}}) ORDER BY 1, 2"""  # noqa: S608

_TABLES = f"""
    SELECT {NAME} AS name, x.condition {FROM}
      JOIN pg_catalog.pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
       AND d.refclassid = 'pg_extension'::regclass AND d.refobjid = {{extension}}
      LEFT JOIN (SELECT u.oid, u.condition FROM pg_catalog.pg_extension e,
                        LATERAL unnest(e.extconfig, e.extcondition) AS u(oid, condition)) AS x ON x.oid = c.oid
     WHERE c.relkind = 'r' AND {OF_USERS} AND (x.oid IS NULL OR x.condition <> '') ORDER BY 1"""  # noqa: S608

_INVALID_INDEXES = f"""
    SELECT {NAME} {FROM} JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
      JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
     WHERE {OF_USERS} AND NOT ((i.indisvalid OR t.relkind = 'p') AND i.indisready) ORDER BY 1"""

# Their triggers are the server's own, of which pg_dump writes nothing: the constraint comes back in force.
_DISABLED_KEYS = f"""
    SELECT DISTINCT format('%I on %s', k.conname, {NAME}) {FROM} JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid
      JOIN pg_catalog.pg_constraint k ON k.oid = t.tgconstraint
     WHERE {OF_USERS} AND t.tgisinternal AND t.tgenabled <> 'O' AND k.contype = 'f' ORDER BY 1"""

# The server gives everybody SELECT on the views of its information_schema, and no other rights.
_RIGHTS_OF_VIEWS = """
    SELECT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'information_schema' AND c.oid < {first} AND c.relacl IS NOT NULL
       AND (NOT EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.grantee = 0)
            OR EXISTS (SELECT FROM aclexplode(c.relacl) a
                        WHERE a.grantee <> c.relowner AND (a.grantee <> 0 OR a.privilege_type <> 'SELECT')))
     ORDER BY 1"""

# pg_dump writes the functions of a language only where it writes the functions themselves; the statement without them
# asks for an extension of that name.
_LANGUAGES = """
    SELECT quote_ident(l.lanname) FROM pg_catalog.pg_language l
     WHERE l.oid >= {first} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
             WHERE d.classid = 'pg_language'::regclass AND d.objid = l.oid AND d.deptype = 'e')
       AND EXISTS (SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
             WHERE p.oid IN (l.lanplcallfoid, l.laninline, l.lanvalidator) AND n.nspname = 'pg_catalog') ORDER BY 1"""

# Of an extension that every new database has, pg_dump writes nothing but rights.
_BUILT_IN_EXTENSIONS = """
    SELECT quote_ident(e.extname) FROM pg_catalog.pg_extension e
      JOIN pg_catalog.pg_available_extensions a ON a.name = e.extname
     WHERE e.oid < {first} AND a.comment IS DISTINCT FROM obj_description(e.oid, 'pg_extension') ORDER BY 1"""


@dataclass
class LeftOut:
    """What is missing, and what there is to be warned of."""

    missing: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


# Each with the catalogue without whose rows there is none of it.
_NAMED = (
    ("that foreign keys are disabled", _DISABLED_KEYS, "pg_trigger"),
    ("the server's own functions in languages", _LANGUAGES.format(first=FIRST_NORMAL_OID), "pg_language"),
    ("changed comments on built-in extensions", _BUILT_IN_EXTENSIONS.format(first=FIRST_NORMAL_OID), "pg_extension"),
    ("changed rights on the server's own views", _RIGHTS_OF_VIEWS.format(first=FIRST_NORMAL_OID), "pg_class"),
)


def read_left_out(session: Session, client_major: int, scope: Scope, filled: Filled) -> LeftOut:
    """Look in the session's snapshot; what the server refuses to tell is a warning."""
    found = LeftOut()
    named = [(what, scope.limit(query)) for what, query, catalogue in _NAMED if filled.has(catalogue)]
    beyond, inheriting, invalid = map(scope.limit, (outside(filled), INHERITING, _INVALID_INDEXES))
    inherited = [inheriting] if filled.has("pg_inherits") else []
    there = _with_rows(session, [_EXTENSION, beyond, *(query for _what, query in named), *inherited, invalid])

    def asked(what: str, query: str) -> Sequence[Any]:
        return _asked(session, found, what, query) if query in there else []

    extensions = _EXTENSIONS.format(first=FIRST_NORMAL_OID)
    for extension in _asked(session, found, "extensions", extensions) if _EXTENSION in there else ():
        _of_extension(session, found, extension, client_major)
    for kind, names in _grouped(asked("objects outside of schemas of users", beyond)):
        found.missing.append(f"{kind}: {_listed(session, names)}; {_LEAVES_OUT}")
    for what, query in named:
        names = [name for (name,) in asked(what, query)]
        if names:
            found.missing.append(f"{what}: {_listed(session, names)}; pg_dump leaves that out")
    moved = reordered(asked("the order of columns", inheriting))
    if moved:
        found.warnings.append(
            f"the order of columns of tables that inherit some: {_listed(session, moved)}; pg_dump writes those of the "
            "parents first, so that a restore has them in another order"
        )
    names = [name for (name,) in asked("invalid indexes", invalid)]
    if names:
        found.warnings.append(
            f"invalid indexes, which pg_dump leaves out: {_listed(session, names)}; REINDEX or drop them"
        )
    return found


def _with_rows(session: Session, queries: Sequence[str]) -> Sequence[str]:
    """Return those of the queries that have rows, in most databases none; all where they cannot be asked."""
    asked = ", ".join(f"EXISTS ({query})" for query in queries)
    try:
        (told,) = session.attempt(f"SELECT {asked}")
    except QueryFailed:
        return queries  # each of them tells by itself what is the matter with it
    return [query for query, has_rows in zip(queries, told) if has_rows]


def _of_extension(session: Session, found: LeftOut, extension: Any, client_major: int) -> None:
    name, oid = session.shown(extension.name), int(extension.oid)  # a number in SQL, whatever the driver makes of it
    given = _BY_HAND.format(extension=oid, itself=_array(extension.itself))
    by_hand = [member for (member,) in _asked(session, found, f"members of {name}", given)]
    if by_hand:
        found.missing.append(
            f"members that were added to extension {name} later: {_listed(session, by_hand)}; "
            "pg_dump leaves them out, and CREATE EXTENSION does not make them"
        )
    on_members = _ON_MEMBERS.format(extension=oid, scripts=_array(extension.scripts))
    rows = _single_changes(_asked(session, found, f"what is on members of {name}", on_members))
    if client_major >= MEMBERS_PUBLISHED_SINCE:
        rows = [row for row in rows if row.kind != PUBLISHED]
    for kind, names in _grouped(rows):
        text = f"{kind} on members of extension {name}: {_listed(session, names)}"
        if extension.told and kind != CHANGED:
            found.missing.append(f"{text}; {_LEAVES_OUT}")
        else:
            found.warnings.append(
                f"{text}; pg_dump leaves them out, and whether CREATE EXTENSION makes them again cannot be told"
            )
    for table in _asked(session, found, f"tables of {name}", _TABLES.format(extension=oid)):
        _rows_of(session, found, extension, table)


def _single_changes(rows: Sequence[Any]) -> list[Any]:
    """Drop definitions of which several changed in one transaction: that was a script for a newer version."""
    times = Counter(row.xid for row in rows if row.kind == CHANGED)
    return [row for row in rows if row.kind != CHANGED or times[row.xid] == 1]


def _rows_of(session: Session, found: LeftOut, extension: Any, table: Any) -> None:
    """A table that is not registered has no rows in the archive, another one those that the filter lets through."""
    name, filtered = session.shown(table.name), table.condition is not None
    others = f"SELECT ctid FROM ONLY {table.name}"  # noqa: S608  quoted by the server
    if extension.told:
        others += f" WHERE xmin::text <> ALL ({_array(extension.of_rows)})"
    if filtered:
        others += f" EXCEPT SELECT ctid FROM ONLY {table.name} {table.condition}"  # noqa: S608
    if not any(left for (left,) in _asked(session, found, f"rows of {name}", f"SELECT EXISTS ({others})")):
        return
    which = "that its filter does not let through " if filtered else ""
    text = f"rows of table {name} of extension {session.shown(extension.name)} {which}".rstrip()
    if filtered and not extension.told:
        found.warnings.append(f"{text}: {_LEAVES_OUT}; whether somebody changed them cannot be told")
    else:
        found.missing.append(f"{text}: {_LEAVES_OUT}")


def _asked(session: Session, found: LeftOut, what: str, query: str) -> Sequence[Any]:
    try:
        return session.attempt(query)
    except QueryFailed as error:
        found.warnings.append(f"whether pg_dump leaves out {what} could not be found out: {error}")
        return []


def _grouped(rows: Sequence[Any]) -> Iterator[tuple[str, list[str]]]:
    kinds: dict[str, list[str]] = {}
    for row in rows:
        kinds.setdefault(row.kind, []).append(row.name)
    yield from kinds.items()


def _listed(session: Session, names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(session.shown(name) for name in names[:_MOST_NAMED]) + more


def _array(xids: Sequence[str]) -> str:
    return "ARRAY[" + ", ".join(f"'{int(xid)}'" for xid in xids) + "]::text[]"
