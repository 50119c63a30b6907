# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restoring with the engine's own functions, from parts in memory, without the layers above the engine."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from backupdb.engines.values import (
    ArchiveSource,
    Client,
    LoadReport,
    RestoreOptions,
    RestoreProblems,
    SnapshotDetails,
)

from support.library import limits
from support.mysql_dumps import Dumped, Opened

BLOCK = 1 << 16


def manifest(where: Opened, database: str, dumped: Dumped, **changes: Any) -> dict[str, Any]:
    """What the manifest of such a backup says, as far as a restore reads it."""
    return {
        "database": database,
        "engine": where.facts.vendor,
        "server": {"version": where.facts.version, "settings": dict(where.facts.settings)},
        "properties": dict(dumped.details.properties),
        "inventory": dict(dumped.details.inventory),
        "row_counts": dumped.details.row_counts,
        "engine_details": dict(dumped.details.extra),
        "archives": [
            {"part": name, "format": "sql", "plain_bytes": len(data), "longest_statement_bytes": longest_line(data)}
            for name, data in dumped.parts.items()
        ],
        **changes,
    }


def sources(parts: Mapping[str, bytes]) -> list[ArchiveSource]:
    return [
        ArchiveSource(name, "sql", len(data), longest_line(data), lambda data=data: blocks(data))  # type: ignore[misc]
        for name, data in parts.items()
    ]


def blocks(data: bytes) -> Iterator[bytes]:
    return (data[start : start + BLOCK] for start in range(0, len(data), BLOCK))


def longest_line(data: bytes) -> int:
    return max(len(line) for line in data.split(b"\n"))


def restore_client(where: Opened) -> Client:
    return where.engine.usable_restore_client({})


def load(
    where: Opened, name: str, parts: Mapping[str, bytes], described: Mapping[str, Any], **options: Any
) -> LoadReport:
    """Load the parts into a database that is there."""
    return load_sources(where, name, sources(parts), described, **options)


def load_sources(
    where: Opened,
    name: str,
    archives: Sequence[ArchiveSource],
    described: Mapping[str, Any],
    *,
    cancel: threading.Event | None = None,
    **options: Any,
) -> LoadReport:
    chosen = RestoreOptions(**options)
    until = limits() if cancel is None else limits(cancel=cancel)
    return where.engine.load(restore_client(where), name, archives, described, chosen, until)


def dump_of(stream: bytes) -> Dumped:
    """A dump that nobody made."""
    details = SnapshotDetails(position={}, properties={}, inventory={}, inventory_trusted=True)
    return Dumped({"data": stream}, details, {})


@contextmanager
def restored(
    where: Opened, original: str, dumped: Dumped, name: str, *, parts: Mapping[str, bytes] | None = None, **options: Any
) -> Iterator[LoadReport]:
    """Create the database, load the dump (or `parts` in its stead), finish; the database is gone afterwards."""
    described = manifest(where, original, dumped)
    chosen = RestoreOptions(**options)
    where.engine.create_database(name, described, chosen)
    try:
        report = load(where, name, dumped.parts if parts is None else parts, described, **options)
        where.engine.finish_database(name, described, chosen)
        yield report
    finally:
        where.engine.drop_database(name)


def problems(where: Opened, described: Mapping[str, Any], target: str, **options: Any) -> RestoreProblems:
    return where.engine.restore_problems(described, target, RestoreOptions(**options))
