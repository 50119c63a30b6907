# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drills of MariaDB and MySQL: a plain SQL stream is its own text, and a database is dumped by lists of its objects.

What was dumped into which archive is read from the calls that the manifest records, as names only: nothing that
stands in a repository is ever run.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from ..drill_dialects import MysqlDialect as dialect
from ..interface import ArchiveSource, Client, DumpOptions, Part
from ..private_server import PrivateServer
from ..workplace import Workplace
from . import mariadb, mysql
from .clients import known_options
from .commands import option_file, programs_part, rows_part, schema_part, whole_part
from .family import Family, ask, quoted_account, quoted_text, version_number
from .private_server import SOCKET_NAME, find_program
from .private_server import private_server as start

if TYPE_CHECKING:
    from ...connection.server import Server

__all__ = [
    "SOCKET_NAME",
    "UNCOMPARED_PROPERTIES",
    "dialect",
    "dump_again",
    "dump_definitions",
    "private_server",
    "program",
    "series",
    "stand_ins",
    "text",
]

UNCOMPARED_PROPERTIES: Sequence[str] = ()
_FAMILIES: Mapping[str, Family] = {"mariadb": mariadb.FAMILY, "mysql": mysql.FAMILY}


def series(version: str) -> str:
    """Return 10.11 for 10.11.19."""
    return ".".join(str(part) for part in version_number(version)[:2])


def program(manifest: Mapping[str, Any]) -> str:
    """Name the server program that a drill would start; raises `ClientMissing`."""
    return str(find_program(str(manifest["engine"]), str(manifest["server"]["version"])))


def private_server(
    manifest: Mapping[str, Any], accounts: Mapping[str, Any] | None, *, place: Workplace, cancel: threading.Event
) -> AbstractContextManager[PrivateServer]:
    """Start a server for the backup until the block is left."""
    return start(manifest, place=place, cancel=cancel)


def stand_ins(server: Server, manifest: Mapping[str, Any], sources: Sequence[ArchiveSource]) -> list[str]:
    """Make the definers of views and programs that are not here, with all rights and without a login."""
    wanted: Sequence[str] = (manifest.get("engine_details") or {}).get("definers") or ()
    with server.connect() as connection:
        there = {str(row[0]) for row in ask(server, connection, "SELECT CONCAT(user, '@', host) FROM mysql.user")}
        missing = [definer for definer in wanted if definer not in there]
        for definer in missing:
            name, _mark, host = definer.rpartition("@")
            account = quoted_account(definer) if host else quoted_text(name)
            made = f"CREATE USER {account} ACCOUNT LOCK" if host else f"CREATE ROLE {account}"
            ask(server, connection, made)
            ask(server, connection, f"GRANT ALL PRIVILEGES ON *.* TO {account}")
    return missing


def dump_again(server: Server, client: Client, manifest: Mapping[str, Any]) -> list[Part]:
    """Return the calls that dump the restored database as the archives of the backup were dumped."""
    known = known_options(client)
    secret = option_file(server.instance, _FAMILIES[str(manifest["engine"])], known)
    return [_part(archive, client, secret, known, str(manifest["database"])) for archive in manifest["archives"]]


def dump_definitions(server: Server, client: Client, manifest: Mapping[str, Any]) -> list[Part]:
    """Return the calls that dump its definitions only, in the order of their restore."""
    known = known_options(client)
    secret = option_file(server.instance, _FAMILIES[str(manifest["engine"])], known)
    database = str(manifest["database"])
    options = _options(word for archive in manifest["archives"] for word in archive.get("argv", ()))
    return [
        schema_part(client, secret, known, database, (), options),
        programs_part(client, secret, known, database, (), options),
    ]


def text(client: Client, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Return the blocks as they are."""
    return blocks


def _part(archive: Mapping[str, Any], client: Client, secret: bytes, known: frozenset[str], database: str) -> Part:
    argv: Sequence[str] = archive["argv"]
    options, objects = _options(argv), _objects(argv)
    history = "--dump-history" in argv
    name = str(archive["part"])
    if name == "pre-data":
        return schema_part(client, secret, known, database, objects, options)
    if name == "post-data":
        return programs_part(client, secret, known, database, objects, options)
    if name == "data":
        return whole_part(client, secret, known, database, objects, options, history=history)
    return rows_part(name, client, secret, known, database, objects, history=history)


def _options(words: Any) -> DumpOptions:
    said = set(words)
    return DumpOptions(routines="--routines" in said, triggers="--triggers" in said, events="--events" in said)


def _objects(argv: Sequence[str]) -> Sequence[str]:
    """Return the names after the database's, which follows the end of the options."""
    position = argv.index("--") if "--" in argv else len(argv)
    return argv[position + 2 :]
