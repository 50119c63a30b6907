# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB: what happens to the moment when the schema changes, the server is busy or rights are missing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pymysql
import pytest
from backupdb.engines.mysql import lock as mysql_lock
from backupdb.engines.mysql import plan as mysql_plan
from backupdb.engines.mysql.statements import ask, kept_session, own_session
from backupdb.engines.values import DumpOptions
from backupdb.errors import QueryFailed, SnapshotLost
from support.mysql_dumps import Opened, dump, execute, new_account, new_database, opened, restore

READS = (
    "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON *.* TO {account}",
    "GRANT SELECT ON mysql.proc TO {account}",
)
LOCKS = "GRANT RELOAD, PROCESS, SHOW DATABASES ON *.* TO {account}"


@pytest.fixture
def long_dump(mariadb: Any) -> Iterator[str]:
    """A database whose first table fills the client's pipe, so that the later ones are not read before we read."""
    with new_database(mariadb, "long_dump") as name:
        execute(
            mariadb,
            "CREATE TABLE a_big (id INT PRIMARY KEY, v LONGTEXT)",
            "INSERT INTO a_big SELECT seq, REPEAT('x', 1000000) FROM seq_1_to_12",
            "CREATE TABLE z_last (id INT PRIMARY KEY, v INT)",
            "INSERT INTO z_last VALUES (1, 1), (2, 2)",
            "CREATE TRIGGER z_trigger BEFORE INSERT ON z_last FOR EACH ROW SET NEW.v = 1",
            "CREATE PROCEDURE z_procedure() SELECT 1",
            "CREATE EVENT z_event ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1",
            database=name,
        )
        yield name


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    "change",
    [
        "TRUNCATE TABLE z_last",
        "DROP TABLE z_last",
        "ALTER TABLE z_last MODIFY v BIGINT",
        "RENAME TABLE z_last TO z_other",
        "CREATE OR REPLACE TABLE z_last (id INT PRIMARY KEY, v INT)",
    ],
)
def test_a_change_between_snapshot_and_dump_is_an_error_and_never_a_gap(
    mariadb: Any, where: Opened, long_dump: str, change: str, jobs: int
) -> None:
    if jobs == 2:
        execute(mariadb, "CREATE TABLE a_big_too AS SELECT * FROM a_big", database=long_dump)
    with pytest.raises(SnapshotLost):
        dump(where, long_dump, jobs=jobs, after_begun=lambda: execute(mariadb, change, database=long_dump))


@pytest.mark.parametrize(
    "change",
    ["DROP TRIGGER z_trigger", "DROP PROCEDURE z_procedure", "DROP EVENT z_event", "ALTER EVENT z_event ENABLE"],
)
def test_a_program_that_is_dropped_or_altered_during_the_dump_is_noticed(
    mariadb: Any, where: Opened, long_dump: str, change: str
) -> None:
    with pytest.raises(SnapshotLost, match="z_"):
        dump(where, long_dump, after_begun=lambda: execute(mariadb, change, database=long_dump))


def test_a_dump_after_a_lost_one_has_what_is_there_now(mariadb: Any, where: Opened, long_dump: str) -> None:
    with pytest.raises(SnapshotLost):
        dump(where, long_dump, after_begun=lambda: execute(mariadb, "TRUNCATE TABLE z_last", database=long_dump))
    assert dump(where, long_dump, row_counts=True).details.row_counts == {"a_big": 12, "z_last": 0}


def test_rows_counted_in_the_snapshot_of_a_changed_table_are_no_count(
    mariadb: Any, where: Opened, long_dump: str
) -> None:
    found = where.database(long_dump)
    options = DumpOptions(row_counts=True)
    with where.engine.snapshot(where.client(), found, options, []) as snapshot:
        snapshot.begun(lambda: 1)
        execute(mariadb, "TRUNCATE TABLE z_last", database=long_dump)
        with pytest.raises(SnapshotLost, match="changed"):
            snapshot.details()


def test_without_a_lock_a_dropped_table_is_an_error_too(mariadb: Any, long_dump: str) -> None:
    with (
        new_account(mariadb, "reader", *READS) as name,
        opened(mariadb, user=name, password="pw") as here,
        pytest.raises(SnapshotLost, match="Couldn't find table"),
    ):
        dump(here, long_dump, before_start=lambda: execute(mariadb, "DROP TABLE z_last", database=long_dump))


def test_too_many_tables_for_a_command_line_are_dumped_whole_and_compared_afterwards(
    mariadb: Any, where: Opened, long_dump: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mysql_plan, "MOST_NAME_BYTES", 10)
    whole = dump(where, long_dump, jobs=2)
    assert list(whole.commands["data"])[-2:] == ["--", long_dump]
    assert b"INSERT INTO `z_last`" in whole.parts["data"]
    assert any("2 jobs were asked for, 1 could be used" in warning for warning in whole.details.warnings)
    with pytest.raises(SnapshotLost, match="z_new"):
        dump(where, long_dump, after_begun=lambda: execute(mariadb, "CREATE TABLE z_new (a INT)", database=long_dump))


def test_the_lock_is_given_back_as_soon_as_the_clients_have_begun(mariadb: Any, where: Opened, long_dump: str) -> None:
    held_for: list[float] = []
    started = time.monotonic()

    def write() -> None:
        execute(mariadb, "INSERT INTO z_last VALUES (9, 9)", database=long_dump)
        held_for.append(time.monotonic() - started)

    done = dump(where, long_dump, jobs=2, row_counts=True, after_begun=write)
    assert held_for[0] < mysql_lock.MAX_HOLD / 2
    assert done.details.row_counts == {"a_big": 12, "z_last": 2}


def test_a_client_that_never_begins_does_not_hold_the_server(
    mariadb: Any, where: Opened, long_dump: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mysql_lock, "MAX_HOLD", 0.5)
    found = where.database(long_dump)
    with where.engine.snapshot(where.client(), found, DumpOptions(jobs=2), []) as snapshot:
        with pytest.raises(SnapshotLost, match="had not begun"):
            snapshot.begun(lambda: 0)
        execute(mariadb, "INSERT INTO z_last VALUES (9, 9)", database=long_dump)
    with where.engine.snapshot(where.client(), found, DumpOptions(row_counts=True), []) as snapshot:
        snapshot.begun(lambda: 0)
        details = snapshot.details()
    assert details.position["taken"] == "single transaction of the dump client"
    assert details.row_counts is None
    assert any("had not begun" in warning for warning in details.warnings)


def test_the_watchdog_frees_the_server_when_nobody_comes_back(
    mariadb: Any, where: Opened, long_dump: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mysql_lock, "MAX_HOLD", 0.5)
    found = where.database(long_dump)
    with where.engine.snapshot(where.client(), found, DumpOptions(row_counts=True), []):
        execute(mariadb, "SET SESSION lock_wait_timeout = 5", "INSERT INTO z_last VALUES (9, 9)", database=long_dump)


def test_a_lock_that_could_not_be_given_back_ends_with_its_session(
    mariadb: Any, where: Opened, long_dump: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_lock: Any) -> None:
        raise QueryFailed("UNLOCK TABLES was ended", code="1317")

    with monkeypatch.context() as patched:
        patched.setattr(mysql_lock.GlobalReadLock, "release", fail)
        patched.setattr(mysql_lock.GlobalReadLock, "_expire", lambda _lock: None)
        with where.engine.snapshot(where.client(), where.database(long_dump), DumpOptions(row_counts=True), []):
            pass
    execute(mariadb, "SET SESSION lock_wait_timeout = 5", "INSERT INTO z_last VALUES (9, 9)", database=long_dump)


def test_clients_that_ended_at_once_are_not_waited_for(mariadb: Any, where: Opened, long_dump: str) -> None:
    found = where.database(long_dump)
    with where.engine.snapshot(where.client(), found, DumpOptions(jobs=2), []) as snapshot:
        started = time.monotonic()
        snapshot.begun(lambda: snapshot.at_once)
        assert time.monotonic() - started < 1.0
        assert snapshot.details().position["taken"] == "global read lock"


@contextmanager
def blocked(mariadb: Any, database: str, statement: str) -> Iterator[None]:
    """Run a statement that waits in a session of its own, until the block ends."""
    connection = mariadb.connect(database=database)

    def run() -> None:
        with suppress(pymysql.err.Error), connection.cursor() as cursor:
            cursor.execute(statement)
            cursor.execute("SELECT SLEEP(60)")

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.5)
    try:
        yield
    finally:
        execute(mariadb, f"KILL CONNECTION {connection.thread_id()}")
        thread.join()


def test_a_server_that_cannot_be_locked_is_dumped_by_one_client_without_a_lock(
    mariadb: Any, where: Opened, long_dump: str
) -> None:
    found = where.database(long_dump)
    options = DumpOptions(jobs=2, db_lock_timeout=1.0)
    with blocked(mariadb, long_dump, "INSERT INTO z_last SELECT 9, SLEEP(60)"):
        began = time.monotonic()
        with where.engine.snapshot(where.client(), found, options, []) as snapshot:
            took = time.monotonic() - began
            snapshot.begun(lambda: 0)
            details = snapshot.details()
    assert took < 10
    assert snapshot.at_once == 1
    assert details.position["taken"] == "single transaction of the dump client"
    assert any("too busy" in warning for warning in details.warnings)


def test_one_client_is_a_snapshot_of_its_own_and_keeps_nobody_waiting(
    mariadb: Any, where: Opened, long_dump: str
) -> None:
    written = "INSERT INTO z_last VALUES (99, 9)"
    with blocked(mariadb, long_dump, "INSERT INTO z_last SELECT 8, SLEEP(60)"):
        done = dump(
            where, long_dump, db_lock_timeout=1.0, after_begun=lambda: execute(mariadb, written, database=long_dump)
        )
    assert done.details.position == {"taken": "single transaction of the dump client"}
    assert done.details.warnings == []
    assert b"(99," not in done.parts["data"]
    assert execute(mariadb, "SELECT v FROM z_last WHERE id = 99", database=long_dump) == [(1,)]


def test_a_table_that_is_locked_for_long_is_an_error_that_names_it(mariadb: Any, where: Opened, long_dump: str) -> None:
    found = where.database(long_dump)
    options = DumpOptions(db_lock_timeout=1.0)
    with (
        blocked(mariadb, long_dump, "LOCK TABLES z_last WRITE"),
        pytest.raises(QueryFailed, match="z_last is locked by another session"),
        where.engine.snapshot(where.client(), found, options, []),
    ):
        pass


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_column_that_is_added_at_once_without_copying_the_table_is_noticed(
    mariadb: Any, where: Opened, long_dump: str, jobs: int
) -> None:
    change = "ALTER TABLE z_last ADD COLUMN w INT NOT NULL DEFAULT 5, ALGORITHM=INSTANT"
    with pytest.raises(SnapshotLost, match="z_last"):
        dump(where, long_dump, jobs=jobs, after_begun=lambda: execute(mariadb, change, database=long_dump))


def test_a_login_without_reload_and_process_still_gets_a_consistent_dump_by_one_client(
    mariadb: Any, long_dump: str
) -> None:
    with (
        new_account(mariadb, "reader", *READS) as name,
        opened(mariadb, user=name, password="pw") as here,
    ):
        done = dump(here, long_dump, jobs=2, row_counts=True)
        assert list(done.parts) == ["data"]
        assert done.details.position == {"taken": "single transaction of the dump client"}
        assert done.details.row_counts is None
        assert done.details.inventory_trusted
        assert any("lacks RELOAD and PROCESS" in warning for warning in done.details.warnings)
        with new_database(mariadb, "long_again") as other:
            restore(mariadb, other, done.parts)


def test_a_login_with_just_the_rights_gets_the_lock(mariadb: Any, long_dump: str) -> None:
    rights = (*READS, LOCKS)
    with (
        new_account(mariadb, "locker", *rights) as name,
        opened(mariadb, user=name, password="pw") as here,
    ):
        done = dump(here, long_dump, jobs=2, row_counts=True)
        assert done.details.position["taken"] == "global read lock"
        assert done.details.row_counts == {"a_big": 12, "z_last": 2}


def test_a_snapshot_is_consistent_also_where_sessions_are_read_committed(server_factory: Any) -> None:
    private = server_factory("mariadb", settings={"transaction_isolation": "READ-COMMITTED"})
    assert private.sql("SELECT @@tx_isolation") == [("READ-COMMITTED",)]
    with opened(private) as where, own_session(where.engine.server) as connection:
        assert ask(where.engine.server, connection, "SELECT @@tx_isolation") == [("REPEATABLE-READ",)]


def test_coordinates_are_read_under_the_lock(server_factory: Any) -> None:
    private = server_factory("mariadb", settings={"log_bin": "binlog", "server_id": "7", "gtid_domain_id": "3"})
    with opened(private) as here, new_database(private, "logged") as name:
        execute(private, "CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1)", database=name)
        position = dump(here, name).details.position
        status = execute(private, "SHOW MASTER STATUS")[0]
        assert (position["binlog_file"], position["binlog_position"]) == (status[0], int(status[1]))
        assert position["gtid"] == execute(private, "SELECT @@GLOBAL.gtid_binlog_pos")[0][0]
        assert position["gtid"].startswith("3-7-")
        rights = (*READS, LOCKS)
        with (
            new_account(private, "locker", *rights) as login,
            opened(private, user=login, password="pw") as poor,
        ):
            assert [one.privilege for one in poor.missing([name])] == ["BINLOG MONITOR"]
            assert "binlog_file" not in dump(poor, name).details.position


def test_the_next_database_gets_the_same_session_unless_something_went_wrong(mariadb: Any, where: Opened) -> None:
    server = where.engine.server

    def number(session: Any) -> int:
        return int(ask(server, session, "SELECT CONNECTION_ID()")[0][0])

    with kept_session(server) as first:
        ask(server, first, "START TRANSACTION WITH CONSISTENT SNAPSHOT")
        begun = number(first)
    with kept_session(server) as second, kept_session(server) as another:
        assert number(second) == begun != number(another)
        assert ask(server, second, "SELECT @@in_transaction") == [(0,)]
        other = number(another)
    with pytest.raises(RuntimeError), kept_session(server) as third:
        assert number(third) == begun
        raise RuntimeError
    with kept_session(server) as fourth:  # the third was closed
        assert number(fourth) == other
        execute(mariadb, f"KILL CONNECTION {other}")
    with kept_session(server) as fifth:
        assert number(fifth) not in (begun, other)
        lost = number(fifth)
    execute(mariadb, f"KILL CONNECTION {lost}")
    with kept_session(server) as sixth:
        assert number(sixth) > lost
        assert ask(server, sixth, "SELECT @@tx_isolation") == [("REPEATABLE-READ",)]
