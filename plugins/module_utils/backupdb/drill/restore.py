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
from typing import TYPE_CHECKING, Any

from ..accounts.restore import restore_accounts
from ..engines.drill_interface import Proving, proving_of
from ..engines.interface import ArchiveSource, Client, DumpOptions, Engine, RestoreOptions, ServerFacts
from ..engines.registry import open_server
from ..engines.workplace import User, workplace
from ..errors import ClientMissing
from ..restore.plan import open_archives
from ..streams.pipeline import Limits
from .stored_accounts import StoredAccounts, accounts_of

if TYPE_CHECKING:
    from ..age.stream import Identity
    from ..connection.server import Server
    from ..repository.catalogue import StoredBackup

OPTIONS = RestoreOptions(no_tablespaces=True)  # everything is kept as it was; the name is the original's


@dataclass(frozen=True)
class Setting:
    """What a drill of one backup needs to know. `work_dir` and `user` are for the private server."""

    backup: StoredBackup
    identities: Sequence[Identity]
    limits: Limits
    work_dir: str | None
    user: User
    jobs: int = 1

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The manifest of the backup."""
        return self.backup.manifest


@dataclass
class Restored:
    """A restored backup in its private server, and what was learned on the way."""

    setting: Setting
    proving: Proving
    engine: Engine
    server: Server
    facts: ServerFacts
    dump_client: Client
    restore_client: Client
    accounts: StoredAccounts
    sources: Sequence[ArchiveSource]
    program: str
    unmatched: Sequence[str]
    stand_ins: Sequence[str] = ()
    skipped_accounts: Mapping[str, str] = field(default_factory=dict)  # name -> why it can never be made here
    errors: list[str] = field(default_factory=list)  # what could not be restored, one line each
    warnings: list[str] = field(default_factory=list)
    decrypt_seconds: float = 0.0
    restore_seconds: float = 0.0

    @property
    def name(self) -> str:
        """The database's name, which is that of the source."""
        return str(self.setting.backup.database)

    @property
    def same_series(self) -> bool:
        """Whether dumps of the private server are to be equal to those of the source."""
        source = str(self.setting.manifest["server"]["version"])
        return self.proving.series(source) == self.proving.series(self.facts.version)


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


@contextmanager
def restored(setting: Setting) -> Iterator[Restored]:
    """Give the backup restored in a private server, which is gone when the block is left.

    Raises `BackupDbError` when it cannot be restored at all.
    """
    proving = proving_of(setting.manifest)
    stopwatch = Stopwatch()
    sources = [stopwatch.timed(one, setting.limits) for one in open_archives(setting.backup, setting.identities)]
    accounts = accounts_of(setting.backup, setting.identities)
    with (
        workplace(setting.work_dir, setting.user, socket_name=proving.SOCKET_NAME) as place,
        proving.private_server(
            setting.manifest, accounts.document, place=place, cancel=setting.limits.abort
        ) as private,
        open_server(private.instance, setting.limits.abort) as (engine, server),
    ):
        facts = engine.facts(server)
        state = Restored(
            setting=setting,
            proving=proving,
            engine=engine,
            server=server,
            facts=facts,
            dump_client=_dump_client(engine, facts, proving, setting.manifest),
            restore_client=_restore_client(engine, facts, setting.manifest),
            accounts=accounts,
            sources=sources,
            program=private.program,
            unmatched=private.unmatched,
        )
        began = time.monotonic()
        _restore(state)
        state.restore_seconds = time.monotonic() - began
        state.decrypt_seconds = stopwatch.seconds
        yield state


def load_database(state: Restored, sources: Sequence[ArchiveSource]) -> None:
    """Create the database and load these archives into it."""
    manifest, options = state.setting.manifest, replace(OPTIONS, jobs=state.setting.jobs)
    engine, server, facts, name = state.engine, state.server, state.facts, state.name
    state.warnings += engine.create_database(server, facts, name, manifest, options)
    report = engine.load(server, facts, state.restore_client, name, sources, manifest, options, state.setting.limits)
    state.errors += report.errors
    state.warnings += report.warnings
    state.warnings += engine.finish_database(server, facts, name, manifest, options)


def _restore(state: Restored) -> None:
    document = state.accounts.document
    if document is not None:
        _restore_accounts(state, document)
    state.stand_ins = state.proving.stand_ins(state.server, state.setting.manifest, state.sources)
    load_database(state, state.sources)
    if document is not None:
        _restore_accounts(state, document, object_grants_for={state.name})


def _restore_accounts(
    state: Restored, document: Mapping[str, Any], *, object_grants_for: set[str] | None = None
) -> None:
    result = restore_accounts(
        state.server,
        state.engine,
        state.facts,
        document,
        include_reserved=True,  # those that are here already, such as the login in use, are left as they are
        databases={state.name},
        object_grants_for=object_grants_for,
    )
    state.errors += result["errors"]
    # Rights that wait for the database are given in the second pass.
    state.warnings += [line for line in result["warnings"] if "object_grants_for" not in line]
    never = {
        str(entry["account"]): str(entry["reason"])
        for entry in result["accounts"]
        if entry["action"] == "failed" and not entry["errors"]
    }
    state.skipped_accounts = {**state.skipped_accounts, **never}


def _dump_client(engine: Engine, facts: ServerFacts, proving: Proving, manifest: Mapping[str, Any]) -> Client:
    """Return the dump client that is most like the one of the backup."""
    clients = engine.clients(facts, DumpOptions(allow_newer_client=True))
    usable = [client for client in clients if client.usable]
    wanted = str(manifest["client"]["version"])
    same = [client for client in usable if proving.series(client.version) == proving.series(wanted)]
    exact = [client for client in same if client.version == wanted]
    for client in [*exact, *same, *usable]:
        return client
    raise ClientMissing(
        f"no usable dump client for {facts.vendor} {facts.version} on this host; install {engine.package_hint(facts)}"
    )


def _restore_client(engine: Engine, facts: ServerFacts, manifest: Mapping[str, Any]) -> Client:
    for client in engine.restore_clients(facts, manifest):
        if client.usable:
            return client
    raise ClientMissing(
        f"no usable restore client for {facts.vendor} {facts.version} on this host; "
        f"install {engine.restore_package_hint(facts, manifest)}"
    )
