# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a dump back through the restore functions of the PostgreSQL engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from backupdb.connection.server import Server
from backupdb.engines.postgresql.engine import PostgresqlEngine
from backupdb.engines.values import (
    ArchiveSource,
    Client,
    DumpOptions,
    LoadReport,
    RestoreOptions,
    ServerFacts,
    SnapshotDetails,
)

from support.library import limits
from support.postgresql_dumps import Dump, client_of, listed
from support.servers import PrivatePostgres

_BLOCK = 100_000


def sources_of(dump: Dump) -> list[ArchiveSource]:
    """The archives of a dump as a restore gets them."""
    return [
        ArchiveSource(part.name, part.format, path.stat().st_size, None, lambda path=path: _blocks(path))  # type: ignore[misc]
        for part, path in dump.archives
    ]


def manifest_of(dump: Dump, facts: ServerFacts, client: Client) -> dict[str, Any]:
    """What a manifest says of a dump, as far as a restore asks."""
    return {
        "server": {"version": facts.version, "settings": dict(facts.settings)},
        "client": {"path": client.path, "vendor": client.vendor, "version": client.version},
        "properties": dict(dump.details.properties),
        "engine_details": dict(dump.details.extra),
    }


def restore_client_of(private: PrivatePostgres, facts: ServerFacts) -> Client:
    """The pg_restore that belongs to a private server."""
    return replace(client_of(private, facts), path=str(private.binaries / "pg_restore"))


def bring_back(
    server: Server,
    facts: ServerFacts,
    client: Client,
    dump: Dump,
    manifest: Mapping[str, Any],
    name: str,
    options: RestoreOptions | None = None,
) -> LoadReport:
    """Create, load and finish, as a restore does; the report has the warnings of all three."""
    options = options or RestoreOptions()
    warnings = PostgresqlEngine(server, facts).create_database(name, manifest, options)
    report = PostgresqlEngine(server, facts).load(client, name, sources_of(dump), manifest, options, limits())
    finished = PostgresqlEngine(server, facts).finish_database(name, manifest, options)
    return LoadReport(errors=report.errors, warnings=[*warnings, *report.warnings, *finished])


def look_at(server: Server, facts: ServerFacts, client: Client, name: str) -> SnapshotDetails:
    """What a dump would say of a database now, without dumping it."""
    options = DumpOptions(row_counts=True, fingerprints=True)
    with PostgresqlEngine(server, facts).snapshot(client, listed(server, facts, name), options, []) as moment:
        return moment.details()


@contextmanager
def gone_afterwards(server: Server, facts: ServerFacts, *names: str) -> Iterator[None]:
    """Databases that are not there before the block and not after it."""
    for name in names:
        PostgresqlEngine(server, facts).drop_database(name)
    try:
        yield
    finally:
        for name in names:
            PostgresqlEngine(server, facts).drop_database(name)


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(lambda: file.read(_BLOCK), b"")
