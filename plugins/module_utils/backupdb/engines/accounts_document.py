# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document of accounts: every user and role as a list of statements, so that one can be taken out.

It is the same for all engines. A restore replays it in two passes: identities, memberships and grants that need no
object first, grants on objects after the databases are back. That is why each statement says of which kind it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..system.text import iso, utc_now

SCHEMA = 1

# In the order of replay. Every kind of statement is in exactly one section.
SECTIONS: Sequence[tuple[str, Sequence[str]]] = (
    ("Identities, limits and settings", ("identity", "limit", "settings")),
    ("Memberships and default roles", ("membership", "default_role")),
    ("Grants", ("global_grant", "proxy", "database_grant", "object_grant")),
)
INSTANCE_SECTION = "Of the whole instance"
ACCOUNT_KINDS = ("user", "role")


@dataclass(frozen=True)
class Statement:
    """One SQL statement with its semicolon; `database` is the one it needs, None where it needs none.

    A `dead` one grants something on what was not there any more at the source, so that no server would take it.
    """

    kind: str
    sql: str
    database: str | None = None
    dead: bool = False


@dataclass(frozen=True)
class Account:
    """One user or role. `host` is None where accounts have none (PostgreSQL, MariaDB's roles).

    `reserved` marks what a server has by itself (its bootstrap superuser): restored only when it is named.
    """

    name: str
    kind: str
    statements: Sequence[Statement]
    host: str | None = None
    reserved: bool = False


def build(
    *,
    vendor: str,
    server_version: str,
    accounts: Iterable[Account],
    instance: Iterable[Statement] = (),
    missing: Iterable[str] = (),
) -> dict[str, Any]:
    """Return the document, ready for JSON. Raises ValueError for a kind that no section has."""
    known = {kind for _title, kinds in SECTIONS for kind in kinds}
    listed = list(accounts)
    for account in listed:
        unknown = {statement.kind for statement in account.statements} - known
        if unknown or account.kind not in ACCOUNT_KINDS:
            raise ValueError(f"account {account.name!r}: unknown kind {sorted(unknown) or account.kind}")
    return {
        "schema": SCHEMA,
        "vendor": vendor,
        "server_version": server_version,
        "taken_at": iso(utc_now()),
        "accounts": [
            {
                "name": account.name,
                "host": account.host,
                "kind": account.kind,
                "reserved": account.reserved,
                "statements": [_statement(statement) for statement in account.statements],
            }
            for account in listed
        ],
        "instance": [_statement(statement) for statement in instance],
        "missing": list(missing),
    }


def as_sql(document: Mapping[str, Any]) -> str:
    """Write the document as one SQL file: section by section, and in each one block per account."""
    lines = [
        f"-- Accounts of a {document['vendor']} server {document['server_version']}, taken {document['taken_at']}",
        f"-- {len(document['accounts'])} accounts; grants on objects need the databases to be there",
        *[f"-- NOT IN HERE: {_one_line(text)}" for text in document["missing"]],
    ]
    for title, kinds in SECTIONS:
        blocks = [line for account in document["accounts"] for line in _block(account, kinds)]
        if blocks:
            lines += ["", f"-- ==== {title} ====", *blocks]
    if document["instance"]:
        lines += ["", f"-- ==== {INSTANCE_SECTION} ====", ""]
        lines += [statement["sql"] for statement in document["instance"]]
    return "\n".join(lines) + "\n"


def full_name(account: Mapping[str, Any]) -> str:
    """Name an account as people do: app, or app@% where it has a host."""
    return str(account["name"]) if account["host"] is None else f"{account['name']}@{account['host']}"


def _block(account: Mapping[str, Any], kinds: Sequence[str]) -> list[str]:
    # In the order of the kinds; statements of one kind keep the order in which the engine gave them.
    chosen = [statement["sql"] for kind in kinds for statement in account["statements"] if statement["kind"] == kind]
    return ["", f"-- {account['kind']} {_one_line(full_name(account))}", *chosen] if chosen else []


def _statement(statement: Statement) -> dict[str, Any]:
    plain = {"kind": statement.kind, "database": statement.database, "sql": statement.sql}
    return {**plain, "dead": True} if statement.dead else plain


def _one_line(text: str) -> str:
    # A name may hold a line break, after which a comment would no longer be one.
    return text if text.isprintable() else json.dumps(text)[1:-1]
