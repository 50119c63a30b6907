# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SQL for the objects that pg_dump does not write, though people may have made them.

Derived from pg_dump's own selection (pg_dump.c: checkExtensionMembership, selectDumpable…, getIndexes, getTriggers, …).
"""

from __future__ import annotations

from .filled import SPACES, Filled

FIRST_NORMAL_OID = 16384  # below are the objects that initdb made (access/transam.h)
MEMBERS_PUBLISHED_SINCE = 18  # the pg_dump that writes which members of extensions a publication has

# Catalogues with objects in schemas, and the column that holds the schema.
IN_SCHEMAS = (
    ("pg_class", "relnamespace"),
    ("pg_type", "typnamespace"),
    ("pg_proc", "pronamespace"),
    ("pg_operator", "oprnamespace"),
    ("pg_opclass", "opcnamespace"),
    ("pg_opfamily", "opfnamespace"),
    ("pg_collation", "collnamespace"),
    ("pg_conversion", "connamespace"),
    ("pg_constraint", "connamespace"),
    ("pg_statistic_ext", "stxnamespace"),
    ("pg_ts_config", "cfgnamespace"),
    ("pg_ts_dict", "dictnamespace"),
    ("pg_ts_parser", "prsnamespace"),
    ("pg_ts_template", "tmplnamespace"),
)


def members(catalogue: str) -> str:
    """Return SQL for the members of extensions in a catalogue: their number, and the extension's."""
    return (
        f"SELECT d.objid AS oid, d.refobjid AS extension FROM pg_catalog.pg_depend d "  # noqa: S608
        f"WHERE d.classid = '{catalogue}'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'"
    )


def _parts(kind: str, catalogue: str, parent: str, of: str, condition: str = "true") -> str:
    """Parts of members that have no membership of their own; the transaction is that of their dependency."""
    return f"""
        SELECT '{kind}' AS kind, '{catalogue}'::regclass::oid AS classid, t.oid AS objid, 0 AS objsubid, m.extension,
               COALESCE((SELECT max(p.xmin::text) FROM pg_catalog.pg_depend p
                          WHERE p.classid = '{catalogue}'::regclass AND p.objid = t.oid
                            AND p.refobjid = t.{parent} AND p.deptype IN ('a', 'i')), t.xmin::text) AS xid
          FROM pg_catalog.{catalogue} t JOIN ({members(of)}) AS m ON m.oid = t.{parent} WHERE {condition}"""  # noqa: S608


_INDEXES = f"""
    SELECT 'indexes' AS kind, 'pg_class'::regclass::oid AS classid, i.indexrelid AS objid, 0 AS objsubid, m.extension,
           COALESCE((SELECT max(p.xmin::text) FROM pg_catalog.pg_depend p
                      WHERE p.classid = 'pg_class'::regclass AND p.objid = i.indexrelid), i.xmin::text) AS xid
      FROM pg_catalog.pg_index i JOIN ({members("pg_class")}) AS m ON m.oid = i.indrelid
     WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
                        WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))"""  # noqa: S608
_STATISTICS = f"""
    SELECT 'extended statistics' AS kind, 'pg_statistic_ext'::regclass::oid AS classid, t.oid AS objid, 0 AS objsubid,
           m.extension, (SELECT max(p.xmin::text) FROM pg_catalog.pg_depend p
                          WHERE p.classid = 'pg_statistic_ext'::regclass AND p.objid = t.oid) AS xid
      FROM pg_catalog.pg_statistic_ext t JOIN ({members("pg_class")}) AS m ON m.oid = t.stxrelid"""  # noqa: S608

PARTS = " UNION ALL ".join(
    (
        _INDEXES,
        _STATISTICS,
        _parts("constraints", "pg_constraint", "conrelid", "pg_class", "t.contype IN ('c', 'f', 'p', 'u', 'x')"),
        _parts("constraints", "pg_constraint", "contypid", "pg_type"),
        _parts("triggers", "pg_trigger", "tgrelid", "pg_class", "NOT t.tgisinternal"),
        _parts("rules", "pg_rewrite", "ev_class", "pg_class", "t.rulename <> '_RETURN'"),
        _parts("policies", "pg_policy", "polrelid", "pg_class"),
    )
)

PUBLISHED = "membership in publications"
CHANGED = "changed definitions"
# What a script made may have been changed afterwards, which gives the row a new transaction. A change of rights does so
# as well, and is written: a function or column whose rights differ from the first ones is left alone.
_CHANGED = f"""
    SELECT '{CHANGED}' AS kind, 'pg_proc'::regclass::oid AS classid, t.oid AS objid, 0 AS objsubid,
           m.extension, t.xmin::text AS xid
      FROM pg_catalog.pg_proc t JOIN ({members("pg_proc")}) AS m ON m.oid = t.oid
      LEFT JOIN pg_catalog.pg_init_privs i ON i.classoid = 'pg_proc'::regclass AND i.objoid = t.oid
     WHERE t.proacl IS NOT DISTINCT FROM i.initprivs AND t.oid NOT IN (SELECT objid FROM changed_owner)
    UNION ALL
    SELECT '{CHANGED}', 'pg_class'::regclass::oid, t.ev_class, 0, m.extension, t.xmin::text
      FROM pg_catalog.pg_rewrite t JOIN ({members("pg_class")}) AS m ON m.oid = t.ev_class WHERE t.rulename = '_RETURN'
    UNION ALL
    SELECT 'added or changed columns', 'pg_class'::regclass::oid, t.attrelid, t.attnum, m.extension, t.xmin::text
      FROM pg_catalog.pg_attribute t JOIN ({members("pg_class")}) AS m ON m.oid = t.attrelid
      JOIN pg_catalog.pg_class c ON c.oid = t.attrelid
     WHERE t.attnum > 0 AND NOT t.attisdropped AND t.attacl IS NULL AND c.relkind IN ('r', 'p', 'f')"""  # noqa: S608

# Kind, object, extension and transaction. Owners of members are those of the extension when it is made again.
ON_MEMBERS = f"""
    WITH changed_owner AS MATERIALIZED (
        SELECT d.classid, d.objid, d.refobjid AS extension, s.xmin::text AS xid FROM pg_catalog.pg_depend d
          JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
          JOIN pg_catalog.pg_shdepend s ON s.classid = d.classid AND s.objid = d.objid AND s.deptype = 'o'
           AND s.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
         WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND s.refobjid <> e.extowner
        UNION ALL
        SELECT d.classid, d.objid, d.refobjid, t.xmin::text FROM pg_catalog.pg_proc t
          JOIN pg_catalog.pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = t.oid
           AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
          JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
         WHERE t.proowner < {FIRST_NORMAL_OID} AND t.proowner NOT IN (e.extowner, 10)
        UNION ALL
        SELECT d.classid, d.objid, d.refobjid, t.xmin::text FROM pg_catalog.pg_class t
          JOIN pg_catalog.pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = t.oid
           AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
          JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
         WHERE t.relowner < {FIRST_NORMAL_OID} AND t.relowner NOT IN (e.extowner, 10))
    SELECT 'comments' AS kind, c.classoid AS classid, c.objoid AS objid, c.objsubid, d.refobjid AS extension,
           c.xmin::text AS xid
      FROM pg_catalog.pg_description c JOIN pg_catalog.pg_depend d ON d.classid = c.classoid AND d.objid = c.objoid
       AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
    UNION ALL
    SELECT 'changed owners', classid, objid, 0, extension, xid FROM changed_owner
    UNION ALL {_CHANGED}
    UNION ALL {PARTS}
    UNION ALL
    SELECT 'user mappings', 'pg_foreign_server'::regclass::oid, u.srvid, 0, m.extension, '0'
      FROM pg_catalog.pg_user_mappings u JOIN ({members("pg_foreign_server")}) AS m ON m.oid = u.srvid
    UNION ALL
    SELECT '{PUBLISHED}', 'pg_class'::regclass::oid, p.prrelid, 0, m.extension, p.xmin::text
      FROM pg_catalog.pg_publication_rel p JOIN ({members("pg_class")}) AS m ON m.oid = p.prrelid"""  # noqa: S608

# Types that belong to another object: rows of a table or view, arrays, multiranges. The other object makes them.
DEPENDENT_TYPES = """
    SELECT t.oid FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
     WHERE (c.oid IS NOT NULL AND c.relkind <> 'c') OR t.typtype = 'm'
        OR EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)"""


# Each with the catalogue without whose rows there are none.
_ON_TYPES = (
    (
        "pg_description",
        f"""
    SELECT 'comments on types that belong to other objects' AS kind, pg_describe_object(d.classoid, d.objoid, 0) AS name
      FROM pg_catalog.pg_description d WHERE d.classoid = 'pg_type'::regclass AND d.objoid >= {FIRST_NORMAL_OID}
       AND d.objoid IN ({DEPENDENT_TYPES})""",  # noqa: S608
    ),
    (
        "pg_type",
        f"""
    SELECT 'rights on types that belong to other objects' AS kind, pg_describe_object('pg_type'::regclass, t.oid, 0)
           AS name FROM pg_catalog.pg_type t WHERE t.typacl IS NOT NULL AND t.oid >= {FIRST_NORMAL_OID}
       AND t.oid IN ({DEPENDENT_TYPES})""",  # noqa: S608
    ),
)


def outside(filled: Filled) -> str:
    """Return SQL for kind and name of what belongs to no extension."""
    queries = [
        *(query for catalogue, query in _ON_TYPES if filled.has(catalogue)),
        *(_in_system_schemas(*entry, filled) for entry in IN_SCHEMAS if filled.has(entry[0])),
    ]
    return f"{' UNION ALL '.join(queries)} ORDER BY 1, 2"


def _in_system_schemas(catalogue: str, column: str, filled: Filled) -> str:
    # Row types, arrays, indexes and constraints go with what they belong to, which is named.
    condition = {
        "pg_class": "t.relkind NOT IN ('i', 'I', 't')",
        "pg_type": f"t.oid NOT IN ({DEPENDENT_TYPES})",
        "pg_constraint": "false",
    }.get(catalogue, "true")
    member = f" AND t.oid NOT IN (SELECT oid FROM ({members(catalogue)}) AS m)" if filled.has_members(catalogue) else ""  # noqa: S608
    return (
        f"SELECT 'objects in the server''s own schemas' AS kind, pg_describe_object('{catalogue}'::regclass, t.oid, 0) "  # noqa: S608
        f"AS name FROM pg_catalog.{catalogue} t WHERE t.oid >= {FIRST_NORMAL_OID} AND t.{column} {filled.of_system} "
        f"AND {condition}{member}"
    )


def _of_schemas(catalogue: str, column: str) -> str:
    return (
        f"SELECT '{catalogue}'::regclass::oid AS classid, t.oid AS objid FROM pg_catalog.{catalogue} t "  # noqa: S608
        f"WHERE t.{column} <> 0 AND t.{column} NOT IN {SPACES}"
    )


_INVALID_INDEXES = """
    SELECT 'pg_class'::regclass::oid AS classid, i.indexrelid AS objid FROM pg_catalog.pg_index i
      JOIN pg_catalog.pg_class c ON c.oid = i.indrelid WHERE NOT ((i.indisvalid OR c.relkind = 'p') AND i.indisready)"""

# Every object on which a comment is not written.
WITHOUT_COMMENTS = " UNION ALL ".join(
    (
        "SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'",
        f"SELECT classid, objid FROM ({PARTS}) AS parts",  # noqa: S608
        _INVALID_INDEXES,
        f"SELECT 'pg_type'::regclass::oid, oid FROM ({DEPENDENT_TYPES}) AS types",  # noqa: S608
        *(_of_schemas(*entry) for entry in IN_SCHEMAS),
    )
)
