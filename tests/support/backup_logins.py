# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server with everything in it that a backup login may be blind for, and the management of that login."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backupdb.accounts.backup_login import LoginRequest, manage
from backupdb.backup import run as backup
from backupdb.engines.login_interface import WantedLogin

from support.library import instance_of, request_for
from support.mysql_dumps import execute
from support.mysql_server import PrivateMySQLFamily
from support.postgres_server import PrivatePostgres

NAME = "backup_login"
ODD = "../x\"; --%s'"
PASSWORD = "password-of-the-backup-login"
DATABASE = "login_db"

_POSTGRESQL = """
CREATE TABLE plain (id serial PRIMARY KEY, n int);
CREATE SCHEMA hidden;
REVOKE ALL ON SCHEMA hidden FROM PUBLIC;
CREATE TABLE hidden."odd ""table" (n int GENERATED ALWAYS AS IDENTITY, t text);
CREATE VIEW hidden.v AS SELECT 1 AS one;
CREATE MATERIALIZED VIEW hidden.m AS SELECT 1 AS one;
CREATE FUNCTION hidden.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE guarded AS SELECT 1 AS n;
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
ALTER TABLE guarded FORCE ROW LEVEL SECURITY;
CREATE POLICY nobody ON guarded USING (false);
SELECT lo_from_bytea(910001, 'one'), lo_from_bytea(910002, 'two');
"""
_MYSQL = (
    "CREATE TABLE plain (id INT AUTO_INCREMENT PRIMARY KEY, n INT)",
    "CREATE VIEW v AS SELECT * FROM plain",
    "CREATE TRIGGER tr BEFORE INSERT ON plain FOR EACH ROW SET NEW.n = 1",
    "CREATE PROCEDURE p() SELECT 1",
    "CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1",
)


@dataclass(frozen=True)
class Scene:
    """The server with one database; statements are those of the administrator."""

    server: Any
    name: str = NAME
    database: str = DATABASE

    @property
    def is_postgresql(self) -> bool:
        return bool(self.server.engine == "postgresql")

    @property
    def table(self) -> str:
        """A table for which the login may be given rights; it comes first in the order of names."""
        return 'hidden."odd ""table"' if self.is_postgresql else f"`{DATABASE}`.`plain`"

    @property
    def account(self) -> str:
        return NAME if self.is_postgresql else f"{NAME}@'%'"

    @property
    def surplus(self) -> Sequence[str]:
        """Statements that give the login rights beyond: two to write, one that only reads."""
        if self.is_postgresql:
            return (
                f"GRANT INSERT, DELETE ON {self.table} TO {NAME}",
                f"GRANT UPDATE ON SEQUENCE plain_id_seq TO {NAME}",
                f"GRANT pg_read_all_stats TO {NAME}",
            )
        return (
            f"GRANT INSERT, DELETE ON {self.table} TO {self.account}",
            f"GRANT LOCK TABLES ON *.* TO {self.account}",
        )

    @property
    def all_powers(self) -> str:
        if self.is_postgresql:
            return f"ALTER ROLE {NAME} SUPERUSER CREATEDB CREATEROLE REPLICATION"
        return f"GRANT ALL PRIVILEGES ON *.* TO {self.account} WITH GRANT OPTION"

    @property
    def options(self) -> dict[str, Any]:
        """Options of the module; the administrator logs in through the socket."""
        login = {"login_user": self.server.user, "login_password": self.server.password}
        where = {"login_unix_socket": str(self.server.socket), "login_port": self.server.port}
        named = {"instance": "test", "engine": self.server.engine, "name": NAME, "account_host": "%"}
        return {**login, **where, **named, "password": PASSWORD}

    def run(self, *statements: str, database: str = DATABASE) -> None:
        if self.is_postgresql:
            for statement in statements:
                self.server.sql(statement, database=database)
        else:
            execute(self.server, *statements)

    def logins(self) -> list[str]:
        """Names of the logins of these tests that the server has."""
        names = (NAME, ODD, "another")
        if self.is_postgresql:
            rows = self.server.sql("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", parameters=(list(names),))
        else:
            rows = self.server.sql("SELECT user FROM mysql.user WHERE user IN %s", parameters=(names,))
        return sorted(name for (name,) in rows)

    def asked_as_login(self, statement: str, *, password: str) -> list[tuple[Any, ...]]:
        # As bytes: PyMySQL would encode a text as latin1, the servers' own clients send it as it was typed.
        sent: Any = password if self.is_postgresql else password.encode()
        rows: list[tuple[Any, ...]] = self.server.sql(statement, user=NAME, password=sent)
        return rows

    @contextmanager
    def statements_logged(self) -> Iterator[Callable[[], str]]:
        """Have the server log every statement; gives a function that returns what it has logged."""
        if self.is_postgresql:
            start = self.server.log_file.stat().st_size

            def logged() -> str:
                text: str = self.server.log_file.read_bytes()[start:].decode()
                return text

            self.run("ALTER SYSTEM SET log_statement = 'all'", "SELECT pg_reload_conf()")
            try:
                time.sleep(0.3)  # until the sessions to come have it
                yield logged
            finally:
                self.run("ALTER SYSTEM RESET log_statement", "SELECT pg_reload_conf()")
            return
        self.run("TRUNCATE mysql.general_log", "SET GLOBAL log_output = 'TABLE'", "SET GLOBAL general_log = ON")
        try:
            yield lambda: "\n".join(
                value.decode(errors="replace") if isinstance(value, bytes) else str(value)
                for (value,) in self.server.sql("SELECT argument FROM mysql.general_log")
            )
        finally:
            self.run("SET GLOBAL general_log = OFF", "SET GLOBAL log_output = 'FILE'", "TRUNCATE mysql.general_log")


def open_scene(server: PrivatePostgres | PrivateMySQLFamily) -> Scene:
    scene = Scene(server)
    close_scene(scene)
    if isinstance(server, PrivatePostgres):
        server.sql(f"CREATE DATABASE {DATABASE}")
        server.sql(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC")
        server.run_sql_script(_POSTGRESQL, database=DATABASE)
    else:
        execute(server, f"CREATE DATABASE {DATABASE}")
        execute(server, *_MYSQL, database=DATABASE)
    return scene


def close_scene(scene: Scene) -> None:
    if scene.is_postgresql:
        scene.server.sql(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        for name in scene.logins():
            quoted = name.replace('"', '""')
            scene.server.sql(f'DROP OWNED BY "{quoted}"')
            scene.server.sql(f'DROP ROLE "{quoted}"')
    else:
        execute(scene.server, f"DROP DATABASE IF EXISTS {DATABASE}")
        for name in scene.logins():
            scene.server.sql("DROP USER %s@%s", parameters=(name, "%"))


def managed(
    scene: Scene,
    *,
    name: str = NAME,
    auth: str = "password",
    password: str | None = PASSWORD,
    absent: bool = False,
    remove_surplus: bool = False,
    check_mode: bool = False,
    administrator: str | None = None,
) -> dict[str, Any]:
    """Manage the login through the socket, as the superuser or as an `administrator` with the password `PASSWORD`."""
    login = {} if administrator is None else {"user": administrator, "password": PASSWORD}
    request = LoginRequest(
        instance_of(scene.server, unix_socket=str(scene.server.socket), **login),
        WantedLogin(name, host="%", auth=auth, password=password),
        absent=absent,
        remove_surplus=remove_surplus,
    )
    return manage(request, check_mode=check_mode)


def whole_backup(scene: Scene, repository: Path) -> dict[str, Any]:
    """Back up the scene's database and the accounts by the managed login."""
    instance = instance_of(scene.server, user=NAME, password=PASSWORD)
    return backup.run(request_for(instance, repository, databases=[DATABASE], row_counts=True, jobs=2))
