# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions that a restore calls while it loads rows, and that may then not find what they name.

pg_restore loads with an empty search path. A function that names a table or another function without its schema works
at the source and fails there, unless it has a search path of its own: in a CHECK of a table or a domain, a generated
column, an index, a partition key or a materialized view.
"""

from __future__ import annotations

import re

from .quoting import literal
from .scope import Scope
from .session import Session
from .unwritten import FIRST_NORMAL_OID

# Functions with a body in text; those in C call nothing by name, and BEGIN ATOMIC is bound when it is made.
_CALLED = """
    SELECT DISTINCT p.oid::regprocedure::text AS function, p.prosrc AS body, {what} AS place
      FROM pg_catalog.pg_depend d
      JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid
      JOIN pg_catalog.pg_language l ON l.oid = p.prolang AND l.lanname NOT IN ('internal', 'c')
      {joins}
     WHERE d.refclassid = CAST('pg_catalog.pg_proc' AS regclass) AND d.classid = CAST('{catalogue}' AS regclass)
       AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS s (setting) WHERE s.setting LIKE 'search_path=%')
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x WHERE x.classid = d.refclassid AND x.objid = p.oid
                          AND x.deptype = 'e')"""
FUNCTIONS_OF_USERS = f"""
    SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
     WHERE p.oid >= {FIRST_NORMAL_OID} AND l.lanname NOT IN ('internal', 'c')"""
_PLACES = (
    (
        "pg_catalog.pg_constraint",
        "'constraint ' || quote_ident(c.conname) || ' of ' || c.conrelid::regclass",
        "JOIN pg_catalog.pg_constraint c ON c.oid = d.objid AND c.contype = 'c' AND c.conrelid <> 0",
    ),
    (
        "pg_catalog.pg_constraint",
        "'constraint ' || quote_ident(c.conname) || ' of domain ' || c.contypid::regtype",
        "JOIN pg_catalog.pg_constraint c ON c.oid = d.objid AND c.contype = 'c' AND c.contypid <> 0",
    ),
    (
        "pg_catalog.pg_class",
        "'partition key of ' || t.partrelid::regclass",
        "JOIN pg_catalog.pg_partitioned_table t ON t.partrelid = d.objid",
    ),
    (
        "pg_catalog.pg_rewrite",
        "'materialized view ' || c.oid::regclass",
        "JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid "
        "JOIN pg_catalog.pg_class c ON c.oid = r.ev_class AND c.relkind = 'm'",
    ),
    (
        "pg_catalog.pg_attrdef",
        "'generated column ' || quote_ident(a.attname) || ' of ' || a.attrelid::regclass",
        "JOIN pg_catalog.pg_attrdef f ON f.oid = d.objid JOIN pg_catalog.pg_attribute a "
        "ON a.attrelid = f.adrelid AND a.attnum = f.adnum AND a.attgenerated <> ''",
    ),
    (
        "pg_catalog.pg_class",
        "'index ' || i.indexrelid::regclass",
        "JOIN pg_catalog.pg_index i ON i.indexrelid = d.objid",
    ),
)
_WORD = re.compile(r'(?<![\w.$"])(?:"((?:[^"]|"")+)"|([A-Za-z_\u0080-\uffff][\w$]*))(?!\s*\.|")')
_NAMED = """
    SELECT relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND relname IN ({names})
    UNION
    SELECT proname FROM pg_catalog.pg_proc c JOIN pg_catalog.pg_namespace n ON n.oid = c.pronamespace
     WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND proname IN ({names})"""
_SHOWN = 5


def hazard_warnings(session: Session, scope: Scope) -> list[str]:
    """Warn of such functions; one line for all of them, with the statement that mends each.

    Where `FUNCTIONS_OF_USERS` has no rows there are none.
    """
    found = [
        (row.function, row.place)
        for catalogue, what, joins in _PLACES
        for row in session.rows(scope.limit(_CALLED.format(catalogue=catalogue, what=what, joins=joins)))
        if _names_something(session, row.body)
    ]
    if not found:
        return []
    shown = "; ".join(
        f"{session.shown(place)} calls {session.shown(function)} (ALTER FUNCTION {session.shown(function)} "
        "SET search_path = ...)"
        for function, place in sorted(found)[:_SHOWN]
    )
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return [
        "a restore may refuse rows, because it loads them with an empty search path and functions name objects without "
        f"their schema: {shown}{more}"
    ]


def _names_something(session: Session, body: str | None) -> bool:
    """Tell whether a body has a word that is the name of a table or function of people's own, without a schema."""
    words = {quoted.replace('""', '"') or plain.lower() for quoted, plain in _WORD.findall(body or "")}
    if not words:
        return False
    names = ", ".join(literal(word) for word in sorted(words))
    return bool(session.rows(_NAMED.format(names=names)))
