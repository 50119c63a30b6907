# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reaching a database server: the `Server` that opens connections to an instance.

Connections are SQLAlchemy Core (1.4 or 2.x) over the driver of the engine. What it raises leaves this module as
`ConnectionFailed` or `QueryFailed` (see errors.py). Nothing here prints or stores a password.
"""

from __future__ import annotations

import copy
import importlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, cast

from ..errors import ConnectionFailed, QueryFailed, RequirementMissing
from ..system.acting_as import account_to_become, call_as
from .drivers import Driver, check_certificates
from .errors import translated
from .instance import Instance

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection
    from sqlalchemy.engine import Engine as SqlEngine

APPLICATION_NAME = "vya.backupdb"

# Only these pass by themselves within seconds; a wrong password tried again would lock accounts out.
_RETRIED_KINDS = ("refused", "too_many_connections", "starting_up")
_RETRY_DELAYS = (0.5, 1.0, 2.0)  # seconds

# Pools kept open at once. A server may have thousands of databases; each visited once needs no pool for long.
_POOLS_KEPT = 8
_POOL_SIZE = 2
_POOL_OVERFLOW = 4
_POOL_WAIT = 60.0  # seconds

_SQLALCHEMY = "python3-sqlalchemy (Debian, Ubuntu, EL), SQLAlchemy>=1.4 on PyPI"


class Server:
    """An instance that can be asked; a context manager that closes every connection at its end.

    Safe to use from several threads. `cancel` is set when the run is asked to stop; long waits poll it.
    """

    def __init__(
        self,
        instance: Instance,
        *,
        driver: Driver,
        cancel: threading.Event | None = None,
    ) -> None:
        """Raises `RequirementMissing` for a library that is not installed."""
        require_libraries(driver)
        self.instance = instance
        self.cancel = cancel or threading.Event()
        self.driver = driver
        self._default_database = instance.database or driver.DEFAULT_DATABASE
        self._pools: OrderedDict[str | None, SqlEngine] = OrderedDict()
        self._visits = _Visits(instance, driver)
        self._kept: list[Connection] = []
        self._guard = threading.Lock()

    def stopped_by(self, cancel: threading.Event) -> Server:
        """Return the same server, with the same connections, for work that has a reason of its own to stop."""
        other = copy.copy(self)
        other.cancel = cancel
        return other

    def like(self, instance: Instance) -> Server:
        """Return a server of its own for another login at the same endpoint; use it as a context manager."""
        return Server(instance, driver=self.driver, cancel=self.cancel)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_exception: object) -> None:
        with self._guard:
            pools, self._pools = self._pools, OrderedDict()
        for pool in pools.values():
            pool.dispose()
        while (connection := self.kept()) is not None:
            with suppress(ConnectionFailed, QueryFailed):
                self.close_at_once(connection, connection.connection.dbapi_connection)

    def own_connection(self) -> Connection:
        """Make a connection that no pool knows, in transactions; whoever asks for it closes it. Raises as `connect`."""
        with self.translated():
            return self._own(None)

    def close_at_once(self, connection: Connection, driver: Any) -> None:
        """Close a connection of one's own without a question to the server, which may no longer answer.

        `driver` is what was its `dbapi_connection`: SQLAlchemy forgets that of a lost one, and leaves it open.
        """
        with self.translated():
            if not connection.invalidated:  # else it would be made anew
                connection.invalidate()
            if getattr(driver, "open", True):  # PyMySQL refuses to close twice
                driver.close()

    def keep(self, connection: Connection) -> None:
        """Keep a connection of its own, open and in no transaction, for the next one who asks for it."""
        with self._guard:
            self._kept.append(connection)

    def kept(self) -> Connection | None:
        """Hand over a connection that was kept, the latest first, which may have been lost since; None without one."""
        with self._guard:
            return self._kept.pop() if self._kept else None

    @contextmanager
    def connect(self, database: str | None = None, *, autocommit: bool = True) -> Iterator[Connection]:
        """Lend a pooled connection in autocommit, or one of its own in a transaction that is rolled back at the end.

        Raises `ConnectionFailed` and, for what happens inside the block, also `QueryFailed`.
        """
        with self.translated(database):
            connection = self._checked_out(database) if autocommit else self._own(database)
            try:
                yield connection
            finally:
                connection.close()

    @contextmanager
    def visit(self, database: str) -> Iterator[Connection]:
        """Lend a connection of its own, in autocommit, that is closed at the end.

        For a database that is visited once: a pool of its own, which learns first what server it speaks to, would cost
        more than the visit. Raises as `connect` does.
        """
        with self.translated(database):
            connection = self._connected(partial(self._visits.connect, database), database)
            try:
                yield connection
            finally:
                connection.close()

    def translated(self, database: str | None = None) -> AbstractContextManager[None]:
        """Turn what the driver raises inside the block into `ConnectionFailed` or `QueryFailed`."""
        return translated(self.instance, self.driver, database)

    def rows(
        self, statement: str, parameters: Mapping[str, Any] | None = None, *, database: str | None = None
    ) -> list[Any]:
        """Run one autocommitted query with `:name` parameters and return all its rows."""
        from sqlalchemy import text

        with self.connect(database) as connection:
            return list(connection.execute(text(statement), dict(parameters or {})))

    def value(self, statement: str, parameters: Mapping[str, Any] | None = None, *, database: str | None = None) -> Any:
        """Return the first column of the first row, or None where there is no row."""
        rows = self.rows(statement, parameters, database=database)
        return rows[0][0] if rows else None

    def forget(self, database: str) -> None:
        """Close the pooled connections to a database: it is to be dropped or renamed, or is another one by now."""
        with self._guard:
            pool = self._pools.pop(database, None)
        if pool is not None:
            pool.dispose()

    def _own(self, database: str | None) -> Connection:
        connection = self._checked_out(database)
        try:
            # First out of the pool: SQLAlchemy 1.4 would give it back with the server's isolation level.
            connection.detach()
            dialect, driver = connection.dialect, connection.connection.dbapi_connection
            cast(Any, dialect).set_isolation_level(driver, self.driver.TRANSACTIONS)
        except BaseException:
            connection.close()
            raise
        return connection

    def _checked_out(self, database: str | None) -> Connection:
        return self._connected(self._pool(database).connect, database)

    def _connected(self, connect: Callable[[], Connection], database: str | None) -> Connection:
        for delay in (*_RETRY_DELAYS, None):
            try:
                with self.translated(database):
                    return connect()
            except ConnectionFailed as error:
                if delay is None or error.kind not in _RETRIED_KINDS or self.cancel.wait(delay):
                    raise
        raise ConnectionFailed(f"{self.instance.where()}: no connection")

    def _pool(self, database: str | None) -> SqlEngine:
        name = database if database is not None else self._default_database
        evicted = None
        with self._guard:
            pool = self._pools.get(name)
            if pool is None:
                pool = self._pools[name] = create_pool(self.instance, driver=self.driver, database=name)
                if len(self._pools) > _POOLS_KEPT:
                    evicted = self._pools.popitem(last=False)[1]
            self._pools.move_to_end(name)
        if evicted is not None:
            evicted.dispose()  # connections still lent out are closed when they come back
        return pool


def create_pool(instance: Instance, *, driver: Driver, database: str | None) -> SqlEngine:
    """Make the SQLAlchemy engine for one database of the instance, with a bounded pool."""
    return _create(
        instance,
        driver,
        database,
        pool_size=_POOL_SIZE,
        max_overflow=_POOL_OVERFLOW,
        pool_timeout=_POOL_WAIT,
        pool_pre_ping=True,  # a server ends sessions that idle while a long dump runs
    )


class _Visits:
    """Makes connections that no pool keeps, to any database: SQLAlchemy learns once what server it speaks to."""

    def __init__(self, instance: Instance, driver: Driver) -> None:
        self._instance = instance
        self._driver = driver
        self._engine: SqlEngine | None = None
        self._guard = threading.Lock()
        self._next = threading.local()  # its `database` is the one to which a thread connects next

    def connect(self, database: str) -> Connection:
        """Raises what SQLAlchemy and the driver raise."""
        from sqlalchemy.pool import NullPool

        with self._guard:
            if self._engine is None:
                self._engine = _create(self._instance, self._driver, None, self._choose, poolclass=NullPool)
        self._next.database = database
        return self._engine.connect()

    def _choose(self, dialect: Any, _record: Any, _arguments: Any, options: dict[str, Any]) -> None:
        url = cast("SqlEngine", self._engine).url.set(database=self._next.database)
        options.update(dialect.create_connect_args(url)[1])


def _create(
    instance: Instance,
    driver: Driver,
    database: str | None,
    before_connecting: Callable[..., None] | None = None,
    **pooling: Any,
) -> SqlEngine:
    """Make an engine. Every part of the URL may hold any character: `URL.create` makes it, it is never joined text."""
    from sqlalchemy import create_engine, event
    from sqlalchemy.engine import URL

    check_certificates(instance)
    account_to_become(instance.system_user)  # as whom we cannot log in is refused before it is tried
    arguments = driver.arguments(instance, APPLICATION_NAME)
    url = URL.create(
        driver.DIALECT,
        username=instance.user,
        password=instance.password,
        host=arguments.host,
        port=arguments.port,
        database=database,
    )
    _keep_quiet()
    engine = create_engine(
        url,
        connect_args=dict(arguments.connect),
        isolation_level="AUTOCOMMIT",  # of the connection, so that no question needs five others to switch it
        future=True,  # 1.4 behaves as 2.x: no commit of its own after each ALTER or DROP
        hide_parameters=True,  # statement parameters must not reach error texts
        **pooling,
        **arguments.engine,
    )
    if driver.SESSION_STATEMENTS:
        # Before anything that SQLAlchemy asks of a new connection: what a database has for its sessions may be hostile.
        event.listen(engine, "connect", partial(_begin_session, driver.SESSION_STATEMENTS), insert=True)
    if before_connecting is not None:
        event.listen(engine, "do_connect", before_connecting)  # the first of those that listen: the next one connects
    if instance.system_user is not None:
        event.listen(engine, "do_connect", partial(_connect_as, instance.system_user))
    return engine


def _connect_as(user: str, dialect: Any, _record: Any, arguments: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Connect as a user of the operating system: a server looks at who connects, and never again."""
    return call_as(user, partial(dialect.connect, *arguments, **options))


def _keep_quiet() -> None:
    """Keep SQLAlchemy from standard error: what it cannot do with a lost connection is told by our own error.

    Whoever sets up logging still gets it.
    """
    logger = logging.getLogger("sqlalchemy")
    if not any(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
        logger.addHandler(logging.NullHandler())


def _begin_session(statements: Sequence[str], connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    cursor.close()
    connection.commit()


def require_libraries(driver: Driver) -> None:
    """Import what a connection needs; raises `RequirementMissing`, which names the packages."""
    for library, package in (("sqlalchemy", _SQLALCHEMY), (driver.LIBRARY, driver.PACKAGE)):
        try:
            importlib.import_module(library)
        except ImportError as error:
            raise RequirementMissing(
                f"the Python library {library} is missing: install {package}", library=library
            ) from error
