# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dumping from and restoring to private MariaDB and MySQL servers, without the layers above the engine."""

from __future__ import annotations

import re
import select
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import pymysql
from backupdb.connection.instance import Instance
from backupdb.connection.server import Server
from backupdb.engines.mysql.family import MysqlFamily
from backupdb.engines.mysql.mariadb import MariadbEngine
from backupdb.engines.mysql.mysql import MysqlEngine
from backupdb.engines.values import Client, Database, DumpOptions, MissingPrivilege, ServerFacts, SnapshotDetails
from backupdb.errors import CommandFailed, SnapshotLost
from backupdb.system.process import Running, start

from support.mysql_server import PrivateMySQLFamily

_ENGINES: Mapping[str, type[MysqlFamily]] = {"mariadb": MariadbEngine, "mysql": MysqlEngine}

# Lines of a dump that carry the time, the server's name or the database's.
_VOLATILE = re.compile(rb"^-- (?:Dump completed|Host:|Dumping (?:events|routines) for database)[^\n]*$", re.MULTILINE)


@dataclass(frozen=True)
class Dumped:
    """The parts of one dump by name, and what the engine said about it."""

    parts: Mapping[str, bytes]
    details: SnapshotDetails
    commands: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Opened:
    """An engine with an open server."""

    engine: MysqlFamily

    @property
    def server(self) -> Server:
        return self.engine.server

    @property
    def facts(self) -> ServerFacts:
        return self.engine.facts

    def database(self, name: str) -> Database:
        return next(one for one in self.engine.databases() if one.name == name)

    def client(self) -> Client:
        return self.engine.usable_dump_client(DumpOptions())

    def missing(self, names: Sequence[str], **options: Any) -> list[MissingPrivilege]:
        return self.engine.missing_privileges([self.database(name) for name in names], DumpOptions(**options))


def instance(private: PrivateMySQLFamily, **changes: Any) -> Instance:
    """The private server as an instance; `changes` are fields of `Instance`."""
    plain = Instance(
        id="test",
        engine=private.engine,
        host=private.host,
        port=private.port,
        user=private.user,
        password=private.password,
    )
    return replace(plain, **changes)


@contextmanager
def opened(private: PrivateMySQLFamily, *, engine: type[MysqlFamily] | None = None, **changes: Any) -> Iterator[Opened]:
    """Connect to the server; `engine` is that of its vendor unless said, `changes` are fields of `Instance`."""
    made = engine or _ENGINES[private.engine]
    with Server(instance(private, **changes), driver=made.DRIVER) as server:
        yield Opened(made(server))


def dump(
    where: Opened,
    database: str,
    *,
    before_start: Callable[[], None] | None = None,
    after_begun: Callable[[], None] | None = None,
    **options: Any,
) -> Dumped:
    """Dump one database; `before_start` runs when the snapshot is there, `after_begun` while no output is read yet."""
    chosen = DumpOptions(**options)
    found = where.database(database)
    missing = where.engine.missing_privileges([found], chosen)
    with where.engine.snapshot(where.client(), found, chosen, missing) as snapshot:
        if before_start:
            before_start()
        parts: dict[str, bytes] = {}
        with _ended_at_last(running := []):
            for part in snapshot.parts[: snapshot.at_once]:
                running.append((part, _start(part)))
            snapshot.begun(lambda: sum(client.ended() for _item, client in running))
            if after_begun:
                if snapshot.at_once == 1:
                    _wait_for_output(running)
                after_begun()
            for part in snapshot.parts[snapshot.at_once :]:
                running.append((part, _start(part)))
            for part, client in running:
                parts[part.name] = _finished(part, client)
        snapshot.check()
        details = snapshot.details()
    return Dumped(parts, details, {part.name: part.argv for part, _item in running})


def _wait_for_output(running: Sequence[tuple[Any, Running]]) -> None:
    """Wait until the client has written, so that its snapshot is there: for one client there is no lock to wait for."""
    for _item, client in running:
        select.select([client.stdout], [], [], 30.0)


@contextmanager
def _ended_at_last(running: list[tuple[Any, Running]]) -> Iterator[None]:
    """End the clients that are left when one of them has failed."""
    try:
        yield
    finally:
        for _item, client in running:
            with suppress(OSError, ValueError):
                client.close()


def restore(private: PrivateMySQLFamily, database: str, parts: Mapping[str, bytes]) -> None:
    """Load the parts in the order that their names stand for, with the standard client; the first error stops it."""
    order = sorted(parts, key=lambda name: (name != "routines", name != "pre-data", name == "post-data", name))
    for name in order:
        done = subprocess.run(
            [str(private.client), f"--defaults-extra-file={private.client_file}", "--binary-mode", "--", database],
            input=parts[name],
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            raise CommandFailed(f"restore of {name}: {done.stderr.decode('utf-8', 'replace')[:2000]}")


def without_times(stream: bytes) -> bytes:
    """Take out what differs between two dumps of equal content."""
    return _VOLATILE.sub(b"--", stream)


def lines(parts: Mapping[str, bytes]) -> list[bytes]:
    """All lines of a dump, sorted, whichever part they are in."""
    return sorted(line for part in parts.values() for line in without_times(part).split(b"\n"))


@contextmanager
def new_database(private: PrivateMySQLFamily, name: str, clause: str = "CHARACTER SET utf8mb4") -> Iterator[str]:
    """A database that is gone afterwards."""
    execute(private, f"DROP DATABASE IF EXISTS {quoted(name)}", f"CREATE DATABASE {quoted(name)} {clause}")
    try:
        yield name
    finally:
        execute(private, f"DROP DATABASE IF EXISTS {quoted(name)}")


@contextmanager
def new_account(private: PrivateMySQLFamily, name: str, *statements: str) -> Iterator[str]:
    """An account for any host, gone afterwards; its password is "pw". In `statements` {account} is its name."""
    account = f"'{name}'@'%'"
    execute(private, f"DROP USER IF EXISTS {account}", f"CREATE USER {account} IDENTIFIED BY 'pw'")
    try:
        execute(private, *(statement.format(account=account) for statement in statements))
        yield name
    finally:
        execute(private, f"DROP USER IF EXISTS {account}")


def execute(private: PrivateMySQLFamily, *statements: str, database: str | None = None) -> list[tuple[Any, ...]]:
    """Run statements as root@localhost, who may do everything, and return the rows of the last one."""
    connection = pymysql.connect(
        unix_socket=str(private.socket),
        user=private.user,
        password=private.password,
        database=database,
        charset="utf8mb4",
        autocommit=True,
    )
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall()) if statements else []
    finally:
        connection.close()


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _start(part: Any) -> Running:
    patterns = {"lost": part.lost_stderr, "fatal": part.fatal_stderr}
    return start(part.argv, environment=part.environment, secret=part.secret, patterns=patterns)


def _finished(part: Any, client: Running) -> bytes:
    output = b"".join(iter(lambda: client.stdout.read(1 << 20), b""))
    status = client.wait()
    if "lost" in client.stderr.found:
        raise SnapshotLost(client.stderr.found["lost"])
    if status != 0 or "fatal" in client.stderr.found or part.completion_mark not in output[-4096:]:
        raise CommandFailed(f"{part.name}: status {status}: {client.stderr.lines()}")
    return output
