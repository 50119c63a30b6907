# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which relations pg_dump writes, as SQL: conditions on `pg_class c` joined with `pg_namespace n`.

The name of a relation is given as SQL needs it, quoted only where it must be: public.orders, public."Odd name".
"""

from __future__ import annotations

FROM = "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
NAME = "format('%I.%I', n.nspname, c.relname)"

# No system schemas, no temporary tables of other sessions.
OF_USERS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relpersistence <> 't'"

# An extension makes its own tables again when it is restored.
OF_NO_EXTENSION = (
    "NOT EXISTS (SELECT FROM pg_catalog.pg_depend d "
    "WHERE d.classid = CAST('pg_class' AS regclass) AND d.objid = c.oid AND d.deptype = 'e')"
)

# Except those that it registered with pg_extension_config_dump(): their rows, or some of them, are dumped.
ORDINARY = f"{OF_USERS} AND {OF_NO_EXTENSION}"
WITH_ROWS = (
    f"{OF_USERS} AND ({OF_NO_EXTENSION} OR EXISTS "
    "(SELECT FROM pg_catalog.pg_extension x WHERE c.oid = ANY (x.extconfig)))"
)

# The table through which pg_dump has the rows of a partition loaded, where that is another one: the hash of an enum's
# value is another one in each database, so the rows go to other partitions there. NULL for all others.
LOADED_THROUGH = """
    CASE WHEN c.relispartition AND EXISTS
              (SELECT FROM pg_catalog.pg_partition_ancestors(c.oid) AS above
                 JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = above.relid
                 JOIN pg_catalog.pg_opclass o ON o.oid = ANY (p.partclass) AND o.opcname = 'enum_ops'
                 JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod AND m.amname = 'hash')
         THEN (SELECT format('%I.%I', rn.nspname, r.relname)
                 FROM pg_catalog.pg_class r JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
                WHERE r.oid = pg_catalog.pg_partition_root(c.oid)) END"""
