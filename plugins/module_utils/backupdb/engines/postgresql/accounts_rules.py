# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How PostgreSQL's statements about roles are read and compared."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..accounts_interface import AccountComparison, AccountRules
from ..sql_tokens import NotAllowed
from .accounts_grammar import attributes, check_of_instance, check_of_role
from .accounts_script import membership, unquoted

_PASSWORD_SCHEME = re.compile(r" PASSWORD '(?P<scheme>SCRAM-SHA-256|md5)")
_FOREVER = "'infinity'"
_OPTIONS_SINCE = 16  # memberships have INHERIT and SET of their own


class PostgresqlAccountRules(AccountRules):
    """Roles as pg_dumpall writes them."""

    def comparison(self, stored: Mapping[str, Any], fresh: Mapping[str, Any]) -> AccountComparison:
        return _Comparison(stored, fresh)

    def authentication(self, identity: Sequence[str]) -> list[str]:
        found = [match for match in map(_PASSWORD_SCHEME.search, identity) if match]
        return [match["scheme"].lower() for match in found]

    def granted_roles(self, sql: str) -> list[str]:
        given = membership(sql)
        return [unquoted(given.role)] if given else []

    def refusal(self, account: Mapping[str, Any], statement: Mapping[str, Any]) -> str | None:
        if account["host"] is not None:
            return "roles have no host"
        if statement["database"] is not None:
            return "an export writes no rights on databases there"
        try:
            check_of_role(str(account["name"]), str(statement["kind"]), str(statement["sql"]))
        except NotAllowed as error:
            return str(error)
        return None

    def instance_refusal(self, statement: Mapping[str, Any]) -> str | None:
        try:
            check_of_instance(str(statement["kind"]), str(statement["sql"]), statement["database"])
        except NotAllowed as error:
            return str(error)
        return None


class _Comparison(AccountComparison):
    """Takes out what differs between equal servers: the bootstrap superuser's name, words that newer versions write."""

    def __init__(self, stored: Mapping[str, Any], fresh: Mapping[str, Any]) -> None:
        super().__init__(stored, fresh)
        documents = (stored, fresh)
        self._superusers = {
            account["name"] for document in documents for account in document["accounts"] if account["reserved"]
        }
        majors = [int(str(document["server_version"]).split(".", maxsplit=1)[0]) for document in documents]
        self._old_memberships = min(majors) < _OPTIONS_SINCE

    def normal(self, statement: Mapping[str, Any]) -> str:
        sql = str(statement["sql"])
        if statement["kind"] == "identity":
            said = attributes(sql)
            if said is None:
                return sql
            until = None if said.until == _FOREVER else said.until
            return replace(said, until=until, password=None if self.without_passwords else said.password).sql()
        found = membership(sql) if statement["kind"] == "membership" else None
        if found is None:
            return sql
        options = [option for option in found.options if not self._old_memberships or option == "ADMIN OPTION"]
        by_superuser = found.grantor is not None and unquoted(found.grantor) in self._superusers
        return found.sql(options=options, grantor="(the bootstrap superuser)" if by_superuser else found.grantor)
