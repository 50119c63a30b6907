# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB: users, roles and grants come back as they were, on a second, empty server and beside others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from backupdb.accounts.compare import difference
from backupdb.errors import RestoreRefused
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


def test_an_account_without_its_plugin_gets_a_message_and_the_others_go_on(
    source: Any, server_factory: Callable[..., Any]
) -> None:
    plain = server_factory("mariadb")
    document = exported(source)
    planned = restored(plain, document, check_mode=True)
    result = restored(plain, document)
    advice = "the server has no authentication plugin ed25519: INSTALL SONAME 'auth_ed25519';"
    assert result["errors"] == planned["errors"] == [f"edward@%: {advice}", f"several@%: {advice}"]
    assert result["status"] == planned["status"] == "partial"
    assert actions(result)["edward@%"] == "failed"
    assert actions(result)["plain@%"] == actions(result)["r_one"] == "created"
    execute(plain, "INSTALL SONAME 'auth_ed25519'")
    assert restored(plain, document)["status"] == "ok"
    assert logged_in(plain, "edward") == "edward@%\tNULL"


def test_rights_on_objects_wait_for_them_and_come_with_a_second_pass(source: Any, other: Any) -> None:
    document = exported(source)
    first = restored(other, document)
    assert first["status"] == "ok"
    assert len(first["waiting"]) == 3
    assert all(text.endswith(" -- needs database 'acc_db'") for text in first["waiting"])
    assert len([line for line in difference(document, exported(other)) if " lacks: " in line]) == 3
    execute(other, "CREATE DATABASE acc_db")
    execute(other, OBJECTS[0], database="acc_db")
    second = restored(other, document, object_grants_for={"acc_db"})
    assert [text.partition(" -- ")[2] for text in second["waiting"]] == [
        "needs 'p' in database 'acc_db'",
        "needs 'f' in database 'acc_db'",
    ]
    assert (second["changed"], len(second["statements"])) == (True, 1)
    execute(other, *OBJECTS[1:], database="acc_db")
    third = restored(other, document, object_grants_for={"acc_db"}, check_mode=True)
    assert (third["changed"], len(third["statements"]), third["waiting"]) == (True, 2, [])
    restored(other, document, object_grants_for={"acc_db"})
    assert difference(document, exported(other)) == []
    assert not restored(other, document, object_grants_for={"acc_db"})["changed"]


def test_for_one_database_only_global_rights_and_those_on_it_are_restored(source: Any, other: Any) -> None:
    document = exported(source)
    restored(other, document, databases={"elsewhere"})
    fresh = exported(other)
    assert difference(document, fresh, database="elsewhere") == []
    lacking = difference(document, fresh)
    assert "role PUBLIC is not there" in lacking  # it has nothing but a right on the other database
    assert all(" lacks: " in line and ("`acc" in line or "`wild%`" in line) for line in lacking if "PUBLIC" not in line)


def test_an_account_that_differs_is_made_as_in_the_backup_with_update(source: Any, other: Any) -> None:
    document = exported(source)
    make_objects(other)
    restored(other, document)
    execute(
        other,
        "ALTER USER 'plain'@'%' IDENTIFIED BY 'another' REQUIRE SSL WITH MAX_USER_CONNECTIONS 2 ACCOUNT LOCK",
        "ALTER USER 'several'@'%' IDENTIFIED BY 'another' REQUIRE NONE ACCOUNT UNLOCK",
        f"ALTER USER {ODD} REQUIRE NONE WITH MAX_QUERIES_PER_HOUR 0 MAX_STATEMENT_TIME 3 PASSWORD EXPIRE NEVER",
        f"REVOKE SELECT ON *.* FROM {ODD}",
    )
    with pytest.raises(RestoreRefused, match="3 accounts are there already and differ"):
        restored(other, document, existing="fail")
    result = restored(other, document, existing="update")
    assert (result["status"], result["changed"], result["errors"]) == ("ok", True, [])
    assert not any("*" in text.replace("********", "").replace("*.*", "") for text in result["statements"])
    assert difference(document, exported(other)) == []
    assert logged_in(other, "plain") == "plain@%\tr_two"
    assert not restored(other, document, existing="update")["changed"]


def test_creating_a_role_leaves_no_administrator_that_the_backup_has_not(source: Any, other: Any) -> None:
    document = exported(source)
    restored(other, document, patterns=["r_two", "plain"])
    mine = execute(other, "SELECT Role FROM mysql.roles_mapping WHERE User = 'root'")
    # root@localhost made the roles on both servers; the backup says so, and so it is.
    assert mine == [("r_two",)]
    execute(other, "DROP USER 'plain'@'%'", "DROP ROLE r_two")
    execute(other, "CREATE USER boss@'%' IDENTIFIED BY 'pw'", "GRANT ALL ON *.* TO boss@'%' WITH GRANT OPTION")
    login = {"user": "boss", "password": "pw"}
    restored(other, document, patterns=["r_two", "plain"], **login)
    assert execute(other, "SELECT User FROM mysql.roles_mapping WHERE Role = 'r_two' ORDER BY 1") == [("plain",)]
    result = restored(other, document, patterns=["r_one"], **login)
    assert any("boss@% stays administrator of role r_one" in line for line in result["warnings"])


def test_roots_and_the_login_are_left_alone_and_faults_hold_no_hash(source: Any, other: Any) -> None:
    document = exported(source)
    found = {entry["account"]: entry for entry in restored(other, document, existing="update")["accounts"]}
    skipped = {name for name, entry in found.items() if entry["action"] == "skipped"}
    assert skipped == {name for name in found if name.startswith("root@")}
    assert {"root@127.0.0.1", "root@localhost"} <= skipped
    for account in document["accounts"]:
        if account["name"] == "plain":
            identity = account["statements"][0]
            identity["sql"] = identity["sql"].replace("BY PASSWORD '*", "BY PASSWORD '*cut off")
    execute(other, "DROP USER 'plain'@'%'")
    result = restored(other, document, patterns=["plain", "several"])
    assert result["status"] == "failed"
    (fault,) = result["errors"]
    assert "plain@%: CREATE USER" in fault
    assert "[1372]" in fault  # the server's words on the hash
    assert "*" not in fault.replace("********", "")


def test_what_the_login_may_not_give_is_named_and_the_rest_is_restored(source: Any, other: Any) -> None:
    document = exported(source)
    execute(other, "CREATE USER boss@'%' IDENTIFIED BY 'pw'", "GRANT ALL ON *.* TO boss@'%' WITH GRANT OPTION")
    result = restored(other, document, patterns=["r_*", "plain", "o'dd*"], user="boss", password="pw")
    assert result["status"] == "partial"
    (fault,) = result["errors"]
    assert "GRANT PROXY ON `plain`@`%` TO" in fault
    assert fault.endswith("the login may not do this: [1698] Access denied for user 'boss'@'localhost'")
    assert set(actions(result).values()) == {"created"}
