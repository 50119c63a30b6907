# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What MySQL and MariaDB have in common: the methods of the engine, which the other files of this folder carry out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from ...connection.server import Server
from ...errors import InvalidOption
from ...streams.pipeline import Limits
from ..filters import EXCLUDE_SCHEMAS, Filtered, Filters
from ..login_interface import WantedLogin
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
)
from .accounts_export import export_accounts
from .accounts_restore import MysqlTarget
from .backup_login import MysqlLoginManager
from .by_hand import by_hand
from .clients import find_clients
from .facts import detect_vendor, list_databases, read_facts
from .family import MysqlFamily
from .format_check import completion_mark
from .outside import outside_databases
from .privileges import missing_privileges
from .restore.checks import find_problems
from .restore.database import create_database, drop_database
from .restore.load import load_parts
from .restore.references import qualified_references
from .restore.scripts import closing_problems, run_scripts
from .snapshot import filtered, foresee, open_snapshot
from .statements import run_statement


class MysqlBase(MysqlFamily):
    """The engine of both. A database has no other name to be given, so there is no `swap`."""

    @classmethod
    def detect_vendor(cls, server: Server) -> str:
        return detect_vendor(server)

    def read_facts(self) -> ServerFacts:
        return read_facts(self)

    def databases(self) -> list[Database]:
        return list_databases(self)

    @classmethod
    def check_filters(cls, filters: Filters) -> None:
        if filters.exclude_schemas:
            raise InvalidOption(
                f"option {EXCLUDE_SCHEMAS} is for PostgreSQL: on {cls.VENDOR} a schema is a database; leave databases "
                "out with exclude, or tables with exclude_tables"
            )

    def filtered(self, database: Database, filters: Filters) -> Filtered:
        return filtered(self, database, filters)

    def missing_privileges(self, databases: Sequence[Database], options: DumpOptions) -> list[MissingPrivilege]:
        return missing_privileges(self, databases, options)

    def dump_clients(self, options: DumpOptions) -> list[Client]:
        return find_clients(self.DUMP_PROGRAMS, self.judge_dump_client, self.facts.version_number)

    def snapshot(
        self, client: Client, database: Database, options: DumpOptions, missing: Sequence[MissingPrivilege]
    ) -> AbstractContextManager[Snapshot]:
        return open_snapshot(self, client, database, options, missing)

    def run_statement(self, statement: str, database: str | None) -> None:
        run_statement(self.server, statement, database)

    def foresee(
        self, client: Client, database: Database, options: DumpOptions, missing: Sequence[MissingPrivilege]
    ) -> list[str]:
        return foresee(self, client, database, options, missing)

    def export_accounts(self, client: Client) -> AccountsExport:
        return export_accounts(self)

    @classmethod
    def completion_mark(cls, archive: Mapping[str, Any]) -> bytes | None:
        return completion_mark(archive)

    @classmethod
    def needed_databases(cls, manifest: Mapping[str, Any]) -> frozenset[str]:
        return outside_databases(manifest)

    @classmethod
    def by_hand(cls, manifest: Mapping[str, Any]) -> ByHand:
        return by_hand(manifest, cls.RESTORE_PROGRAMS[0])

    def login_manager(self, wanted: WantedLogin) -> MysqlLoginManager:
        return MysqlLoginManager(self, wanted)

    def account_target(self, stored: Mapping[str, Any], fresh: Mapping[str, Any]) -> MysqlTarget:
        return MysqlTarget(self)

    def restore_clients(self, manifest: Mapping[str, Any]) -> list[Client]:
        return find_clients(self.RESTORE_PROGRAMS, self.judge_restore_client, self.facts.version_number)

    def restore_problems(self, manifest: Mapping[str, Any], target: str, options: RestoreOptions) -> RestoreProblems:
        return find_problems(self, manifest, target, options)

    def swap_blockers(self, target: str) -> list[str]:
        return []  # nothing but sessions holds a database here, and those are ended when it is dropped

    def create_database(self, name: str, manifest: Mapping[str, Any], options: RestoreOptions) -> list[str]:
        create_database(self.server, name, manifest.get("properties") or {})
        return []

    def load(
        self,
        client: Client,
        name: str,
        sources: Sequence[ArchiveSource],
        manifest: Mapping[str, Any],
        options: RestoreOptions,
        limits: Limits,
    ) -> LoadReport:
        return load_parts(self, client, name, sources, manifest, options, limits)

    def closing_problems(self, name: str) -> list[str]:
        return closing_problems(self, name)

    def run_scripts(self, client: Client, name: str, scripts: Sequence[Script], limits: Limits) -> None:
        run_scripts(self, client, name, scripts, limits)

    def drop_database(self, name: str) -> None:
        drop_database(self, name)

    def qualified_references(self, name: str, original: str) -> list[str]:
        return qualified_references(self.server, name, original)
