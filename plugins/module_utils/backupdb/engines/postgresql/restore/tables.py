# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which entries make up some tables: the tables, all that is a part of them, and what their definitions need.

An entry tells what it needs by number, but only where that is in the same archive. For an archive of its own after the
rows (indexes, keys, triggers) the definitions are read for the names of what they need: pg_dump writes every name with
its schema.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ....errors import RestoreRefused
from ..quoting import identifier
from .toc import DATA, POST_DATA, PRE_DATA, Entry

_RELATIONS = ("TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW")
# What belongs to a table and goes where it goes.
_PARTS = (
    "CHECK CONSTRAINT",
    "CONSTRAINT",
    "DEFAULT",
    "FK CONSTRAINT",
    "INDEX",
    "INDEX ATTACH",
    "POLICY",
    "ROW SECURITY",
    "RULE",
    "SEQUENCE",
    "SEQUENCE OWNED BY",
    "STATISTICS",
    "TABLE ATTACH",
    "TRIGGER",
)
_ROUTINES = ("FUNCTION", "PROCEDURE", "AGGREGATE")
_BESIDE = ("COMMENT", "SECURITY LABEL", "ACL")
# What is not closed reaches to the end, and a name without a schema is passed as a whole, so that the time is linear.
_TEXT = r"E?'(?:[^'\\]|''|\\.)*(?:'|\Z)"
_NAME = r'(?:"(?:[^"]|"")*(?:"|\Z)|[^\W\d][\w$]*)'
_QUALIFIED = re.compile(rf"{_TEXT}|(?P<space>{_NAME})(?:\.(?P<name>{_NAME}))?", re.DOTALL)
_SHOWN = 10


class _Node(NamedTuple):
    """An entry of one of the archives. Numbers are of one archive only."""

    archive: int
    entry: Entry

    @property
    def key(self) -> tuple[int, int]:
        return self.archive, self.entry.dump_id


def choose_tables(archives: Sequence[Sequence[Entry]], names: Sequence[str]) -> tuple[list[set[int] | None], list[str]]:
    """Return for each archive the numbers of the entries that belong to the named tables (None: all), and warnings.

    A partitioned table brings its partitions. Raises `RestoreRefused` for a name that is not there.
    """
    if not names:
        return [None for _archive in archives], []
    tables = _Tables(_Definitions(archives), names)
    allowed: list[set[int] | None] = []
    for number, entries in enumerate(archives):
        rows = {entry.dump_id for entry in entries if tables.has_rows_of(entry)}
        allowed.append(rows | {dump_id for archive, dump_id in tables.chosen if archive == number})
    return allowed, tables.warnings


class _Definitions:
    """All entries but the rows, and what each of them needs."""

    def __init__(self, archives: Sequence[Sequence[Entry]]) -> None:
        self.nodes = [
            _Node(number, entry)
            for number, entries in enumerate(archives)
            for entry in entries
            if entry.section != DATA
        ]
        self.by_key = {node.key: node for node in self.nodes}
        self._alone = {
            number
            for number, entries in enumerate(archives)
            if not any(entry.section == PRE_DATA and entry.kind in _RELATIONS for entry in entries)
        }
        self._by_name: dict[tuple[str, str], list[_Node]] = {}
        for node in self.nodes:
            if node.entry.section == PRE_DATA and node.entry.kind not in (*_PARTS, *_BESIDE):
                # The tag of a routine has its arguments.
                name = node.entry.tag.partition("(")[0] if node.entry.kind in _ROUTINES else node.entry.tag
                self._by_name.setdefault((node.entry.namespace, name), []).append(node)

    def needs(self, node: _Node) -> list[_Node]:
        """Return what an entry needs, in the order in which it names it."""
        keys = [(node.archive, number) for number in dict.fromkeys(node.entry.dependencies)]
        found = [self.by_key[key] for key in keys if key in self.by_key]
        if node.archive in self._alone:
            found += [one for name in qualified_names(node.entry.definition) for one in self._by_name.get(name, [])]
        return found

    def table_of(self, node: _Node) -> _Node | None:
        """Return the table that an entry is a part of."""
        entry = node.entry
        tables = [need for need in self.needs(node) if need.entry.kind in _RELATIONS]
        for table in tables:
            if entry.namespace == table.entry.namespace and f"{entry.tag} ".startswith(f"{table.entry.tag} "):
                return table
        return tables[0] if tables else None


class _Tables:
    """The named tables and what goes with them."""

    def __init__(self, definitions: _Definitions, names: Sequence[str]) -> None:
        self.warnings: list[str] = []
        self.chosen: set[tuple[int, int]] = set()
        self._definitions = definitions
        self._attached = _attached(definitions)
        self._core = self._with_partitions({_named(definitions.nodes, name).key for name in names})
        self._only_defined: list[str] = []
        for node in definitions.nodes:
            if node.key in self._core:
                self._add(node)
        for node in definitions.nodes:
            if node.entry.kind in _PARTS and node.entry.kind != "SEQUENCE OWNED BY":
                self._add_part(node)
        for node in definitions.nodes:
            needed = definitions.needs(node)
            if node.entry.kind == "SEQUENCE OWNED BY":
                sequences = [need for need in needed if need.key in self.chosen]
                needed = [need for one in sequences for need in [definitions.table_of(one)] if need is not None]
            elif node.entry.kind not in _BESIDE:
                continue
            if any(need.key in self.chosen for need in needed):
                self.chosen.add(node.key)
        if self._only_defined:
            self.warnings.append(
                "needed by the definitions of the tables asked for, and made without rows: "
                + ", ".join(sorted(self._only_defined))
            )
        entries = [definitions.by_key[key].entry for key in self.chosen]
        self._sequences = {(entry.namespace, entry.tag) for entry in entries if entry.kind == "SEQUENCE"}
        core = [definitions.by_key[key].entry for key in self._core]
        self._with_rows = {(entry.namespace, entry.tag) for entry in core}

    def has_rows_of(self, entry: Entry) -> bool:
        """Tell whether an entry of rows, or of a sequence's value, belongs to the tables."""
        name = (entry.namespace, entry.tag)
        if entry.kind == "SEQUENCE SET":
            return name in self._sequences
        return entry.kind in ("TABLE DATA", "MATERIALIZED VIEW DATA") and name in self._with_rows

    def _with_partitions(self, tables: set[tuple[int, int]]) -> set[tuple[int, int]]:
        found = set(tables)
        while True:
            more = {child for child, parent in self._attached if parent in found} - found
            if not more:
                return found
            found |= more

    def _add(self, node: _Node) -> None:
        """Choose an entry and whatever its definition needs."""
        waiting = [node]
        while waiting:
            one = waiting.pop()
            if one.key in self.chosen:
                continue
            self.chosen.add(one.key)
            if one.entry.kind in _RELATIONS and one.key not in self._core:
                self._only_defined.append(one.entry.shown())
            waiting += [need for need in self._needs(one) if need.entry.section != POST_DATA]

    def _add_part(self, node: _Node) -> None:
        """Choose a part of a table, unless it ties the table to one that is not restored."""
        table = self._definitions.table_of(node)
        if table is None or table.key not in self._core:
            return
        needs = [need for need in self._needs(node) if need.entry.kind in _RELATIONS and need.key not in self.chosen]
        if needs:
            others = ", ".join(sorted({need.entry.shown() for need in needs}))
            self.warnings.append(f"left out: {node.entry.shown()}, as it needs {others}")
        else:
            self._add(node)

    def _needs(self, node: _Node) -> list[_Node]:
        needs = self._definitions.needs(node)
        if node.entry.kind == "TABLE":  # a partition is made as a table of its own and attached later
            return [need for need in needs if (node.key, need.key) not in self._attached]
        if node.entry.kind == "SEQUENCE" and not node.entry.definition.startswith("ALTER TABLE"):
            return [need for need in needs if need.entry.kind not in _RELATIONS]  # owned by a column: said later
        return needs


def _attached(definitions: _Definitions) -> set[tuple[tuple[int, int], tuple[int, int]]]:
    """Return the partitions, each with the table that it is attached to."""
    pairs = [definitions.needs(node)[:2] for node in definitions.nodes if node.entry.kind == "TABLE ATTACH"]
    return {(pair[0].key, pair[1].key) for pair in pairs if len(pair) == 2}


def _named(nodes: Sequence[_Node], name: str) -> _Node:
    relations = [node for node in nodes if node.entry.kind in _RELATIONS]
    found = [node for node in relations if name in _spellings(node.entry)]
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(sorted(f"{identifier(one.entry.namespace)}.{identifier(one.entry.tag)}" for one in found))
        raise RestoreRefused(f"tables: {name!r} can be {several}; name one of them, with its schema")
    there = sorted(f"{node.entry.namespace}.{node.entry.tag}" for node in relations)
    nearest = difflib.get_close_matches(name, there, _SHOWN) or there[:_SHOWN]
    raise RestoreRefused(
        f"tables: the backup has no table or view {name!r}; of its {len(there)} there are {', '.join(nearest)}"
        if there
        else f"tables: the backup has no table or view {name!r}, and none at all"
    )


def _spellings(entry: Entry) -> set[str]:
    """Return all ways to write a table's name: with or without schema, each part quoted for SQL or as it is."""
    names = (entry.tag, identifier(entry.tag))
    return {*names, *(f"{space}.{name}" for space in (entry.namespace, identifier(entry.namespace)) for name in names)}


def qualified_names(definition: str) -> Iterator[tuple[str, str]]:
    """Yield the names with a schema in a definition, outside of texts."""
    for match in _QUALIFIED.finditer(definition):
        if match.group("name") is not None:
            yield _unquoted(match.group("space")), _unquoted(match.group("name"))


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
