# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MySQL: users, roles and grants come back as they were on a second, empty server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from backupdb.accounts.compare import difference
from support.accounts import actions, exported, restored, run_client
from support.mysql_dumps import execute, new_database

pytestmark = [pytest.mark.mysql, pytest.mark.usefixtures("mysql_programs")]

OBJECTS = ("CREATE TABLE t (a INT, b INT)", "CREATE PROCEDURE p() SELECT 1")
MAKE = (
    "CREATE USER 'plain'@'%' IDENTIFIED WITH caching_sha2_password BY 'pw-of-plain' COMMENT 'a person'",
    "CREATE ROLE r_one, r_two",
    "GRANT r_one TO 'plain'@'%' WITH ADMIN OPTION",
    "GRANT r_two TO r_one",
    "SET DEFAULT ROLE r_one TO 'plain'@'%'",
    "CREATE USER 'shut'@'10.%' IDENTIFIED BY 'pw-of-shut' REQUIRE SSL WITH MAX_QUERIES_PER_HOUR 5 "
    "PASSWORD EXPIRE INTERVAL 90 DAY FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 2 ACCOUNT LOCK PASSWORD HISTORY 3",
    "CREATE USER 'by_socket'@'localhost' IDENTIFIED WITH auth_socket",
    "GRANT SELECT ON acc_db.* TO r_two",
    "GRANT BACKUP_ADMIN, PROCESS ON *.* TO 'shut'@'10.%' WITH GRANT OPTION",
    "GRANT UPDATE (a) ON acc_db.t TO r_one",
    "GRANT EXECUTE ON PROCEDURE acc_db.p TO 'shut'@'10.%'",
    "GRANT PROXY ON 'plain'@'%' TO 'shut'@'10.%'",
)
UNMAKE = ("DROP USER IF EXISTS 'plain'@'%', 'shut'@'10.%', 'by_socket'@'localhost'", "DROP ROLE IF EXISTS r_one, r_two")


@pytest.fixture
def source(mysql: Any) -> Iterator[Any]:
    with new_database(mysql, "acc_db") as name:
        execute(mysql, *UNMAKE, *OBJECTS, "INSTALL PLUGIN auth_socket SONAME 'auth_socket.so'", *MAKE, database=name)
        try:
            yield mysql
        finally:
            execute(mysql, *UNMAKE, "UNINSTALL PLUGIN auth_socket")


@pytest.fixture
def other(server_factory: Callable[..., Any]) -> Any:
    """A second, empty server, without the plugin that one of the accounts needs."""
    return server_factory("mysql")


def make_objects(private: Any) -> None:
    execute(private, "CREATE DATABASE acc_db")
    execute(private, *OBJECTS, database="acc_db")


def test_accounts_come_back_as_they_were_and_a_second_run_changes_nothing(source: Any, other: Any) -> None:
    document = exported(source)
    execute(other, "INSTALL PLUGIN auth_socket SONAME 'auth_socket.so'")
    make_objects(other)
    planned = restored(other, document, check_mode=True)
    first = restored(other, document)
    assert (first["status"], first["errors"], first["waiting"]) == ("ok", [], [])
    assert first["statements"] == planned["statements"]
    assert difference(document, exported(other)) == first["difference"] == []
    command = [str(other.client), "--no-defaults", f"--host={other.host}", f"--port={other.port}", "--user=plain"]
    said = run_client(command, "SELECT CURRENT_USER(), CURRENT_ROLE()", password="pw-of-plain")
    assert said == "plain@%\t`r_one`@`%`"
    for options in ({}, {"existing": "update"}, {"existing": "fail"}, {"check_mode": True}):
        again = restored(other, document, **options)
        assert not again["changed"]
        assert again["statements"] == []
        assert set(actions(again).values()) == {"unchanged", "skipped"}


def test_an_account_without_its_plugin_gets_a_message_and_the_others_go_on(source: Any, other: Any) -> None:
    result = restored(other, exported(source))
    assert result["status"] == "partial"
    assert actions(result)["by_socket@localhost"] == "failed"
    assert actions(result)["plain@%"] == actions(result)["r_one@%"] == "created"
    (fault,) = result["errors"]
    assert fault == "by_socket@localhost: the server has no authentication plugin auth_socket: load it"


def test_an_account_that_differs_is_made_as_in_the_backup_with_update(source: Any, other: Any) -> None:
    document = exported(source)
    execute(other, "INSTALL PLUGIN auth_socket SONAME 'auth_socket.so'")
    make_objects(other)
    restored(other, document)
    execute(
        other,
        "ALTER USER 'plain'@'%' IDENTIFIED BY 'another' REQUIRE SSL WITH MAX_USER_CONNECTIONS 2 ACCOUNT LOCK "
        "FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 2",
        "ALTER USER 'shut'@'10.%' REQUIRE NONE WITH MAX_QUERIES_PER_HOUR 0 ACCOUNT UNLOCK",
    )
    result = restored(other, document, existing="update")
    assert (result["status"], result["changed"], result["difference"]) == ("ok", True, [])
    assert not any("pw-of" in text or "0x" in text for text in result["statements"])
    assert difference(document, exported(other)) == []
