# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB and MySQL: a forged document of accounts does nothing but make the accounts that it was asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.accounts import actions, exported, restored
from support.mysql_dumps import execute, new_database

MAKE = (
    "CREATE USER 'f_good'@'%' IDENTIFIED BY 'pw-of-good'",
    "GRANT SELECT ON *.* TO 'f_good'@'%'",
    "CREATE USER 'f_x'@'%' IDENTIFIED BY 'pw-of-x'",
    "CREATE ROLE f_role",
)
UNMAKE = ("DROP USER IF EXISTS 'f_good'@'%', 'f_x'@'%'", "DROP ROLE IF EXISTS f_role")
# Kind and statement; in the block of f_x@%.
FORGED = (
    ("identity", "ALTER USER `f_other`@`%` IDENTIFIED BY 'x';"),
    ("identity", "ALTER USER `f_x`@`%`, `f_other`@`%` ACCOUNT LOCK;"),
    ("identity", "ALTER USER `f_x`@`%` ACCOUNT UNLOCK; DROP DATABASE f_victim;"),
    ("identity", "ALTER USER `f_x`@`%` /*!50003 , `f_other`@`%` */ ACCOUNT LOCK;"),
    ("identity", "ALTER USER `f_x`@`%` -- ;\n, `f_other`@`%` ACCOUNT LOCK;"),
    ("identity", "CREATE USER `f_new`@`%`;"),
    ("identity", "DROP USER `f_other`@`%`;"),
    ("default_role", "SET DEFAULT ROLE NONE FOR `f_other`@`%`;"),
    ("membership", "GRANT `f_role` TO `f_other`@`%`;"),
    ("global_grant", "GRANT ALL PRIVILEGES ON *.* TO `f_other`@`%`;"),
    ("global_grant", "SET GLOBAL max_connections = 77;"),
    ("global_grant", "DROP DATABASE f_victim;"),
    ("global_grant", "SELECT 'x' INTO OUTFILE '{folder}/forged';"),
    ("proxy", "GRANT PROXY ON `f_x`@`%` TO `f_other`@`%`;"),
    ("database_grant", "CREATE FUNCTION f_victim.forged() RETURNS INT RETURN 1;"),
    ("database_grant", "GRANT ALL PRIVILEGES ON *.* TO `f_x`@`%`;"),
    ("limit", "INSERT INTO mysql.global_priv SELECT 1;"),
)
STATE = (
    "SHOW GRANTS FOR f_other@'%'",
    "SHOW CREATE USER f_other@'%'",
    "SELECT user, host FROM mysql.user WHERE user NOT IN ('f_good', 'f_role') ORDER BY 1, 2",
    "SELECT @@GLOBAL.max_connections",
    "SELECT schema_name FROM information_schema.schemata ORDER BY 1",
    "SELECT COUNT(*) FROM information_schema.routines",
)


@pytest.fixture(params=["mariadb", pytest.param("mysql", marks=[pytest.mark.mysql])])
def source(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "mysql":
        request.getfixturevalue("mysql_programs")
    server = request.getfixturevalue(request.param)
    execute(server, *UNMAKE, *MAKE)
    try:
        yield server
    finally:
        execute(server, *UNMAKE)


@pytest.fixture
def other(source: Any, server_factory: Callable[..., Any]) -> Any:
    server = server_factory(type(source).__name__.removeprefix("Private").lower())
    execute(server, "CREATE USER 'f_other'@'%' IDENTIFIED BY 'pw-of-other'")
    return server


def forge(document: dict[str, Any], kind: str, sql: str) -> dict[str, Any]:
    database = "f_victim" if kind == "database_grant" else None
    accounts = [dict(account) for account in document["accounts"]]
    for account in accounts:
        if account["name"] == "f_x":
            account["statements"] = [*account["statements"], {"kind": kind, "database": database, "sql": sql}]
    return {**document, "accounts": accounts}


def state(server: Any) -> list[Any]:
    return [execute(server, statement) for statement in STATE]


def test_a_forged_block_runs_nothing_and_the_other_accounts_come_back(source: Any, other: Any) -> None:
    document = exported(source)
    hashes = re.findall(r"\*[0-9A-F]{40}|0x[0-9A-F]{20,}", str(document))
    assert hashes
    with new_database(other, "f_victim"):
        before = state(other)
        for kind, sql in FORGED:
            forged = forge(document, kind, sql.format(folder=other.folder))
            for options in ({"check_mode": True}, {"patterns": ["f_x"]}, {}):
                result = restored(other, forged, **options)
                assert actions(result)["f_x@%"] == "failed", sql
                (fault,) = result["errors"]
                assert fault.startswith("f_x@%: its block was refused, and nothing of it was carried out: ")
                assert sql.split()[0] in fault
                assert not any(secret in fault for secret in hashes)
            good = {name: action for name, action in actions(result).items() if name.startswith(("f_good", "f_role"))}
            assert (len(good), set(good.values())) == (2, {"created"}), sql
            assert state(other) == before, sql
            assert not (other.folder / "forged").exists(), sql
            execute(other, *UNMAKE)


def test_a_forged_block_changes_no_account_that_is_there(source: Any, other: Any) -> None:
    document = exported(source)
    restored(other, document)
    before = state(other)
    for kind, sql in (FORGED[1], FORGED[2], FORGED[9]):
        result = restored(other, forge(document, kind, sql), existing="update", patterns=["f_*"])
        assert actions(result)["f_x@%"] == "failed"
        assert not result["changed"]
    assert state(other) == before


def test_another_spelling_of_an_account_that_is_there_changes_nothing(source: Any, other: Any) -> None:
    document = exported(source)
    before = state(other)
    rights = "GRANT ALL PRIVILEGES ON *.* TO {};"
    for name, host, statements in (
        ("f_other", None, [("global_grant", rights.format("`f_other`"))]),
        ("f_other", None, [("identity", "ALTER USER `f_other` ACCOUNT LOCK;")]),
        ("f_other ", "%", [("identity", "CREATE USER `f_other `@`%`;")]),
        ("root", "LOCALHOST", [("identity", "ALTER USER `root`@`LOCALHOST` ACCOUNT LOCK;")]),
        ("root", "LOCALHOST", [("identity", "CREATE USER `root`@`LOCALHOST` ACCOUNT LOCK;")]),
    ):
        account = {
            **{"name": name, "host": host, "kind": "user", "reserved": False},
            "statements": [{"kind": kind, "database": None, "sql": sql} for kind, sql in statements],
        }
        result = restored(other, {**document, "accounts": [account]})
        assert set(actions(result).values()) == {"failed"}, statements
        assert not result["changed"]
    execute(other, "FLUSH PRIVILEGES")
    assert state(other) == before


def test_forged_statements_of_the_instance_are_not_run(source: Any, other: Any) -> None:
    document = exported(source)
    with new_database(other, "f_victim"):
        before = state(other)
        for kind, sql in (
            ("foreign_server", "DROP DATABASE f_victim;"),
            (
                "foreign_server",
                "CREATE SERVER `s` FOREIGN DATA WRAPPER `mysql` OPTIONS (PORT 1); DROP DATABASE f_victim;",
            ),
            ("loadable_function", "CREATE FUNCTION f_victim.forged() RETURNS INT RETURN 1;"),
            ("spatial_reference_system", "SET GLOBAL max_connections = 77;"),
            ("global_grant", "GRANT ALL PRIVILEGES ON *.* TO `f_other`@`%`;"),
        ):
            result = restored(other, {**document, "instance": [{"kind": kind, "database": None, "sql": sql}]})
            assert result["status"] == "partial"
            (fault,) = result["errors"]
            assert fault.startswith("the instance: this is not carried out: ")
            execute(other, *UNMAKE)
            assert state(other)[2:] == [[entry for entry in row if entry[0] != "f_x"] for row in before[2:]]
