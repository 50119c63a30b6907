# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rows were in the snapshot: exact counts and, if asked, a hash of each table's content.

A hash is the sum of the hashes of all rows, so that their order does not matter, over the rows' text with the columns
in the order of their names. The session's settings fix how values are written. Foreign tables have no rows here,
unlogged tables have none on a standby, and an extension makes the rows of its own tables itself. Partitions that
a restore may fill with other rows of the same table are taken together, under the name of that table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import QueryFailed
from ..values import DumpOptions
from .relations import FROM, LOADED_THROUGH, NAME, ORDINARY
from .scope import Scope
from .session import ExportedSnapshot, Session

LARGE_OBJECTS = "large objects"  # key beside the names of tables; a table's name cannot have a space without quotes

_RELATIONS = f"""
    SELECT CAST(c.oid AS bigint) AS oid, {NAME} AS name, COALESCE({LOADED_THROUGH}, {NAME}) AS known_as,
           c.relkind = 'm' AS derived, c.relispopulated AS populated,
           c.relpersistence = 'u' AS unlogged,
           (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname COLLATE "C")
              FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
      {FROM} WHERE c.relkind IN ('r', 'm') AND {ORDINARY} ORDER BY 2"""  # noqa: S608
_SEQUENCES = f"SELECT {NAME} {FROM} WHERE c.relkind = 'S' AND {ORDINARY} ORDER BY 1"
_OF_LARGE_OBJECTS = """
    SELECT count(*), COALESCE(sum(hashtextextended(oid::text || ' ' || md5(lo_get(oid)), 0)), 0)
      FROM pg_catalog.pg_largeobject_metadata"""


@dataclass
class Contents:
    """Row counts and fingerprints, None where they were not asked for; `warnings` names what could not be read."""

    row_counts: dict[str, int] | None = None
    fingerprints: dict[str, str] | None = None
    warnings: list[str] = field(default_factory=list)

    def count(self, name: str, rows: int, total: int | None = None) -> None:
        """Add rows, and the sum of their hashes, to those that are known under a name."""
        if self.row_counts is not None:
            self.row_counts[name] = self.row_counts.get(name, 0) + rows
        if self.fingerprints is not None and total is not None:
            before, sum_before = map(int, self.fingerprints.get(name, "0:0").split(":"))
            self.fingerprints[name] = f"{before + rows}:{sum_before + total}"


def read_contents(session: Session, exported: ExportedSnapshot, options: DumpOptions, scope: Scope) -> Contents:
    """Read what the options ask for, in the session's snapshot. Tables whose rows are left out have none.

    Names are quoted as SQL needs it: `public.orders`, `public."Odd name"`. A fingerprint is "ROWS:SUM", that of a
    sequence, which `read_sequences` reads, "LAST_VALUE:IS_CALLED".
    """
    contents = Contents(
        row_counts={} if options.row_counts else None, fingerprints={} if options.fingerprints else None
    )
    if not options.row_counts and not options.fingerprints:
        return contents
    for relation in session.rows(scope.limit(_RELATIONS)):
        if not relation.populated or (exported.replica and relation.unlogged):
            continue
        if relation.oid not in scope.rows:
            _read_relation(session, contents, relation)
        elif not relation.derived:
            contents.count(session.shown(relation.known_as), 0, 0)
    if contents.fingerprints is not None:
        _read_others(session, contents.fingerprints, contents.warnings)
    return contents


def _read_relation(session: Session, contents: Contents, relation: Any) -> None:
    """Add one relation. Of a materialized view only a count: a restore makes its rows anew, and they may be fresher."""
    name, known_as = relation.name, session.shown(relation.known_as)
    if contents.fingerprints is None or relation.derived:
        if contents.row_counts is not None:
            statement = f"SELECT count(*) FROM ONLY {name}"  # noqa: S608  quoted by the server
            for (count,) in _read(session, name, statement, contents.warnings):
                contents.count(known_as, int(count))
        return
    statement = (
        f'SELECT count(*), COALESCE(sum(hashtextextended(ROW({relation.columns or ""})::text COLLATE "C", 0)), 0) '  # noqa: S608
        f"FROM ONLY {name} AS t"
    )
    for count, total in _read(session, name, statement, contents.warnings):
        contents.count(known_as, int(count), int(total))


def read_sequences(session: Session, warnings: list[str], scope: Scope) -> dict[str, str]:
    """Return the fingerprints of sequences. They are outside of every snapshot: what is read is their present value."""
    found: dict[str, str] = {}
    for (name,) in session.rows(scope.limit(_SEQUENCES)):
        for value, called in _read(session, name, f"SELECT last_value, is_called FROM {name}", warnings):  # noqa: S608
            found[f"sequence {session.shown(name)}"] = f"{value}:{str(called).lower()}"
    return found


def _read_others(session: Session, fingerprints: dict[str, str], warnings: list[str]) -> None:
    for count, total in _read(session, LARGE_OBJECTS, _OF_LARGE_OBJECTS, warnings):
        fingerprints[LARGE_OBJECTS] = f"{count}:{total}"


def _read(session: Session, name: str, statement: str, warnings: list[str]) -> Sequence[Any]:
    """Ask for one row; none, and a warning, where the server refuses (a row too big for a text, a missing right)."""
    try:
        return session.attempt(statement)
    except QueryFailed as error:
        warnings.append(f"{session.shown(name)} could not be counted or compared: {error}")
        return []
