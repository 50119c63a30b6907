# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login that a stream is loaded with: a throw-away account that has rights on the target database and nothing else.

A stream is SQL that somebody else may have written. What it may not do is not left to reading it: the server refuses.
The account is known to this process only, is named by its lock while it is in use, and is dropped at the end.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ....connection.server import Server
from ....errors import BackupDbError, ConnectionFailed, QueryFailed
from ...values import RestoreOptions
from ..accounts_rules import LOAD_NAME, LOAD_PREFIX
from ..family import MysqlFamily
from ..grants import GLOBAL, escaped_pattern, parse_line, plain_name
from ..statements import DENIED_CODES, ask, own_session, quoted, quoted_text

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

# For tables, rows and sequences. Programs and views are made by the restoring login: see late.py.
_RIGHTS = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, LOCK TABLES, CREATE TEMPORARY TABLES"
_LEFT_BEHIND = 86400  # seconds after which an account of a dead restore is dropped by the next one
_PASSWORD_BYTES = 24
_EVERYBODY = "PUBLIC"
# The session that holds the lock waits for the load; nothing of it belongs into the logs of the server.
_HOLDING = ("SET SESSION wait_timeout = 2147483", "SET SESSION sql_log_off = ON", "SET SESSION sql_log_bin = OFF")
_ALL_OF_OURS = f"SELECT user, host FROM mysql.user WHERE user LIKE '{LOAD_PREFIX}%'"  # noqa: S608


@dataclass
class LoadLogin:
    """An engine whose server is asked by the login of the load; `warnings` are whole once the login is given back."""

    engine: MysqlFamily
    is_bound: bool  # to the target
    warnings: list[str] = field(default_factory=list)

    def hint(self, code: str) -> str:
        """Say what helps where the server refused a statement for want of rights; "" where that is not why."""
        if not self.is_bound or code not in DENIED_CODES:
            return ""
        return (
            "; the load may touch this database only: if you trust the backup, and it needs more than that, set"
            " load_with_own_rights"
        )


@contextmanager
def load_login(engine: MysqlFamily, target: str, options: RestoreOptions) -> Iterator[LoadLogin]:
    """Lend the login of a load into `target`: an account of its own wherever one can be made.

    A private server holds nothing else, and a login that has rights on the target only needs no other.
    """
    if options.on_private_server or options.load_with_own_rights:
        yield LoadLogin(engine, is_bound=False)
    elif _has_rights_on_target_only(engine, target):
        yield LoadLogin(engine, is_bound=True)
    else:
        undisturbed = engine.server.stopped_by(threading.Event())  # the account goes, whatever ends the load
        with own_session(undisturbed) as connection, _Account(engine, undisturbed, connection) as account:
            yield account.login(target)


class _Account:
    """The throw-away account, made when it is asked for and dropped at the end."""

    def __init__(self, engine: MysqlFamily, server: Server, connection: Connection) -> None:
        self._engine = engine
        self._server = server
        self._connection = connection
        self._name = f"{LOAD_PREFIX}{int(time.time()):08x}_{secrets.token_hex(4)}"
        self._account = ""
        self._login: LoadLogin | None = None
        self._bound: Server | None = None

    def __enter__(self) -> _Account:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._bound is not None:
            self._bound.__exit__()
        if not self._account:
            return
        try:
            self._ask(f"DROP USER {self._account}")
        except BackupDbError as error:
            if self._login is not None:
                self._login.warnings.append(f"the login of the load, {self._account}, is left; drop it: {error}")

    def login(self, target: str) -> LoadLogin:
        """Make the account and log in as it; where the server does not allow that, give the restoring login."""
        try:
            bound = self._made(target)
        except (QueryFailed, ConnectionFailed) as error:
            text = (
                f"the load has all rights of the login that restores, not only those on {target!r}, as no login of its"
                f" own can be made for it: {error}"
            )
            self._login = LoadLogin(self._engine, is_bound=False, warnings=[text])
        else:
            self._login = LoadLogin(self._engine.using(bound), is_bound=True)
        return self._login

    def _made(self, target: str) -> Server:
        if self._engine.facts.role == "replica":
            raise QueryFailed("the server is read-only, and takes writes from administrators")
        for statement in _HOLDING:
            with suppress(QueryFailed, ConnectionFailed):
                self._ask(statement)
        self._ask(f"SELECT GET_LOCK({quoted_text(self._name)}, 0)")
        self._drop_left_behind()
        host = str(self._ask("SELECT USER()")[0][0]).rpartition("@")[2]
        password = secrets.token_urlsafe(_PASSWORD_BYTES)
        account = f"{quoted_text(self._name)}@{quoted_text(host)}"
        self._ask(f"CREATE USER {account} {self._engine.password_clause(password)}")
        self._account = account
        place = quoted(escaped_pattern(target, literal=self._engine.literal_database_grants()))
        self._ask(f"GRANT {_RIGHTS} ON {place}.* TO {account}")
        if self._engine.SESSION_SETTINGS_RIGHT is not None:
            with suppress(QueryFailed, ConnectionFailed):  # what it cannot set, the load goes without
                self._ask(f"GRANT {self._engine.SESSION_SETTINGS_RIGHT} ON *.* TO {account}")
        instance = replace(self._server.instance, user=self._name, password=password, database=target, system_user=None)
        self._bound = self._engine.server.like(instance)
        found = str(self._bound.value("SELECT CURRENT_USER()"))
        if found.rpartition("@")[0] != self._name:
            raise QueryFailed(f"the server takes it for {found}")
        return self._bound

    def _drop_left_behind(self) -> None:
        """Drop accounts of restores that were killed: they are old, and no session holds their lock."""
        with suppress(QueryFailed, ConnectionFailed):
            for name, host in self._ask(_ALL_OF_OURS):
                found = LOAD_NAME.fullmatch(str(name))
                if found is None or int(found["made"], 16) > time.time() - _LEFT_BEHIND:
                    continue
                if self._ask(f"SELECT IS_FREE_LOCK({quoted_text(str(name))})")[0][0] == 1:
                    self._ask(f"DROP USER {quoted_text(str(name))}@{quoted_text(str(host))}")

    def _ask(self, statement: str) -> list[Any]:
        return ask(self._server, self._connection, statement)


def _has_rights_on_target_only(engine: MysqlFamily, target: str) -> bool:
    """Tell whether the restoring login itself is bound to the target; roles that it could take on count as more."""
    lines = [str(row[0]) for row in engine.server.rows(engine.grants_statement().replace(":", "\\:"))]
    return all(_is_on_target(line, target, literal=engine.literal_database_grants()) for line in lines)


def _is_on_target(line: str, target: str, *, literal: bool) -> bool:
    entry = parse_line(line)
    if entry is None:
        return False
    if entry.revoked or _EVERYBODY in entry.grantee.split("@")[0].strip("`'\"") or entry.rights <= {"USAGE"}:
        return not entry.of_routine
    return entry.level != GLOBAL and (entry.database if literal else plain_name(entry.database)) == target
