# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restoring accounts into PostgreSQL: what its statements need beside what pg_dumpall wrote.

Sources: PostgreSQL manual "CREATE ROLE", "GRANT", "Role Attributes", release notes of 16 (options of memberships).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from ...connection.server import Server
from ...errors import ConnectionFailed, QueryFailed
from ..accounts_interface import Step
from ..values import ServerFacts
from .account_session import account_session
from .accounts_grammar import RoleAttributes, attributes, single_statements
from .accounts_script import membership, unquoted
from .quoting import identifier

_OPTIONS_SINCE = 16  # memberships have INHERIT and SET of their own, and creating a role makes one for the creator

# What a new role has anyhow; to say it needs a superuser (or, for CREATEDB, one who has it).
_UNSAID = ("NOSUPERUSER", "NOCREATEDB", "NOREPLICATION", "NOBYPASSRLS")
_ROLE_IN_DATABASE = re.compile(r'ALTER ROLE ("(?:[^"]|"")+"|\S+) IN DATABASE ')


class PostgresqlTarget:
    """The server to restore into. See `Target` for what each function promises."""

    def __init__(
        self, server: Server, facts: ServerFacts, *, stored: Mapping[str, Any], fresh: Mapping[str, Any]
    ) -> None:
        self._server = server
        self._major = facts.version_number[0]
        self.login = str(server.value("SELECT session_user"))
        self.warnings: list[str] = []
        self._superuser = bool(server.value("SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = session_user"))
        self._databases = {str(row[0]) for row in server.rows("SELECT datname FROM pg_catalog.pg_database")}
        self._grantors = {account["name"] for account in fresh["accounts"]} | {
            account["name"] for account in stored["accounts"] if not account["reserved"]
        }

    def problem(self, account: Mapping[str, Any]) -> str | None:
        return None

    def waits_for(self, statement: Mapping[str, Any]) -> str | None:
        database = statement["database"]
        return None if database is None or database in self._databases else f"database {database!r}"

    def step(self, account: str | None, statement: Mapping[str, Any]) -> Step:
        sql = str(statement["sql"])
        if statement["kind"] == "identity":
            return Step(account, statement["kind"], self._attributes(sql, ()))
        given = membership(sql) if statement["kind"] == "membership" else None
        if given is None:
            return Step(account, statement["kind"], sql)
        options = given.options if self._major >= _OPTIONS_SINCE else tuple(set(given.options) & {"ADMIN OPTION"})
        lost = [option for option in given.options if option not in options and option.endswith("FALSE")]
        if lost:
            self.warnings.append(
                f"{account}: PostgreSQL {self._major} has no {', '.join(lost)} for the membership in {given.role}"
            )
        plain = given.sql(options=options)
        differs = f"{account}: the membership in {given.role} is granted by {self.login} instead of {given.grantor}"
        if given.grantor is None:
            return Step(account, statement["kind"], plain)
        if unquoted(given.grantor) not in self._grantors:
            self.warnings.append(f"{differs}, who is not here")
            return Step(account, statement["kind"], plain)
        return Step(
            account,
            statement["kind"],
            given.sql(options=options, grantor=given.grantor),
            plain,
            f"{differs}, who may not",
        )

    def update(
        self, account: str, identity: Sequence[Mapping[str, Any]], there: Sequence[Mapping[str, Any]], *, keep: bool
    ) -> list[Step]:
        """Only `ALTER ROLE … WITH` is carried out; what the backup's one does not say is set back to its default."""
        known = next(filter(None, (attributes(str(entry["sql"])) for entry in there)), None)
        wanted = filter(None, (attributes(str(entry["sql"])) for entry in identity))
        return [Step(account, "identity", self._updated(one, known, keep=keep).sql()) for one in wanted]

    def _updated(self, wanted: RoleAttributes, known: RoleAttributes | None, *, keep: bool) -> RoleAttributes:
        if known is None:
            return replace(self._sayable(wanted, ()), password=None if keep else wanted.password)
        password = wanted.password or ("NULL" if known.password else None)
        return replace(
            self._sayable(wanted, known.words),
            limit=wanted.limit or ("-1" if known.limit else None),
            password=None if keep else password,
            until=wanted.until or ("'infinity'" if known.until else None),
        )

    def role_of(self, statement: Mapping[str, Any]) -> str | None:
        match = _ROLE_IN_DATABASE.match(statement["sql"])
        return unquoted(match.group(1)) if match else None

    @contextmanager
    def session(self) -> Iterator[Callable[[str], None]]:
        """One statement at a time reaches the server; those in the name of another leave it when one of them fails."""
        with account_session(self._server) as carry_out:

            def carry_out_each(sql: str) -> None:
                said = single_statements(sql)
                try:
                    for statement in said:
                        carry_out(statement)
                except Exception:  # a name may not be one in the server's encoding
                    if len(said) > 1:
                        with suppress(QueryFailed, ConnectionFailed):
                            carry_out("RESET SESSION AUTHORIZATION")
                    raise

            yield carry_out_each

    def clean_up(self, created: Collection[str], document: Mapping[str, Any]) -> list[Step]:
        """A superuser gets nothing by creating a role. Another login gets ADMIN from the bootstrap superuser, who
        alone can take it back."""
        if created and not self._superuser and self._major >= _OPTIONS_SINCE:
            names = ", ".join(identifier(name) for name in sorted(created))
            self.warnings.append(
                f"{self.login} was made administrator of the roles it created, as the server does for a login that is "
                f"no superuser; a superuser can take that back: REVOKE {names} FROM {identifier(self.login)} CASCADE;"
            )
        return []

    def _attributes(self, sql: str, known: Sequence[str]) -> str:
        """Leave out, for a login that may not say them, attributes that are so anyhow."""
        said = None if self._superuser else attributes(sql)
        return sql if said is None else self._sayable(said, known).sql()

    def _sayable(self, said: RoleAttributes, known: Sequence[str]) -> RoleAttributes:
        if self._superuser:
            return said
        words = [word for word in said.words if word not in _UNSAID or (known and word not in known)]
        return replace(said, words=tuple(words))
