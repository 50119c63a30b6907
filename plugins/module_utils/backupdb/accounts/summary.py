# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What accounts are and may do, in short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engines.accounts_document import full_name
from ..engines.accounts_interface import AccountRules
from ..engines.registry import engine_of
from .choice import covers
from .masking import masked


def summarise(document: Mapping[str, Any], patterns: Sequence[str], *, show_hashes: bool) -> list[dict[str, Any]]:
    """Return one entry for each account that a pattern meets. Hashes of passwords are masked unless asked for."""
    rules = engine_of(str(document["vendor"])).ACCOUNTS
    return [
        _summary(account, rules, show_hashes=show_hashes)
        for account in document["accounts"]
        if covers(patterns, account)
    ]


def _summary(account: Mapping[str, Any], rules: AccountRules, *, show_hashes: bool) -> dict[str, Any]:
    statements: Sequence[Mapping[str, Any]] = account["statements"]

    def of_kind(kind: str) -> list[str]:
        return [str(statement["sql"]) for statement in statements if statement["kind"] == kind]

    on_databases = [entry for entry in statements if entry["kind"] in ("database_grant", "object_grant")]
    return {
        "account": full_name(account),
        "name": account["name"],
        "host": account["host"],
        "kind": account["kind"],
        "reserved": account["reserved"],
        "authentication": rules.authentication(of_kind("identity")),
        "member_of": [role for sql in of_kind("membership") for role in rules.granted_roles(sql)],
        "global_grants": of_kind("global_grant"),
        "databases": sorted({str(entry["database"]) for entry in on_databases}),
        "object_grants": len(of_kind("object_grant")),
        "statements": [entry["sql"] if show_hashes else masked(str(entry["sql"])) for entry in statements],
    }
