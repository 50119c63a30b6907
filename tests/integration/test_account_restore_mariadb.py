# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB: users, roles and grants come back as they were, on a second, empty server and beside others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from backupdb.accounts.compare import difference
from support.accounts import actions, exported, restored, run_client
from support.mysql_dumps import execute, new_database

ODD = "'o''dd `n\"a\\\\me'@'10.0.0.0/255.0.0.0'"
OBJECTS = (
    "CREATE TABLE `a TO b c` (a INT, b INT)",
    "CREATE PROCEDURE p() SELECT 1",
    "CREATE FUNCTION f() RETURNS INT RETURN 1",
)
MAKE = (
    "CREATE USER 'plain'@'%' IDENTIFIED BY 'pw-of-plain'",
    "CREATE USER 'edward'@'%' IDENTIFIED VIA ed25519 USING PASSWORD('pw-of-edward')",
    "CREATE ROLE r_one",
    "CREATE ROLE r_two",
    "GRANT r_two TO 'plain'@'%' WITH ADMIN OPTION",
    "GRANT SELECT ON `acc\\_db`.* TO r_one",
    "GRANT r_one TO r_two",
    f"CREATE USER {ODD} IDENTIFIED BY 'x\\\\y' REQUIRE X509 WITH MAX_QUERIES_PER_HOUR 5 MAX_USER_CONNECTIONS 3",
    f"ALTER USER {ODD} PASSWORD EXPIRE INTERVAL 90 DAY",
    "CREATE USER ''@'localhost'",
    "CREATE USER 'several'@'%' IDENTIFIED VIA ed25519 USING PASSWORD('a') OR unix_socket "
    "OR mysql_native_password USING PASSWORD('b') REQUIRE SUBJECT '/CN=x' AND ISSUER '/CN=y'",
    "ALTER USER 'several'@'%' ACCOUNT LOCK",
    f"GRANT r_two TO {ODD}",
    f"SET DEFAULT ROLE r_two FOR {ODD}",
    "SET DEFAULT ROLE r_two FOR 'plain'@'%'",
    f"GRANT SELECT, BINLOG MONITOR ON *.* TO {ODD} WITH GRANT OPTION",
    f"GRANT UPDATE (a), SELECT (b) ON `acc_db`.`a TO b c` TO {ODD}",
    f"GRANT EXECUTE ON PROCEDURE acc_db.p TO {ODD}",
    f"GRANT EXECUTE ON FUNCTION acc_db.f TO {ODD}",
    f"GRANT ALL ON `wild%`.* TO {ODD}",
    f"GRANT PROXY ON 'plain'@'%' TO {ODD} WITH GRANT OPTION",
    "GRANT INSERT ON acc_db.* TO PUBLIC",
)
UNMAKE = (
    f"DROP USER IF EXISTS {ODD}, ''@'localhost', 'several'@'%', 'plain'@'%', 'edward'@'%'",
    "DROP ROLE IF EXISTS r_two, r_one",
)


@pytest.fixture
def source(mariadb: Any) -> Iterator[Any]:
    with new_database(mariadb, "acc_db") as name:
        execute(mariadb, *UNMAKE, *OBJECTS, "INSTALL SONAME 'auth_ed25519'", *MAKE, database=name)
        try:
            yield mariadb
        finally:
            execute(mariadb, *UNMAKE, "REVOKE INSERT ON acc_db.* FROM PUBLIC", "UNINSTALL SONAME 'auth_ed25519'")


@pytest.fixture
def other(server_factory: Callable[..., Any]) -> Any:
    """A second, empty server with the plugin that the accounts need."""
    return server_factory("mariadb", settings={"plugin_load_add": "auth_ed25519"})


def make_objects(private: Any) -> None:
    execute(private, "CREATE DATABASE acc_db")
    execute(private, *OBJECTS, database="acc_db")


def logged_in(private: Any, user: str) -> str:
    """Account and role after a login with the password of old, by the client, which knows all plugins."""
    return run_client(
        [str(private.client), "--no-defaults", f"--host={private.host}", f"--port={private.port}", f"--user={user}"],
        "SELECT CURRENT_USER(), CURRENT_ROLE()",
        password=f"pw-of-{user}",
    )


def test_accounts_come_back_as_they_were_and_a_second_run_changes_nothing(source: Any, other: Any) -> None:
    document = exported(source)
    make_objects(other)
    planned = restored(other, document, check_mode=True)
    assert planned["status"] == "planned"
    first = restored(other, document)
    assert (first["status"], first["errors"], first["waiting"]) == ("ok", [], [])
    assert first["statements"] == planned["statements"]
    assert first["changed"]
    assert difference(document, exported(other)) == first["difference"] == []
    assert [logged_in(other, user) for user in ("plain", "edward")] == ["plain@%\tr_two", "edward@%\tNULL"]
    for options in ({}, {"existing": "update"}, {"existing": "fail"}, {"check_mode": True}):
        again = restored(other, document, **options)
        assert not again["changed"]
        assert again["statements"] == []
        assert set(actions(again).values()) == {"unchanged", "skipped"}
