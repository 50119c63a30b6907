# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes into the manifest about one snapshot of one database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...connection.server import Server
from ..values import PARTIAL, UNCOUNTED_KEY, Client, DumpOptions, MissingPrivilege, ServerFacts, SnapshotDetails
from .contents import read_contents
from .filled import read_filled
from .given_objects import DROPPED_KEY, GIVEN, dropped
from .inventory import RULES, read_inventory, read_older
from .left_out import read_left_out
from .load_hazards import FUNCTIONS_OF_USERS, hazard_warnings
from .properties import read_properties
from .relations import FROM, NAME, ORDINARY
from .scope import Scope
from .session import ExportedSnapshot, Session
from .settings import CLIENT_SETTINGS_KEY, client_settings
from .system_identifier import SYSTEM_IDENTIFIER_KEY, system_identifier

_OF_NOTE = f"""
    SELECT {NAME} AS name, c.relkind = 'r' AS unlogged_tables, c.relkind = 'm' AS materialized_views,
           c.relkind = 'm' AND NOT c.relispopulated AS unpopulated_materialized_views, c.relkind = 'f' AS foreign_tables
      {FROM} WHERE (c.relkind IN ('m', 'f') OR (c.relkind = 'r' AND c.relpersistence = 'u')) AND {ORDINARY}
     ORDER BY 1"""
_KINDS_OF_NOTE = ("unlogged_tables", "materialized_views", "unpopulated_materialized_views", "foreign_tables")
# In one statement, as each costs its way, and all are short. The bytes of large objects are those on disk, compressed.
_FACTS = f"""
    SELECT ARRAY(SELECT ARRAY[e.extname::text, e.extversion] FROM pg_catalog.pg_extension e) AS extensions,
           ARRAY(SELECT DISTINCT t.spcname FROM pg_catalog.pg_class c
                   JOIN pg_catalog.pg_tablespace t ON t.oid = c.reltablespace
                  WHERE t.spcname NOT IN ('pg_default', 'pg_global') ORDER BY 1) AS tablespaces,
           pg_relation_size('pg_catalog.pg_largeobject') AS large_object_bytes,
           ARRAY({GIVEN}) AS given,
           (SELECT pg_encoding_to_char(encoding) FROM pg_catalog.pg_database WHERE datname = 'template0')
               AS cluster_encoding,
           EXISTS ({FUNCTIONS_OF_USERS}) AS with_functions,
           EXISTS ({{of_note}}) AS with_some_of_note"""  # noqa: S608  constants only


def read_details(
    session: Session,
    server: Server,
    facts: ServerFacts,
    client: Client,
    options: DumpOptions,
    exported: ExportedSnapshot,
    scope: Scope,
    *,
    missing: Sequence[MissingPrivilege],
) -> SnapshotDetails:
    """Read it all through the session that holds the snapshot."""
    filled = read_filled(session, scope.limit)
    inventory = read_inventory(session, client.major, scope, filled)
    (told,) = session.rows(_FACTS.format(of_note=scope.limit(_OF_NOTE)))
    of_note = _of_note(session, scope) if told.with_some_of_note else {kind: [] for kind in _KINDS_OF_NOTE}
    contents = read_contents(session, exported, options, scope)
    left_out = read_left_out(session, client.major, scope, filled)
    return SnapshotDetails(
        position=_position(exported),
        properties=read_properties(server, session.database),
        inventory=inventory,
        inventory_trusted=True,  # PostgreSQL's catalogues show every object to every login
        row_counts=contents.row_counts,
        fingerprints=contents.fingerprints,
        missing=[
            *(f"{entry.privilege}: {entry.effect}" for entry in missing if entry.severity == PARTIAL),
            *left_out.missing,
        ],
        warnings=[
            *_client_warnings(facts, client),
            *_unlogged_warnings(exported, of_note["unlogged_tables"]),
            *(hazard_warnings(session, scope) if told.with_functions else ()),
            *contents.warnings,
            *left_out.warnings,
            *scope.filtered.warnings,
        ],
        extra={
            "extensions": dict(map(tuple, told.extensions)),
            "tablespaces": list(told.tablespaces),
            "large_object_bytes": int(told.large_object_bytes),
            **of_note,
            DROPPED_KEY: dropped(told.given),
            "locked_tables": exported.tables,
            CLIENT_SETTINGS_KEY: client_settings(facts),
            SYSTEM_IDENTIFIER_KEY: system_identifier(lambda query: session.attempt(query)[0][0]),
            "inventory_rules": RULES,
            UNCOUNTED_KEY: left_out.missing,
            "cluster_encoding": told.cluster_encoding,
        },
        older_inventory=read_older(session) if options.older_inventory else {},
        filtered=scope.filtered,
    )


def _position(exported: ExportedSnapshot) -> dict[str, Any]:
    return {
        "snapshot": exported.name,
        "lsn": exported.lsn,
        "taken_at": exported.taken_at,
        "role": "replica" if exported.replica else "primary",
    }


def _of_note(session: Session, scope: Scope) -> dict[str, list[str]]:
    """Name the relations of which a restore, or a person, has to know; every kind is there, also with none."""
    rows = session.rows(scope.limit(_OF_NOTE))
    return {kind: [session.shown(row.name) for row in rows if getattr(row, kind)] for kind in _KINDS_OF_NOTE}


def _client_warnings(facts: ServerFacts, client: Client) -> list[str]:
    server_major = facts.version_number[0]
    if client.major == server_major:
        return []
    return [
        f"dumped by pg_dump {client.version} from a server {facts.version}: only pg_restore {client.major} or newer "
        f"reads the archive, and for a server {server_major} it may hold settings that such a server does not know"
    ]


def _unlogged_warnings(exported: ExportedSnapshot, unlogged: Sequence[str]) -> list[str]:
    if not exported.replica or not unlogged:
        return []
    names = ", ".join(unlogged)
    return [f"taken from a replica, where unlogged tables have no rows; not in this backup: the rows of {names}"]
