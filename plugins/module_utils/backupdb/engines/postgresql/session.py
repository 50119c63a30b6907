# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The session that keeps the snapshot open: locks first, then the snapshot, both held until the dump has ended.

Why in this order: a snapshot does not protect from TRUNCATE or a rewriting ALTER TABLE, which are not under MVCC
(PostgreSQL manual 13.6). Exported before the tables are locked, it lets such a statement empty a table with
every program ending well. LOCK TABLE takes no snapshot, so the one exported afterwards is younger than every lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable

from ...connection.server import Server
from ...errors import ConnectionFailed, Interrupted, QueryFailed, SnapshotLost
from ...system.stopping import repeating
from ..values import Database, ServerFacts
from .relations import FROM, NAME, WITH_ROWS

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_ATTEMPTS = 5  # how often the list of tables may change under us before we give up
_LOCKED_AT_ONCE = 500  # tables in one LOCK statement

_UNDEFINED_TABLE = "42P01"
_UNDEFINED_SCHEMA = "3F000"
_WRONG_OBJECT_TYPE = "42809"  # a table became a view of the same name
_DEADLOCK = "40P01"
_CHANGED_UNDER_US = (_UNDEFINED_TABLE, _UNDEFINED_SCHEMA, _WRONG_OBJECT_TYPE, _DEADLOCK)
_OUT_OF_LOCK_SLOTS = "53200"
_LOCK_NOT_AVAILABLE = "55P03"
_QUERY_CANCELED = "57014"
# In a failed transaction; and on a replica: cancelled because what the primary did could not wait for us.
_TRANSACTION_FAILED_BEFORE = "25P02"
_TRANSACTION_ENDED = (_TRANSACTION_FAILED_BEFORE, "40001", _DEADLOCK)

# Of the session from its beginning on; whatever the login or the database set for themselves does not hold.
_SETTINGS = {
    # The database's owner may have put a schema of his in front of pg_catalog: nothing of his is to be called.
    "search_path": "",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "row_security": "off",  # rows hidden from the login are an error, not a smaller count
    "tcp_keepalives_idle": "60",
    "tcp_keepalives_interval": "15",
    "tcp_keepalives_count": "8",
    # One way to write every value, so that fingerprints can be compared between servers.
    "extra_float_digits": "3",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "bytea_output": "hex",
    "lc_monetary": "C",
}
_SETTINGS_17 = {"transaction_timeout": "0"}

_TABLES = f"SELECT {NAME} {FROM} WHERE c.relkind IN ('r', 'p') AND {WITH_ROWS} ORDER BY c.oid"
# Those that are not locked by this session.
_NOT_HELD = f"""
    SELECT EXISTS (
        SELECT {FROM} WHERE c.relkind IN ('r', 'p') AND {WITH_ROWS} AND c.oid NOT IN (
            SELECT l.relation FROM pg_catalog.pg_locks l
             WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted AND l.mode = 'AccessShareLock'
               AND l.relation IS NOT NULL
               AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())))"""  # noqa: S608
_EXPORT = """
    SELECT pg_export_snapshot() AS name, pg_is_in_recovery() AS replica,
           CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text AS lsn,
           to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS taken_at"""
_BLOCKERS = """
    SELECT DISTINCT l.relation::regclass || CASE WHEN l.pid IS NULL THEN ' by a prepared transaction'
                                                 ELSE ' by process ' || l.pid END
      FROM pg_catalog.pg_locks l
     WHERE l.locktype = 'relation' AND l.granted AND l.mode = 'AccessExclusiveLock'
       AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
     ORDER BY 1 LIMIT 5"""


@dataclass(frozen=True)
class ExportedSnapshot:
    """An exported snapshot and where the server stood."""

    name: str  # for pg_dump --snapshot
    lsn: str | None
    taken_at: str  # ISO 8601, UTC
    replica: bool
    tables: int  # locked


class Session:
    """One connection on which we run our own BEGIN, SAVEPOINT and ROLLBACK."""

    def __init__(self, connection: Connection, server: Server, database: str, *, bytewise: bool) -> None:
        """`bytewise`: texts come as one character per byte, as the database has no encoding; see `shown`."""
        self._connection = connection
        self._server = server
        self._bytewise = bytewise
        self._broken: ConnectionFailed | None = None
        self._attempted = False  # there is a savepoint of that name
        self.database = database

    @property
    def where(self) -> str:
        """Say which instance and database this is, for messages."""
        return f"{self._server.instance.where()}, database {self.database!r}"

    def shown(self, text: str) -> str:
        """Return a text of the database for people and for the manifest: read as UTF-8 where it has no encoding."""
        return text.encode("latin-1").decode("utf-8", "surrogateescape") if self._bytewise else text

    def run(self, statement: str) -> None:
        """Run a statement that returns nothing."""
        with self._answering():
            self._connection.exec_driver_sql(statement).close()

    def rows(self, statement: str) -> list[Any]:
        """Run a query without parameters and return its rows."""
        with self._answering():
            return list(self._connection.exec_driver_sql(statement))

    def value(self, statement: str) -> Any:
        """Return the first column of the first row, or None."""
        rows = self.rows(statement)
        return rows[0][0] if rows else None

    def attempt(self, statement: str) -> list[Any]:
        """As `rows`, but a refused statement leaves the transaction, its snapshot and its locks as they are."""
        # What the last attempt has left is released with this one, not by a statement of its own.
        release = "RELEASE SAVEPOINT attempt; " if self._attempted else ""
        try:
            rows = self.rows(f"{release}SAVEPOINT attempt; {statement}")
        except QueryFailed as error:
            if error.code != _TRANSACTION_FAILED_BEFORE:
                self.run("ROLLBACK TO SAVEPOINT attempt")
                self._attempted = True
            raise
        self._attempted = True
        return rows

    def roll_back(self) -> None:
        """End the transaction, and with it all locks and the snapshot."""
        self.run("ROLLBACK")
        self._attempted = False

    @contextmanager
    def _answering(self) -> Iterator[None]:
        if self._broken is not None:
            raise self._broken  # SQLAlchemy would connect anew: a session without our locks and without our snapshot
        try:
            with self._server.translated(self.database):
                yield
        except ConnectionFailed as error:
            self._broken = error
            raise
        except QueryFailed as error:
            if error.code == _QUERY_CANCELED and self._server.cancel.is_set():
                raise Interrupted(f"{self.where}: stopped while the server was being asked") from error
            raise


@contextmanager
def coordinator(server: Server, facts: ServerFacts, database: Database) -> Iterator[Session]:
    """Open a session of our own in a database and end it, with its transaction, when the block is left.

    A statement that runs when `server.cancel` is set is cancelled on the server and raises `Interrupted`.
    """
    with server.visit(database.name) as visiting:
        # A name may hold a percent sign, which the driver would take for a parameter.
        connection = visiting.execution_options(no_parameters=True)
        driver: Any = connection.connection.dbapi_connection
        connection.detach()  # we close it ourselves
        bytewise = database.encoding == "SQL_ASCII"
        if bytewise:
            driver.set_client_encoding("LATIN1")  # no conversion on either side: bytes come and go as they are

        try:
            with _ended_on_cancel(server, driver.get_backend_pid()):
                session = Session(connection, server, database.name, bytewise=bytewise)
                settings = {**_SETTINGS, **(_SETTINGS_17 if facts.version_number >= (17,) else {})}
                session.run("; ".join(f"SET {name} = '{value}'" for name, value in settings.items()))
                yield session
        finally:
            connection.invalidate()  # so that nothing is asked of a server that may no longer answer
            driver.close()


def run_statement(server: Server, statement: str, database: str | None) -> None:
    """Run one statement of the user in a session of its own, with the settings that every session begins with."""
    with server.connect(database) as pooled:
        connection = pooled.execution_options(no_parameters=True)
        driver: Any = connection.connection.dbapi_connection
        connection.detach()  # what the statement has set for its session must not reach others
        try:
            with _ended_on_cancel(server, driver.get_backend_pid()):
                connection.exec_driver_sql(statement)
        finally:
            connection.invalidate()
            driver.close()


def _ended_on_cancel(server: Server, process: int) -> AbstractContextManager[None]:
    def stop() -> None:
        # Not by the driver's own cancel(): it stops the whole process when the server does not answer.
        with suppress(QueryFailed, ConnectionFailed):  # the session may be gone
            server.value("SELECT pg_cancel_backend(:process)", {"process": process})

    return repeating(stop, while_set=server.cancel)


def export_snapshot(
    session: Session, *, lock_timeout: float, limit: Callable[[], Callable[[str], str]] = lambda: str
) -> ExportedSnapshot:
    """Lock every table, export a snapshot, and make sure that it shows no table that is not locked.

    `lock_timeout` is in seconds. `limit` looks what is left out now, and gives what makes a query over the catalogues
    see the others only; it is called last in the snapshot. Raises `SnapshotLost` when tables come and go faster than
    they can be locked.
    """
    for _attempt in range(_ATTEMPTS):
        tables = [name for (name,) in session.rows(limit()(_TABLES))]
        milliseconds = max(1, round(lock_timeout * 1000))
        session.run(f"BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL lock_timeout = {milliseconds}")
        try:
            _lock(session, tables)
        except QueryFailed as error:
            session.roll_back()
            if error.code in _CHANGED_UNDER_US:
                continue
            raise _explained(session, error, tables=len(tables), lock_timeout=lock_timeout) from error
        (exported,) = session.rows(_EXPORT)
        if not session.value(limit()(_NOT_HELD)):
            return ExportedSnapshot(exported.name, exported.lsn, exported.taken_at, exported.replica, len(tables))
        session.roll_back()
    raise SnapshotLost(
        f"{session.where}: tables were created, dropped or renamed faster than they could be locked, "
        f"{_ATTEMPTS} times in a row; run the backup when the schema is quiet"
    )


@contextmanager
def holding(session: Session) -> Iterator[None]:
    """Raise `SnapshotLost` when the session, and with it locks and snapshot, ends inside the block."""
    try:
        yield
    except (ConnectionFailed, QueryFailed) as error:
        if isinstance(error, QueryFailed) and error.code not in _TRANSACTION_ENDED:
            raise
        raise SnapshotLost(f"{session.where}: the session that held the snapshot has ended ({error})") from error


def still_held(session: Session) -> None:
    """Raise `SnapshotLost` when the session has ended or its transaction has failed."""
    with holding(session):
        session.value("SELECT 1")


def _lock(session: Session, names: Sequence[str]) -> None:
    for start in range(0, len(names), _LOCKED_AT_ONCE):
        batch = ", ".join(f"ONLY {name}" for name in names[start : start + _LOCKED_AT_ONCE])
        session.run(f"LOCK TABLE {batch} IN ACCESS SHARE MODE")


def _explained(session: Session, error: QueryFailed, *, tables: int, lock_timeout: float) -> QueryFailed:
    """Say what to do about a lock that was not given. The transaction has been rolled back."""
    if error.code == _OUT_OF_LOCK_SLOTS:
        value = session.value("SELECT current_setting('max_locks_per_transaction')")
        return QueryFailed(
            f"{session.where}: the server has no room for the locks of {tables} tables; "
            f"raise max_locks_per_transaction (now {value}) and restart the server",
            code=error.code,
        )
    if error.code == _LOCK_NOT_AVAILABLE:
        blockers = (
            ", ".join(session.shown(text) for (text,) in session.rows(_BLOCKERS)) or "unknown, it has gone meanwhile"
        )
        return QueryFailed(
            f"{session.where}: a table could not be locked within {lock_timeout:g} seconds "
            f"(exclusively locked: {blockers}); end that work or raise db_lock_timeout",
            code=error.code,
        )
    return error
