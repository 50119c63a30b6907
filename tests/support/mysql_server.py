# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private MariaDB and MySQL servers."""

from __future__ import annotations

import os
import socket
from abc import abstractmethod
from pathlib import Path
from typing import Any

from support import binaries, mysql_sid
from support.private_server import PrivateServer

# For speed and a small footprint: a test's data need not survive a power failure. It does survive kill().
SMALL = {
    "innodb_flush_log_at_trx_commit": "2",
    "innodb_buffer_pool_size": "64M",
    "innodb_use_native_aio": "0",
    "sync_binlog": "0",
}


class PrivateMySQLFamily(PrivateServer):
    """What MariaDB and MySQL have in common.

    `root` logs in with the password over TCP (as root@127.0.0.1: names are not resolved) and over the socket
    (root@localhost). Accounts for tests are best made for `'%'`, which means TCP and socket.
    """

    superuser = "root"
    unprivileged_user = "mysql"

    @property
    def socket(self) -> Path:
        return self.socket_folder / "my.sock"

    @property
    def defaults_file(self) -> Path:
        """The server's configuration."""
        return self.folder / "server.cnf"

    @property
    def client_file(self) -> Path:
        """For `--defaults-extra-file`: the superuser's login over TCP."""
        return self.folder / "client.cnf"

    @property
    @abstractmethod
    def client(self) -> Path:
        """The command line client."""

    @abstractmethod
    def _install(self) -> None:
        """Make the system tables in the data folder; root has no password afterwards."""

    @abstractmethod
    def _server_program(self) -> Path:
        """The server."""

    def own_settings(self) -> dict[str, str]:
        """What only this vendor needs."""
        return {}

    def _initialise(self) -> None:
        temporary = self.folder / "tmp"
        for folder in (self.data, temporary):
            folder.mkdir(mode=0o700, exist_ok=True)
            self.own(folder)
        self._write_defaults(temporary)
        self._install()
        self.client_file.touch(mode=0o600)
        self.client_file.write_text(
            f'[client]\nhost={self.host}\nport={self.port}\nuser={self.user}\npassword="{self.password}"\n',
            encoding="utf-8",
        )
        self._set_root_password()

    def _write_defaults(self, temporary: Path) -> None:
        settings = {
            **SMALL,
            **self.own_settings(),
            "datadir": str(self.data),
            "tmpdir": str(temporary),
            "socket": str(self.socket),
            "pid_file": str(self.folder / "run" / "server.pid"),
            "bind_address": self.host,
            "port": str(self.port),
            "skip_name_resolve": "ON",
            "character_set_server": "utf8mb4",
            **self._tls_settings(),
            **self.settings,
        }
        lines = ["[mysqld]", *(f'{name}="{value}"' for name, value in settings.items())]
        if os.geteuid() == 0:
            lines.append(f"user={self.unprivileged_user}")
        self.defaults_file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.defaults_file.chmod(0o644)

    def _tls_settings(self) -> dict[str, str]:
        if not self.tls:
            return {}
        certificate, key = self.server_certificate()
        return {"ssl_cert": str(certificate), "ssl_key": str(key), "ssl_ca": str(self.ca_cert)}

    def _set_root_password(self) -> None:
        """By a file that the server runs at its first start: no moment without a password, none in argv."""
        statements = [
            f"ALTER USER 'root'@'localhost' IDENTIFIED BY '{self.password}'",
            "DROP USER IF EXISTS 'root'@'127.0.0.1'",
            # mariadb-install-db makes it; a server that resolves no names cannot even show it.
            f"DROP USER IF EXISTS 'root'@'{socket.gethostname().lower()}'",
            f"CREATE USER 'root'@'127.0.0.1' IDENTIFIED BY '{self.password}'",
            "GRANT ALL PRIVILEGES ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION",
        ]
        self._first_start_file.touch(mode=0o600)
        self._first_start_file.write_text("".join(f"{statement};\n" for statement in statements), encoding="utf-8")
        self.own(self._first_start_file)

    @property
    def _first_start_file(self) -> Path:
        return self.folder / "first-start.sql"

    def start(self) -> None:
        super().start()
        self._first_start_file.unlink(missing_ok=True)

    def _command(self) -> list[str]:
        command = [str(self._server_program()), f"--defaults-file={self.defaults_file}"]
        return [*command, f"--init-file={self._first_start_file}"] if self._first_start_file.exists() else command

    def _pid_file(self) -> Path:
        return self.socket_folder / "server.pid"

    def connect(self, *, database: str | None = None, user: str | None = None, password: str | None = None) -> Any:
        import pymysql

        return pymysql.connect(
            host=self.host,
            port=self.port,
            user=user or self.user,
            password=password or self.password,
            database=database,
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=10,
        )

    def run_sql_script(self, script: str | Path, *, database: str | None = None) -> str:
        """Run a file, or a text (DELIMITER understood), through the client; the first error stops it."""
        text = script.read_text(encoding="utf-8") if isinstance(script, Path) else script
        options = [f"--defaults-extra-file={self.client_file}", "--batch", "--binary-mode"]
        target = [] if database is None else [f"--database={database}"]
        return self.run([str(self.client), *options, "--default-character-set=utf8mb4", *target], text=text)


class PrivateMariaDB(PrivateMySQLFamily):
    """MariaDB as the distribution packages it (10.11 on Debian 12), or one unpacked beside the system.

    `installed`: what is /usr of the unpacked one.
    """

    engine = "mariadb"

    def __init__(self, *, installed: Path | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.installed = installed

    @property
    def client(self) -> Path:
        return self._program("bin/mariadb", "mariadb-client")

    def _server_program(self) -> Path:
        return self._program("sbin/mariadbd", "mariadb-server")

    def _program(self, path: str, package: str) -> Path:
        if self.installed is not None:
            return self.installed / path
        return binaries.program(Path(path).name, package)

    def own_settings(self) -> dict[str, str]:
        return {} if self.installed is None else {"basedir": str(self.installed)}

    def _install(self) -> None:
        self.run(
            [
                str(self._program("bin/mariadb-install-db", "mariadb-server")),
                f"--defaults-file={self.defaults_file}",
                *([] if self.installed is None else [f"--basedir={self.installed}"]),
                *["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"],
            ]
        )


class PrivateMySQL(PrivateMySQLFamily):
    """MySQL from Debian sid, unpacked beside the system (see mysql_sid)."""

    engine = "mysql"

    @property
    def binaries(self) -> Path:
        """Folder with mysqld, mysql and mysqldump."""
        return mysql_sid.programs()

    @property
    def client(self) -> Path:
        return self.binaries / "mysql"

    def _server_program(self) -> Path:
        return self.binaries / "mysqld"

    def own_settings(self) -> dict[str, str]:
        installed = mysql_sid.FOLDER / "usr"
        return {
            "basedir": str(installed),
            "plugin_dir": str(installed / "lib" / "mysql" / "plugin"),
            "lc_messages_dir": str(installed / "share" / "mysql"),
            "mysqlx": "OFF",  # would listen on a port of its own
            "secure_file_priv": "NULL",  # the folder that the package would have made is not there
        }

    def _install(self) -> None:
        self.run([str(self._server_program()), f"--defaults-file={self.defaults_file}", "--initialize-insecure"])
