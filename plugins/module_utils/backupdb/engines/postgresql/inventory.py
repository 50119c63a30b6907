# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many objects of each kind a database has: the same counts after a restore mean that no object is missing.

Only what pg_dump writes is counted: nothing of the system, nothing that an extension brings along by itself or that
somebody has put on it, nothing that a type makes by itself, no invalid indexes. `left_out.py` names what people lose
by that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Optional

from .filled import ANYTHING, Filled
from .scope import EVERYTHING, Scope
from .session import Session
from .unwritten import DEPENDENT_TYPES, MEMBERS_PUBLISHED_SINCE, WITHOUT_COMMENTS
from .unwritten import FIRST_NORMAL_OID as _FIRST_NORMAL_OID

RULES = 2  # which of the rules below a manifest was counted by; one without a number is of the first, see `read_older`

_SUPERUSER = "current_setting('is_superuser') = 'on'"  # as pg_dump asks; it writes subscriptions for no other

# What a type makes by itself, such as the functions that make a range; PostgreSQL 14 makes more of them than 13.
_MADE_BY_ITSELF = """EXISTS (SELECT FROM pg_catalog.pg_depend i
    WHERE i.classid = '{catalogue}'::regclass AND i.objid = t.oid AND i.deptype = 'i')"""
_MADE_FUNCTION = _MADE_BY_ITSELF.format(catalogue="pg_proc")
_MADE_CAST = _MADE_BY_ITSELF.format(catalogue="pg_cast")

_ALL_FUNCTIONS = ("functions", "pg_proc", "t.prokind IN ('f', 'w')", "pronamespace")
_ALL_OPERATORS = ("operators", "pg_operator", "true", "oprnamespace")
_ALL_CASTS = ("casts", "pg_cast", f"t.oid >= {_FIRST_NORMAL_OID}", None)

# kind, catalogue, condition on its row `t`, name of the column that holds the schema (None: not in a schema)
_Kind = tuple[str, str, str, Optional[str]]
_KINDS: Sequence[_Kind] = (
    ("tables", "pg_class", "t.relkind = 'r' AND t.relpersistence <> 't'", "relnamespace"),
    ("partitioned_tables", "pg_class", "t.relkind = 'p'", "relnamespace"),
    ("partitions", "pg_class", "t.relispartition AND t.relkind IN ('r', 'p', 'f')", "relnamespace"),
    ("views", "pg_class", "t.relkind = 'v'", "relnamespace"),
    ("materialized_views", "pg_class", "t.relkind = 'm'", "relnamespace"),
    ("foreign_tables", "pg_class", "t.relkind = 'f'", "relnamespace"),
    ("sequences", "pg_class", "t.relkind = 'S'", "relnamespace"),
    (
        "composite_types",
        "pg_type",
        "EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')",
        "typnamespace",
    ),
    ("enum_types", "pg_type", "t.typtype = 'e'", "typnamespace"),
    ("domains", "pg_type", "t.typtype = 'd'", "typnamespace"),
    ("range_types", "pg_type", "t.typtype = 'r'", "typnamespace"),
    ("base_types", "pg_type", f"t.typtype = 'b' AND t.oid NOT IN ({DEPENDENT_TYPES})", "typnamespace"),
    ("shell_types", "pg_type", "t.typtype = 'p' AND NOT t.typisdefined", "typnamespace"),
    ("functions", "pg_proc", f"t.prokind IN ('f', 'w') AND NOT {_MADE_FUNCTION}", "pronamespace"),
    ("procedures", "pg_proc", "t.prokind = 'p'", "pronamespace"),
    ("aggregates", "pg_proc", "t.prokind = 'a'", "pronamespace"),
    ("operators", "pg_operator", "t.oprcode <> 0", "oprnamespace"),  # one that is only named by another has no code
    ("operator_classes", "pg_opclass", "true", "opcnamespace"),
    ("operator_families", "pg_opfamily", "true", "opfnamespace"),
    ("collations", "pg_collation", "true", "collnamespace"),
    ("conversions", "pg_conversion", "true", "connamespace"),
    ("text_search_configurations", "pg_ts_config", "true", "cfgnamespace"),
    ("text_search_dictionaries", "pg_ts_dict", "true", "dictnamespace"),
    ("text_search_parsers", "pg_ts_parser", "true", "prsnamespace"),
    ("text_search_templates", "pg_ts_template", "true", "tmplnamespace"),
    ("schemas", "pg_namespace", "t.nspname !~ '^pg_' AND t.nspname <> 'information_schema'", None),
    ("extensions", "pg_extension", "true", None),
    ("languages", "pg_language", f"t.oid >= {_FIRST_NORMAL_OID}", None),
    ("casts", "pg_cast", f"t.oid >= {_FIRST_NORMAL_OID} AND NOT {_MADE_CAST}", None),
    ("transforms", "pg_transform", "true", None),
    ("access_methods", "pg_am", f"t.oid >= {_FIRST_NORMAL_OID}", None),
    ("event_triggers", "pg_event_trigger", "true", None),
    ("foreign_data_wrappers", "pg_foreign_data_wrapper", "true", None),
    ("foreign_servers", "pg_foreign_server", "true", None),
    ("publications", "pg_publication", "true", None),
    ("large_objects", "pg_largeobject_metadata", "true", None),
)

_CONSTRAINTS = """(VALUES ('c', 'check_constraints'), ('f', 'foreign_keys'), ('p', 'primary_keys'),
                   ('u', 'unique_constraints'), ('x', 'exclusion_constraints')) AS k(contype, name)"""

# Those that are no members of an extension by themselves, but parts of something that may be one: kinds, the catalogue
# without whose rows there are none, and the query that counts them.
_Parts = tuple[Sequence[str], str, str]
_CONSTRAINT_KINDS = ("check_constraints", "foreign_keys", "primary_keys", "unique_constraints", "exclusion_constraints")
_PARTS: Sequence[_Parts] = (
    (
        ("indexes",),
        "pg_index",
        """
    SELECT 'indexes', count(*) FROM pg_catalog.pg_class t JOIN pg_catalog.pg_index i ON i.indexrelid = t.oid
      JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
     WHERE t.relnamespace {of_users} AND (i.indisvalid OR c.relkind = 'p') AND i.indisready AND {of_table}""",
    ),
    (
        _CONSTRAINT_KINDS,
        "pg_constraint",
        f"""
    SELECT k.name, count(t.oid)
      FROM {_CONSTRAINTS}
      LEFT JOIN (SELECT t.oid, t.contype FROM pg_catalog.pg_constraint t
                   LEFT JOIN pg_catalog.pg_class c ON c.oid = t.conrelid
                   LEFT JOIN pg_catalog.pg_type y ON y.oid = t.contypid
                  WHERE t.connamespace {{of_users}} AND {{of_table}} AND {{of_type}}) AS t
        ON t.contype = k.contype::"char" GROUP BY 1""",  # noqa: S608  constants only
    ),
    (
        ("extended_statistics",),
        "pg_statistic_ext",
        """
    SELECT 'extended_statistics', count(*) FROM pg_catalog.pg_statistic_ext t
      JOIN pg_catalog.pg_class c ON c.oid = t.stxrelid
     WHERE t.stxnamespace {of_users} AND {of_table} AND {of_statistics}""",
    ),
    (
        ("triggers",),
        "pg_trigger",
        """
    SELECT 'triggers', count(*) FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
      LEFT JOIN pg_catalog.pg_trigger u ON u.oid = t.tgparentid
     WHERE ((NOT t.tgisinternal AND t.tgparentid = 0) OR t.tgenabled <> u.tgenabled)
       AND c.relnamespace {of_users} AND {of_table}""",
    ),
    (
        ("rules",),
        "pg_rewrite",
        """
    SELECT 'rules', count(*) FROM pg_catalog.pg_rewrite t JOIN pg_catalog.pg_class c ON c.oid = t.ev_class
     WHERE t.rulename <> '_RETURN' AND c.relnamespace {of_users} AND {of_table}""",
    ),
    (
        ("policies",),
        "pg_policy",
        """
    SELECT 'policies', count(*) FROM pg_catalog.pg_policy t JOIN pg_catalog.pg_class c ON c.oid = t.polrelid
     WHERE c.relnamespace {of_users} AND {of_table}""",
    ),
    (
        ("columns",),
        "pg_attribute",
        """
    SELECT 'columns', count(*) FROM pg_catalog.pg_attribute t JOIN pg_catalog.pg_class c ON c.oid = t.attrelid
     WHERE t.attnum > 0 AND NOT t.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
       AND c.relnamespace {of_users} AND {of_table}
       AND (c.relkind <> 'c'
            OR NOT EXISTS (SELECT FROM pg_catalog.pg_type y WHERE y.oid = c.reltype AND NOT {of_type}))""",
    ),
    (
        ("column_defaults",),
        "pg_attrdef",
        """
    SELECT 'column_defaults', count(*) FROM pg_catalog.pg_attrdef t JOIN pg_catalog.pg_class c ON c.oid = t.adrelid
     WHERE c.relnamespace {of_users} AND {of_table}""",
    ),
    (
        ("enum_labels",),
        "pg_enum",
        """
    SELECT 'enum_labels', count(*) FROM pg_catalog.pg_enum t JOIN pg_catalog.pg_type y ON y.oid = t.enumtypid
     WHERE y.typnamespace {of_users} AND {of_type}""",
    ),
    (
        ("published_tables",),
        "pg_publication_rel",
        """
    SELECT 'published_tables', count(*) FROM pg_catalog.pg_publication_rel t
      JOIN pg_catalog.pg_class c ON c.oid = t.prrelid WHERE {members_published} OR {of_table}""",
    ),
    (("default_acls",), "pg_default_acl", "SELECT 'default_acls', count(*) FROM pg_catalog.pg_default_acl"),
    (
        ("user_mappings",),
        "pg_user_mapping",
        "SELECT 'user_mappings', count(*) FROM pg_catalog.pg_user_mappings s WHERE {of_server}",
    ),
    (
        ("subscriptions",),
        "pg_subscription",
        f"""
    SELECT 'subscriptions', count(*) FROM pg_catalog.pg_subscription
     WHERE subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) AND {_SUPERUSER}""",  # noqa: S608
    ),
    (("grants",), "pg_class", "SELECT 'grants', count(*) FROM ({grants}) AS g"),
    (
        ("comments",),
        "pg_description",
        f"SELECT 'comments', count(*) FROM pg_catalog.pg_description WHERE objoid >= {_FIRST_NORMAL_OID}",  # noqa: S608
    ),
    (("security_labels",), "pg_seclabel", "SELECT 'security_labels', count(*) FROM pg_catalog.pg_seclabel"),
)
# Of all the comments, which most databases have none of. To tell which are written takes the server long to plan.
_COMMENTS = f"""
    SELECT count(*) FROM pg_catalog.pg_description
     WHERE objoid >= {_FIRST_NORMAL_OID} AND (classoid, objoid) NOT IN ({WITHOUT_COMMENTS})
       AND (classoid <> 'pg_subscription'::regclass OR {_SUPERUSER})"""  # noqa: S608  constants only

# Everything that can have rights of its own: catalogue, its columns for owner and rights, the letter of acldefault(),
# condition on its row `t`, column that holds the schema.
_WithRights = tuple[str, str, str, str, str, Optional[str]]
_WITH_RIGHTS: Sequence[_WithRights] = (
    ("pg_class", "relowner", "relacl", "r", "t.relkind IN ('r', 'p', 'v', 'm', 'f')", "relnamespace"),
    ("pg_class", "relowner", "relacl", "s", "t.relkind = 'S'", "relnamespace"),
    ("pg_proc", "proowner", "proacl", "f", f"NOT {_MADE_FUNCTION}", "pronamespace"),
    (
        "pg_type",
        "typowner",
        "typacl",
        "T",
        "t.typtype IN ('b', 'd', 'e', 'r') AND t.typcategory <> 'A'",
        "typnamespace",
    ),
    ("pg_namespace", "nspowner", "nspacl", "n", "t.oid {of_users}", None),
    ("pg_language", "lanowner", "lanacl", "l", f"t.oid >= {_FIRST_NORMAL_OID}", None),
    ("pg_foreign_data_wrapper", "fdwowner", "fdwacl", "F", "true", None),
    ("pg_foreign_server", "srvowner", "srvacl", "S", "true", None),
    ("pg_largeobject_metadata", "lomowner", "lomacl", "L", "true", None),
)
_RIGHTS_OF_COLUMNS = """
    SELECT t.attrelid AS object, t.attnum AS part, c.relowner AS owner, t.attacl AS acl
      FROM pg_catalog.pg_attribute t JOIN pg_catalog.pg_class c ON c.oid = t.attrelid
     WHERE t.attacl IS NOT NULL AND NOT t.attisdropped AND c.relnamespace {of_users} AND {of_table}"""

# Who has which right, but for owners, and for what differs between versions: MAINTAIN came with PostgreSQL 17, and
# everybody could create in the schema public before 15.
_GRANTS = """
    SELECT DISTINCT o.object, o.part, a.grantee, a.privilege_type
      FROM ({holders}) AS o, LATERAL aclexplode(o.acl) AS a
     WHERE a.grantee <> o.owner AND a.privilege_type <> 'MAINTAIN'
       AND NOT (a.grantee = 0 AND o.object = COALESCE(to_regnamespace('public')::oid, 0))"""


def read_inventory(
    session: Session, client_major: int, scope: Scope = EVERYTHING, filled: Filled = ANYTHING
) -> dict[str, int]:
    """Count the objects of each kind in the session's snapshot; every kind is named, also those with none."""
    found = dict.fromkeys(_ALL_KINDS, 0)
    # Two statements: the time to plan one grows faster than its length.
    for statement in _statements(client_major, filled):
        found.update((kind, int(count)) for kind, count in session.rows(scope.limit(statement)))
    if found["comments"]:
        found["comments"] = int(session.value(scope.limit(_COMMENTS)))
    return found


@lru_cache(maxsize=16)  # the databases of an instance are often alike
def _statements(client_major: int, filled: Filled) -> tuple[str, str]:
    parts = " UNION ALL ".join(query for _kinds, catalogue, query in _PARTS if filled.has(catalogue)).format(
        of_users=filled.of_users,
        of_table=filled.no_member("pg_class", "c"),
        of_type=filled.no_member("pg_type", "y"),
        members_published="true" if client_major >= MEMBERS_PUBLISHED_SINCE else "false",
        of_statistics=filled.no_member("pg_statistic_ext", "t"),
        of_server=filled.no_member("pg_foreign_server", "s", "srvid"),
        grants=_grants(_WITH_RIGHTS, filled),
    )
    return _counts(_KINDS, filled), parts


def _grants(kinds: Sequence[_WithRights], filled: Filled) -> str:
    holders = [_holders(*entry, filled) for entry in kinds if filled.has(entry[0])]
    of_columns = _RIGHTS_OF_COLUMNS.format(of_users=filled.of_users, of_table=filled.no_member("pg_class", "c"))
    return _GRANTS.format(holders=" UNION ALL ".join([*holders, of_columns]))


def _holders(
    catalogue: str, owner: str, acl: str, letter: str, condition: str, schema: str | None, filled: Filled
) -> str:
    in_schema = f" AND t.{schema} {filled.of_users}" if schema else ""
    members = "" if catalogue == "pg_largeobject_metadata" else f" AND {filled.no_member(catalogue, 't')}"
    rights = f"COALESCE(t.{acl}, acldefault('{letter}', t.{owner}))"  # what it has by itself where nothing was said
    return (
        f"SELECT t.oid AS object, 0 AS part, t.{owner} AS owner, {rights} AS acl "  # noqa: S608
        f"FROM pg_catalog.{catalogue} t WHERE {condition.format(of_users=filled.of_users)}{in_schema}{members}"
    )


def _counts(kinds: Sequence[_Kind], filled: Filled) -> str:
    """Write the query that counts them: one pass over each catalogue, since planning it takes longest."""
    passes: dict[tuple[str, str | None], list[tuple[str, str]]] = {}
    for kind, catalogue, condition, schema in kinds:
        if filled.has(catalogue):
            passes.setdefault((catalogue, schema), []).append((kind, condition))
    return " UNION ALL ".join(_pass(*place, counted, filled) for place, counted in passes.items())


def _pass(catalogue: str, schema: str | None, counted: Sequence[tuple[str, str]], filled: Filled) -> str:
    in_schema = f"t.{schema} {filled.of_users}" if schema else "true"
    # A large object cannot be a member of an extension, and an extension is none of itself.
    own = catalogue in ("pg_largeobject_metadata", "pg_extension")
    members = "" if own else f" AND {filled.no_member(catalogue, 't')}"
    rows = f"FROM pg_catalog.{catalogue} t WHERE {in_schema}{members}"
    if len(counted) == 1:
        ((kind, condition),) = counted
        return f"SELECT '{kind}', count(*) {rows} AND {condition}"
    counts = ", ".join(f"count(*) FILTER (WHERE {condition}) AS {kind}" for kind, condition in counted)
    names = ", ".join(f"('{kind}', c.{kind})" for kind, _condition in counted)
    return f"SELECT k.name, k.found FROM (SELECT {counts} {rows}) AS c, LATERAL (VALUES {names}) AS k(name, found)"  # noqa: S608


_ALL_KINDS = sorted([*(kind for kind, *_rest in _KINDS), *(kind for kinds, *_rest in _PARTS for kind in kinds)])


# The kinds that the first rules counted in another way: also what is on members of extensions, and invalid indexes.
# They counted as well what a type makes by itself.
_OLDER = f"""
    SELECT 'indexes', count(*) FROM pg_catalog.pg_class t WHERE t.relkind IN ('i', 'I')
       AND t.relnamespace {ANYTHING.of_users} AND {ANYTHING.no_member("pg_class", "t")}
    UNION ALL
    SELECT 'composite_types', count(*) FROM pg_catalog.pg_class t WHERE t.relkind = 'c'
       AND t.relnamespace {ANYTHING.of_users} AND {ANYTHING.no_member("pg_class", "t")}
    UNION ALL
    SELECT 'base_types', count(*) FROM pg_catalog.pg_type t WHERE t.typtype = 'b' AND t.typcategory <> 'A'
       AND t.typnamespace {ANYTHING.of_users} AND {ANYTHING.no_member("pg_type", "t")}
    UNION ALL
    SELECT k.name, count(t.oid)
      FROM {_CONSTRAINTS}
      LEFT JOIN pg_catalog.pg_constraint t
        ON t.contype = k.contype::"char" AND t.connamespace {ANYTHING.of_users} GROUP BY 1
    UNION ALL
    SELECT 'extended_statistics', count(*) FROM pg_catalog.pg_statistic_ext t WHERE t.stxnamespace {ANYTHING.of_users}
       AND {ANYTHING.no_member("pg_statistic_ext", "t")}
    UNION ALL
    SELECT 'columns', count(*) FROM pg_catalog.pg_attribute t JOIN pg_catalog.pg_class c ON c.oid = t.attrelid
     WHERE t.attnum > 0 AND NOT t.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
       AND c.relnamespace {ANYTHING.of_users} AND {ANYTHING.no_member("pg_class", "c")}
    UNION ALL
    SELECT 'triggers', count(*) FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
     WHERE NOT t.tgisinternal AND c.relnamespace {ANYTHING.of_users} AND {ANYTHING.no_member("pg_class", "c")}
    UNION ALL
    SELECT 'published_tables', count(*) FROM pg_catalog.pg_publication_rel
    UNION ALL
    SELECT 'user_mappings', count(*) FROM pg_catalog.pg_user_mappings
    UNION ALL
    SELECT 'subscriptions', count(*) FROM pg_catalog.pg_subscription
     WHERE subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
    UNION ALL
    SELECT 'comments', count(*) FROM pg_catalog.pg_description WHERE objoid >= {_FIRST_NORMAL_OID}"""  # noqa: S608


def read_older(session: Session) -> Mapping[str, int]:
    """Count what the first rules counted in another way, to be compared with manifests of that time."""
    with_all_functions = [(*each[:4], "true", each[5]) if each[0] == "pg_proc" else each for each in _WITH_RIGHTS]
    statements = [
        _OLDER,
        _counts((_ALL_FUNCTIONS, _ALL_OPERATORS, _ALL_CASTS), ANYTHING),
        f"SELECT 'grants', count(*) FROM ({_grants(with_all_functions, ANYTHING)}) AS g",  # noqa: S608  constants only
    ]
    return {kind: int(count) for kind, count in session.rows(" UNION ALL ".join(statements))}
