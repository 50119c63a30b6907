# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drills of MariaDB and MySQL: a plain SQL stream is its own text, and a database is dumped by lists of its objects.

What was dumped into which archive is read from the calls that the manifest records, as names only: nothing that
stands in a repository is ever run.
"""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar

from ...connection.instance import Instance
from ...connection.server import Server
from ..drill_interface import DrillSupport
from ..private_server import PrivateServer
from ..values import ArchiveSource, Client, DumpOptions, Part
from ..workplace import Workplace
from .clients import known_options
from .commands import option_file, programs_part, routines_part, rows_part, schema_part, whole_part
from .drill_text import comparable
from .dump_reader import MysqlDumpReader
from .private_server import SOCKET_NAME, private_server
from .server_program import ServerProgram
from .statements import ask, quoted_account, quoted_text, version_number


class MysqlFamilyDrill(DrillSupport):
    """Drills of both; each says which its server program is."""

    SOCKET_NAME = SOCKET_NAME
    PROGRAM: ClassVar[ServerProgram]

    @staticmethod
    @abstractmethod
    def tls_lines(instance: Instance, known: frozenset[str]) -> Sequence[str]:
        """As `MysqlFamily.tls_lines`."""

    def reader(self) -> MysqlDumpReader:
        return MysqlDumpReader()

    def series(self, version: str) -> str:
        """Return 10.11 for 10.11.19."""
        return ".".join(str(part) for part in version_number(version)[:2])

    def program(self, manifest: Mapping[str, Any]) -> str:
        return str(self.PROGRAM.find(str(manifest["server"].get("version"))))

    def private_server(
        self,
        manifest: Mapping[str, Any],
        accounts: Mapping[str, Any] | None,
        *,
        place: Workplace,
        cancel: threading.Event,
    ) -> AbstractContextManager[PrivateServer]:
        return private_server(self.PROGRAM, manifest, place=place, cancel=cancel)

    def placeholder_accounts(
        self, server: Server, manifest: Mapping[str, Any], sources: Sequence[ArchiveSource]
    ) -> list[str]:
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

    def dump_again(self, server: Server, client: Client, manifest: Mapping[str, Any]) -> list[Part]:
        known, secret = self._login(server, client)
        return [_part(archive, client, secret, known, str(manifest["database"])) for archive in manifest["archives"]]

    def dump_definitions(self, server: Server, client: Client, manifest: Mapping[str, Any]) -> list[Part]:
        known, secret = self._login(server, client)
        database = str(manifest["database"])
        options = _options(word for archive in manifest["archives"] for word in archive.get("argv", ()))
        return [
            schema_part(client, secret, known, database, (), options),
            programs_part(client, secret, known, database, (), options),
        ]

    def text(self, client: Client, blocks: Iterator[bytes]) -> Iterator[bytes]:
        return comparable(blocks)

    def _login(self, server: Server, client: Client) -> tuple[frozenset[str], bytes]:
        """Return the options that the client knows, and the option file that it logs in with."""
        known = known_options(client)
        return known, option_file(server.instance, self.tls_lines(server.instance, known))


def _part(archive: Mapping[str, Any], client: Client, secret: bytes, known: frozenset[str], database: str) -> Part:
    argv: Sequence[str] = archive["argv"]
    options, objects = _options(argv), _objects(argv)
    history = "--dump-history" in argv
    name = str(archive["part"])
    if name == "routines":
        return routines_part(client, secret, known, database, objects, options)
    if name == "pre-data":
        return schema_part(client, secret, known, database, objects, options)
    if name == "post-data":
        return programs_part(client, secret, known, database, objects, options)
    if name == "data":
        return whole_part(client, secret, known, database, objects, options, history=history)
    return rows_part(name, client, secret, known, database, objects, history=history)


def _options(words: Iterable[str]) -> DumpOptions:
    named = set(words)
    return DumpOptions(routines="--routines" in named, triggers="--triggers" in named, events="--events" in named)


def _objects(argv: Sequence[str]) -> Sequence[str]:
    """Return the names after the database's, which follows the end of the options."""
    position = argv.index("--") if "--" in argv else len(argv)
    return argv[position + 2 :]
