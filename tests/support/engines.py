# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines that the compliance suite runs on. A new engine adds itself to `ENGINES_UNDER_TEST`.

An entry says how a test speaks to a server of this kind where SQL of all engines would not do. The rest the suite has
from the engine itself. `schemas/VENDOR_torture.sql` makes one of every kind of object that the engine knows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import pytest
from backupdb.engines.interface import Engine
from backupdb.engines.mysql.mariadb import MariadbEngine
from backupdb.engines.mysql.mysql import MysqlEngine
from backupdb.engines.postgresql.engine import PostgresqlEngine

from support import mysql_dumps, postgresql_dumps
from support.library import SCHEMAS

# Of databases and of tables. Each is one for a shell, a path, a client's options, a connection string, or SQL.
ODD_NAMES = (
    '../x"; --',
    "single ' quote",
    "back`tick and \\ backslash",
    "$(touch x)",
    "-rf",
    "..",
    "a.b",
    "#hash",
    "@accounts",
    "postgresql://localhost/x",
    "dbname='postgres' host=nowhere",
    "percent %s %(x)s %cent_",
    "naïve_ключ_鍵",
    "Case",
    "case",
)


class EngineUnderTest(ABC):
    """One kind of server, which `support.servers.make_server` makes and a fixture of the same name lends.

    `client_folders` are the variables, by their dotted names, that say where clients are looked for beside PATH;
    `patience` those that make a test wait, with shorter times. Names that begin as one of `own_accounts` are the
    server's own accounts. `drill_verdicts` are what a drill of `everything` may say when all is well.
    """

    kind: ClassVar[str]
    engine: ClassVar[type[Engine]]
    marks: ClassVar[Sequence[pytest.MarkDecorator]] = ()
    fixtures: ClassVar[Sequence[str]] = ()
    client_folders: ClassVar[Sequence[str]]
    patience: ClassVar[dict[str, Any]] = {}
    odd_names: ClassVar[Sequence[str]]
    sleep: ClassVar[str]  # a statement that takes a minute
    own_accounts: ClassVar[Sequence[str]]
    drill_verdicts: ClassVar[Sequence[str]] = ("equal",)

    @property
    def everything(self) -> Path:
        """The script that makes one of everything."""
        return SCHEMAS / f"{self.engine.VENDOR}_torture.sql"

    def program_folders(self, server: Any) -> Sequence[Path]:
        """Where the clients of this server are, first on PATH."""
        return ()

    def clean_up(self, server: Any) -> None:  # noqa: B027  # most engines have nothing to do
        """Remove what `everything` makes outside its database."""

    @abstractmethod
    def quoted(self, name: str) -> str:
        """The name as an identifier."""

    @abstractmethod
    def make_database(self, server: Any, name: str) -> None:
        """Make an empty database in UTF-8."""

    @abstractmethod
    def drop_database(self, server: Any, name: str) -> None:
        """Drop a database, if it is there."""

    @abstractmethod
    def database_names(self, server: Any) -> set[str]:
        """The databases that are there."""

    @abstractmethod
    def make_account(self, server: Any, name: str, password: str) -> str:
        """Make a login that may do nothing yet, and return it as it is written in a GRANT."""

    @abstractmethod
    def drop_account(self, server: Any, name: str, *, database: str) -> None:
        """Drop a login, if it is there, and with it its rights, which are in that database only."""

    @abstractmethod
    def end_sessions(self, server: Any) -> None:
        """End all other sessions of the administrator."""


class _Postgresql(EngineUnderTest):
    engine = PostgresqlEngine
    client_folders = ("backupdb.engines.postgresql.clients._VERSIONED_FOLDERS",)
    sleep = "SELECT pg_catalog.pg_sleep(60)"
    odd_names = (*ODD_NAMES, "line\nbreak", "x" * 63, "漢" * 21, "😀")
    own_accounts = ("pg_",)

    def program_folders(self, server: Any) -> Sequence[Path]:
        return (server.binaries,)

    def clean_up(self, server: Any) -> None:
        server.sql("DROP ROLE IF EXISTS torture_owner, torture_reader")

    def quoted(self, name: str) -> str:
        return postgresql_dumps.identifier(name)

    def make_database(self, server: Any, name: str) -> None:
        postgresql_dumps.make_database(server, name, options="ENCODING UTF8")

    def drop_database(self, server: Any, name: str) -> None:
        postgresql_dumps.drop_database(server, name)

    def database_names(self, server: Any) -> set[str]:
        return {row[0] for row in server.sql("SELECT datname FROM pg_database")}

    def make_account(self, server: Any, name: str, password: str) -> str:
        account = self.quoted(name)
        server.sql(f"CREATE ROLE {account} LOGIN PASSWORD '{password}'")
        return account

    def drop_account(self, server: Any, name: str, *, database: str) -> None:
        if server.sql("SELECT 1 FROM pg_roles WHERE rolname = %s", parameters=(name,)):
            server.sql(f"DROP OWNED BY {self.quoted(name)}", database=database)
            server.sql(f"DROP ROLE {self.quoted(name)}")

    def end_sessions(self, server: Any) -> None:
        server.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE usename = current_user AND pid <> pg_backend_pid()"
        )


class _Postgres15(_Postgresql):
    kind = "postgres15"


class _Postgres18(_Postgresql):
    kind = "postgres18"


class _MysqlFamily(EngineUnderTest):
    client_folders = ("backupdb.engines.mysql.clients._USUAL_DIRECTORIES",)
    sleep = "SELECT SLEEP(60)"
    patience: ClassVar[dict[str, Any]] = {"backupdb.engines.mysql.restore.database._DROP_PATIENCE": 1}
    odd_names = (*ODD_NAMES, "x" * 64, "漢" * 50)
    own_accounts = ("mariadb.sys", "mysql.")

    def quoted(self, name: str) -> str:
        return mysql_dumps.quoted(name)

    def make_database(self, server: Any, name: str) -> None:
        mysql_dumps.execute(server, f"CREATE DATABASE {self.quoted(name)} CHARACTER SET utf8mb4")

    def drop_database(self, server: Any, name: str) -> None:
        mysql_dumps.execute(server, f"DROP DATABASE IF EXISTS {self.quoted(name)}")

    def database_names(self, server: Any) -> set[str]:
        return {row[0] for row in mysql_dumps.execute(server, "SHOW DATABASES")}

    def make_account(self, server: Any, name: str, password: str) -> str:
        server.sql("CREATE USER %s@%s IDENTIFIED BY %s", parameters=(name, "%", password))
        return f"{self.quoted(name)}@`%`"

    def drop_account(self, server: Any, name: str, *, database: str) -> None:
        server.sql("DROP USER IF EXISTS %s@%s", parameters=(name, "%"))

    def end_sessions(self, server: Any) -> None:
        others = "SELECT id FROM information_schema.processlist WHERE user = 'root' AND id <> CONNECTION_ID()"
        for (session,) in server.sql(others):
            with suppress(Exception):  # it has ended by itself
                server.sql(f"KILL CONNECTION {session}")


class _Mariadb(_MysqlFamily):
    kind = "mariadb"
    engine = MariadbEngine


class _Mysql(_MysqlFamily):
    kind = "mysql"
    engine = MysqlEngine
    marks = (pytest.mark.mysql,)
    # Its dump names a column's character set or not, depending on the server's.
    drill_verdicts = ("equal", "equal, expressions rewritten")
    fixtures = ("mysql_programs",)


ENGINES_UNDER_TEST: Sequence[EngineUnderTest] = (_Postgres15(), _Postgres18(), _Mariadb(), _Mysql())
