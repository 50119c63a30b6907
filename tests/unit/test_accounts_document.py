# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document of accounts and the SQL file made of it."""

from __future__ import annotations

import json

import pytest
from backupdb.engines.accounts_document import Account, Statement, as_sql, build, full_name
from backupdb.system.text import parse_iso

ACCOUNTS = [
    Account(
        "app",
        "user",
        [
            Statement("database_grant", "GRANT SELECT ON shop.* TO app;", "shop"),
            Statement("membership", "GRANT readers TO app;"),
            Statement("settings", "ALTER USER app SET x = 1;"),
            Statement("identity", "CREATE USER app;"),
        ],
        host="%",
    ),
    Account("readers", "role", [Statement("identity", "CREATE ROLE readers;")]),
]


def test_the_document_is_json_with_a_list_of_statements_per_account() -> None:
    document = build(
        vendor="mariadb",
        server_version="10.11.19",
        accounts=ACCOUNTS,
        instance=[Statement("tablespace", "CREATE TABLESPACE t;")],
        missing=["passwords"],
    )
    assert json.loads(json.dumps(document)) == document
    assert parse_iso(document.pop("taken_at"))
    assert document["accounts"][1] == {
        "name": "readers",
        "host": None,
        "kind": "role",
        "reserved": False,
        "statements": [{"kind": "identity", "database": None, "sql": "CREATE ROLE readers;"}],
    }
    assert document["accounts"][0]["statements"][0]["database"] == "shop"
    assert {key: document[key] for key in ("schema", "vendor", "server_version", "instance", "missing")} == {
        "schema": 1,
        "vendor": "mariadb",
        "server_version": "10.11.19",
        "instance": [{"kind": "tablespace", "database": None, "sql": "CREATE TABLESPACE t;"}],
        "missing": ["passwords"],
    }


def test_the_sql_file_has_all_identities_before_memberships_before_grants() -> None:
    instance = [Statement("tablespace", "CREATE TABLESPACE t;")]
    sql = as_sql(build(vendor="v", server_version="1", accounts=ACCOUNTS, instance=instance))
    statements = [line for line in sql.splitlines() if line.endswith(";")]
    assert statements == [
        "CREATE USER app;",
        "ALTER USER app SET x = 1;",
        "CREATE ROLE readers;",
        "GRANT readers TO app;",
        "GRANT SELECT ON shop.* TO app;",
        "CREATE TABLESPACE t;",
    ]
    assert "-- user app@%" in sql
    assert "-- role readers\n" in sql


def test_a_name_with_a_line_break_stays_inside_its_comment() -> None:
    evil = "x\nDROP DATABASE shop; --"
    accounts = [Account(evil, "role", [Statement("identity", "CREATE ROLE y;")])]
    sql = as_sql(build(vendor="v", server_version="1", accounts=accounts, missing=["a\nDROP TABLE t;"]))
    assert not any(line.startswith("DROP") for line in sql.splitlines())
    assert "x\\nDROP DATABASE shop; --" in sql


def test_what_is_missing_is_said_at_the_top() -> None:
    sql = as_sql(build(vendor="v", server_version="1", accounts=[], missing=["passwords of 3 roles"]))
    assert "-- NOT IN HERE: passwords of 3 roles" in sql.splitlines()[:4]


def test_a_kind_that_no_section_has_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown kind"):
        build(vendor="v", server_version="1", accounts=[Account("a", "user", [Statement("odd", "X;")])])
    with pytest.raises(ValueError, match="unknown kind"):
        build(vendor="v", server_version="1", accounts=[Account("a", "group", [])])


def test_full_names_have_the_host_where_there_is_one() -> None:
    assert full_name({"name": "app", "host": "%"}) == "app@%"
    assert full_name({"name": "app", "host": None}) == "app"
