# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The global read lock, held for as short as possible and never longer than promised.

FLUSH TABLES WITH READ LOCK stops every writer of the server. It is asked for with a short timeout, since
writers queue behind the one who waits for it, and a watchdog gives it back when the dump has not begun in time,
also when the thread that should do so is stuck.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Callable

from ...errors import BackupDbError, Interrupted, QueryFailed
from .family import MysqlFamily
from .sessions import sessions_of
from .statements import LOCK_WAIT_TIMEOUT, ask

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

LOCK_WAIT = 5  # seconds that writers may queue behind the waiting lock
LONG_STATEMENT = 10  # seconds after which a running statement keeps us from asking for the lock
MAX_HOLD = 10.0  # seconds that the lock is held at most

_TRIES = 3
_PAUSE = 2.0  # seconds between tries, in which the writers get through
_POLL = 0.005  # seconds between the first looks at the sessions, while all writers wait; it doubles
_LONGEST_POLL = 0.1


class GlobalReadLock:
    """The lock, in a session that does nothing else. `held`: it is in force. `expired`: the watchdog gave it back."""

    def __init__(self, engine: MysqlFamily, connection: Connection) -> None:
        server = engine.server
        self._engine = engine
        self._server = server
        self._waits_for_long_statements = engine.LOCK_WAITS_FOR_LONG_STATEMENTS
        self.connection = connection
        ((session, login),) = ask(server, connection, "SELECT CONNECTION_ID(), USER()")
        self._session = int(session)
        self._newest = self._session  # no session that is older than the lock is a dump client's
        self._login = str(login).rpartition("@")[0]  # a login's name may hold an "@" itself, a host does not
        self._using = threading.Lock()  # a driver's connection serves one thread at a time
        self._watchdog = threading.Timer(MAX_HOLD, self._expire)
        self._watchdog.daemon = True
        self.held = False
        self.expired = threading.Event()

    def acquire(self, patience: float) -> bool:
        """Try to get the lock for about `patience` seconds; False when the server is too busy for it."""
        deadline = time.monotonic() + patience
        for attempt in range(_TRIES):
            if attempt and self._server.cancel.wait(_PAUSE):
                raise Interrupted(f"{self._server.instance.where()}: asked to stop while waiting for the read lock")
            left = deadline - time.monotonic()
            if left < 0 or (self._waits_for_long_statements and not self._quiet(deadline)):
                return False
            ask(self._server, self.connection, f"SET SESSION lock_wait_timeout = {max(1, int(min(LOCK_WAIT, left)))}")
            try:
                ask(self._server, self.connection, "FLUSH TABLES WITH READ LOCK")
            except QueryFailed as error:
                if error.code != LOCK_WAIT_TIMEOUT:
                    raise
                continue
            self.held = True
            self._watchdog.start()
            self._newest = max(session.id for session in sessions_of(self._engine, self.connection))
            return True
        return False

    def wait_until_begun(self, database: str, clients: int, ended: Callable[[], int]) -> None:
        """Return when each of `clients` dump clients has its snapshot, or has ended, or the lock has expired.

        A dump client logs in to no database, takes its snapshot, and then goes into the one that it dumps; so its place
        in the list of sessions tells. (The list of transactions would too, but servers renew that ten times a second
        at most.) No other client may be started before this returns.

        Raises `Interrupted` when the run is asked to stop.
        """
        known: set[int] = set()
        finished = 0
        pause = _POLL
        while not self.expired.is_set():
            ended_before, finished = finished, int(ended())
            if finished >= clients:
                return
            with self._using:
                if self.expired.is_set():
                    return
                present = self._present(database)
            known |= present
            # A client's session can outlive its process for a moment. So an ended process is counted one poll later,
            # when its session is gone: counted twice, it would stand for another one that has not begun yet.
            gone = max(ended_before, len(known - present))
            if len(present) + gone >= clients:
                return
            if self._server.cancel.wait(pause):
                raise Interrupted(f"{self._server.instance.where()}: asked to stop while the dump was beginning")
            pause = min(2 * pause, _LONGEST_POLL)

    def release(self) -> None:
        """Give the lock back; harmless where it is not held."""
        self._watchdog.cancel()
        with self._using:
            if self.held:
                self.held = False
                ask(self._server, self.connection, "UNLOCK TABLES")

    def _quiet(self, deadline: float) -> bool:
        """Wait until no statement runs for longer than `LONG_STATEMENT`; False when one still does at the deadline."""
        while any(
            session.seconds >= LONG_STATEMENT and session.command in ("Query", "Execute")
            for session in sessions_of(self._engine, self.connection)
            if session.id != self._session
        ):
            if time.monotonic() + 1.0 > deadline or self._server.cancel.wait(1.0):
                return False
        return True

    def _present(self, database: str) -> set[int]:
        """Return the sessions of this login in this database that are younger than the lock: the dump clients.

        Another program with the same login could be taken for one, so a backup should have a login of its own.
        """
        return {
            session.id
            for session in sessions_of(self._engine, self.connection)
            if session.id > self._newest and session.user == self._login and session.database == database
        }

    def _expire(self) -> None:
        """Give the lock back whatever the others are doing; runs in the watchdog's thread."""
        self.expired.set()
        if self._using.acquire(timeout=1.0):
            try:
                if self.held:
                    ask(self._server, self.connection, "UNLOCK TABLES")
                    self.held = False
                return
            except BackupDbError:
                pass  # the session is broken; ending it frees the lock as well
            finally:
                self._using.release()
        self.held = False
        with suppress(BackupDbError):  # the session has gone, and the lock with it
            self._server.rows(f"KILL CONNECTION {self._session}")
