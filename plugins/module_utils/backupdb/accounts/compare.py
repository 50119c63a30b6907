# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparing accounts by set: what a backup says and what a fresh export says.

Nothing in the statements carries a time or a random word; what differs between equal servers (the bootstrap
superuser's name as a grantor, options that only newer versions write) is taken out before statements are compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..engines.accounts_document import full_name
from ..engines.mysql.grants import matches_pattern
from ..engines.postgresql.accounts_script import membership, unquoted
from .masking import masked

_PASSWORD = re.compile(r" PASSWORD (?:NULL|'[^']*')")
_FOREVER = " VALID UNTIL 'infinity'"
_OPTIONS_SINCE = 16  # PostgreSQL: memberships have INHERIT and SET of their own
_IN_DATABASE = ("database_grant", "object_grant", "role_in_database_setting")
_NEVER_COMPARED = ("tablespace",)  # a folder of the other host, never made again


class Comparison:
    """How the statements of two documents are made comparable."""

    def __init__(self, stored: Mapping[str, Any], fresh: Mapping[str, Any]) -> None:
        self._postgresql = stored["vendor"] == "postgresql"
        self._superusers = {
            account["name"]
            for document in (stored, fresh)
            for account in document["accounts"]
            if self._postgresql and account["reserved"]
        }
        majors = [int(str(document["server_version"]).split(".", maxsplit=1)[0]) for document in (stored, fresh)]
        self._old_memberships = min(majors) < _OPTIONS_SINCE
        # An export that may not read the hashes says nothing about them.
        self.without_passwords = any(
            text.startswith("passwords of ") for document in (stored, fresh) for text in document["missing"]
        )

    def normal(self, statement: Mapping[str, Any]) -> str:
        """Return the statement as it is compared."""
        sql = str(statement["sql"])
        if not self._postgresql:
            return sql
        if statement["kind"] == "identity":
            sql = sql.replace(_FOREVER, "")
            return _PASSWORD.sub("", sql) if self.without_passwords else sql
        found = membership(sql) if statement["kind"] == "membership" else None
        if found is None:
            return sql
        options = [option for option in found.options if not self._old_memberships or option == "ADMIN OPTION"]
        by_superuser = found.grantor is not None and unquoted(found.grantor) in self._superusers
        return found.sql(options=options, grantor="(the bootstrap superuser)" if by_superuser else found.grantor)

    def absent(self, wanted: Sequence[Mapping[str, Any]], there: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Return those of the wanted statements that are not there."""
        known = {self.normal(statement) for statement in there}
        return [statement for statement in wanted if self.normal(statement) not in known]


def difference(stored: Mapping[str, Any], fresh: Mapping[str, Any], *, database: str | None = None) -> list[str]:
    """Say in one line each what a fresh export lacks or has too much, hashes masked; empty when both are equal.

    Compared are the accounts of the stored document but for reserved ones, in whatever order; those that only the
    fresh one has belong to that server. With `database`, of the rights on databases only those on it are looked at.
    """
    comparison = Comparison(stored, fresh)
    there = {key_of(account): account for account in fresh["accounts"]}
    lines: list[str] = []
    for account in stored["accounts"]:
        if account["reserved"]:
            continue
        name = f"{account['kind']} {full_name(account)}"
        other = there.get(key_of(account))
        wanted = [entry for entry in account["statements"] if concerns(entry, database)]
        if other is None:
            lines += [f"{name} is not there"] if wanted else []
            continue
        found = [entry for entry in other["statements"] if concerns(entry, database)]
        lines += [f"{name} lacks: {masked(entry['sql'])}" for entry in comparison.absent(wanted, found)]
        lines += [f"{name} has beside: {masked(entry['sql'])}" for entry in comparison.absent(found, wanted)]
    wanted, found = (list(_of_instance(document, database)) for document in (stored, fresh))
    lines += [f"the instance lacks: {entry['sql']}" for entry in comparison.absent(wanted, found)]
    lines += [f"the instance has beside: {entry['sql']}" for entry in comparison.absent(found, wanted)]
    return lines


def key_of(account: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return what tells an account from others."""
    return str(account["name"]), account["host"]


def concerns(statement: Mapping[str, Any], database: str | None) -> bool:
    """Tell whether a statement is about the whole instance or about this database (None: any)."""
    if database is None or statement["kind"] not in _IN_DATABASE:
        return True
    return statement["database"] == database or (
        statement["kind"] == "database_grant" and matches_pattern(str(statement["database"]), database)
    )


def _of_instance(document: Mapping[str, Any], database: str | None) -> Iterator[Mapping[str, Any]]:
    for entry in document["instance"]:
        if entry["kind"] not in _NEVER_COMPARED and concerns(entry, database):
            yield entry
