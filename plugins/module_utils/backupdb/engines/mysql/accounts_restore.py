# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restoring accounts into MySQL and MariaDB: what their statements need beyond what SHOW CREATE USER wrote.

Sources: MySQL manual "CREATE USER", "ALTER USER"; MariaDB documentation "ALTER USER", "CREATE ROLE", "REVOKE".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ...errors import ConnectionFailed, QueryFailed
from ..accounts_document import full_name
from ..accounts_interface import Step
from .accounts_rules import plugins_of
from .dead_grants import is_promise
from .family import MysqlFamily
from .grants import parse_line
from .instance_objects import FOREIGN_SERVER, LOADABLE_FUNCTION
from .statements import ask, own_session, quoted

_TEXTS = re.compile(r"'(?:[^'\\]|''|\\.)*'|`(?:[^`]|``)*`", re.DOTALL)
# The clauses of CREATE USER, in their order.
_CLAUSES = ("REQUIRE", "WITH", "PASSWORD EXPIRE", "ACCOUNT")
_SERVER_NAME = re.compile(r"CREATE SERVER `((?:[^`]|``)*)`")
_DENIED = ("wrong_password", "access_denied")
_ADMIN = re.compile(r"GRANT (?P<role>`(?:[^`]|``)*`) TO .* WITH ADMIN OPTION;$", re.DOTALL)


class MysqlTarget:
    """The server to restore into. See `AccountTarget` for what each function promises."""

    def __init__(self, engine: MysqlFamily) -> None:
        server = engine.server
        self._engine = engine
        self._server = server
        self.login = str(server.value("SELECT CURRENT_USER()"))
        self.warnings: list[str] = []
        self._plugins = {
            str(row[0]).lower()
            for row in server.rows(
                "SELECT plugin_name FROM information_schema.plugins"
                " WHERE plugin_type = 'AUTHENTICATION' AND plugin_status = 'ACTIVE'"
            )
        }
        self._databases = {
            str(row[0]).casefold() for row in server.rows("SELECT schema_name FROM information_schema.schemata")
        }
        self._objects: dict[str, set[str]] = {}

    def problem(self, account: Mapping[str, Any]) -> str | None:
        for statement in account["statements"]:
            if statement["kind"] != "identity":
                continue
            for plugin in plugins_of(str(statement["sql"])):
                if plugin.lower() not in self._plugins:
                    return f"the server has no authentication plugin {plugin}: {self._engine.plugin_advice(plugin)}"
        return None

    def waits_for(self, statement: Mapping[str, Any]) -> str | None:
        if statement["kind"] == FOREIGN_SERVER:
            return self._other_server(str(statement["sql"]))
        entry = parse_line(str(statement["sql"])) if statement["kind"] == "object_grant" else None
        if entry is None or is_promise(str(statement["sql"])):
            return None
        if entry.database.casefold() not in self._databases:
            return f"database {entry.database!r}"
        there = self._objects_of(entry.database)
        return None if entry.object.casefold() in there else f"{entry.object!r} in database {entry.database!r}"

    def step(self, account: str | None, statement: Mapping[str, Any]) -> Step:
        sql = str(statement["sql"])
        if statement["kind"] == LOADABLE_FUNCTION:
            warning = f"not made, since the server does not take its library; install that and run: {sql}"
            return Step(account, LOADABLE_FUNCTION, sql, if_refused="DO 0", warning=warning)
        return Step(account, statement["kind"], sql)

    def _other_server(self, sql: str) -> str | None:
        """A server of the same name with other options is not replaced: tables of this instance may use it."""
        name = _SERVER_NAME.match(sql)
        there = {str(row[0]) for row in self._server.rows("SELECT server_name FROM mysql.servers")}
        if name is None or name[1].replace("``", "`") not in there:
            return None
        return f"the server {name[1]} of other options, which is here, to be dropped"

    def update(
        self, account: str, identity: Sequence[Mapping[str, Any]], there: Sequence[Mapping[str, Any]], *, keep: bool
    ) -> list[Step]:
        """CREATE USER becomes ALTER USER with every clause, since ALTER USER leaves what it does not name as it is."""
        sqls = [str(entry["sql"]) for entry in identity]
        return [Step(account, "identity", self._altering(sql)) for sql in sqls if sql.startswith("CREATE USER ")]

    def role_of(self, statement: Mapping[str, Any]) -> str | None:
        return None

    @contextmanager
    def session(self) -> Iterator[Callable[[str], None]]:
        with own_session(self._server) as connection:

            def carry_out(sql: str) -> None:
                try:
                    ask(self._server, connection, sql.rstrip(";"))
                except ConnectionFailed as error:
                    # The server says "access denied" for a right that we may not give, as it does for a login.
                    if error.kind not in _DENIED:
                        raise
                    refusal = str(error).rpartition(" (")[2].rstrip(")")
                    raise QueryFailed(
                        f"{self._server.instance.where()}: the login may not do this: {refusal}"
                    ) from error

            yield carry_out

    def clean_up(self, created: Collection[str], document: Mapping[str, Any]) -> list[Step]:
        """Whoever creates a role may administer it; that is taken back where the backup has another administrator."""
        if not self._engine.CREATOR_ADMINISTERS_ROLE:
            return []
        administrators: dict[str, set[str]] = {}
        for account in document["accounts"]:
            for statement in account["statements"]:
                match = _ADMIN.match(statement["sql"]) if statement["kind"] == "membership" else None
                if match:
                    administrators.setdefault(match["role"], set()).add(full_name(account))
        roles = {
            full_name(account)
            for account in document["accounts"]
            if account["kind"] == "role" and any(entry["kind"] == "identity" for entry in account["statements"])
        }
        steps = []
        for role in sorted(roles & set(created)):
            known = administrators.get(quoted(role), set())
            if self.login in known:
                continue
            if known & set(created):
                steps.append(Step(None, "membership", f"REVOKE {quoted(role)} FROM CURRENT_USER();"))
            else:
                self.warnings.append(
                    f"{self.login} stays administrator of role {role}: no account restored with it is one, and a role "
                    "without an administrator cannot be granted any more"
                )
        return steps

    def _objects_of(self, database: str) -> set[str]:
        if database not in self._objects:
            found = self._server.rows(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = :name UNION ALL"
                " SELECT routine_name FROM information_schema.routines WHERE routine_schema = :name",
                {"name": database},
            )
            self._objects[database] = {str(row[0]).casefold() for row in found}
        return self._objects[database]

    def _altering(self, created: str) -> str:
        head, clauses = _clauses(created.rstrip(";"))
        limits = clauses.pop("WITH", "WITH")
        limits += "".join(f" {name} 0" for name in self._engine.ACCOUNT_LIMITS if f" {name} " not in limits)
        words = [clauses.pop("REQUIRE", "REQUIRE NONE"), limits]
        failed_logins = self._engine.failed_logins_clause()
        if failed_logins is not None and "FAILED_LOGIN_ATTEMPTS" not in created:
            words.append(failed_logins)
        words.append(clauses.get("PASSWORD EXPIRE", "PASSWORD EXPIRE DEFAULT"))
        words.append(clauses.get("ACCOUNT", "ACCOUNT UNLOCK"))  # in MySQL with all that comes after it
        return " ".join(["ALTER USER" + head[len("CREATE USER") :], *words]) + ";"


def _clauses(created: str) -> tuple[str, dict[str, str]]:
    """Split a CREATE USER into what is before its first clause and its clauses by name."""
    blank = _TEXTS.sub(lambda text: "'" * len(text[0]), created)
    found = []
    for name, pattern in zip(_CLAUSES, (r" REQUIRE ", r" WITH MAX_", r" PASSWORD EXPIRE\b", r" ACCOUNT ")):
        match = re.search(pattern, blank)
        if match:
            found.append((match.start(), name))
    found.sort()
    if not found:
        return created, {}
    ends = [start for start, _name in found[1:]] + [len(created)]
    return created[: found[0][0]], {name: created[start + 1 : end] for (start, name), end in zip(found, ends)}
