# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine for PostgreSQL 13 and newer. interface.py says what each method promises; other files do the work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Callable, ClassVar

from ...connection.server import Server
from ...streams.pipeline import Limits
from ..filters import Filtered, Filters
from ..interface import Engine
from ..login_interface import LoginManager, WantedLogin
from ..sequences import changed_sequences
from ..values import (
    AccountsExport,
    ArchiveSource,
    ByHand,
    Client,
    Database,
    DumpOptions,
    LoadReport,
    MissingPrivilege,
    RestoreOptions,
    RestoreProblems,
    Script,
    ServerFacts,
    Snapshot,
    SnapshotDetails,
)
from .accounts_export import export
from .accounts_restore import PostgresqlTarget
from .accounts_rules import PostgresqlAccountRules
from .backup_login import PostgresqlLoginManager
from .by_hand import by_hand
from .catalogue import SYSTEM_DATABASES, read_databases, read_facts
from .clients import find_clients, package_name
from .contents import read_sequences
from .details import read_details
from .drill import PostgresqlDrill
from .driver import Psycopg2
from .given_objects import drop_statements
from .parts import plan
from .privileges import find_missing
from .quoting import spellings
from .restore.checks import find_problems
from .restore.clients import find_restore_clients, restore_package_name
from .restore.database import create, drop, finish, open_to_others, run_in_new
from .restore.load import load_archives
from .restore.reach import drop_subscriptions, is_copy, is_source, quiet
from .restore.scripts import closing_problems, run_scripts
from .restore.swap import rename_database, swap_blockers, swap_databases
from .scope import EVERYTHING, read_scope
from .session import coordinator, export_snapshot, holding, run_statement, still_held


class PostgresqlEngine(Engine):
    """A PostgreSQL server.

    No statement inside a database reaches another one by its name. Only a connection made from within does (dblink,
    postgres_fdw), and where that leads cannot be told, so there are never any `qualified_references`.
    """

    VENDOR = "postgresql"
    DRIVER = Psycopg2()
    SOCKET_ADMINISTRATOR = "postgres"
    SYSTEM_DATABASES = SYSTEM_DATABASES
    DATA_DIRECTORY_QUERY = "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'data_directory'"
    EMPTY_BYTES = 7 << 20  # the catalogues of version 13 to 18
    SWAPS = True
    EMPTY_INVENTORY: ClassVar[Mapping[str, int]] = {"extensions": 1, "schemas": 1}  # plpgsql, public
    DRILL = PostgresqlDrill()
    ACCOUNTS = PostgresqlAccountRules()

    @classmethod
    def detect_vendor(cls, server: Server) -> str:
        # "PostgreSQL 15.18 on x86_64…"; others that speak the protocol say their own name.
        return str(server.value("SELECT version()")).split()[0].lower()

    def read_facts(self) -> ServerFacts:
        return read_facts(self.server)

    def databases(self) -> list[Database]:
        return read_databases(self.server)

    def filtered(self, database: Database, filters: Filters) -> Filtered:
        with coordinator(self.server, self.facts, database) as session:
            return read_scope(session, filters).filtered

    def missing_privileges(self, databases: Sequence[Database], options: DumpOptions) -> list[MissingPrivilege]:
        return find_missing(self.server, self.facts, databases, options.filters)

    def dump_clients(self, options: DumpOptions) -> list[Client]:
        return find_clients(self.facts, allow_newer=options.allow_newer_client)

    def package_hint(self) -> str:
        return package_name(self.facts)

    @contextmanager
    def snapshot(
        self, client: Client, database: Database, options: DumpOptions, missing: Sequence[MissingPrivilege]
    ) -> Iterator[Snapshot]:
        server, facts = self.server, self.facts
        with coordinator(server, facts, database) as session:
            scope = EVERYTHING

            def limit() -> Callable[[str], str]:
                nonlocal scope
                scope = read_scope(session, options.filters)
                return scope.limit

            exported = export_snapshot(session, lock_timeout=options.db_lock_timeout, limit=limit)
            planned = plan(session, server.instance, facts, client, database, options, exported, scope)
            warnings = list(planned.warnings)
            sequences = read_sequences(session, warnings, scope) if options.fingerprints else {}
            fingerprints: dict[str, str] = {}

            def details() -> SnapshotDetails:
                with holding(session):
                    read = read_details(session, server, facts, client, options, exported, scope, missing=missing)
                read = replace(read, warnings=[*warnings, *read.warnings])
                if read.fingerprints is None:
                    return read
                fingerprints.update(read.fingerprints)
                fingerprints.update(sequences)
                return replace(read, fingerprints=fingerprints)

            def check() -> None:
                still_held(session)
                if sequences:
                    fingerprints.update(changed_sequences(sequences, read_sequences(session, [], scope)))

            yield Snapshot(
                parts=planned.parts,
                # All at once: each client locks its tables when it starts. One that started later could find a
                # statement waiting for our locks in front of it, and the two would wait for each other.
                at_once=len(planned.parts),
                begun=lambda _stopped: None,
                check=check,
                details=details,
            )

    def run_statement(self, statement: str, database: str | None) -> None:
        run_statement(self.server, statement, database)

    def export_accounts(self, client: Client) -> AccountsExport:
        return export(self.server, self.facts, client)

    @classmethod
    def table_spellings(cls, name: str) -> set[str]:
        return spellings(name)

    def login_manager(self, wanted: WantedLogin) -> LoginManager:
        return PostgresqlLoginManager(self.server, self.facts, wanted)

    def account_target(self, stored: Mapping[str, Any], fresh: Mapping[str, Any]) -> PostgresqlTarget:
        return PostgresqlTarget(self.server, self.facts, stored=stored, fresh=fresh)

    @classmethod
    def by_hand(cls, manifest: Mapping[str, Any]) -> ByHand:
        return by_hand(manifest)

    def restore_clients(self, manifest: Mapping[str, Any]) -> list[Client]:
        return find_restore_clients(self.facts, manifest)

    def restore_package_hint(self, manifest: Mapping[str, Any]) -> str:
        return restore_package_name(manifest)

    def restore_problems(self, manifest: Mapping[str, Any], target: str, options: RestoreOptions) -> RestoreProblems:
        return find_problems(self.server, self.facts, manifest, target, options)

    def swap_blockers(self, target: str) -> list[str]:
        return swap_blockers(self.server, target, target)

    def create_database(self, name: str, manifest: Mapping[str, Any], options: RestoreOptions) -> list[str]:
        warnings = create(self.server, self.facts, name, manifest["properties"], options)
        return [*warnings, *run_in_new(self.server, name, drop_statements(manifest))]

    def load(
        self,
        client: Client,
        name: str,
        sources: Sequence[ArchiveSource],
        manifest: Mapping[str, Any],
        options: RestoreOptions,
        limits: Limits,
    ) -> LoadReport:
        stays_here = options.on_private_server or self._is_quiet_copy(manifest, options)
        return load_archives(self.server, self.facts, client, name, sources, options, limits, stays_here=stays_here)

    def finish_database(self, name: str, manifest: Mapping[str, Any], options: RestoreOptions) -> list[str]:
        warnings = finish(self.server, name, manifest["properties"], options)
        if not self._is_quiet_copy(manifest, options):
            return warnings
        return [*warnings, *quiet(self.server, name)]

    def _is_quiet_copy(self, manifest: Mapping[str, Any], options: RestoreOptions) -> bool:
        """Tell whether this is a copy that shall reach nothing."""
        if options.final_name is None or options.enable_events:
            return False
        return is_copy(self.server, options.final_name, manifest)

    def closing_problems(self, name: str) -> list[str]:
        return closing_problems(self.server)

    def open_database(self, name: str, manifest: Mapping[str, Any], options: RestoreOptions) -> list[str]:
        return open_to_others(self.server, name, manifest["properties"], options)

    def run_scripts(self, client: Client, name: str, scripts: Sequence[Script], limits: Limits) -> None:
        run_scripts(self.server, name, scripts, limits)

    def drop_database(self, name: str) -> None:
        if any(one.name == name and one.connectable for one in self.databases()):
            drop_subscriptions(self.server, name)
        drop(self.server, name)

    def swap(self, scratch: str, target: str) -> str:
        return swap_databases(self.server, scratch, target)

    def rename_database(self, old: str, new: str) -> None:
        rename_database(self.server, old, new)

    def is_source_of(self, manifest: Mapping[str, Any]) -> bool | None:
        return is_source(self.server, manifest)
