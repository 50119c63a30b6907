# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB: users, roles and grants come back as they were; logins of every kind can take a backup."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from backupdb.errors import ConnectionFailed
from support.mysql_dumps import Opened, dump, execute, new_account, new_database, opened, quoted

ODD = "'o''dd `n\"a\\\\me'@'10.0.0.0/255.0.0.0'"
MAKE = (
    "CREATE ROLE r_one",
    "CREATE ROLE r_two",
    "GRANT r_two TO 'plain'@'localhost' WITH ADMIN OPTION",
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
    f"GRANT SELECT, BINLOG MONITOR ON *.* TO {ODD} WITH GRANT OPTION",
    f"GRANT UPDATE (a), SELECT (b) ON `acc_db`.`a TO b c` TO {ODD}",
    f"GRANT EXECUTE ON PROCEDURE acc_db.p TO {ODD}",
    f"GRANT EXECUTE ON FUNCTION acc_db.f TO {ODD}",
    f"GRANT ALL ON `wild%`.* TO {ODD}",
    f"GRANT PROXY ON 'plain'@'localhost' TO {ODD} WITH GRANT OPTION",
    "GRANT INSERT ON acc_db.* TO PUBLIC",
)
UNMAKE = (
    f"DROP USER IF EXISTS {ODD}, ''@'localhost', 'several'@'%', 'plain'@'localhost'",
    "DROP ROLE IF EXISTS r_two, r_one",
)
ORDER = ("identity", "membership", "default_role", "global_grant", "proxy", "database_grant", "object_grant")


@pytest.fixture
def made(mariadb: Any) -> Iterator[None]:
    with new_database(mariadb, "acc_db") as name:
        execute(
            mariadb,
            *UNMAKE,
            "CREATE TABLE `a TO b c` (a INT, b INT)",
            "CREATE PROCEDURE p() SELECT 1",
            "CREATE FUNCTION f() RETURNS INT RETURN 1",
            "INSTALL SONAME 'auth_ed25519'",
            "CREATE USER 'plain'@'localhost' IDENTIFIED BY 'pw'",
            *MAKE,
            database=name,
        )
        try:
            yield
        finally:
            execute(mariadb, *UNMAKE, "REVOKE INSERT ON acc_db.* FROM PUBLIC", "UNINSTALL SONAME 'auth_ed25519'")


def replay(mariadb: Any, accounts: list[Any], kinds: tuple[str, ...] = ORDER) -> None:
    for kind in kinds:
        for account in accounts:
            execute(mariadb, *[said["sql"] for said in account["statements"] if said["kind"] == kind])


def as_set(document: Any) -> set[tuple[str, str]]:
    # The restorer becomes an administrator of the roles that it makes.
    return {
        (f"{account['name']}@{account['host']}", said["sql"])
        for account in document["accounts"]
        for said in account["statements"]
        if account["name"] != "root"
    }


def test_accounts_are_exported_and_come_back_the_same(mariadb: Any, where: Opened, made: None) -> None:
    first = where.engine.export_accounts(where.client())
    assert list(first.missing) == []
    mine = [one for one in first.document["accounts"] if not one["reserved"]]
    kinds = {(one["name"], one["kind"]) for one in mine}
    assert {("r_one", "role"), ("r_two", "role"), ("", "user"), ("several", "user"), ("PUBLIC", "role")} <= kinds
    assert "mariadb.sys" not in {one["name"] for one in first.document["accounts"]}
    execute(mariadb, *UNMAKE)
    replay(mariadb, mine)
    second = where.engine.export_accounts(where.client())
    assert as_set(second.document) == as_set(first.document)


def test_each_statement_says_which_database_it_needs(where: Opened, made: None) -> None:
    document = where.engine.export_accounts(where.client()).document
    found = {(said["kind"], said["database"]) for one in document["accounts"] for said in one["statements"]}
    assert {("database_grant", "acc_db"), ("object_grant", "acc_db"), ("database_grant", "wild%")} <= found
    assert {kind for kind, _item in found} == set(ORDER)
    assert all(database is None for kind, database in found if kind not in ("database_grant", "object_grant"))


def test_hashes_and_limits_are_said_once(where: Opened, made: None) -> None:
    exported = where.engine.export_accounts(where.client())
    grants = [
        said["sql"]
        for account in exported.document["accounts"]
        for said in account["statements"]
        if said["kind"] != "identity"
    ]
    assert not any("IDENTIFIED" in sql or "REQUIRE" in sql or "MAX_" in sql for sql in grants)
    assert any(sql.endswith("WITH GRANT OPTION;") for sql in grants)
    assert "ACCOUNT LOCK" in exported.sql
    assert "PASSWORD EXPIRE INTERVAL 90 DAY" in exported.sql


def test_a_login_that_cannot_read_accounts_gets_no_error_text_as_a_backup(mariadb: Any, made: None) -> None:
    rights = "GRANT SELECT ON acc_db.* TO {account}"
    with new_account(mariadb, "poor", rights) as name, opened(mariadb, user=name, password="pw") as here:
        exported = here.engine.export_accounts(here.client())
    assert exported.document["accounts"] == []
    assert [line.partition(":")[0] for line in exported.missing] == [
        "all accounts",
        "servers (CREATE SERVER)",
        "loadable functions",
    ]
    assert "GRANT SELECT ON `mysql`.* TO 'poor'@'%'" in exported.missing[0]


@pytest.mark.parametrize(
    "password",
    [
        "plain",
        "with space ",
        "qu'ote\"s",
        "back\\slash\\n",
        "#hash;semi",
        "new\nline\ttab\rreturn",
        "=equals]",
        "ünïcödé🐬",
        "x" * 70,
        "%d $(x) `y`",
        "'",
        '"',
        "\\",
    ],
)
def test_the_client_logs_in_with_any_password(mariadb: Any, password: str) -> None:
    with (
        new_account(mariadb, "login", "GRANT ALL ON *.* TO {account}") as name,
        new_database(mariadb, "pw_db") as database,
    ):
        connection = mariadb.connect()
        with connection.cursor() as cursor:
            cursor.execute("SET PASSWORD FOR 'login'@'%%' = PASSWORD(%s)", (password,))
        connection.close()
        with opened(mariadb, user=name, password=password) as here:
            done = dump(here, database)
        assert not any(password in word for command in done.commands.values() for word in command)


@pytest.mark.parametrize("name", ["a b", "quo'te", 'dou"ble', "back\\slash", "#hash", "ünï", "semi;colon"])
def test_the_client_logs_in_as_any_user(mariadb: Any, name: str) -> None:
    account = f"{quoted(name)}@`%`"
    execute(mariadb, f"CREATE OR REPLACE USER {account} IDENTIFIED BY 'pw'", f"GRANT ALL ON *.* TO {account}")
    try:
        with (
            opened(mariadb, user=name, password="pw") as here,
            new_database(mariadb, "user_db") as database,
        ):
            assert here.missing([database]) == []
            assert dump(here, database, row_counts=True).details.position["taken"] == "global read lock"
    finally:
        execute(mariadb, f"DROP USER {account}")


def test_a_grant_for_an_odd_user_can_be_run_as_it_is(mariadb: Any) -> None:
    name = 'o\'dd \\ "user" @ x'
    account = f"{quoted(name)}@`%`"
    execute(mariadb, f"CREATE OR REPLACE USER {account} IDENTIFIED BY 'pw'", f"GRANT SELECT ON *.* TO {account}")
    try:
        with (
            opened(mariadb, user=name, password="pw") as here,
            new_database(mariadb, "user_db") as database,
        ):
            execute(mariadb, *[one.grant for one in here.missing([database])])
        with (
            opened(mariadb, user=name, password="pw") as here,
            new_database(mariadb, "user_db") as database,
        ):
            assert here.missing([database]) == []
    finally:
        execute(mariadb, f"DROP USER {account}")


def test_a_login_over_the_socket_and_one_by_unix_socket_without_a_password_work(mariadb: Any) -> None:
    with new_database(mariadb, "socket_db") as database:
        with opened(mariadb, unix_socket=str(mariadb.socket)) as here:
            assert b"Dump completed" in dump(here, database).parts["data"]
        execute(
            mariadb,
            "ALTER USER 'root'@'localhost' IDENTIFIED VIA unix_socket OR mysql_native_password USING "
            f"PASSWORD('{mariadb.password}')",
        )
        with opened(mariadb, unix_socket=str(mariadb.socket), password=None) as here:
            assert b"Dump completed" in dump(here, database).parts["data"]


@pytest.mark.parametrize("mode", ["prefer", "require", "verify_ca", "verify_full"])
def test_the_client_speaks_tls_as_the_library_does(server_factory: Any, mode: str) -> None:
    private = server_factory("mariadb", tls=True)
    rights = ("GRANT ALL ON *.* TO {account}", "ALTER USER {account} REQUIRE SSL")
    trust = {"ssl_mode": mode, "ca_cert": str(private.ca_cert)}
    with (
        new_account(private, "tls_only", *rights) as name,
        new_database(private, "tls_db") as database,
        opened(private, user=name, password="pw", **trust) as here,
    ):
        assert b"Dump completed" in dump(here, database).parts["data"]


def test_a_server_without_tls_is_refused_when_tls_is_required(mariadb: Any) -> None:
    with pytest.raises(ConnectionFailed, match="TLS"), opened(mariadb, ssl_mode="require") as here:
        here.server.value("SELECT 1")


def test_an_account_that_the_server_itself_ignores_is_a_warning_and_not_a_gap(server_factory: Any) -> None:
    server = server_factory("mariadb", settings={"skip_name_resolve": "ON"})
    execute(server, "CREATE USER 'stale'@'some.host.example' IDENTIFIED BY 'x'", "FLUSH PRIVILEGES")
    with opened(server) as where:
        export = where.engine.export_accounts(where.client)
    assert export.missing == []
    assert any("stale@some.host.example" in line and "skip_name_resolve" in line for line in export.warnings)
    assert not any(account["name"] == "stale" for account in export.document["accounts"])
