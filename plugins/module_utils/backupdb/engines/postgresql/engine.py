# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Engine: PostgreSQL 13 and newer. What each function promises is in interface.py; the work is in postgresql_*.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..interface import (
    AccountsExport,
    ArchiveSource,
    Client,
    Database,
    DumpOptions,
    LoadReport,
    MissingPrivilege,
    RestoreOptions,
    ServerFacts,
    Snapshot,
    SnapshotDetails,
)
from ..sequences import moved
from .accounts_export import export
from .backup_login import PostgresqlLoginKeeper
from .catalogue import SYSTEM_DATABASES, read_databases, read_facts
from .clients import find_clients, package_name
from .contents import read_sequences
from .details import read_details
from .parts import plan
from .privileges import find_missing
from .restore.checks import find_problems
from .restore.clients import find_restore_clients, restore_package_name
from .restore.database import create, drop, finish
from .restore.load import load_archives
from .restore.swap import swap_databases, what_stands
from .session import coordinator, holding, still_held, take_moment

if TYPE_CHECKING:
    from ...connection.server import Server
    from ...streams.pipeline import Limits
    from ..login_interface import LoginKeeper, WantedLogin

__all__ = [
    "DATA_DIRECTORY_QUERY",
    "DEFAULT_DATABASE",
    "DEFAULT_PORT",
    "DRIVER",
    "SWAPS",
    "SYSTEM_DATABASES",
    "VENDORS",
    "backup_login",
    "clients",
    "create_database",
    "databases",
    "detect",
    "drop_database",
    "export_accounts",
    "facts",
    "finish_database",
    "load",
    "missing_privileges",
    "package_hint",
    "qualified_references",
    "replace_problems",
    "restore_clients",
    "restore_package_hint",
    "restore_problems",
    "snapshot",
    "swap",
]

VENDORS = ("postgresql",)
DRIVER = "postgresql+psycopg2"
DEFAULT_PORT = 5432
DEFAULT_DATABASE = "postgres"
SWAPS = True
DATA_DIRECTORY_QUERY = "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'data_directory'"


def facts(server: Server) -> ServerFacts:
    return read_facts(server)


def detect(server: Server) -> str:
    # "PostgreSQL 15.18 on x86_64…"; others that speak the protocol say their own name.
    return str(server.value("SELECT version()")).split()[0].lower()


def databases(server: Server, facts: ServerFacts) -> list[Database]:
    return read_databases(server)


def missing_privileges(
    server: Server, facts: ServerFacts, databases: Sequence[Database], options: DumpOptions
) -> list[MissingPrivilege]:
    return find_missing(server, facts, databases)


def clients(facts: ServerFacts, options: DumpOptions) -> list[Client]:
    return find_clients(facts, allow_newer=options.allow_newer_client)


def package_hint(facts: ServerFacts) -> str:
    return package_name(facts)


@contextmanager
def snapshot(
    server: Server,
    facts: ServerFacts,
    client: Client,
    database: Database,
    options: DumpOptions,
    missing: Sequence[MissingPrivilege],
) -> Iterator[Snapshot]:
    with coordinator(server, facts, database) as session:
        moment = take_moment(session, lock_timeout=options.db_lock_timeout)
        planned = plan(session, server.instance, client, database, options, moment)
        warnings = list(planned.warnings)
        sequences = read_sequences(session, warnings) if options.fingerprints else {}
        prints: dict[str, str] = {}

        def details() -> SnapshotDetails:
            with holding(session):
                read = read_details(
                    session, server, facts, client, database, options, moment, missing=missing, warnings=warnings
                )
            if read.fingerprints is None:
                return read
            prints.update(read.fingerprints)
            prints.update(sequences)
            return replace(read, fingerprints=prints)

        def check() -> None:
            still_held(session)
            if sequences:
                prints.update(moved(sequences, read_sequences(session, [])))

        yield Snapshot(
            parts=planned.parts,
            # All at once: each client locks its tables when it starts. One that started later could find a statement
            # waiting for our locks in front of it, and the two would wait for each other.
            at_once=len(planned.parts),
            begun=lambda _stopped: None,
            check=check,
            details=details,
        )


def export_accounts(server: Server, facts: ServerFacts, client: Client) -> AccountsExport:
    return export(server, facts, client)


def backup_login(server: Server, facts: ServerFacts, wanted: WantedLogin) -> LoginKeeper:
    return PostgresqlLoginKeeper(server, facts, wanted)


def restore_clients(facts: ServerFacts, manifest: Mapping[str, Any]) -> list[Client]:
    return find_restore_clients(facts, manifest)


def restore_package_hint(facts: ServerFacts, manifest: Mapping[str, Any]) -> str:
    return restore_package_name(manifest)


def restore_problems(
    server: Server, facts: ServerFacts, manifest: Mapping[str, Any], target: str, options: RestoreOptions
) -> tuple[list[str], list[MissingPrivilege], list[str]]:
    return find_problems(server, facts, manifest, target, options)


def replace_problems(server: Server, facts: ServerFacts, target: str) -> list[str]:
    return what_stands(server, target, target)


def create_database(
    server: Server, facts: ServerFacts, name: str, manifest: Mapping[str, Any], options: RestoreOptions
) -> list[str]:
    return create(server, facts, name, manifest["properties"], options)


def load(
    server: Server,
    facts: ServerFacts,
    client: Client,
    name: str,
    sources: Sequence[ArchiveSource],
    manifest: Mapping[str, Any],
    options: RestoreOptions,
    limits: Limits,
) -> LoadReport:
    return load_archives(server, facts, client, name, sources, options, limits)


def finish_database(
    server: Server, facts: ServerFacts, name: str, manifest: Mapping[str, Any], options: RestoreOptions
) -> list[str]:
    return finish(server, name, manifest["properties"], options)


def drop_database(server: Server, facts: ServerFacts, name: str) -> None:
    drop(server, name)


def swap(server: Server, facts: ServerFacts, scratch: str, target: str) -> str:
    return swap_databases(server, scratch, target)


def qualified_references(server: Server, facts: ServerFacts, name: str, original: str) -> list[str]:
    # No statement inside a database reaches another one by its name. Only a connection made from within does
    # (dblink, postgres_fdw), and where that leads, or which of its texts is a database's name, cannot be told.
    return []
