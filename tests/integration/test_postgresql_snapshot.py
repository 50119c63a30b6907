# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One moment for everything: counts, parts and what other sessions do meanwhile."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from backupdb.engines.postgresql.engine import PostgresqlEngine
from backupdb.engines.values import DumpOptions
from backupdb.errors import ConnectionFailed, Interrupted, QueryFailed, SnapshotLost
from support.postgresql_dumps import (
    client_of,
    drop_database,
    listed,
    new_database,
    opened,
    restore,
    take,
)
from support.servers import PrivatePostgres

DISTURBANCES = {
    "truncate": "TRUNCATE kept",
    "drop": "DROP TABLE kept",
    "type change": "ALTER TABLE kept ALTER COLUMN n TYPE text USING 'changed'",
}


@pytest.mark.parametrize("disturbance", DISTURBANCES)
def test_a_statement_between_moment_and_dump_loses_nothing(
    postgres15: PrivatePostgres, disturbance: str, scratch: Path
) -> None:
    """It waits for our lock. When it gives up, as statements with a lock_timeout do, the dump has every row."""

    def disturb() -> None:
        connection = postgres15.connect(database="disturbed")
        with connection.cursor() as cursor, pytest.raises(Exception, match="lock timeout"):
            cursor.execute("SET lock_timeout = '300ms'")
            cursor.execute(DISTURBANCES[disturbance])
        connection.close()

    with new_database(postgres15, "disturbed"), opened(postgres15) as (server, facts):
        postgres15.run_sql_script("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n;", database="disturbed")
        options = DumpOptions(row_counts=True)
        client = client_of(postgres15, facts)
        dump = take(server, facts, client, "disturbed", scratch, options=options, between=disturb)
        restore(postgres15, dump, "disturbed again")
        assert postgres15.sql("SELECT count(*), min(n) FROM kept", database="disturbed again") == [(1000, 1)]
        drop_database(postgres15, "disturbed again")
    assert dump.details.row_counts == {"public.kept": 1000}


def test_a_statement_that_keeps_waiting_ends_the_moment_and_the_next_one_is_true(
    postgres15: PrivatePostgres, scratch: Path
) -> None:
    """pg_dump cannot pass the waiting TRUNCATE: that is an error that says "try again", never an empty table."""
    threads = []

    def truncate() -> None:
        thread = threading.Thread(target=lambda: postgres15.sql("TRUNCATE kept", database="waiting"))
        thread.start()
        threads.append(thread)
        _wait_for_a_waiting_lock(postgres15)

    with new_database(postgres15, "waiting"), opened(postgres15) as (server, facts):
        postgres15.run_sql_script("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n;", database="waiting")
        options = DumpOptions(row_counts=True, db_lock_timeout=0.5)
        client = client_of(postgres15, facts)
        with pytest.raises(SnapshotLost, match=r"statement timeout(.|\n)*LOCK TABLE"):
            take(server, facts, client, "waiting", scratch, options=options, between=truncate)
        threads[0].join()
        dump = take(server, facts, client, "waiting", scratch, options=options)
    assert dump.details.row_counts == {"public.kept": 0}


def _wait_for_a_waiting_lock(private: PrivatePostgres, mode: str = "AccessExclusiveLock") -> None:
    _wait_until(lambda: bool(private.sql(f"SELECT 1 FROM pg_locks WHERE NOT granted AND mode = '{mode}'")))


def test_the_snapshot_is_younger_than_the_locks(postgres15: PrivatePostgres, scratch: Path) -> None:
    """One taken before a TRUNCATE that commits while we wait for the lock sees neither the old rows nor the new."""
    with new_database(postgres15, "renewed"), opened(postgres15) as (server, facts):
        postgres15.run_sql_script("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n;", database="renewed")
        other = postgres15.connect(database="renewed")
        dumps = []
        client = client_of(postgres15, facts)
        options = DumpOptions(row_counts=True)
        thread = threading.Thread(
            target=lambda: dumps.append(take(server, facts, client, "renewed", scratch, options=options))
        )
        with other.cursor() as cursor:
            cursor.execute("BEGIN; TRUNCATE kept; INSERT INTO kept SELECT generate_series(1, 5)")
            thread.start()
            _wait_for_a_waiting_lock(postgres15, "AccessShareLock")
            cursor.execute("COMMIT")
        other.close()
        thread.join()
        assert dumps[0].details.row_counts == {"public.kept": 5}
        restore(postgres15, dumps[0], "renewed again")
        assert postgres15.sql("SELECT count(*) FROM kept", database="renewed again") == [(5,)]
        drop_database(postgres15, "renewed again")


@pytest.mark.distro
def test_tables_are_locked_before_the_snapshot_and_until_the_end(postgres15: PrivatePostgres) -> None:
    with new_database(postgres15, "locked"), opened(postgres15) as (server, facts):
        postgres15.run_sql_script(
            "CREATE TABLE whole (n int) PARTITION BY LIST (n); CREATE TABLE part PARTITION OF whole DEFAULT;"
            'CREATE TABLE "odd %s ""name""" (n int); CREATE VIEW v AS SELECT 1;',
            database="locked",
        )
        database = listed(server, facts, "locked")
        with PostgresqlEngine(server, facts).snapshot(
            client_of(postgres15, facts), database, DumpOptions(), ()
        ) as snapshot:
            assert _held(postgres15) == ['"odd %s ""name"""', "part", "whole"]
            snapshot.check()
            assert _held(postgres15) == ['"odd %s ""name"""', "part", "whole"]
        _wait_until(lambda: _held(postgres15) == [])


def test_a_table_that_is_made_while_we_wait_for_locks_is_locked_too(postgres15: PrivatePostgres, scratch: Path) -> None:
    with new_database(postgres15, "locked"), opened(postgres15) as (server, facts):
        postgres15.run_sql_script("CREATE TABLE first (n int);", database="locked")
        other = postgres15.connect(database="locked")
        held: list[list[str]] = []
        client = client_of(postgres15, facts)

        def between() -> None:
            held.append(_held(postgres15))

        thread = threading.Thread(target=lambda: take(server, facts, client, "locked", scratch, between=between))
        with other.cursor() as cursor:
            cursor.execute("BEGIN; LOCK TABLE first IN ACCESS EXCLUSIVE MODE")
            thread.start()
            _wait_for_a_waiting_lock(postgres15, "AccessShareLock")
            postgres15.sql("CREATE TABLE late AS SELECT 1 AS n", database="locked")
            cursor.execute("COMMIT")
        other.close()
        thread.join()
    assert held == [["first", "late"]]


def _held(private: PrivatePostgres) -> list[str]:
    rows = private.sql(
        "SELECT l.relation::regclass::text FROM pg_locks l JOIN pg_class c ON c.oid = l.relation "
        "WHERE l.mode = 'AccessShareLock' AND l.granted AND c.relkind IN ('r', 'p') AND c.oid >= 16384 ORDER BY 1",
        database="locked",
    )
    return [name for (name,) in rows]


def _wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline, "it did not become true in 10 seconds"
        time.sleep(0.02)


@pytest.mark.parametrize("kind", ["postgres15", "postgres18"])
def test_the_session_of_the_moment_has_no_time_limits(request: pytest.FixtureRequest, kind: str, scratch: Path) -> None:
    private: PrivatePostgres = request.getfixturevalue(kind)
    limits = ["statement_timeout", "idle_in_transaction_session_timeout", "lock_timeout"]
    limits += ["transaction_timeout"] if kind == "postgres18" else []
    with new_database(private, "limited"), opened(private) as (server, facts):
        private.run_sql_script("CREATE TABLE t AS SELECT generate_series(1, 10) AS n;", database="limited")
        for limit in limits:
            private.sql(f"ALTER DATABASE limited SET {limit} = '500ms'")
        options = DumpOptions(row_counts=True, fingerprints=True)
        between = functools.partial(time.sleep, 1.0)  # longer than every limit
        dump = take(server, facts, client_of(private, facts), "limited", scratch, options=options, between=between)
    assert dump.details.row_counts == {"public.t": 10}


def test_a_table_that_stays_locked_is_an_error_that_names_it(postgres15: PrivatePostgres, scratch: Path) -> None:
    with new_database(postgres15, "busy"), opened(postgres15) as (server, facts):
        postgres15.run_sql_script("CREATE TABLE taken (n int);", database="busy")
        other = postgres15.connect(database="busy")
        with other.cursor() as cursor:
            cursor.execute("BEGIN; LOCK TABLE taken IN ACCESS EXCLUSIVE MODE")
            options = DumpOptions(db_lock_timeout=0.3)
            with pytest.raises(QueryFailed, match=r"taken by process \d+.*raise db_lock_timeout"):
                take(server, facts, client_of(postgres15, facts), "busy", scratch, options=options)
        other.close()


def test_too_few_lock_slots_are_an_error_that_names_the_setting(
    server_factory: Callable[..., Any], scratch: Path
) -> None:
    private = server_factory("postgres15", settings={"max_locks_per_transaction": "10", "max_connections": "10"})
    private.sql("CREATE DATABASE many")
    for start in range(0, 1200, 100):  # in steps, as making them takes locks too
        names = [f"t{number}" for number in range(start, start + 100)]
        private.sql("; ".join(f"CREATE TABLE {name} ()" for name in names), database="many")
    refused = pytest.raises(QueryFailed, match=r"1200 tables; raise max_locks_per_transaction \(now 10\)")
    with opened(private) as (server, facts), refused:
        take(server, facts, client_of(private, facts), "many", scratch)


def test_tables_that_come_and_go_do_not_disturb(postgres15: PrivatePostgres, scratch: Path) -> None:
    stop = threading.Event()

    def churn() -> None:
        connection = postgres15.connect(database="churned")
        with connection.cursor() as cursor:
            while not stop.is_set():
                cursor.execute("CREATE TABLE passing (n int); INSERT INTO passing VALUES (1)")
                cursor.execute("ALTER TABLE passing RENAME TO passed; DROP TABLE passed")
                time.sleep(0.01)
        connection.close()

    with new_database(postgres15, "churned"), opened(postgres15) as (server, facts):
        postgres15.run_sql_script("CREATE TABLE kept AS SELECT generate_series(1, 10) AS n;", database="churned")
        thread = threading.Thread(target=churn)
        thread.start()
        try:
            for _number in range(3):
                options = DumpOptions(row_counts=True, db_lock_timeout=5)
                counts = _take_again(
                    lambda options=options: take(
                        server, facts, client_of(postgres15, facts), "churned", scratch, options=options
                    )
                )
                assert counts["public.kept"] == 10
        finally:
            stop.set()
            thread.join()


def _take_again(attempt: Callable[[], Any]) -> dict[str, int]:
    """As a run does: a lost moment is tried again, three times in all."""
    for _number in range(2):
        try:
            return dict(attempt().details.row_counts)
        except SnapshotLost:
            continue
    return dict(attempt().details.row_counts)


@pytest.mark.distro
def test_a_broken_session_is_a_lost_moment(postgres15: PrivatePostgres) -> None:
    with new_database(postgres15, "broken"), opened(postgres15) as (server, facts):
        database = listed(server, facts, "broken")
        with PostgresqlEngine(server, facts).snapshot(
            client_of(postgres15, facts), database, DumpOptions(), ()
        ) as snapshot:
            snapshot.check()
            postgres15.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'broken'")
            for use in (snapshot.details, snapshot.check):
                with pytest.raises(SnapshotLost, match="the session that held the snapshot has ended"):
                    use()


def test_a_dropped_database_is_an_error(postgres15: PrivatePostgres, scratch: Path) -> None:
    with new_database(postgres15, "gone"), opened(postgres15) as (server, facts):
        database = listed(server, facts, "gone")
        drop_database(postgres15, "gone")
        with (
            pytest.raises(ConnectionFailed, match="no such database"),
            PostgresqlEngine(server, facts).snapshot(client_of(postgres15, facts), database, DumpOptions(), ()),
        ):
            pass


@pytest.mark.distro
def test_a_count_that_runs_is_stopped_with_the_run(postgres15: PrivatePostgres) -> None:
    with new_database(postgres15, "slow"), opened(postgres15) as (server, facts):
        postgres15.run_sql_script("CREATE TABLE t AS SELECT generate_series(1, 10) AS n;", database="slow")
        database = listed(server, facts, "slow")
        options = DumpOptions(row_counts=True)
        with PostgresqlEngine(server, facts).snapshot(client_of(postgres15, facts), database, options, ()) as snapshot:
            server.cancel.set()
            began = time.monotonic()
            with pytest.raises(Interrupted):
                while time.monotonic() < began + 10:
                    snapshot.details()
            assert time.monotonic() < began + 3


def test_a_standby_is_backed_up_without_the_rows_of_unlogged_tables(
    server_factory: Callable[..., Any], scratch: Path
) -> None:
    primary = server_factory("postgres15", hba=["host replication all 127.0.0.1/32 scram-sha-256"])
    primary.run_sql_script("CREATE DATABASE copied;")
    primary.run_sql_script(
        "CREATE TABLE logged AS SELECT generate_series(1, 100) AS n; CREATE TABLE empty (n int);"
        "CREATE UNLOGGED TABLE fleeting AS SELECT generate_series(1, 7) AS n;",
        database="copied",
    )
    with standby_of(primary, scratch) as standby, opened(standby) as (server, facts):
        assert facts.role == "replica"
        _wait_until(lambda: bool(standby.sql("SELECT 1 FROM pg_database WHERE datname = 'copied'")))
        for jobs in (1, 2):
            options = DumpOptions(jobs=jobs, row_counts=True, fingerprints=True)
            dump = take(server, facts, client_of(standby, facts), "copied", scratch, options=options)
            assert dump.details.row_counts == {"public.empty": 0, "public.logged": 100}
            assert dump.details.position["role"] == "replica"
            assert dump.details.position["lsn"]
            assert any("public.fleeting" in warning for warning in dump.details.warnings)
            restore(primary, dump, "from standby")
            assert primary.sql("SELECT count(*) FROM logged", database="from standby") == [(100,)]
            assert primary.sql("SELECT count(*) FROM fleeting", database="from standby") == [(0,)]
            drop_database(primary, "from standby")


@contextmanager
def standby_of(primary: PrivatePostgres, scratch: Path) -> Iterator[PrivatePostgres]:
    """A hot standby that streams from the primary."""
    standby = PrivatePostgres(password=primary.password)
    standby.folder.chmod(0o755)
    standby.socket_folder.mkdir()
    standby.own(standby.socket_folder)
    backup = [str(primary.binaries / "pg_basebackup"), "-D", str(standby.data), "-R", "-X", "stream", "-c", "fast"]
    environment = primary.client_environment()
    login = [f"{name}={environment[name]}" for name in ("PGHOST", "PGPORT", "PGUSER", "PGPASSFILE")]
    standby.run(["env", *login, *backup])
    # What pg_basebackup wrote for streaming names the password file, which the server's user cannot read.
    with (standby.data / "postgresql.auto.conf").open("w", encoding="utf-8") as file:
        file.write(
            f"primary_conninfo = 'host={primary.host} port={primary.port} user={primary.user} "
            f"password={primary.password}'\n"
            f"port = {standby.port}\nunix_socket_directories = '{standby.socket_folder}'\n"
        )
    standby.password_file.write_text(f"*:*:*:*:{standby.password}\n", encoding="utf-8")
    standby.password_file.chmod(0o600)
    for path in [standby.data, *standby.data.rglob("*")]:
        if not path.is_symlink():
            standby.own(path)
    (standby.folder / "initialised").touch()
    standby.start()
    try:
        yield standby
    finally:
        standby.remove()
