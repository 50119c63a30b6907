# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows that an extension puts into its own tables when it is made, and that stand in the archive as well."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from ....connection.server import Server
from ....errors import QueryFailed
from ..quoting import identifier
from .choice import Chosen, all_entries, defined_names
from .toc import Entry

# What pg_extension_config_dump() was told: the table, and which of its rows are dumped.
_CONFIGURED = """
    SELECT n.nspname, c.relname, x.extname, COALESCE(e.condition, '') AS condition
      FROM pg_catalog.pg_extension x
     CROSS JOIN LATERAL unnest(x.extconfig, x.extcondition) AS e (oid, condition)
      JOIN pg_catalog.pg_class c ON c.oid = e.oid AND c.relkind IN ('r', 'p')
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"""


def filled_by_extensions(chosen: Sequence[Chosen], before: frozenset[str]) -> list[Entry]:
    """Return the rows of tables that no archive defines; `before` are the extensions that were there already."""
    entries = all_entries(chosen)
    if not any(entry.kind == "EXTENSION" and entry.tag not in before for entry in entries):
        return []
    defined = defined_names([one.archive for one in chosen])
    return [entry for entry in entries if entry.kind == "TABLE DATA" and (entry.namespace, entry.tag) not in defined]


def empty_filled(server: Server, database: str, filled: Sequence[Entry]) -> None:
    """Remove, in a new database, the rows that the archive has again: those that the extension has dumped, no others.

    What cannot be removed stays, and its rows are refused by their keys.
    """
    wanted = {(entry.namespace, entry.tag) for entry in filled}
    tables = [row for row in server.rows(_CONFIGURED, database=database) if (row.nspname, row.relname) in wanted]
    with suppress(QueryFailed), server.connect(database, autocommit=False) as pooled:
        connection = pooled.execution_options(no_parameters=True)
        # As pg_dump names them: without a search path. And in any order: foreign keys are satisfied in the archive.
        connection.exec_driver_sql("SET LOCAL search_path = ''").close()
        connection.exec_driver_sql(
            "SELECT pg_catalog.set_config('session_replication_role', 'replica', true) "
            "FROM pg_catalog.pg_roles WHERE rolname = current_user AND rolsuper"
        ).close()
        for row in tables:
            table = f"{identifier(row.nspname)}.{identifier(row.relname)}"
            connection.exec_driver_sql(f"DELETE FROM ONLY {table} {row.condition}").close()  # noqa: S608
        connection.commit()
