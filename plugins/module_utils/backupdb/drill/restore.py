# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restoring a backup into a private server, in the order in which things need each other.

Identities first, then the database with everything in it, then the rights on its objects.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Callable

from ..accounts.restore import restore_accounts
from ..age.stream import Identity
from ..engines.drill_interface import DrillSupport
from ..engines.interface import Engine
from ..engines.registry import engine_of, open_engine
from ..engines.values import ArchiveSource, Client, DumpOptions, RestoreOptions
from ..engines.workplace import User, workplace
from ..repository.catalogue import StoredBackup
from ..restore.plan import open_archives
from ..streams.pipeline import Limits
from .stored_accounts import StoredAccounts, accounts_of

OPTIONS = RestoreOptions(
    no_tablespaces=True, on_private_server=True
)  # everything is kept as it was; the name is the original's


@dataclass(frozen=True)
class DrillContext:
    """What a drill of one backup needs to know. `work_dir` and `user` are for the private server."""

    backup: StoredBackup
    identities: Sequence[Identity]
    limits: Limits
    work_dir: str | None
    user: User
    jobs: int = 1
    hidden: Sequence[Path] = ()  # what the private server must not see: the identity, the repository
    signed_by: tuple[str, ...] | None = None
    count: Callable[[int], None] = lambda _size: None  # is told of all plain bytes that are read

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The manifest of the backup."""
        return self.backup.manifest


@dataclass
class RestoredServer:
    """A restored backup in its private server, and what was learned on the way."""

    context: DrillContext
    support: DrillSupport
    engine: Engine
    dump_client: Client
    restore_client: Client
    accounts: StoredAccounts
    sources: Sequence[ArchiveSource]
    program: str
    unmatched: Sequence[str]
    placeholders: Sequence[str] = ()
    skipped_accounts: Mapping[str, str] = field(default_factory=dict)  # name -> why it can never be made here
    errors: list[str] = field(default_factory=list)  # what could not be restored, one line each
    not_loaded: dict[str, str] = field(default_factory=dict)  # what a drill leaves out -> why
    warnings: list[str] = field(default_factory=list)
    decrypt_seconds: float = 0.0
    restore_seconds: float = 0.0

    @property
    def name(self) -> str:
        """The database's name, which is that of the source."""
        return str(self.context.backup.database)

    @property
    def same_series(self) -> bool:
        """Whether dumps of the private server are to be equal to those of the source."""
        source = str(self.context.manifest["server"]["version"])
        return self.support.series(source) == self.support.series(self.engine.facts.version)


class Stopwatch:
    """Sums up the time that reading, decrypting and decompressing take, in whatever threads."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._guard = threading.Lock()

    def timed(self, source: ArchiveSource, limits: Limits) -> ArchiveSource:
        """Return the same source, timed, and stopped when it is time to stop."""

        def blocks() -> Iterator[bytes]:
            inner = source.open()
            while True:
                limits.check()
                began = time.monotonic()
                block = next(inner, None)
                with self._guard:
                    self.seconds += time.monotonic() - began
                if block is None:
                    return
                yield block

        return replace(source, open=blocks)


def drill_support_for(manifest: Mapping[str, Any]) -> DrillSupport:
    """Return what drills a backup's engine; raises `InvalidOption` for an engine that is not known."""
    return engine_of(str(manifest["engine"])).DRILL


@contextmanager
def restored(context: DrillContext) -> Iterator[RestoredServer]:
    """Give the backup restored in a private server, which is gone when the block is left.

    Raises `BackupDbError` when it cannot be restored at all.
    """
    support = drill_support_for(context.manifest)
    stopwatch = Stopwatch()
    archives = open_archives(context.backup, context.identities)
    sources = [stopwatch.timed(one, context.limits).counted(context.count) for one in archives]
    accounts = accounts_of(context.backup, context.identities, context.signed_by)
    with (
        workplace(context.work_dir, context.user, socket_name=support.SOCKET_NAME, hidden=context.hidden) as place,
        support.private_server(
            context.manifest, accounts.document, place=place, cancel=context.limits.abort
        ) as private,
        open_engine(private.instance, context.limits.abort) as engine,
    ):
        state = RestoredServer(
            context=context,
            support=support,
            engine=engine,
            dump_client=_dump_client(engine, support, context.manifest),
            restore_client=engine.usable_restore_client(context.manifest),
            accounts=accounts,
            sources=sources,
            program=private.program,
            unmatched=private.unmatched,
            warnings=list(private.warnings),
        )
        began = time.monotonic()
        _restore(state)
        state.restore_seconds = time.monotonic() - began
        state.decrypt_seconds = stopwatch.seconds
        yield state


def load_database(state: RestoredServer, sources: Sequence[ArchiveSource]) -> None:
    """Create the database and load these archives into it."""
    manifest, options = state.context.manifest, replace(OPTIONS, jobs=state.context.jobs)
    engine, name = state.engine, state.name
    if any(one.name == name for one in engine.databases()):
        engine.drop_database(name)  # one that every new server has
    state.warnings += engine.create_database(name, manifest, options)
    report = engine.load(state.restore_client, name, sources, manifest, options, state.context.limits)
    state.errors += report.errors
    state.warnings += report.warnings
    state.not_loaded.update(report.not_loaded)
    state.warnings += engine.finish_database(name, manifest, options)


def _restore(state: RestoredServer) -> None:
    document = state.accounts.document
    if document is not None:
        _restore_accounts(state, document)
    state.placeholders = state.support.placeholder_accounts(state.engine.server, state.context.manifest, state.sources)
    load_database(state, state.sources)
    if document is not None:
        _restore_accounts(state, document, object_grants_for={state.name})


def _restore_accounts(
    state: RestoredServer, document: Mapping[str, Any], *, object_grants_for: set[str] | None = None
) -> None:
    outcome = restore_accounts(
        state.engine,
        document,
        include_reserved=True,  # those that are here already, such as the login in use, are left as they are
        databases={state.name},
        object_grants_for=object_grants_for,
    )
    state.errors += outcome.facts["errors"]
    # Rights that wait for the database are given in the second pass.
    state.warnings += [line for line in outcome.warnings if "object_grants_for" not in line]
    never = {
        str(entry["account"]): str(entry["reason"])
        for entry in outcome.facts["accounts"]
        if entry["action"] == "failed" and not entry["errors"]
    }
    state.skipped_accounts = {**state.skipped_accounts, **never}


def _dump_client(engine: Engine, support: DrillSupport, manifest: Mapping[str, Any]) -> Client:
    """Return the dump client that is most like the one of the backup."""
    options = DumpOptions(allow_newer_client=True)
    usable = [client for client in engine.dump_clients(options) if client.usable]
    wanted = str(manifest["client"]["version"])
    same = [client for client in usable if support.series(client.version) == support.series(wanted)]
    exact = [client for client in same if client.version == wanted]
    for client in [*exact, *same, *usable]:
        return client
    return engine.usable_dump_client(options)  # tells why there is none
