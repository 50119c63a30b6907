# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparing accounts by set: what a backup says and what a fresh export says.

Nothing in the statements carries a time or a random word; what differs between equal servers (the bootstrap
superuser's name as a grantor, options that only newer versions write) is taken out before statements are compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..engines.accounts_document import full_name
from ..engines.accounts_interface import AccountRules
from ..engines.registry import engine_of
from .masking import masked

_IN_DATABASE = ("database_grant", "object_grant", "role_in_database_setting")
# Folders and libraries of the other host.
_NEVER_COMPARED = ("tablespace", "loadable_function")


def difference(stored: Mapping[str, Any], fresh: Mapping[str, Any], *, database: str | None = None) -> list[str]:
    """Say in one line each what a fresh export lacks or has too much, hashes masked; empty when both are equal.

    Compared are the accounts of the stored document but for reserved ones, in whatever order; those that only the
    fresh one has belong to that server. With `database`, of the rights on databases only those on it are looked at.
    """
    rules = engine_of(str(stored["vendor"])).ACCOUNTS
    comparison = rules.comparison(stored, fresh)
    there = {key_of(account): account for account in fresh["accounts"]}
    lines: list[str] = []
    for account in stored["accounts"]:
        if account["reserved"]:
            continue
        name = f"{account['kind']} {full_name(account)}"
        other = there.get(key_of(account))
        wanted = [entry for entry in account["statements"] if concerns(entry, database, rules)]
        if other is None:
            lines += [f"{name} is not there"] if wanted else []
            continue
        found = [entry for entry in other["statements"] if concerns(entry, database, rules)]
        lines += [f"{name} lacks: {masked(entry['sql'])}" for entry in comparison.absent(wanted, found)]
        lines += [f"{name} has beside: {masked(entry['sql'])}" for entry in comparison.absent(found, wanted)]
    wanted, found = (list(_of_instance(document, database, rules)) for document in (stored, fresh))
    lines += [f"the instance lacks: {masked(entry['sql'])}" for entry in comparison.absent(wanted, found)]
    lines += [f"the instance has beside: {masked(entry['sql'])}" for entry in comparison.absent(found, wanted)]
    return lines


def key_of(account: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return what tells an account from others."""
    return str(account["name"]), account["host"]


def concerns(statement: Mapping[str, Any], database: str | None, rules: AccountRules) -> bool:
    """Tell whether a statement is about the whole instance or about this database (None: any); a dead one never is."""
    if statement.get("dead"):
        return False
    if database is None or statement["kind"] not in _IN_DATABASE:
        return True
    return statement["database"] == database or (
        statement["kind"] == "database_grant" and rules.covers_database(str(statement["database"]), database)
    )


def _of_instance(document: Mapping[str, Any], database: str | None, rules: AccountRules) -> Iterator[Mapping[str, Any]]:
    for entry in document["instance"]:
        if entry["kind"] not in _NEVER_COMPARED and concerns(entry, database, rules):
            yield entry
