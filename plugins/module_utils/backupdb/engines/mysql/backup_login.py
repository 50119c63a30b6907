# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The backup login of a MySQL or MariaDB server: an account that reads everything and changes no row.

Sources: MySQL manual "CREATE USER", "GRANT", "SHOW GRANTS"; MariaDB documentation "CREATE USER", "SHOW CREATE USER".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...connection.server import Server
from ...errors import ConnectionFailed, InvalidOption, QueryFailed
from ..login_interface import (
    SOCKET,
    Attempt,
    ExcessPrivilege,
    LoginState,
    RequiredPrivilege,
    Step,
    WantedLogin,
    WriteProbe,
    logged_in,
)
from .accounts_rules import plugins_of
from .family import MysqlFamily
from .grants import parse, parse_line
from .login_rights import excess_rights, missing_functions, missing_rights, needed_rights
from .password_hashes import CACHING_SHA2_PLUGIN, NATIVE_PLUGIN, caching_sha2_fits, native_hash
from .statements import DENIED_CODES, ask, own_session, quoted, quoted_text
from .view_functions import Function, functions_of_views

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

# The server's own, and the administrator's that every server has.
_RESERVED = ("root", "mariadb.sys", "mysql.sys", "mysql.session", "mysql.infoschema", "")
_DENIED = ("wrong_password", "access_denied")
_QUIET = "SET SESSION sql_log_off = ON"  # nothing of this session in the general log, where the login may say so
_DATABASES_TRIED = 5
_ALWAYS_THERE = ("mysql", "db")  # a table that every server has

_HEXADECIMAL = re.compile(r" AS 0x(?P<digits>[0-9A-Fa-f]+)")
_TEXTS = re.compile(r"'(?:[^'\\]|''|\\.)*'|`(?:[^`]|``)*`", re.DOTALL)

_EXISTS = "SELECT COUNT(*) FROM mysql.user WHERE user = :name AND host = :host"
_TABLES = """
    SELECT table_schema, MIN(table_name) FROM information_schema.tables
     WHERE table_type = 'BASE TABLE' AND table_schema NOT IN :system GROUP BY 1 ORDER BY 1"""
_A_COLUMN = """
    SELECT column_name FROM information_schema.columns WHERE table_schema = :database AND table_name = :table
       AND extra NOT LIKE '%GENERATED%' ORDER BY ordinal_position LIMIT 1"""


class MysqlLoginManager:
    """See `LoginManager` for what each function promises."""

    rights_needed = "an account such as root, with CREATE USER, SELECT on *.*, and the rights to give WITH GRANT OPTION"

    def __init__(self, engine: MysqlFamily, wanted: WantedLogin) -> None:
        self._engine = engine
        self._server = engine.server
        self._wanted = replace(wanted, host=wanted.host.lower())  # as the server keeps it
        self._quoted = f"{quoted_text(wanted.name)}@{quoted_text(self._wanted.host)}"
        self.account = f"{wanted.name}@{self._wanted.host}"

    def protected(self) -> str | None:
        if self._wanted.name.lower() in _RESERVED:
            return "it is the server's own or the administrator's account"
        return "it is the login in use" if self.account == self._server.value("SELECT CURRENT_USER()") else None

    def look(self) -> LoginState:
        needed = needed_rights(self._engine, self._wanted)
        with self._own_session() as connection:
            there = self._rows(connection, _EXISTS, name=self._wanted.name, host=self._wanted.host)[0][0]
            if not there:
                self._check_plugin(connection)
                step = Step(f"CREATE USER {self._quoted} {self._identified()};")
                rights = missing_rights(parse([]), needed, self._quoted)
                rights += missing_functions(parse([]), self._functions(connection), self._quoted)
                return LoginState(exists=False, needs=[RequiredPrivilege("the account", (step,)), *rights])
            created = str(self._rows(connection, f"SHOW CREATE USER {self._quoted}")[0][0])
            lines = shown = [str(row[0]) for row in self._rows(connection, f"SHOW GRANTS FOR {self._quoted}")]
            identity = self._identity(connection, created)
            everybody = self._of_everybody(connection, needed)
            functions = self._functions(connection)
        lines = [line for line in lines if not _is_on(line, functions)]
        excess = excess_rights(
            lines, needed, self._quoted, flush_grant_option=self._engine.KEEPS_GRANT_OPTION_IN_MEMORY
        )
        grants = parse(shown, literal=self._engine.literal_database_grants())
        return LoginState(
            exists=True,
            needs=[
                *identity,
                *missing_rights(grants, needed, self._quoted),
                *missing_functions(grants, functions, self._quoted),
            ],
            surplus=[*excess, *everybody],
        )

    def removal(self) -> Sequence[Step]:
        with self._own_session() as connection:
            there = self._rows(connection, _EXISTS, name=self._wanted.name, host=self._wanted.host)[0][0]
        return [Step(f"DROP USER {self._quoted};")] if there else []

    @contextmanager
    def session(self, database: str | None) -> Iterator[Callable[[str], None]]:
        with self._own_session() as connection:
            with suppress(QueryFailed):
                self._rows(connection, _QUIET)

            def carry_out(sql: str) -> None:
                self._rows(connection, sql.rstrip(";"))

            yield carry_out

    def is_refusal(self, error: QueryFailed) -> bool:
        return error.code in DENIED_CODES

    def try_to_write(self, state: LoginState) -> WriteProbe:
        statements = self._statements()  # first, as the administrator may be known by the operating system's user
        try:
            with logged_in(self._server, self._wanted) as server:
                me = str(server.value("SELECT CURRENT_USER()"))
                if me != self.account:
                    raise ConnectionFailed(f"the server takes this login for {me}")
                attempts = [self._attempt(server, statement) for statement in statements]
        except ConnectionFailed as error:
            return WriteProbe(
                [], "not tried", [f"{self.account} cannot log in from here, so no write was tried: {error}"]
            )
        how = "logged in by the socket" if self._wanted.auth == SOCKET else "logged in by the password"
        return WriteProbe(attempts, how)

    def _statements(self) -> list[str]:
        """Write statements that change no row, on tables of some databases; the administrator looks for them."""
        with self._own_session() as connection:
            found = self._rows(connection, _TABLES, system=tuple(self._engine.SYSTEM_DATABASES))
            statements = []
            for database, table in [_ALWAYS_THERE, *found[:_DATABASES_TRIED]]:
                name = f"{quoted(database)}.{quoted(table)}"
                statements.append(f"DELETE FROM {name} WHERE FALSE")  # noqa: S608
                for (column,) in self._rows(connection, _A_COLUMN, database=database, table=table):
                    one = quoted(column)
                    statements.append(f"INSERT INTO {name} ({one}) SELECT {one} FROM {name} WHERE FALSE")  # noqa: S608
        return statements

    def _attempt(self, server: Server, statement: str) -> Attempt:
        with server.connect() as connection:
            try:
                self._rows(connection, statement)
                return Attempt(statement, None, refused=False, said="")
            except QueryFailed as error:
                refused = True if self.is_refusal(error) else None
                return Attempt(statement, None, refused=refused, said=str(error))

    @contextmanager
    def _own_session(self) -> Iterator[Connection]:
        with own_session(self._server) as connection:
            for statement in self._engine.ACCOUNT_SESSION:
                with suppress(QueryFailed):
                    self._rows(connection, statement)
            yield connection

    def _rows(self, connection: Connection, statement: str, **parameters: Any) -> list[Any]:
        try:
            return ask(self._server, connection, statement, **parameters)
        except ConnectionFailed as error:
            # The server says "access denied" for a right that a login lacks, as it does for the login itself.
            if error.kind not in _DENIED:
                raise
            raise QueryFailed(str(error).rpartition(" (")[2].rstrip(")"), code=DENIED_CODES[0]) from error

    def _functions(self, connection: Connection) -> list[Function]:
        """List the functions that views call, where the login must be allowed to execute them to see these."""
        if not self._engine.VIEWS_NEED_EXECUTE:
            return []
        found = self._rows(connection, "SELECT schema_name FROM information_schema.schemata")
        databases = [str(name) for (name,) in found if str(name).lower() not in self._engine.SYSTEM_DATABASES]
        called = functions_of_views(self._server, connection, databases)
        return sorted({function for functions in called.values() for function in functions})

    def _of_everybody(self, connection: Connection, needed: Sequence[str]) -> list[ExcessPrivilege]:
        """Read what everybody may do, on a server where rights can be given to everybody."""
        everybody = self._engine.everybody()
        if everybody is None:
            return []
        lines = [str(row[0]) for row in self._rows(connection, f"SHOW GRANTS FOR {everybody}")]
        return [
            ExcessPrivilege(
                f"{entry.what}, as everybody has",
                entry.writes,
                advice=f"take it from everybody: {' '.join(step.sql for step in entry.steps)}",
            )
            for entry in excess_rights(lines, needed, everybody)
        ]

    def _identity(self, connection: Connection, created: str) -> list[RequiredPrivilege]:
        needs = []
        if not self._identified_as_wanted(created):
            self._check_plugin(connection)
            what = "the login through the socket" if self._wanted.auth == SOCKET else "this password"
            needs.append(RequiredPrivilege(what, (Step(f"ALTER USER {self._quoted} {self._identified()};"),)))
        if " ACCOUNT LOCK" in _TEXTS.sub("''", created):
            unlock = Step(f"ALTER USER {self._quoted} ACCOUNT UNLOCK;")
            needs.append(RequiredPrivilege("an account that is not locked", (unlock,)))
        return needs

    def _identified(self) -> str:
        if self._wanted.auth == SOCKET:
            return self._engine.SOCKET_CLAUSE
        return self._engine.password_clause(self._wanted.password or "")

    def _identified_as_wanted(self, created: str) -> bool:
        """Compare with what the server keeps; where that is of a kind that we don't make, log in."""
        plugins = plugins_of(created)
        if self._wanted.auth == SOCKET:
            return plugins == [self._engine.SOCKET_PLUGIN]
        password = self._wanted.password or ""
        kept = _HEXADECIMAL.search(created)
        if plugins == [NATIVE_PLUGIN]:
            return native_hash(password) in (bytes.fromhex(kept["digits"]).decode() if kept else created)
        if plugins == [CACHING_SHA2_PLUGIN] and kept:
            return caching_sha2_fits(password, bytes.fromhex(kept["digits"]))
        try:
            with logged_in(self._server, self._wanted) as server:
                return bool(server.value("SELECT CURRENT_USER()") == self.account)
        except ConnectionFailed:
            return False

    def _check_plugin(self, connection: Connection) -> None:
        if self._wanted.auth != SOCKET:
            return
        plugin = self._engine.SOCKET_PLUGIN
        statement = (
            "SELECT COUNT(*) FROM information_schema.plugins WHERE plugin_name = :name AND plugin_status = 'ACTIVE'"
        )
        if not self._rows(connection, statement, name=plugin)[0][0]:
            raise InvalidOption(
                f"{self._server.instance.where()}: the server has no login through the socket (plugin {plugin}); "
                f"load it: {self._engine.LOAD_SOCKET_PLUGIN}"
            )


def _is_on(line: str, functions: Sequence[Function]) -> bool:
    """Tell whether a line of SHOW GRANTS gives nothing but the right to execute one of the functions."""
    entry = parse_line(line)
    return (
        entry is not None
        and entry.of_routine == {"EXECUTE"}
        and "GRANT OPTION" not in line
        and any((entry.database, entry.object.casefold()) == (one[0], one[1].casefold()) for one in functions)
    )
