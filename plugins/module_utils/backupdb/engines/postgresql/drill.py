# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drills of PostgreSQL: archives are compared as the text that pg_restore makes of them.

Which tables were dumped into which archive is read from the calls that the manifest records, as selections only:
nothing that stands in a repository is ever run.
"""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, suppress
from typing import Any

from ...connection.server import Server
from ...errors import BackupDbError, CommandFailed
from ...system.process import describe_status, start
from ..drill_interface import DrillSupport
from ..private_server import PrivateServer
from ..values import ArchiveSource, Client, Part
from ..workplace import Workplace
from .accounts_script import unquoted
from .clients import sibling_program
from .dump_reader import PostgresqlDumpReader
from .login import login_environment, login_secret
from .parts import FORMAT
from .private_server import SOCKET_NAME, find_programs
from .private_server import private_server as start_server
from .quoting import connection_string, identifier
from .restore.toc import read_contents
from .settings import CLIENT_SETTINGS_KEY, NEUTRAL

_SUPERUSER = "postgres"
_SELECTIONS = (
    "--section=",
    "--table=",
    "--exclude-table=",
    "--exclude-table-data=",
    "--exclude-schema=",
    "--strict-names",
)
_NAME = r'("(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)'
# Where statements for rights, policies and default rights name roles.
_ROLES = re.compile(rf"(?:\bTO|\bFROM|\bFOR ROLE|\bAUTHORIZATION) ({_NAME}(?:, {_NAME})*)")
_RIGHTS = ("ACL", "DEFAULT ACL", "POLICY")
_BLOCK = 1 << 20
_SAID = 3  # lines of pg_restore


class PostgresqlDrill(DrillSupport):
    """See `DrillSupport` for what each method promises."""

    SOCKET_NAME = SOCKET_NAME
    SERVER_BYTES = 128 << 20
    # Tablespaces are never made in a drill; `acl` is compared by its statements, which do not depend on who granted.
    UNCOMPARED_PROPERTIES = ("tablespace", "collation_version", "acl")

    def reader(self) -> PostgresqlDumpReader:
        return PostgresqlDumpReader()

    def series(self, version: str) -> str:
        """Return 15 for 15.20."""
        return version.split(".", maxsplit=1)[0]

    def program(self, manifest: Mapping[str, Any]) -> str:
        """Name the server program that a drill would start; raises `ClientMissing`."""
        return str(find_programs(manifest) / "postgres")

    def private_server(
        self,
        manifest: Mapping[str, Any],
        accounts: Mapping[str, Any] | None,
        *,
        place: Workplace,
        cancel: threading.Event,
    ) -> AbstractContextManager[PrivateServer]:
        """Start a server for the backup until the block is left; its bootstrap superuser is called as the source's."""
        reserved = (account["name"] for account in (accounts or {}).get("accounts", ()) if account["reserved"])
        return start_server(manifest, superuser=next(reserved, _SUPERUSER), place=place, cancel=cancel)

    def placeholder_accounts(
        self, server: Server, manifest: Mapping[str, Any], sources: Sequence[ArchiveSource]
    ) -> list[str]:
        """Make the roles that own something or are named in rights and are not here, without a login."""
        properties: Mapping[str, Any] = manifest.get("properties") or {}
        wanted = {str(properties.get("owner") or "")}
        wanted |= {str(entry["role"] or "") for entry in properties.get("settings") or ()}
        texts = [str(sql) for sql in properties.get("acl_statements") or ()]
        for source in sources:
            contents, _rest = read_contents(source.open(), source.part)
            wanted |= {entry.owner for entry in contents.entries}
            texts += [entry.definition for entry in contents.entries if entry.kind in _RIGHTS]
        for sql in texts:
            wanted |= {unquoted(name) for names in _ROLES.findall(sql) for name in re.findall(_NAME, names[0])}
        there = {str(row[0]) for row in server.rows("SELECT rolname FROM pg_catalog.pg_roles")}
        missing = sorted(wanted - there - {""})
        for name in missing:
            with server.connect() as connection:
                connection.execution_options(no_parameters=True).exec_driver_sql(f"CREATE ROLE {identifier(name)}")
        return missing

    def dump_again(self, server: Server, client: Client, manifest: Mapping[str, Any]) -> list[Part]:
        """Return the calls that dump the restored database as the archives of the backup were dumped."""
        return [
            _part(
                str(archive["part"]),
                server,
                client,
                manifest,
                [word for word in archive["argv"] if word.startswith(_SELECTIONS)],
            )
            for archive in manifest["archives"]
        ]

    def dump_definitions(self, server: Server, client: Client, manifest: Mapping[str, Any]) -> list[Part]:
        """Return the call that dumps its definitions only."""
        return [_part("data", server, client, manifest, ["--schema-only"])]

    def text(self, client: Client, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield what `pg_restore -f -` makes of an archive, tablespaces left out; raises `CommandFailed`.

        The archive is fed by a thread; what reading it raises is raised here.
        """
        reader = start([sibling_program(client, "pg_restore"), "--no-tablespaces", "--file=-"], stdin=subprocess.PIPE)
        failure: list[BackupDbError] = []

        def feed() -> None:
            # All of it is read, also what pg_restore has no interest in: it has to be whole.
            try:
                with closing(reader.stdin) as stdin:
                    for block in blocks:
                        view = memoryview(block)
                        with suppress(OSError, ValueError):
                            while view:
                                view = view[stdin.write(view) :]
            except BackupDbError as error:
                failure.append(error)
                reader.end()

        feeder = threading.Thread(target=feed, name="feeder", daemon=True)
        feeder.start()
        try:
            yield from iter(lambda: reader.stdout.read(_BLOCK), b"")
            status = reader.wait()
            feeder.join()
            if failure:
                raise failure[0]
            if status != 0:
                said = "; ".join(reader.stderr.lines()[:_SAID]) or "it said nothing"
                raise CommandFailed(f"pg_restore cannot read the archive ({describe_status(status)}): {said}")
        finally:
            reader.close()
            feeder.join()


def _settings(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings of the client that wrote the backup; those of before had none, and wrote as their server."""
    found = (manifest.get("engine_details") or {}).get(CLIENT_SETTINGS_KEY) or {}
    return {name: str(found[name]) for name in (*NEUTRAL, "TimeZone") if name in found}


def _part(name: str, server: Server, client: Client, manifest: Mapping[str, Any], selection: Sequence[str]) -> Part:
    environment = login_environment(server.instance, _settings(manifest))
    encoding = (manifest.get("properties") or {}).get("encoding")
    if encoding:
        environment["PGCLIENTENCODING"] = str(encoding)
    return Part(
        name=name,
        argv=[
            client.path,
            "--format=custom",
            "--compress=0",
            "--no-password",
            f"--dbname={connection_string(str(manifest['database']))}",
            *selection,
        ],
        environment=environment,
        secret=login_secret(server.instance),
        format=FORMAT,
        suffix=".dump",
        completion_mark=None,
        fatal_stderr=r"^pg_dump: (error|fatal|\[)",
    )
