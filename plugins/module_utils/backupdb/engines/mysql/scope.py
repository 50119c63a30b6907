# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What filters leave out of one database.

The dump clients are told what to dump, name by name, so nothing is ever handed to them as a pattern. A trigger goes
with its table. What a view or a foreign key needs is looked up, because a server takes both away from its table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...connection.server import Server
from ...errors import ConnectionFailed, QueryFailed
from ..filters import (
    EXCLUDE_TABLE_DATA,
    EXCLUDE_TABLES,
    INCLUDE_TABLES,
    NOT_FILTERED,
    Filtered,
    Filters,
    Matcher,
    listed,
)
from .catalogue import Relation
from .outside import VIEWS, named_pairs
from .statements import ask

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_SEQUENCE = "SEQUENCE"
_KEYS = (
    "SELECT constraint_name, table_name, referenced_table_name FROM information_schema.referential_constraints"
    " WHERE constraint_schema = :database AND unique_constraint_schema = :database"
    " AND CAST(constraint_schema AS BINARY) = CAST(:database AS BINARY)"
    " AND CAST(unique_constraint_schema AS BINARY) = CAST(:database AS BINARY)"
)
_TRIGGERS = (
    "SELECT trigger_name, event_object_table FROM information_schema.triggers WHERE event_object_schema = :database"
    " AND CAST(event_object_schema AS BINARY) = CAST(:database AS BINARY)"
)


@dataclass(frozen=True)
class Scope:
    """What is left out: tables, views and sequences, the rows of tables, and the triggers of tables left out."""

    relations: frozenset[str] = frozenset()
    rows: frozenset[str] = frozenset()  # of tables that are kept
    triggers: frozenset[str] = frozenset()
    filtered: Filtered = NOT_FILTERED

    def kept(self, found: Iterable[Relation]) -> list[Relation]:
        """Return the relations that are not left out."""
        return [one for one in found if one.name not in self.relations]

    def keeps(self, kind: str, name: str) -> bool:
        """Tell whether an object that is no table stays; `kind` as information_schema has it, in small letters."""
        return name not in (self.triggers if kind == "trigger" else self.relations if kind == "view" else ())


EVERYTHING = Scope()


def read_scope(
    server: Server, connection: Connection, database: str, found: Sequence[Relation], filters: Filters
) -> Scope:
    """Compare the filters with the relations of a database."""
    if not filters:
        return EVERYTHING
    matcher = Matcher(filters, database)
    named = {
        option: {one.name for one in found if matcher.any(option, one.name)}
        for option in (INCLUDE_TABLES, EXCLUDE_TABLES, EXCLUDE_TABLE_DATA)
    }
    gone, warnings = named[EXCLUDE_TABLES], []
    if matcher.limits(parts=1):
        gone |= {one.name for one in found if one.type != _SEQUENCE} - named[INCLUDE_TABLES]
        if not named[INCLUDE_TABLES]:
            warnings.append("include_tables means no table of this database, so that all are left out")
    empty = {one.name for one in found if one.is_table and one.name in named[EXCLUDE_TABLE_DATA]} - gone
    triggers = {
        str(name) for name, table in ask(server, connection, _TRIGGERS, database=database) if str(table) in gone
    }
    return Scope(
        relations=frozenset(gone),
        rows=frozenset(empty),
        triggers=frozenset(triggers),
        filtered=Filtered(
            filters,
            tables=sorted(gone),
            table_data=sorted(empty),
            matched=frozenset(matcher.matched),
            there=[*(one.name for one in found), *(f"{database}.{one.name}" for one in found)],
            size=sum(one.size for one in found if one.name in gone | empty),
            warnings=[*warnings, *_needed(server, connection, database, gone, empty)],
        ),
    )


def _needed(server: Server, connection: Connection, database: str, gone: set[str], empty: set[str]) -> list[str]:
    """Warn of what is kept and needs what is left out."""
    keys = [
        tuple(map(str, row)) for row in ask(server, connection, _KEYS, database=database) if str(row[1]) not in gone
    ]
    views = sorted(f"view {view} needs {needed}" for view, needed in _view_needs(server, connection, database, gone))
    to_gone = sorted(f"{key} of {table} to {other}" for key, table, other in keys if other in gone)
    to_empty = sorted(
        f"{key} of {table} to {other}" for key, table, other in keys if other in empty and table not in empty
    )
    told = (
        ("a restore cannot make these, because what they need is left out", views),
        ("after a restore these foreign keys lead to tables that are left out, so that no row can be added", to_gone),
        (
            "after a restore these foreign keys lead to tables whose rows are left out, so that rows refer to none",
            to_empty,
        ),
    )
    return [f"{text}: {listed(lines, '; ')}" for text, lines in told if lines]


def _view_needs(server: Server, connection: Connection, database: str, gone: set[str]) -> Iterable[tuple[str, str]]:
    if not gone:
        return
    try:
        rows = ask(server, connection, VIEWS, database=database)
    except (QueryFailed, ConnectionFailed):
        return  # a view that does not answer; it is named by itself
    for definition, view in rows:
        if str(view) not in gone:
            for space, name in sorted(named_pairs(str(definition or ""))):
                if space == database and name in gone:
                    yield str(view), name
