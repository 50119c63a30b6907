# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the statements of accounts: plugins, roles, and which databases a right is on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..accounts_interface import AccountRules
from ..sql_tokens import NotAllowed
from .accounts_grammar import Subject, check_of_account, check_of_instance
from .grants import UNQUOTED_TEXT, matches_pattern, parse_line

# Accounts that exist while a restore loads (restore/load_login.py), with the time of their making; in no backup.
LOAD_PREFIX = "backupdb_load_"
LOAD_NAME = re.compile(LOAD_PREFIX + r"(?P<made>[0-9a-f]{8})_[0-9a-f]{8}")

_TEXTS = re.compile(r"'(?:[^'\\]|''|\\.)*'|`(?:[^`]|``)*`", re.DOTALL)
_PLUGIN = re.compile(r"\b(?:VIA|OR|WITH)\s+['`]?(?P<plugin>[a-z][a-z0-9_]*)['`]?", re.DOTALL)
_ROLES = re.compile(rf"GRANT (?P<roles>{UNQUOTED_TEXT}) TO ", re.DOTALL)
_ROLE = re.compile(r"(`(?:[^`]|``)*`|[^\s`@,]+)(?:@(`(?:[^`]|``)*`|[^\s`@,]+))?")


class MysqlAccountRules(AccountRules):
    """The statements that SHOW CREATE USER and SHOW GRANTS write."""

    NAMES_HOSTS = True

    def authentication(self, identity: Sequence[str]) -> list[str]:
        return [plugin for sql in identity for plugin in plugins_of(sql)]

    def granted_roles(self, sql: str) -> list[str]:
        match = _ROLES.match(sql)
        pairs = _ROLE.findall(match["roles"]) if match else []
        return ["@".join(part.strip("`") for part in pair if part).replace("``", "`") for pair in pairs]

    def refusal(self, account: Mapping[str, Any], statement: Mapping[str, Any]) -> str | None:
        subject = Subject(str(account["name"]), account["host"])
        try:
            check_of_account(subject, str(statement["kind"]), str(statement["sql"]), statement["database"])
        except NotAllowed as error:
            return str(error)
        return None

    def begins_with_making(self, account: Mapping[str, Any]) -> bool:
        return Subject(str(account["name"]), account["host"]).is_everybody or super().begins_with_making(account)

    def instance_refusal(self, statement: Mapping[str, Any]) -> str | None:
        try:
            check_of_instance(str(statement["kind"]), str(statement["sql"]))
        except NotAllowed as error:
            return str(error)
        return None

    def object_of(self, statement: Mapping[str, Any]) -> str | None:
        if statement["kind"] != "object_grant":
            return None
        entry = parse_line(str(statement["sql"]).rstrip(";"))
        return entry.object if entry is not None and not entry.of_routine else None

    def covers_database(self, granted_on: str, database: str) -> bool:
        """The name may be a pattern with wildcards."""
        return granted_on == database or matches_pattern(granted_on, database)


def plugins_of(created: str) -> list[str]:
    """Return the authentication plugins that a CREATE USER names, in its order."""
    names = _TEXTS.sub(lambda text: text[0] if re.fullmatch(r"'[a-z][a-z0-9_]*'", text[0]) else "''", created)
    identified = names.partition(" IDENTIFIED ")[2]
    identified = re.split(r"\s(?:REQUIRE|PASSWORD EXPIRE|ACCOUNT|WITH MAX_\w+)\b", identified)[0]
    if identified.startswith("BY PASSWORD"):
        return ["mysql_native_password"]
    return [match["plugin"] for match in _PLUGIN.finditer(f" {identified}")]
