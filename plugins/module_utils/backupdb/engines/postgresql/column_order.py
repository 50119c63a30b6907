# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables that inherit and whose columns come back in another order.

pg_dump writes INHERITS, which puts the columns of the parents first. A column that a parent got later, or a table that
was made to inherit later, may have them elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .relations import FROM, NAME, OF_USERS

# Partitions keep their order: they are made with all their columns, and attached.
INHERITING = f"""
    SELECT c.oid::bigint AS oid, {NAME} AS name,
           ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) AS columns,
           ARRAY(SELECT h.inhparent::bigint FROM pg_catalog.pg_inherits h WHERE h.inhrelid = c.oid ORDER BY h.inhseqno)
               AS parents {FROM}
     WHERE {OF_USERS} AND c.relkind IN ('r', 'f') AND NOT c.relispartition
       AND EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE c.oid IN (h.inhrelid, h.inhparent)) ORDER BY 2"""  # noqa: S608


def reordered(tables: Iterable[Any]) -> list[str]:
    """Return the names of those rows of `INHERITING` whose columns a restore puts in another order."""
    known = {int(table.oid): table for table in tables}
    made: dict[int, list[str]] = {}

    def order(oid: int) -> list[str]:
        if oid not in made:
            table = known[oid]
            first = [column for parent in table.parents if int(parent) in known for column in order(int(parent))]
            made[oid] = [name for name in dict.fromkeys([*first, *table.columns]) if name in table.columns]
        return made[oid]

    return [table.name for oid, table in known.items() if order(oid) != list(table.columns)]
