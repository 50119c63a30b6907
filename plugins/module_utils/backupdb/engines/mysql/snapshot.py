# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One snapshot of one database, kept open for its dump clients.

Where several sessions must see the same, a global read lock is held until every dump client has begun its transaction:
the clients, the coordinates, counts and fingerprints then belong to one snapshot. Where one client is enough, its own
transaction is the snapshot, and nobody is kept from writing. So it is where the lock cannot be had, which is said; rows
are not counted then, since the counts would belong to another snapshot.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Callable

from ...connection.server import Server
from ...errors import ConnectionFailed, Interrupted, QueryFailed, SnapshotLost
from ..filters import Filtered, Filters
from ..sequences import changed_sequences
from ..values import (
    FATAL,
    PARTIAL,
    Client,
    Database,
    DumpOptions,
    MissingPrivilege,
    Snapshot,
    SnapshotDetails,
)
from .catalogue import Relation, definitions, programs, relations
from .clients import known_options
from .commands import INIT_COMMAND, NO_LIMIT, option_file
from .content import count_rows, fingerprints, sequence_values
from .family import MysqlFamily
from .lock import LOCK_WAIT, MAX_HOLD, GlobalReadLock
from .observation import Observation, Preflight, inspect_before, look_around, observe, prepare_session
from .plan import Chosen, Plan, plan, plan_with_routines_first, writes_routines_last
from .report import dumped_kinds, extra, inventory, left_out, warnings
from .scope import read_scope
from .statements import ask, close_now, kept_session, own_session

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

UNDER_LOCK = "global read lock"
WITHOUT_LOCK = "single transaction of the dump client"

_HISTORY = "dump-history"  # the client's option
_DEFINITION_CHANGED = "1412"
_FOR_THE_LOCK = ("RELOAD", "FLUSH_TABLES", "PROCESS")  # the rights under the names by which they are asked for


@contextmanager
def open_snapshot(
    engine: MysqlFamily,
    client: Client,
    database: Database,
    options: DumpOptions,
    missing: Sequence[MissingPrivilege],
) -> Iterator[Snapshot]:
    """Take the snapshot, plan the dump, and keep the snapshot open until the context is left.

    Raises `SnapshotLost` where trying again may help, and `QueryFailed` or `ConnectionFailed` where it will not.
    """
    server = engine.server
    known = known_options(client)
    secret = option_file(server.instance, engine.tls_lines(server.instance, known))
    with kept_session(server) as connection:
        prepare_session(engine, connection, lock_timeout=options.db_lock_timeout)
        preflight = inspect_before(engine, connection, database.name, options.filters)
        with _read_lock(engine, options, missing) as (lock, unlocked):
            seen = observe(engine, connection, database.name, preflight, options.filters, locked=lock is not None)
            jobs = options.jobs if lock is not None else 1
            apart = options.routines and _views_may_call_routines(seen) and writes_routines_last(client)
            make = plan_with_routines_first if apart else plan
            snapshot = _OpenSnapshot(
                engine=engine,
                connection=connection,
                database=database.name,
                options=options,
                missing=missing,
                preflight=preflight,
                seen=seen,
                lock=lock,
                planned=make(
                    client,
                    secret,
                    known,
                    database.name,
                    _chosen(seen, preflight),
                    options,
                    jobs=jobs,
                ),
                history=_HISTORY in known,
                neutral=INIT_COMMAND in known,
                unlocked=unlocked,
                sequences=(
                    sequence_values(server, connection, database.name, seen.found) if options.fingerprints else {}
                ),
            )
            yield Snapshot(
                snapshot.planned.parts, snapshot.planned.at_once, snapshot.begun, snapshot.check, snapshot.details
            )


def foresee(
    engine: MysqlFamily,
    client: Client,
    database: Database,
    options: DumpOptions,
    missing: Sequence[MissingPrivilege],
) -> list[str]:
    """Go the same way without the global read lock: name what a backup would not have; raises what would end it."""
    server = engine.server
    known = known_options(client)
    with own_session(server) as connection:
        prepare_session(engine, connection, lock_timeout=options.db_lock_timeout)
        preflight = inspect_before(engine, connection, database.name, options.filters)
        seen = observe(engine, connection, database.name, preflight, options.filters, locked=False)
        plan(client, b"", known, database.name, _chosen(seen, preflight), options, jobs=1)
        if INIT_COMMAND not in known:
            _refuse_limit(server, connection, _place(server, database.name))
    return left_out(seen, preflight, options, history=_HISTORY in known)


def _chosen(seen: Observation, preflight: Preflight) -> Chosen:
    ignored = [*(one.name for one in preflight.broken), *sorted(seen.scope.relations)]
    return Chosen(seen.found, ignored, seen.scope.rows)


def filtered(engine: MysqlFamily, database: Database, filters: Filters) -> Filtered:
    """See `Engine.filtered`."""
    server = engine.server
    with own_session(server) as connection:
        found = relations(server, connection, database.name)
        return read_scope(server, connection, database.name, found, filters).filtered


@dataclass
class _OpenSnapshot:
    """A snapshot that is being dumped: the functions that a `Snapshot` carries."""

    engine: MysqlFamily
    connection: Connection
    database: str
    options: DumpOptions
    missing: Sequence[MissingPrivilege]
    preflight: Preflight
    seen: Observation
    lock: GlobalReadLock | None
    planned: Plan
    history: bool  # the client can dump history rows
    neutral: bool  # the client can be told to undo settings of the server
    unlocked: str | None  # why there is no lock although there should be one
    sequences: dict[str, str]  # their fingerprints when the snapshot was taken
    prints: dict[str, str] = field(default_factory=dict)  # what goes into the manifest

    @property
    def server(self) -> Server:
        return self.engine.server

    def begun(self, ended: Callable[[], int]) -> None:
        """Hold the lock until the clients have begun. One client that was too late still has a snapshot of its own."""
        if self.lock is None:
            return
        clients = self.planned.at_once
        self.lock.wait_until_begun(self.database, clients, ended)
        self.lock.release()
        if not self.lock.expired.is_set():
            return
        reason = f"the dump had not begun within {MAX_HOLD:g} s, after which the lock is given back"
        if clients > 1:
            raise SnapshotLost(f"{self._place()}: {reason}; run with jobs 1, or when the server is less busy")
        self.unlocked = reason

    def check(self) -> None:
        """Raise `SnapshotLost` when programs changed, or columns in place: no transaction protects from that.

        Raises `QueryFailed` where the client's sessions are cut short by a setting that the client does not undo.
        """
        if not self.neutral:
            _refuse_limit(self.server, self.connection, self._place())
        with self._later_session() as connection:
            now = programs(self.server, connection, self.database).digests
            columns = definitions(self.server, connection, self.database)
            there = relations(self.server, connection, self.database, self.preflight.sizes)
            names = {one.name for one in there}
            if self.prints and names.issuperset(self.sequences):
                later = sequence_values(self.server, connection, self.database, self.seen.found)
                self.prints.update(changed_sequences(self.sequences, later))
        dumped = dumped_kinds(self.options)
        lost = [
            f"{kind} {name}"
            for (kind, name), digest in self.seen.programs.digests.items()
            if kind in dumped and now.get((kind, name)) != digest
        ]
        before = self.preflight.definitions
        tables = [one.name for one in self.seen.found if one.is_table]
        lost += [f"table {name}" for name in tables if columns.get(name) != before.get(name)]
        if not self.planned.listed:
            listed = {one.name for one in self.seen.found} | {one.name for one in self.preflight.broken}
            listed |= self.seen.scope.relations
            lost += sorted(listed ^ names)
        if lost:
            raise SnapshotLost(f"{self._place()}: changed while it was being dumped: {', '.join(lost[:10])}")

    @contextmanager
    def _later_session(self) -> Iterator[Connection]:
        """Lend a session that sees what is there now; the lock's own, where it gave the lock back in good order."""
        if self.lock is None:
            ask(self.server, self.connection, "COMMIT")
            yield self.connection
        elif self.lock.expired.is_set():
            with own_session(self.server) as connection:
                yield connection
        else:
            yield self.lock.connection

    def details(self) -> SnapshotDetails:
        """Put together what the manifest says; rows are counted now, in the coordinator's snapshot."""
        locked = self.lock is not None and self.unlocked is None
        around = look_around(self.engine, self.connection, self.database, self.seen)
        counts: dict[str, int] | None = None
        taken = locked and self.options.fingerprints
        try:
            if locked and self.options.row_counts:
                counts = count_rows(*self._read(), empty=self.seen.scope.rows)
            if taken:
                self.prints.update(fingerprints(*self._read(), empty=self.seen.scope.rows))
                self.prints.update(self.sequences)
        except QueryFailed as error:
            if error.code != _DEFINITION_CHANGED:
                raise
            raise SnapshotLost(f"{self._place()}: a table changed before its rows were read: {error}") from error
        return SnapshotDetails(
            position={
                "taken": UNDER_LOCK if locked else WITHOUT_LOCK,
                **(self.seen.coordinates if locked else {}),
            },
            properties=self.seen.properties,
            inventory=inventory(self.seen, self.options),
            inventory_trusted=not any(one.severity in (FATAL, PARTIAL) for one in self.missing),
            row_counts=counts,
            fingerprints=self.prints if taken else None,
            missing=left_out(self.seen, self.preflight, self.options, history=self.history),
            warnings=[
                *warnings(self.seen, around, self.options, unlocked=self.unlocked, jobs=self.planned.at_once),
                *self.seen.scope.filtered.warnings,
            ],
            extra=extra(self.preflight, around),
            unanswered={"views": [one.name for one in self.preflight.broken if one.kind == "view"]},
            filtered=self.seen.scope.filtered,
        )

    def _read(self) -> tuple[Server, Connection, str, Sequence[Relation]]:
        return self.server, self.connection, self.database, self.seen.found

    def _place(self) -> str:
        return _place(self.server, self.database)


def _place(server: Server, database: str) -> str:
    return f"{server.instance.where()}, database {database}"


def _refuse_limit(server: Server, connection: Connection, place: str) -> None:
    ((limit, first),) = ask(server, connection, "SELECT @@GLOBAL.sql_select_limit, @@GLOBAL.init_connect")
    if int(limit) < NO_LIMIT or "sql_select_limit" in str(first or "").lower():
        raise QueryFailed(
            f"{place}: the server's sql_select_limit, or its init_connect, has the dump client leave rows"
            " out; run: SET GLOBAL sql_select_limit = DEFAULT; and take it out of init_connect"
        )


@contextmanager
def _read_lock(
    engine: MysqlFamily, options: DumpOptions, missing: Sequence[MissingPrivilege]
) -> Iterator[tuple[GlobalReadLock | None, str | None]]:
    """Hold the global read lock where it is needed. Without one: why there is none, or None where none is needed."""
    if not _needs_lock(engine, options):
        yield None, None
        return
    lacking = [one.privilege for one in missing if one.privilege in _FOR_THE_LOCK]
    if lacking:
        yield None, f"the login lacks {' and '.join(lacking)}"
        return
    # It has a session of its own: the watchdog gives it back also while the other one is being asked.
    with kept_session(engine.server) as connection:
        lock = GlobalReadLock(engine, connection)
        try:
            if lock.acquire(options.db_lock_timeout):
                yield lock, None
            else:
                yield None, f"the server was too busy to give it, in tries of {LOCK_WAIT} s each"
        finally:
            # A session that may still have the lock, or that the watchdog may yet end, must not be another's.
            if not _is_released(lock) or lock.expired.is_set():
                close_now(engine.server, connection)


def _needs_lock(engine: MysqlFamily, options: DumpOptions) -> bool:
    """Tell whether more than one client must see the same: several of them, our own questions, or the binary log."""
    facts = engine.facts
    has_coordinates = facts.settings.get("log_bin") in (1, "ON") or facts.role == "replica"
    return options.jobs > 1 or options.row_counts or options.fingerprints or has_coordinates


def _views_may_call_routines(seen: Observation) -> bool:
    return seen.programs.count("function") > 0 and any(one.type == "VIEW" for one in seen.found)


def _is_released(lock: GlobalReadLock) -> bool:
    """Give the lock back; False where that failed, so that only the end of its session frees it."""
    try:
        lock.release()
    except (QueryFailed, ConnectionFailed, Interrupted):
        return False
    return True
