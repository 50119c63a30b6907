# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a stored document of accounts has the form that `accounts_document.build` gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .accounts_document import ACCOUNT_KINDS

_DOCUMENT: Mapping[str, type] = {
    **{"vendor": str, "server_version": str},
    **{"accounts": list, "instance": list, "missing": list},
}


def check_form(document: Mapping[str, Any]) -> None:
    """Raise ValueError, which says what is wrong, for a document on whose values later code cannot rely."""
    for key, kind in _DOCUMENT.items():
        if not isinstance(document.get(key), kind):
            raise ValueError(f"{key} is missing or not a {kind.__name__}")
    if not all(isinstance(text, str) for text in document["missing"]):
        raise ValueError("missing holds what is no text")
    for statement in document["instance"]:
        _check_statement(statement)
    for account in document["accounts"]:
        _check_account(account)


def _check_account(account: Any) -> None:
    if not isinstance(account, Mapping) or not isinstance(account.get("name"), str):
        raise ValueError("an account has no name")
    if account.get("kind") not in ACCOUNT_KINDS or not isinstance(account.get("reserved"), bool):
        raise ValueError(f"account {account['name'][:80]!r} is of no known kind")
    if "host" not in account or not isinstance(account["host"], (str, type(None))):
        raise ValueError(f"account {account['name'][:80]!r} has no host")
    if not isinstance(account.get("statements"), list):
        raise ValueError(f"account {account['name'][:80]!r} has no statements")
    for statement in account["statements"]:
        _check_statement(statement)


def _check_statement(statement: Any) -> None:
    if not isinstance(statement, Mapping) or not all(isinstance(statement.get(key), str) for key in ("kind", "sql")):
        raise ValueError("a statement is no text with its kind")
    if not isinstance(statement.get("database"), (str, type(None))) or "database" not in statement:
        raise ValueError("a statement does not say which database it needs")
