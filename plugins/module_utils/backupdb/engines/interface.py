# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an engine is: the class that every engine derives from, made once per connection with its server.

Everything above this folder asks this object and knows no engine by name. A new engine is a folder with a subclass of
`Engine` and one line in `registry.py`; what a drill, a login and accounts need of it is in the other interface files.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

from ..connection.drivers import Driver
from ..connection.server import Server
from ..errors import ClientMissing
from ..streams.pipeline import Limits
from .accounts_interface import AccountRules, AccountTarget
from .drill_interface import DrillSupport
from .filters import Filtered, Filters
from .login_interface import LoginManager, WantedLogin
from .values import (
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

_Self = TypeVar("_Self", bound="Engine")


class Engine(ABC):
    """A database server, by its real vendor, with an open connection.

    Class attributes and class methods hold for the vendor and need no server.
    """

    VENDOR: ClassVar[str]  # also its name among the options and in manifests
    DRIVER: ClassVar[Driver]
    SOCKET_ADMINISTRATOR: ClassVar[str]  # who administers it through the socket, as packages set it up
    SYSTEM_DATABASES: ClassVar[Mapping[str, str]]  # names of the server's own databases, and why each is left out
    DATA_DIRECTORY_QUERY: ClassVar[str]  # no row or NULL where the login may not know it
    EMPTY_BYTES: ClassVar[int] = 0  # the size that a database has in which nobody has made anything, about
    SWAPS: ClassVar[bool] = False  # whether a restored database can take the place of another by `swap`
    EMPTY_INVENTORY: ClassVar[Mapping[str, int]] = {}  # what a database has in which nobody has made anything
    DRILL: ClassVar[DrillSupport]
    ACCOUNTS: ClassVar[AccountRules]

    def __init__(self, server: Server, facts: ServerFacts | None = None) -> None:
        """`facts` are those of the server where they are known already."""
        self.server = server
        self._facts = facts

    def using(self: _Self, server: Server) -> _Self:
        """Return the same engine over another connection to the same server."""
        other = copy.copy(self)
        other.server = server
        return other

    @property
    def facts(self) -> ServerFacts:
        """What the server says about itself; asked once."""
        if self._facts is None:
            self._facts = self.read_facts()
        return self._facts

    @classmethod
    @abstractmethod
    def detect_vendor(cls, server: Server) -> str:
        """Ask the server which vendor it really is; also the first connection, so it finds login faults."""

    @abstractmethod
    def read_facts(self) -> ServerFacts:
        """Ask the server for its vendor, version, role and the settings that matter."""

    @abstractmethod
    def databases(self) -> list[Database]:
        """List every database, system ones included, in the order of their names."""

    # Backing up

    @classmethod  # noqa: B027  # most engines know all of them
    def check_filters(cls, filters: Filters) -> None:
        """Raise `InvalidOption` for a filter that means nothing here."""

    @abstractmethod
    def filtered(self, database: Database, filters: Filters) -> Filtered:
        """Say what filters leave out of a database, and warn of what then cannot come back."""

    @abstractmethod
    def missing_privileges(self, databases: Sequence[Database], options: DumpOptions) -> list[MissingPrivilege]:
        """Say which rights the login lacks for these databases and options."""

    @abstractmethod
    def dump_clients(self, options: DumpOptions) -> list[Client]:
        """Look at every installed dump client; the one to use is the first with `usable`."""

    @abstractmethod
    def package_hint(self) -> str:
        """Name the package that brings a usable dump client."""

    def usable_dump_client(self, options: DumpOptions) -> Client:
        """Return the dump client; raises `ClientMissing`, which names the package and says why others won't do."""
        return usable(self, self.dump_clients(options), "dump", self.package_hint())

    @abstractmethod
    def snapshot(
        self, client: Client, database: Database, options: DumpOptions, missing: Sequence[MissingPrivilege]
    ) -> AbstractContextManager[Snapshot]:
        """Export a snapshot, plan the dump, and keep the snapshot open until the context is left."""

    def foresee(
        self, client: Client, database: Database, options: DumpOptions, missing: Sequence[MissingPrivilege]
    ) -> list[str]:
        """Name what a backup that is made now would not have; raises what would end it. Nothing is dumped.

        It goes the way of a backup as far as that is no burden for the server: no row is read, and no lock is held
        that keeps others from writing.
        """
        quick = replace(options, row_counts=False, fingerprints=False)
        with self.snapshot(client, database, quick, missing) as snapshot:
            return list(snapshot.details().missing)

    @abstractmethod
    def run_statement(self, statement: str, database: str | None) -> None:
        """Run one statement of the user, in autocommit, in a database or where the login arrives (None).

        It is ended on the server when `server.cancel` is set.
        """

    @abstractmethod
    def export_accounts(self, client: Client) -> AccountsExport:
        """Export users, roles and grants."""

    @classmethod
    def completion_mark(cls, archive: Mapping[str, Any]) -> bytes | None:
        """Return what stands at the end of a whole archive of its format, for a restore to look at while it reads.

        None where the restore client itself misses what was cut off.
        """
        return None

    @classmethod
    def needed_databases(cls, manifest: Mapping[str, Any]) -> frozenset[str]:
        """Name the other databases that must be there before a database can come back whole."""
        return frozenset()

    @classmethod
    @abstractmethod
    def by_hand(cls, manifest: Mapping[str, Any]) -> ByHand:
        """Say how people load a backup without this program; what a manifest says cannot become a command in it."""

    @classmethod
    def table_spellings(cls, name: str) -> set[str]:
        """Return the ways in which people may write the name of a table that manifests have as `name`."""
        return {name}

    # Accounts

    @abstractmethod
    def login_manager(self, wanted: WantedLogin) -> LoginManager:
        """Give who makes, examines and removes the login that backups are made with."""

    @abstractmethod
    def account_target(self, stored: Mapping[str, Any], fresh: Mapping[str, Any]) -> AccountTarget:
        """Give who restores the accounts of a stored document; `fresh` is an export of this server."""

    # Bringing a backup back; `manifest` is that of the backup.

    @abstractmethod
    def restore_clients(self, manifest: Mapping[str, Any]) -> list[Client]:
        """Look at every installed restore client; the one to use is the first with `usable`."""

    def restore_package_hint(self, manifest: Mapping[str, Any]) -> str:
        """Name the package that brings a usable restore client: the one that brings the dump client, unless said."""
        return self.package_hint()

    def usable_restore_client(self, manifest: Mapping[str, Any]) -> Client:
        """Return the restore client; raises `ClientMissing`, which names the package and says why others won't do."""
        return usable(self, self.restore_clients(manifest), "restore", self.restore_package_hint(manifest))

    @abstractmethod
    def restore_problems(self, manifest: Mapping[str, Any], target: str, options: RestoreOptions) -> RestoreProblems:
        """Say, before anything is done, what forbids the restore, which rights lack, and what to be warned of.

        A refusal names the statement or the option that mends it.
        """

    @abstractmethod
    def swap_blockers(self, target: str) -> list[str]:
        """Name what stands in the way of another database taking the place of `target`, and how to mend it."""

    @abstractmethod
    def create_database(self, name: str, manifest: Mapping[str, Any], options: RestoreOptions) -> list[str]:
        """Create the empty database with the properties of the original; never replaces one. Returns warnings."""

    @abstractmethod
    def load(
        self,
        client: Client,
        name: str,
        sources: Sequence[ArchiveSource],
        manifest: Mapping[str, Any],
        options: RestoreOptions,
        limits: Limits,
    ) -> LoadReport:
        """Load all parts in their order; raises `RestoreFailed` at the first error before or in the data.

        With `past_errors` such errors are listed as well, and what can come back does.
        """

    def finish_database(self, name: str, manifest: Mapping[str, Any], options: RestoreOptions) -> list[str]:
        """Give the database what belongs to its name: settings, ACL, limits, labels. Returns warnings."""
        return []

    @abstractmethod
    def closing_problems(self, name: str) -> list[str]:
        """Say what keeps a database that is made `closed` under this name from being closed to everybody else."""

    def open_database(self, name: str, manifest: Mapping[str, Any], options: RestoreOptions) -> list[str]:
        """Let those into a closed database whom `finish_database` lets into any other. Returns warnings."""
        return []

    @abstractmethod
    def run_scripts(self, client: Client, name: str, scripts: Sequence[Script], limits: Limits) -> None:
        """Run scripts that change rows of a database, so that nothing in it tells of what the rows were before.

        Raises `RestoreFailed` at the first statement that is refused, with the script and the line. The server's words
        are told only where they cannot quote a row.
        """

    @abstractmethod
    def drop_database(self, name: str) -> None:
        """End the sessions in a database and drop it; whether it may be dropped is the caller's affair."""

    def swap(self, scratch: str, target: str) -> str:
        """Put `scratch` in the place of `target`; returns the name under which the old one is kept.

        Whatever fails, `target` is in place and accepts connections. Only for an engine with `SWAPS`.
        """
        raise NotImplementedError(f"{self.VENDOR} cannot give a database another name")

    def rename_database(self, old: str, new: str) -> None:
        """Give a database a name that is free. Only for an engine with `SWAPS`."""
        raise NotImplementedError(f"{self.VENDOR} cannot give a database another name")

    def is_source_of(self, manifest: Mapping[str, Any]) -> bool | None:
        """Tell whether this server is the one that a backup is of; None where that cannot be told from within."""
        return None

    def qualified_references(self, name: str, original: str) -> list[str]:
        """Name the triggers, routines and events in database `name` whose bodies name the database `original`."""
        return []


def usable(engine: Engine, clients: Sequence[Client], purpose: str, hint: str) -> Client:
    """Return the first usable client; raises `ClientMissing`."""
    for client in clients:
        if client.usable:
            return client
    raise ClientMissing(f"{engine.server.instance.where()}: {no_usable_client(engine.facts, clients, purpose, hint)}")


def no_usable_client(facts: ServerFacts, clients: Sequence[Client], purpose: str, hint: str) -> str:
    """Say that there is no client for a purpose ("dump" or "restore"), what to install, and why others won't do."""
    found = "; ".join(f"{client.path} {client.version}: {client.reason}" for client in clients)
    return (
        f"no usable {purpose} client for {facts.vendor} {facts.version} on this host; install {hint}"
        f" (found: {found or 'none'})"
    )
