# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What accounts are and may do, in short."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..engines.accounts_document import full_name
from ..engines.mysql.accounts_restore import plugins_of
from ..engines.mysql.grants import UNQUOTED_TEXT
from ..engines.postgresql.accounts_script import membership, unquoted
from .choice import covers
from .masking import masked

_ROLES = re.compile(rf"GRANT (?P<roles>{UNQUOTED_TEXT}) TO ", re.DOTALL)
_ROLE = re.compile(r"(`(?:[^`]|``)*`|[^\s`@,]+)(?:@(`(?:[^`]|``)*`|[^\s`@,]+))?")
_POSTGRESQL_PASSWORD = re.compile(r" PASSWORD '(?P<scheme>SCRAM-SHA-256|md5)")


def summarise(document: Mapping[str, Any], patterns: Sequence[str], *, show_hashes: bool) -> list[dict[str, Any]]:
    """Return one entry for each account that a pattern meets. Hashes of passwords are masked unless asked for."""
    return [
        _summary(account, document["vendor"], show_hashes=show_hashes)
        for account in document["accounts"]
        if covers(patterns, account)
    ]


def _summary(account: Mapping[str, Any], vendor: str, *, show_hashes: bool) -> dict[str, Any]:
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
        "authentication": _authentication(of_kind("identity"), vendor),
        "member_of": [role for sql in of_kind("membership") for role in _granted_roles(sql, vendor)],
        "global_grants": of_kind("global_grant"),
        "databases": sorted({str(entry["database"]) for entry in on_databases}),
        "object_grants": len(of_kind("object_grant")),
        "statements": [entry["sql"] if show_hashes else masked(str(entry["sql"])) for entry in statements],
    }


def _authentication(identity: Sequence[str], vendor: str) -> list[str]:
    if vendor != "postgresql":
        return [plugin for sql in identity for plugin in plugins_of(sql)]
    found = [match for match in map(_POSTGRESQL_PASSWORD.search, identity) if match]
    return [match["scheme"].lower() for match in found]


def _granted_roles(sql: str, vendor: str) -> list[str]:
    if vendor == "postgresql":
        given = membership(sql)
        return [unquoted(given.role)] if given else []
    match = _ROLES.match(sql)
    pairs = _ROLE.findall(match["roles"]) if match else []
    return ["@".join(part.strip("`") for part in pair if part).replace("``", "`") for pair in pairs]
