# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which entries make up some tables: the tables, all that is a part of them, and what their definitions need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..errors import RestoreRefused
from .postgresql_quoting import identifier
from .postgresql_restore_toc import DATA, POST_DATA, Entry

_RELATIONS = ("TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW")
_WITH_TABLE_IN_TAG = ("CONSTRAINT", "FK CONSTRAINT", "TRIGGER", "RULE", "POLICY")
# What belongs to a table and goes where it goes.
_PARTS = (
    *_WITH_TABLE_IN_TAG,
    "CHECK CONSTRAINT",
    "DEFAULT",
    "INDEX",
    "INDEX ATTACH",
    "ROW SECURITY",
    "SEQUENCE",
    "SEQUENCE OWNED BY",
    "STATISTICS",
    "TABLE ATTACH",
)
_BESIDE = ("COMMENT", "SECURITY LABEL", "ACL")
_SHOWN = 10


def choose_tables(archives: Sequence[Sequence[Entry]], names: Sequence[str]) -> tuple[list[set[int] | None], list[str]]:
    """Return for each archive the numbers of the entries that belong to the named tables (None: all), and warnings.

    A partitioned table brings its partitions. Raises `RestoreRefused` for a name that is not there.
    """
    if not names:
        return [None for _archive in archives], []
    definitions = [entry for entries in archives for entry in entries if entry.section != DATA]
    _refuse_if_numbered_differently(definitions)
    tables = _Tables(definitions, names)
    allowed: list[set[int] | None] = []
    for entries in archives:
        rows = {entry.dump_id for entry in entries if entry.section == DATA and tables.has_rows_of(entry)}
        allowed.append(rows | {entry.dump_id for entry in entries if entry in tables.chosen})
    return allowed, tables.warnings


class _Tables:
    """The named tables and what goes with them."""

    def __init__(self, definitions: Sequence[Entry], names: Sequence[str]) -> None:
        self.warnings: list[str] = []
        self._by_id = {entry.dump_id: entry for entry in definitions}
        self._attached = {
            (child, parent)
            for entry in definitions
            if entry.kind == "TABLE ATTACH"
            for child, parent in [entry.dependencies[:2]]
        }
        self._core = _with_partitions({_named(definitions, name).dump_id for name in names}, self._attached)
        self._ids: set[int] = set()
        self._only_defined: list[str] = []
        for number in sorted(self._core):
            self._add(self._by_id[number])
        for entry in definitions:
            if entry.kind in _PARTS and not self._core.isdisjoint(entry.dependencies):
                self._add_part(entry)
        for entry in definitions:
            if entry.kind in _BESIDE and not self._ids.isdisjoint(entry.dependencies):
                self._ids.add(entry.dump_id)
        if self._only_defined:
            self.warnings.append(
                "needed by the definitions of the tables asked for, and made without rows: "
                + ", ".join(sorted(self._only_defined))
            )
        self.chosen = {self._by_id[number] for number in self._ids}
        self._core_names = {(entry.namespace, entry.tag) for entry in map(self._by_id.__getitem__, self._core)}
        self._sequences = {(entry.namespace, entry.tag) for entry in self.chosen if entry.kind == "SEQUENCE"}
        self.chosen |= {
            entry for entry in definitions if entry.kind == "MATERIALIZED VIEW DATA" and self.has_rows_of(entry)
        }

    def has_rows_of(self, entry: Entry) -> bool:
        """Tell whether an entry of rows, or of a sequence's value, belongs to the tables."""
        name = (entry.namespace, entry.tag)
        if entry.kind == "SEQUENCE SET":
            return name in self._sequences
        return entry.kind in ("TABLE DATA", "MATERIALIZED VIEW DATA") and name in self._core_names

    def _add(self, entry: Entry) -> None:
        """Choose an entry and, before it, whatever its definition needs."""
        waiting = [entry]
        while waiting:
            one = waiting.pop()
            if one.dump_id in self._ids:
                continue
            self._ids.add(one.dump_id)
            if one.kind in _RELATIONS and one.dump_id not in self._core:
                self._only_defined.append(one.shown())
            waiting += [need for need in self._needs(one) if need.section != POST_DATA]

    def _add_part(self, entry: Entry) -> None:
        """Choose a part of a table, unless it ties the table to one that is not restored."""
        elsewhere = [need for need in self._needs(entry) if need.kind in _RELATIONS and need.dump_id not in self._ids]
        if elsewhere:
            others = ", ".join(sorted({need.shown() for need in elsewhere}))
            self.warnings.append(f"left out: {entry.shown()}, as it needs {others}")
        else:
            self._add(entry)

    def _needs(self, entry: Entry) -> list[Entry]:
        needs = [self._by_id[number] for number in dict.fromkeys(entry.dependencies) if number in self._by_id]
        if entry.kind == "TABLE":  # a partition is made as a table of its own and attached later
            return [need for need in needs if (entry.dump_id, need.dump_id) not in self._attached]
        if entry.kind == "SEQUENCE" and not entry.definition.startswith("ALTER TABLE"):
            return [need for need in needs if need.kind not in _RELATIONS]  # owned by a column: said later
        return needs


def _named(definitions: Iterable[Entry], name: str) -> Entry:
    relations = [entry for entry in definitions if entry.kind in _RELATIONS]
    found = [entry for entry in relations if name in _spellings(entry)]
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(sorted(f"{identifier(entry.namespace)}.{identifier(entry.tag)}" for entry in found))
        raise RestoreRefused(f"tables: {name!r} can be {several}; name one of them, with its schema")
    there = sorted(f"{entry.namespace}.{entry.tag}" for entry in relations)
    shown = ", ".join(there[:_SHOWN]) + (f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else "")
    raise RestoreRefused(f"tables: the backup has no table or view {name!r}; it has {shown or 'none at all'}")


def _spellings(entry: Entry) -> set[str]:
    """Return all ways to write a table's name: with or without schema, each part quoted for SQL or as it is."""
    names = (entry.tag, identifier(entry.tag))
    return {*names, *(f"{space}.{name}" for space in (entry.namespace, identifier(entry.namespace)) for name in names)}


def _with_partitions(tables: set[int], attached: set[tuple[int, int]]) -> set[int]:
    found = set(tables)
    while True:
        more = {child for child, parent in attached if parent in found} - found
        if not more:
            return found
        found |= more


def _refuse_if_numbered_differently(definitions: Sequence[Entry]) -> None:
    """Make sure that definitions in different archives number the same things alike.

    pg_dump reads the catalogues in one order under one snapshot, so it does; but nothing promises it.
    """
    by_id = {entry.dump_id: entry for entry in definitions}
    for entry in definitions:
        if entry.kind not in _WITH_TABLE_IN_TAG:
            continue
        needed = [by_id[number] for number in entry.dependencies if number in by_id]
        if not any(entry.tag.startswith(f"{need.tag} ") and need.namespace == entry.namespace for need in needed):
            raise RestoreRefused(
                f"tables: the archives of this backup number their objects differently ({entry.shown()} is of no table "
                "that is named there), so single tables cannot be told apart; restore everything, without tables"
            )
