# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private PostgreSQL server."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from support import binaries as known_binaries
from support.private_server import PrivateServer

# For speed: a test's data need not survive a power failure. It does survive a crash of the server (kill()).
FAST = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "32MB"}


class PrivatePostgres(PrivateServer):
    """PostgreSQL from the folder `binaries` (default: Debian's 15).

    Passwords are asked for over TCP and the socket (scram-sha-256). `local_auth` is what the socket asks for instead
    (`peer`, `trust`); `hba` are lines of pg_hba.conf that come before the usual ones. A role `daemon`, if there is one,
    logs in through the socket as the operating system's user of that name.
    """

    engine = "postgresql"
    superuser = "postgres"
    unprivileged_user = "nobody"
    _stop_signal = signal.SIGINT  # fast shutdown: sessions are ended

    def __init__(
        self,
        *,
        binaries: Path | None = None,
        local_auth: str = "scram-sha-256",
        hba: Sequence[str] = (),
        initdb_options: Sequence[str] = ("--encoding=UTF8", "--locale=C.UTF-8"),
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.binaries = binaries or known_binaries.debian_postgres()
        self.local_auth = local_auth
        self.hba = tuple(hba)
        self.initdb_options = tuple(initdb_options)

    @property
    def socket(self) -> Path:
        """The folder of the socket: that is what PostgreSQL's clients take as host."""
        return self.socket_folder

    @property
    def password_file(self) -> Path:
        """For PGPASSFILE: the superuser's password for every host and database of this server."""
        return self.folder / "pgpass"

    def _initialise(self) -> None:
        self.password_file.touch(mode=0o600)
        self.password_file.write_text(f"*:{self.port}:*:{self.superuser}:{self.password}\n", encoding="utf-8")
        for_initdb = self.folder / "initial-password"
        for_initdb.touch(mode=0o600)
        for_initdb.write_text(self.password + "\n", encoding="utf-8")
        self.own(for_initdb)
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.own(self.data)
        self.run(
            [
                *self.as_server_user(),
                *[str(self.binaries / "initdb"), "-D", str(self.data), "-U", self.superuser, "--no-sync"],
                *["--auth=scram-sha-256", f"--pwfile={for_initdb}", *self.initdb_options],
            ]
        )
        for_initdb.unlink()
        self._write_settings()

    def _write_settings(self) -> None:
        settings: Mapping[str, str] = {
            **FAST,
            "listen_addresses": self.host,
            "port": str(self.port),
            "unix_socket_directories": str(self.socket_folder),
            "timezone": "UTC",
            "log_line_prefix": "%m [%p] %q%u@%d ",
            **self._tls_settings(),
            **self.settings,
        }
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            for name, value in settings.items():
                quoted = value.replace("'", "''")
                file.write(f"{name} = '{quoted}'\n")
        usual = [
            "local all daemon peer",
            f"local all all {self.local_auth}",
            "host all all 127.0.0.1/32 scram-sha-256",
            f"local replication all {self.local_auth}",
            "host replication all 127.0.0.1/32 scram-sha-256",
        ]
        (self.data / "pg_hba.conf").write_text("\n".join([*self.hba, *usual]) + "\n", encoding="utf-8")

    def _tls_settings(self) -> dict[str, str]:
        if not self.tls:
            return {}
        certificate, key = self.server_certificate()
        return {
            "ssl": "on",
            "ssl_cert_file": str(certificate),
            "ssl_key_file": str(key),
            "ssl_ca_file": str(self.ca_cert),
        }

    def _command(self) -> list[str]:
        return [*self.as_server_user(), str(self.binaries / "postgres"), "-D", str(self.data)]

    def _pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    def connect(self, *, database: str | None = None, user: str | None = None, password: str | None = None) -> Any:
        import psycopg2

        connection = psycopg2.connect(
            host=self.host,
            port=self.port,
            user=user or self.user,
            password=password or self.password,
            dbname=database or "postgres",
            connect_timeout=10,
        )
        connection.autocommit = True
        return connection

    def client_environment(self) -> dict[str, str]:
        """Environment with which this server's own clients log in as superuser over TCP, without a prompt."""
        return {
            **self.environment(),
            "PATH": f"{self.binaries}:/usr/sbin:/usr/bin:/sbin:/bin",
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGPASSFILE": str(self.password_file),
        }

    def run_sql_script(self, script: str | Path, *, database: str = "postgres") -> str:
        """Run a file, or a text, through psql; the first error stops it."""
        text = script.read_text(encoding="utf-8") if isinstance(script, Path) else script
        client = [str(self.binaries / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"]
        return self.run([*client, "-d", self._conninfo(database)], text=text)

    def _conninfo(self, database: str) -> str:
        quoted = database.replace("\\", "\\\\").replace("'", "\\'")
        return f"host={self.host} port={self.port} user={self.user} passfile={self.password_file} dbname='{quoted}'"
