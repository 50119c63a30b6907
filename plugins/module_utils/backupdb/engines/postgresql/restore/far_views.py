# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Materialized views whose rows come from other servers: filling one reaches what the original reaches."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from .choice import Chosen, Examined, all_entries
from .toc import Entry

_VIEW = "MATERIALIZED VIEW"
_REFRESH = f"{_VIEW} DATA"
_FOREIGN_TABLE = "FOREIGN TABLE"
_ATTACH = "TABLE ATTACH"
_DBLINK = re.compile(r"\bdblink\w*\(")


def far_refreshes(chosen: Sequence[Chosen]) -> dict[Entry, str]:
    """Return the entries that would fill such views, each with the reason in words.

    What they read is followed through views and partitions, by the dependencies in the table of contents.
    """
    far = {name: source for one in chosen for name, source in _far_views(one.archive)}
    return {
        entry: f"it reads from another server ({far[entry.namespace, entry.tag]}), and a copy reaches nothing"
        for entry in all_entries(chosen)
        if entry.kind == _REFRESH and (entry.namespace, entry.tag) in far
    }


def _far_views(archive: Examined) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield the names of the views that the archive defines, and what they read elsewhere."""
    by_id = archive.contents.by_id()
    below = _children(by_id)
    for entry in archive.contents.entries:
        source = _far_source(entry, by_id, below) if entry.kind == _VIEW else None
        if source is not None:
            yield (entry.namespace, entry.tag), source


def _children(by_id: Mapping[int, Entry]) -> Mapping[int, list[int]]:
    """Return the tables that are read with a table: its partitions, and foreign tables that inherit from it."""
    found: dict[int, list[int]] = defaultdict(list)
    for entry in by_id.values():
        if entry.kind == _ATTACH:
            tables = [number for number in entry.dependencies if number in by_id]
            for number in tables:
                found[number] += tables  # which is above is not told
        elif entry.kind == _FOREIGN_TABLE:
            for number in entry.dependencies:
                found[number].append(entry.dump_id)
    return found


def _far_source(entry: Entry, by_id: Mapping[int, Entry], below: Mapping[int, list[int]]) -> str | None:
    seen = {entry.dump_id}
    waiting = [entry]
    while waiting:
        one = waiting.pop()
        if one.kind == _FOREIGN_TABLE:
            return one.shown()
        if _DBLINK.search(one.definition):
            return f"{one.shown()}, which calls dblink"
        reads = [*one.dependencies, *(below.get(one.dump_id, ()) if one.kind == "TABLE" else ())]
        fresh = [number for number in reads if number in by_id and number not in seen]
        seen.update(fresh)
        waiting += [by_id[number] for number in fresh]
    return None
