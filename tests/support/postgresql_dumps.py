# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dump a database through the PostgreSQL engine, restore it by pg_restore, and compare."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backupdb.connection.instance import Instance
from backupdb.connection.server import Server
from backupdb.engines.postgresql.engine import PostgresqlEngine
from backupdb.engines.postgresql.quoting import connection_string, identifier
from backupdb.engines.values import Client, Database, DumpOptions, MissingPrivilege, Part, ServerFacts, SnapshotDetails
from backupdb.errors import SnapshotLost
from backupdb.system.process import start

from support.servers import PrivatePostgres

TORTURE = Path(__file__).parent / "schemas" / "postgresql_torture.sql"
# What differs between two dumps of the same content: the random word of \restrict, and versions in comments.
_VOLATILE = re.compile(r"^(\\(un)?restrict .*|-- Dumped (from|by) .*)$", re.MULTILINE)


class DumpFailed(RuntimeError):
    """A part ended badly; the message is what the client wrote."""


@dataclass(frozen=True)
class Dump:
    """The archives of one moment, in the order of restore, and what was true then."""

    details: SnapshotDetails
    archives: list[tuple[Part, Path]]


@contextmanager
def opened(private: PrivatePostgres, **changes: Any) -> Iterator[tuple[Server, ServerFacts]]:
    """Open the server through the library; `changes` are other fields of the instance (user, password, ...)."""
    login = {"host": private.host, "port": private.port, "user": private.user, "password": private.password}
    instance = Instance(id="test", engine="postgresql", **{**login, **changes})
    with Server(instance, driver=PostgresqlEngine.DRIVER) as server:
        yield server, PostgresqlEngine(server).facts


def listed(server: Server, facts: ServerFacts, name: str) -> Database:
    """The database as the engine lists it."""
    return next(database for database in PostgresqlEngine(server, facts).databases() if database.name == name)


def client_of(private: PrivatePostgres, facts: ServerFacts) -> Client:
    """The pg_dump that belongs to the private server."""
    major = facts.version_number[0]
    return Client(str(private.binaries / "pg_dump"), "postgresql", facts.version, major, True, "it is the server's own")


def take(
    server: Server,
    facts: ServerFacts,
    client: Client,
    name: str,
    folder: Path,
    *,
    options: DumpOptions | None = None,
    between: Callable[[], object] = lambda: None,
    missing: tuple[MissingPrivilege, ...] = (),
) -> Dump:
    """Dump a database as a run does; `between` is called after the moment and before the clients start."""
    options = options or DumpOptions()
    database = listed(server, facts, name)
    with PostgresqlEngine(server, facts).snapshot(client, database, options, missing) as snapshot:
        between()
        archives = [(part, folder / f"{part.name}.dump") for part in snapshot.parts]
        _run(archives)
        snapshot.begun(lambda: False)
        snapshot.check()
        return Dump(snapshot.details(), archives)


def _run(archives: list[tuple[Part, Path]]) -> None:
    running = []
    for part, path in archives:
        patterns = {"fatal": part.fatal_stderr, "lost": part.lost_stderr}
        client = start(part.argv, environment=part.environment, secret=part.secret, patterns=patterns)
        copier = threading.Thread(target=_copy, args=(client.stdout, path))
        copier.start()
        running.append((client, copier))
    for _client, copier in running:
        copier.join()
    ended = [(client.wait(), client) for client, _copier in running]
    for _status, client in ended:
        client.close()
    for status, client in ended:
        words = "\n".join(client.stderr.lines())
        if "lost" in client.stderr.found:
            raise SnapshotLost(words)
        if status != 0 or client.stderr.found:
            raise DumpFailed(words)


def _copy(source: Any, path: Path) -> None:
    with path.open("wb") as target:
        shutil.copyfileobj(source, target)


def restore(private: PrivatePostgres, dump: Dump, name: str, *, binaries: Path | None = None) -> None:
    """Restore the archives by pg_restore into a new database of the source's encoding."""
    properties = dump.details.properties
    private.sql(
        f"CREATE DATABASE {identifier(name)} TEMPLATE template0 ENCODING '{properties['encoding']}' "
        f"LC_COLLATE '{properties['lc_collate']}' LC_CTYPE '{properties['lc_ctype']}'"
    )
    for _part, path in dump.archives:
        program = str((binaries or private.binaries) / "pg_restore")
        private.run([*_with_login(private), program, "--exit-on-error", "-d", connection_string(name), str(path)])


def plain(private: PrivatePostgres, name: str) -> str:
    """The database as one SQL text, without what differs between two dumps of the same content."""
    program = str(private.binaries / "pg_dump")
    return _VOLATILE.sub("", private.run([*_with_login(private), program, "-d", connection_string(name)]))


def make_database(private: PrivatePostgres, name: str, *, options: str = "") -> None:
    private.sql(f"CREATE DATABASE {identifier(name)} TEMPLATE template0 {options}")


def drop_database(private: PrivatePostgres, name: str) -> None:
    private.sql(f"DROP DATABASE IF EXISTS {identifier(name)} WITH (FORCE)")


@contextmanager
def new_database(private: PrivatePostgres, name: str, *, options: str = "") -> Iterator[str]:
    """A database that is gone afterwards."""
    drop_database(private, name)
    make_database(private, name, options=options)
    try:
        yield name
    finally:
        drop_database(private, name)


@contextmanager
def new_role(private: PrivatePostgres, name: str, attributes: str = "LOGIN") -> Iterator[str]:
    """A role that is gone afterwards; it must own nothing by then."""
    private.sql(f"CREATE ROLE {identifier(name)} {attributes}")
    try:
        yield name
    finally:
        private.sql(f"DROP ROLE {identifier(name)}")


def _with_login(private: PrivatePostgres) -> list[str]:
    variables = ("PGHOST", "PGPORT", "PGUSER", "PGPASSFILE")
    environment = private.client_environment()
    return ["env", *[f"{name}={environment[name]}" for name in variables]]
