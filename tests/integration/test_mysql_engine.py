# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MySQL, with Oracle's own client: round trip, one moment, rights, accounts."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pymysql
import pytest
from backupdb.engines.mysql import lock as mysql_lock
from backupdb.engines.mysql.mysql import MysqlEngine
from backupdb.engines.values import DEGRADED, FATAL, Database, DumpOptions
from backupdb.errors import SnapshotLost
from support.library import SCHEMAS, back_up
from support.mysql_dumps import (
    Dumped,
    Opened,
    dump,
    execute,
    new_account,
    new_database,
    opened,
    restore,
    without_times,
)

pytestmark = [pytest.mark.mysql, pytest.mark.usefixtures("mysql_programs")]

NOWHERE = Database("torture", None, None, None, None, None, is_system=False, connectable=True)
TORTURE = SCHEMAS / "mysql_torture.sql"


def test_facts_name_the_real_vendor_and_what_a_restore_must_match(where: Opened) -> None:
    assert where.facts.vendor == "mysql" == MysqlEngine.detect_vendor(where.server)
    assert where.facts.version_number >= (9, 0)
    assert where.facts.role == "primary"
    assert {"max_allowed_packet", "lower_case_table_names", "sql_mode", "innodb_page_size"} <= set(where.facts.settings)


def test_mariadbs_client_under_the_name_mysqldump_is_seen_and_not_used(where: Opened) -> None:
    clients = where.engine.dump_clients(DumpOptions())
    assert [client.vendor for client in clients] == ["mysql", "mariadb"]
    assert [client.usable for client in clients] == [True, False]
    assert "MariaDB's client" in clients[1].reason


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_database_with_one_of_everything_comes_back_equal(mysql: Any, where: Opened, torture: str, jobs: int) -> None:
    first = dump(where, torture, jobs=jobs, row_counts=True, fingerprints=True)
    assert first.details.missing == []
    assert first.details.inventory_trusted
    assert first.details.position["taken"] == "global read lock"
    assert "binlog_file" in first.details.position
    assert len(first.parts) == (2 if jobs == 1 else 5)  # with one for the routines, which views may call
    second = restored_and_dumped(mysql, where, first, jobs)
    assert second.details.inventory == first.details.inventory
    assert second.details.row_counts == first.details.row_counts
    assert second.details.fingerprints == first.details.fingerprints
    # The first dump leaves out a character set that was not written in CREATE TABLE; from the second on it is there.
    third = restored_and_dumped(mysql, where, second, jobs)
    # Tables are shared out by sizes that a busy server estimates anew, so the same rows may be in another part.
    assert third.parts.keys() == second.parts.keys()
    assert lines(third) == lines(second)
    if jobs == 1:
        assert without_times(third.parts["data"]) == without_times(second.parts["data"])


def lines(dumped: Dumped) -> list[bytes]:
    return sorted(line for part in dumped.parts.values() for line in without_times(part).split(b"\n"))


def restored_and_dumped(mysql: Any, where: Opened, dumped: Dumped, jobs: int) -> Dumped:
    with new_database(mysql, "again", "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci") as other:
        restore(mysql, other, dumped.parts)
        return dump(where, other, jobs=jobs, row_counts=True, fingerprints=True)


def test_the_stream_has_no_gtid_no_create_database_and_no_tablespaces(where: Opened, torture: str) -> None:
    stream = dump(where, torture).parts["data"]
    for unwanted in (
        b"GTID_PURGED",
        b"CREATE DATABASE",
        b"USE `",
        b"CREATE TABLESPACE",
        b"CHANGE MASTER",
        b"CHANGE REPL",
    ):
        assert unwanted not in stream


@pytest.mark.parametrize(
    "change",
    [
        "TRUNCATE TABLE z_last",
        "DROP TABLE z_last",
        "ALTER TABLE z_last MODIFY v BIGINT",
        "ALTER TABLE z_last ADD COLUMN w INT NOT NULL DEFAULT 5, ALGORITHM=INSTANT",
        "RENAME TABLE z_last TO z_other",
        "DROP PROCEDURE z_procedure",
    ],
)
def test_a_change_between_snapshot_and_dump_is_an_error_and_never_a_gap(mysql: Any, where: Opened, change: str) -> None:
    with new_database(mysql, "long_dump") as name:
        execute(
            mysql,
            "CREATE TABLE a_big (id INT PRIMARY KEY, v LONGTEXT)",
            *[f"INSERT INTO a_big VALUES ({number}, REPEAT('x', 1000000))" for number in range(12)],
            "CREATE TABLE z_last (id INT PRIMARY KEY, v INT)",
            "INSERT INTO z_last VALUES (1, 1), (2, 2)",
            "CREATE PROCEDURE z_procedure() SELECT 1",
            database=name,
        )
        with pytest.raises(SnapshotLost):
            dump(where, name, after_begun=lambda: execute(mysql, change, database=name))


def test_missing_rights_are_named_with_their_grants(mysql: Any, torture: str) -> None:
    rights = "GRANT SELECT ON torture.* TO {account}"
    with new_account(mysql, "poor", rights) as name, opened(mysql, user=name, password="pw") as here:
        missing = here.missing([torture])
    fatal = {one.grant for one in missing if one.severity == FATAL}
    assert fatal == {
        "GRANT SHOW VIEW ON `torture`.* TO 'poor'@'%';",
        "GRANT TRIGGER ON `torture`.* TO 'poor'@'%';",
        "GRANT EVENT ON `torture`.* TO 'poor'@'%';",
        "GRANT SHOW_ROUTINE ON *.* TO 'poor'@'%';",
    }
    degraded = {one.privilege for one in missing if one.severity == DEGRADED}
    assert degraded == {"FLUSH_TABLES", "PROCESS", "REPLICATION CLIENT", "SHOW DATABASES"}


def test_the_named_grants_are_enough_for_a_whole_dump(mysql: Any, torture: str) -> None:
    with new_account(mysql, "fed", "GRANT SELECT ON torture.* TO {account}") as name:
        with opened(mysql, user=name, password="pw") as here:
            for one in here.missing([torture]):
                execute(mysql, one.grant)
        with opened(mysql, user=name, password="pw") as here:
            assert here.missing([torture]) == []
            done = dump(here, torture, jobs=2, row_counts=True)
    assert done.details.position["taken"] == "global read lock"
    assert done.details.inventory["procedures"] == 1


def test_rights_of_a_default_role_count_and_those_of_another_do_not(mysql: Any, torture: str) -> None:
    execute(mysql, "DROP ROLE IF EXISTS reading", "CREATE ROLE reading", "GRANT ALL ON *.* TO reading")
    try:
        with new_account(mysql, "member", "GRANT reading TO {account}", "GRANT USAGE ON *.* TO {account}") as name:
            with opened(mysql, user=name, password="pw") as here:
                rights = here.engine.missing_privileges([NOWHERE], DumpOptions())
                assert any(one.severity == FATAL for one in rights)
            execute(mysql, f"SET DEFAULT ROLE reading TO '{name}'@'%'")
            with opened(mysql, user=name, password="pw") as here:
                assert here.missing([torture]) == []
    finally:
        execute(mysql, "DROP ROLE reading")


def test_accounts_are_exported_and_come_back_the_same(mysql: Any, where: Opened) -> None:
    statements = (
        "CREATE ROLE 'r_one', 'r_two'",
        "GRANT SELECT ON acc_db.* TO 'r_one'",
        "GRANT 'r_one' TO 'r_two' WITH ADMIN OPTION",
        "CREATE USER 'o''dd `n\"a'@'10.0.0.0/255.0.0.0' IDENTIFIED WITH caching_sha2_password BY 'x\\\\y' REQUIRE X509 "
        "WITH MAX_QUERIES_PER_HOUR 5 PASSWORD EXPIRE INTERVAL 90 DAY ACCOUNT LOCK COMMENT 'it''s'",
        "GRANT 'r_two' TO 'o''dd `n\"a'@'10.0.0.0/255.0.0.0'",
        "SET DEFAULT ROLE 'r_two' TO 'o''dd `n\"a'@'10.0.0.0/255.0.0.0'",
        "GRANT SELECT, BACKUP_ADMIN ON *.* TO 'o''dd `n\"a'@'10.0.0.0/255.0.0.0' WITH GRANT OPTION",
        "GRANT UPDATE (name), SELECT (id) ON acc_db.parent TO 'o''dd `n\"a'@'10.0.0.0/255.0.0.0'",
        "GRANT EXECUTE ON PROCEDURE acc_db.count_them TO 'o''dd `n\"a'@'10.0.0.0/255.0.0.0'",
        "GRANT PROXY ON 'root'@'localhost' TO 'o''dd `n\"a'@'10.0.0.0/255.0.0.0'",
    )
    drop = "DROP USER IF EXISTS 'o''dd `n\"a'@'10.0.0.0/255.0.0.0', 'r_one', 'r_two'"
    with new_database(mysql, "acc_db") as name:
        mysql.run_sql_script(TORTURE, database=name)
        execute(mysql, drop, *statements)
        try:
            first = where.engine.export_accounts(where.client())
            assert list(first.missing) == []
            mine = [one for one in first.document["accounts"] if not one["reserved"]]
            assert {one["name"]: one["kind"] for one in mine} == {
                "o'dd `n\"a": "user",
                "r_one": "role",
                "r_two": "role",
            }
            assert " AS 0x" in first.sql
            execute(mysql, drop)
            order = (
                "identity",
                "membership",
                "default_role",
                "global_grant",
                "proxy",
                "database_grant",
                "object_grant",
            )
            for kind in order:
                for one in mine:
                    execute(mysql, *[said["sql"] for said in one["statements"] if said["kind"] == kind])
            second = where.engine.export_accounts(where.client())
            assert second.document["accounts"] == first.document["accounts"]
        finally:
            execute(mysql, drop)


@pytest.mark.parametrize("password", ["plain", "qu'ote\"s # ; \\n", "new\nline\t", "ünïcödé🐬"])
@pytest.mark.parametrize("mode", ["disable", "prefer"])
def test_the_client_logs_in_with_any_password_with_and_without_tls(mysql: Any, password: str, mode: str) -> None:
    with new_account(mysql, "login", "GRANT ALL ON *.* TO {account}") as name, new_database(mysql, "pw_db") as database:
        connection = mysql.connect()
        with connection.cursor() as cursor:
            cursor.execute("ALTER USER 'login'@'%%' IDENTIFIED BY %s", (password,))
        connection.close()
        with opened(mysql, user=name, password=password, ssl_mode=mode) as here:
            assert b"Dump completed" in dump(here, database).parts["data"]


@pytest.mark.parametrize("mode", ["require", "verify_ca", "verify_full"])
def test_the_client_speaks_tls_as_the_library_does(server_factory: Any, mode: str) -> None:
    private = server_factory("mysql", tls=True)
    rights = ("GRANT ALL ON *.* TO {account}", "ALTER USER {account} REQUIRE SSL")
    trust = {"ssl_mode": mode, "ca_cert": str(private.ca_cert)}
    with (
        new_account(private, "tls_only", *rights) as name,
        new_database(private, "tls_db") as database,
        opened(private, user=name, password="pw", **trust) as here,
    ):
        assert b"Dump completed" in dump(here, database).parts["data"]


def test_a_long_statement_keeps_the_lock_away_because_all_would_queue_behind_it(
    mysql: Any, where: Opened, torture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mysql_lock, "LONG_STATEMENT", 1)
    sleeper = mysql.connect()
    thread = threading.Thread(target=_sleep, args=(sleeper,))
    thread.start()
    try:
        time.sleep(2)
        done = dump(where, torture, jobs=2, db_lock_timeout=2.0)
    finally:
        execute(mysql, f"KILL CONNECTION {sleeper.thread_id()}")
        thread.join()
    assert done.details.position == {"taken": "single transaction of the dump client"}
    assert any("no global read lock" in warning for warning in done.details.warnings)


@pytest.mark.parametrize("jobs", [1, 2])
def test_statements_of_others_with_characters_that_lists_of_sessions_cannot_show_disturb_nothing(
    mysql: Any, where: Opened, torture: str, jobs: int
) -> None:
    sleeper = mysql.connect(database=torture)
    with sleeper.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("INSERT INTO parent (name) VALUES ('one more')")
    thread = threading.Thread(target=_sleep, args=(sleeper, ", '🐬'"))
    thread.start()
    try:
        time.sleep(0.5)
        for table in ("processlist", "innodb_trx"):
            with pytest.raises(pymysql.err.OperationalError, match="Cannot convert"):
                mysql.sql(f"SELECT * FROM information_schema.{table}")
        done = dump(where, torture, jobs=jobs, row_counts=True)
        where.engine.drop_database("nothing")
    finally:
        execute(mysql, f"KILL CONNECTION {sleeper.thread_id()}")
        thread.join()
    assert done.details.position["taken"] == "global read lock"
    assert done.details.row_counts["parent"] == len(mysql.sql("SELECT 1 FROM parent", database=torture))


def test_a_dump_client_goes_into_the_database_after_its_transaction_has_begun(
    mysql: Any, where: Opened, torture: str
) -> None:
    execute(mysql, "SET GLOBAL log_output = 'TABLE'", "SET GLOBAL general_log = ON")
    try:
        dump(where, torture, jobs=2)
    finally:
        execute(mysql, "SET GLOBAL general_log = OFF", "SET GLOBAL log_output = DEFAULT")
    log = mysql.sql("SELECT thread_id, command_type, CONVERT(argument USING utf8mb4) FROM mysql.general_log")
    execute(mysql, "TRUNCATE mysql.general_log")
    clients = {session for session, _kind, text in log if text.startswith("START TRANSACTION /*!")}
    assert len(clients) > 1
    for client in clients:
        steps = [(kind, text) for session, kind, text in log if session == client]
        into = next(number for number, step in enumerate(steps) if step == ("Init DB", torture))
        assert any(text.startswith("START TRANSACTION /*!") for _kind, text in steps[:into]), steps
        assert not any(kind == "Connect" and f" on {torture} " in text for kind, text in steps)


def test_no_client_that_needs_no_snapshot_runs_before_those_that_do_have_it(
    mysql: Any, torture: str, repository: Path
) -> None:
    execute(mysql, "SET GLOBAL log_output = 'TABLE'", "SET GLOBAL general_log = ON")
    try:
        back_up(mysql, repository, databases=[torture], accounts=False, jobs=2)
    finally:
        execute(mysql, "SET GLOBAL general_log = OFF", "SET GLOBAL log_output = DEFAULT")
    log = mysql.sql("SELECT thread_id, command_type, CONVERT(argument USING utf8mb4) FROM mysql.general_log")
    execute(mysql, "TRUNCATE mysql.general_log")
    steps = [(session, text if kind == "Query" else kind) for session, kind, text in log]
    (locking,) = {session for session, text in steps if text == "FLUSH TABLES WITH READ LOCK"}
    released = steps.index((locking, "UNLOCK TABLES"))
    in_snapshot = {session for session, text in steps if text.startswith("START TRANSACTION /*!")}
    others = {session for session, text in steps if text == "Init DB"} - in_snapshot
    assert (len(in_snapshot), len(others) > 0) == (2, True)
    assert all(steps.index((session, "Connect")) < released for session in in_snapshot)
    assert all(steps.index((session, "Connect")) > released for session in others)


def _sleep(connection: Any, more: str = "") -> None:
    with suppress(pymysql.err.Error), connection.cursor() as cursor:
        cursor.execute(f"SELECT SLEEP(60){more}")
