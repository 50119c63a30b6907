# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restored database takes the place of another, or everything stays as it was."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from backupdb.engines.postgresql.engine import PostgresqlEngine
from backupdb.errors import RestoreFailed, RestoreRefused, RestoreUnknown
from support.cutting_proxy import cutting
from support.postgresql_dumps import drop_database, make_database, new_role, opened
from support.servers import PrivatePostgres

pytestmark = pytest.mark.distro  # SQLAlchemy 1.4 once committed each rename by itself


@contextmanager
def old_and_new(private: PrivatePostgres, target: str, scratch: str, *, options: str = "") -> Iterator[None]:
    """Two databases that can be told apart by their only row."""
    for name, word in ((target, "old"), (scratch, "new")):
        drop_database(private, name)
        make_database(private, name, options=options)
        private.sql(f"CREATE TABLE which AS SELECT '{word}' AS word", database=name)
    try:
        yield
    finally:
        for (name,) in private.sql("SELECT datname FROM pg_database WHERE datname LIKE '%swap%'"):
            drop_database(private, name)


def word_in(private: PrivatePostgres, name: str) -> str:
    return str(private.sql("SELECT word FROM which", database=name)[0][0])


@contextmanager
def hammering(private: PrivatePostgres, name: str) -> Iterator[list[str]]:
    """Applications that connect, ask, hold their connection for a moment, and come back when they are thrown out."""
    import psycopg2

    stop = threading.Event()
    answers: list[str] = []

    def work() -> None:
        while not stop.is_set():
            with suppress(psycopg2.Error):
                connection = private.connect(database=name)
                with suppress(psycopg2.Error):
                    for _again in range(20):
                        cursor = connection.cursor()
                        cursor.execute("SELECT word FROM which")
                        answers.append(cursor.fetchone()[0])
                        time.sleep(0.01)
                connection.close()

    workers = [threading.Thread(target=work) for _number in range(8)]
    for worker in workers:
        worker.start()
    try:
        time.sleep(0.5)
        yield answers
        time.sleep(0.5)
    finally:
        stop.set()
        for worker in workers:
            worker.join()


@pytest.mark.parametrize("server", ["postgres15", "postgres18"])
def test_a_database_is_replaced_under_busy_connections(server: str, request: pytest.FixtureRequest) -> None:
    private: PrivatePostgres = request.getfixturevalue(server)
    with old_and_new(private, 'swap "a"', "swap%s b"), opened(private) as (connected, facts):
        assert (
            connected.value("SELECT word FROM public.which", database="swap%s b") == "new"
        )  # a pooled connection of ours
        with hammering(private, 'swap "a"') as answers:
            kept = PostgresqlEngine(connected, facts).swap("swap%s b", 'swap "a"')
        assert kept.startswith('swap "a"_replaced_')
        assert word_in(private, 'swap "a"') == "new"
        assert word_in(private, kept) == "old"
        assert connected.value("SELECT word FROM public.which", database='swap "a"') == "new"
        assert answers[0] == "old"
        assert answers[-1] == "new"
        assert answers == sorted(answers, reverse=True)  # never the old one again


def test_a_swap_that_fails_at_the_second_rename_leaves_both_usable(postgres15: PrivatePostgres) -> None:
    """The login may not end a superuser's session, so the restored database cannot be renamed."""
    with (
        new_role(postgres15, "swapper", "LOGIN CREATEDB PASSWORD 'password-of-swapper'"),
        old_and_new(postgres15, "swap_a", "swap_b", options="OWNER swapper"),
    ):
        watching: Any = postgres15.connect(database="swap_b")
        try:
            with (
                opened(postgres15, user="swapper", password="password-of-swapper") as (server, facts),
                pytest.raises(RestoreFailed, match=r"in place as it was, and the restored one is .*'swap_b'") as raised,
            ):
                PostgresqlEngine(server, facts).swap("swap_b", "swap_a")
            assert "being accessed by other users" in str(raised.value)
            assert word_in(postgres15, "swap_a") == "old"
            assert word_in(postgres15, "swap_b") == "new"
            cursor = watching.cursor()
            cursor.execute("SELECT word FROM which")
            assert cursor.fetchone() == ("new",)
        finally:
            watching.close()


def test_a_swap_whose_commit_is_not_answered_is_told_as_the_server_has_it(postgres15: PrivatePostgres) -> None:
    host, port = str(postgres15.login["login_host"]), int(postgres15.login["login_port"])
    with (
        old_and_new(postgres15, "swap_a", "swap_b"),
        cutting(host, port, b"RENAME TO", b"COMMIT") as proxy,
        opened(postgres15, host="127.0.0.1", port=proxy.port) as (server, facts),
    ):
        kept = PostgresqlEngine(server, facts).swap("swap_b", "swap_a")
        assert proxy.cut.is_set()
        assert word_in(postgres15, "swap_a") == "new"
        assert word_in(postgres15, kept) == "old"


def test_a_swap_of_which_nothing_more_is_heard_is_told_as_unknown(postgres15: PrivatePostgres) -> None:
    host, port = str(postgres15.login["login_host"]), int(postgres15.login["login_port"])
    with (
        old_and_new(postgres15, "swap_a", "swap_b"),
        cutting(host, port, b"RENAME TO", b"COMMIT", for_good=True) as proxy,
        opened(postgres15, host="127.0.0.1", port=proxy.port) as (server, facts),
    ):
        with pytest.raises(RestoreUnknown, match=r"Either it is as it was .* 'swap_b', or .* 'swap_a_replaced_"):
            PostgresqlEngine(server, facts).swap("swap_b", "swap_a")
        assert word_in(postgres15, "swap_a") == "new"


def test_while_a_swap_waits_the_old_database_is_not_closed_for_good(postgres15: PrivatePostgres) -> None:
    """Nothing is committed before the end: a process that dies in the middle leaves nothing to undo."""
    with (
        new_role(postgres15, "swapper", "LOGIN CREATEDB PASSWORD 'password-of-swapper'"),
        old_and_new(postgres15, "swap_a", "swap_b", options="OWNER swapper"),
    ):
        watching: Any = postgres15.connect(database="swap_b")
        with opened(postgres15, user="swapper", password="password-of-swapper") as (server, facts):
            failed: list[RestoreFailed] = []

            def try_it() -> None:
                try:
                    PostgresqlEngine(server, facts).swap("swap_b", "swap_a")
                except RestoreFailed as error:
                    failed.append(error)

            worker = threading.Thread(target=try_it)
            worker.start()
            time.sleep(1)
            allowed = postgres15.sql(
                "SELECT datname, datallowconn FROM pg_database WHERE datname LIKE 'swap%' ORDER BY 1"
            )
            assert allowed == [("swap_a", True), ("swap_b", True)]
            ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'swapper'"
            postgres15.sql(ended)
            worker.join()
        watching.close()
        assert failed
        assert word_in(postgres15, "swap_a") == "old"


def test_prepared_transactions_and_slots_refuse_a_swap_before_anything_is_done(
    server_factory: Any,
) -> None:
    private = server_factory("postgres15", settings={"max_prepared_transactions": "5", "wal_level": "logical"})
    with old_and_new(private, "swap_a", "swap_b"), opened(private) as (server, facts):
        connection = private.connect(database="swap_a")
        cursor = connection.cursor()
        cursor.execute("BEGIN; INSERT INTO which VALUES ('x'); PREPARE TRANSACTION 'half done'")
        with pytest.raises(RestoreRefused, match="prepared transaction half done"):
            PostgresqlEngine(server, facts).swap("swap_b", "swap_a")
        cursor.execute("ROLLBACK PREPARED 'half done'")
        cursor.execute("SELECT pg_create_logical_replication_slot('feed', 'pgoutput')")
        cursor.execute("CREATE SUBSCRIPTION far CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false)")
        with pytest.raises(RestoreRefused, match=r"replication slot feed .*, subscription far"):
            PostgresqlEngine(server, facts).swap("swap_b", "swap_a")
        cursor.execute("SELECT word FROM which")  # its session was not ended either
        assert cursor.fetchone() == ("old",)
        cursor.execute("SELECT pg_drop_replication_slot('feed')")
        cursor.execute("ALTER SUBSCRIPTION far SET (slot_name = NONE)")
        cursor.execute("DROP SUBSCRIPTION far")
        connection.close()
        PostgresqlEngine(server, facts).swap("swap_b", "swap_a")
        assert word_in(private, "swap_a") == "new"


def test_a_login_into_the_very_database_can_replace_and_drop_it(postgres15: PrivatePostgres) -> None:
    with old_and_new(postgres15, "swap_a", "swap_b"), opened(postgres15, database="swap_a") as (server, facts):
        kept = PostgresqlEngine(server, facts).swap("swap_b", "swap_a")
        assert server.value("SELECT word FROM public.which") == "new"
        PostgresqlEngine(server, facts).drop_database(kept)
        PostgresqlEngine(server, facts).drop_database("swap_a")
        assert postgres15.sql("SELECT datname FROM pg_database WHERE datname LIKE 'swap%'") == []


def test_a_missing_database_is_named(postgres15: PrivatePostgres) -> None:
    with opened(postgres15) as (server, facts), pytest.raises(RestoreRefused, match="there is no database never, nor"):
        PostgresqlEngine(server, facts).swap("never", "nor")
