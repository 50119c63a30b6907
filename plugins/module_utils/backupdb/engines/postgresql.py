# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Engine: PostgreSQL 13 and newer. What each function promises is in interface.py; the work is in postgresql_*.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..accounts.postgresql import export
from .interface import (
    AccountsExport,
    Client,
    Database,
    DumpOptions,
    MissingPrivilege,
    ServerFacts,
    Snapshot,
    SnapshotDetails,
)
from .postgresql_catalogue import SYSTEM_DATABASES, read_databases, read_facts
from .postgresql_clients import find_clients, package_name
from .postgresql_details import read_details
from .postgresql_parts import plan
from .postgresql_privileges import find_missing
from .postgresql_session import coordinator, holding, still_held, take_moment

if TYPE_CHECKING:
    from ..connection import Server

__all__ = [
    "DEFAULT_DATABASE",
    "DEFAULT_PORT",
    "DRIVER",
    "SYSTEM_DATABASES",
    "VENDORS",
    "clients",
    "databases",
    "detect",
    "export_accounts",
    "facts",
    "missing_privileges",
    "package_hint",
    "snapshot",
]

VENDORS = ("postgresql",)
DRIVER = "postgresql+psycopg2"
DEFAULT_PORT = 5432
DEFAULT_DATABASE = "postgres"


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

        def details() -> SnapshotDetails:
            with holding(session):
                return read_details(
                    session,
                    server,
                    facts,
                    client,
                    database,
                    options,
                    moment,
                    missing=missing,
                    warnings=planned.warnings,
                )

        yield Snapshot(
            parts=planned.parts,
            # All at once: each client locks its tables when it starts. One that started later could find a statement
            # waiting for our locks in front of it, and the two would wait for each other.
            at_once=len(planned.parts),
            begun=lambda _stopped: None,
            check=lambda: still_held(session),
            details=details,
        )


def export_accounts(server: Server, facts: ServerFacts, client: Client) -> AccountsExport:
    return export(server, facts, client)
