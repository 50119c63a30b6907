# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One database never stops the others, whatever is wrong with it, and none is left out without a word."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from backupdb.backup import run as backup
from backupdb.engines.postgresql.engine import PostgresqlEngine
from backupdb.errors import SelectionError
from support.library import back_up, entry_of, instance_of, request_for, stored_backups
from support.postgresql_dumps import drop_database, make_database, new_database, new_role, opened
from support.servers import PrivatePostgres

POSTGRESQL = ["postgres15", "postgres18"]
PASSWORD = "a-password-of-the-backup-login"


@pytest.fixture(params=POSTGRESQL)
def private(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> PrivatePostgres:
    """PostgreSQL, once of each version, with its clients."""
    server: PrivatePostgres = request.getfixturevalue(request.param)
    monkeypatch.setenv("PATH", f"{server.binaries}:{os.environ['PATH']}")
    return server


def test_a_database_that_the_login_cannot_enter_fails_alone(private: PrivatePostgres, repository: Path) -> None:
    attributes = f"LOGIN PASSWORD '{PASSWORD}' IN ROLE pg_read_all_data"
    with new_database(private, "calm"), new_database(private, "full"), new_role(private, "taker", attributes):
        private.sql('ALTER DATABASE "full" CONNECTION LIMIT 0')
        login = instance_of(private, user="taker", password=PASSWORD)
        request = request_for(login, repository, databases=["calm", "full"])
        plan = backup.run(request, check_mode=True)
        result = backup.run(request)
    for done in (plan, result):
        assert done["status"] == "failed"
        assert "the server has no free connection; raise its limit or run later" in done["message"]
    assert entry_of(result, "calm")["status"] == "complete"
    assert result["accounts"]["status"] == "complete"
    assert entry_of(result, "full")["status"] == "failed"
    assert "too many connections" in entry_of(result, "full")["error"]


def test_a_name_that_is_not_there_stops_no_other(postgres15: PrivatePostgres, repository: Path) -> None:
    with new_database(postgres15, "calm"):
        result = back_up(postgres15, repository, databases=["calm", "dropped"])
    assert entry_of(result, "calm")["status"] == "complete"
    assert result["status"] == "failed"
    assert "'dropped', which matches no database" in result["message"]
    with pytest.raises(SelectionError):
        back_up(postgres15, repository, databases=["dropped"])


def test_files_that_cannot_be_read_cost_one_database_its_size_only(private: PrivatePostgres) -> None:
    with new_database(private, "calm"), new_database(private, "odd"):
        ((oid, data),) = private.sql(
            "SELECT oid, current_setting('data_directory') FROM pg_database WHERE datname = 'odd'"
        )
        loop = Path(data) / "base" / str(oid) / "loop"
        loop.symlink_to("loop")
        try:
            with opened(private) as (server, facts):
                sizes = {one.name: one.size_bytes for one in PostgresqlEngine(server, facts).databases()}
        finally:
            loop.unlink()
    assert sizes["odd"] is None
    assert sizes["calm"]
    assert facts.data_bytes


def test_databases_are_listed_while_others_come_and_go(private: PrivatePostgres) -> None:
    ended = threading.Event()

    def come_and_go() -> None:
        while not ended.is_set():
            make_database(private, "passing", options="STRATEGY file_copy")
            drop_database(private, "passing")

    other = threading.Thread(target=come_and_go)
    with opened(private) as (server, facts):
        other.start()
        try:
            for _look in range(100):
                names = {one.name for one in PostgresqlEngine(server, facts).databases()}
                assert {"postgres", "template1"} <= names
        finally:
            ended.set()
            other.join()


@contextmanager
def changed(private: PrivatePostgres, name: str, change: str, back: str) -> Iterator[None]:
    private.sql(f"ALTER DATABASE {name} {change}")
    try:
        yield
    finally:
        private.sql(f"ALTER DATABASE {name} {back}")


def test_a_database_that_was_closed_or_made_a_template_is_told_when_it_had_backups(
    private: PrivatePostgres, repository: Path
) -> None:
    with new_database(private, "k_open"), new_database(private, "k_closed"), new_database(private, "k_mould"):
        back_up(private, repository, databases=["k_*"])
        with (
            changed(private, "k_closed", "ALLOW_CONNECTIONS false", "ALLOW_CONNECTIONS true"),
            changed(private, "k_mould", "IS_TEMPLATE true", "IS_TEMPLATE false"),
        ):
            result = back_up(private, repository, databases=["k_*"])
            by_name = back_up(private, repository, databases=["k_mould", "k_closed"])
            with pytest.raises(SelectionError, match=r"selected \('k_closed': it allows no connections"):
                back_up(private, repository, databases=["k_closed"])
            assert len(stored_backups(repository, "k_closed")) == 1
    told = "\n".join(result["warnings"])
    assert result["status"] == "ok"
    assert "database 'k_closed' is left out and its backups are kept: it allows no connections" in told
    assert "database 'k_mould' is left out and its backups are kept: it is a template" in told
    assert entry_of(by_name, "k_mould")["status"] == "complete"
    assert by_name["status"] == "failed"
    assert "'k_closed' is not backed up: it allows no connections" in by_name["message"]


def test_a_template_that_never_had_a_backup_is_no_reason_to_warn(private: PrivatePostgres, repository: Path) -> None:
    with (
        new_database(private, "k_open"),
        new_database(private, "k_mould"),
        changed(private, "k_mould", "IS_TEMPLATE true", "IS_TEMPLATE false"),
    ):
        result = back_up(private, repository, databases=["k_*"])
    assert not result["warnings"]
    assert {
        "name": "k_mould",
        "reason": "it is a template for other databases (datistemplate is true); "
        "name it in databases to have it backed up",
    } in result["skipped"]


def test_tables_in_the_template_of_new_databases_are_told_and_taken_on_request(
    private: PrivatePostgres, repository: Path
) -> None:
    private.sql("CREATE TABLE public.in_every_new_database (n int)", database="template1")
    try:
        with new_database(private, "k_open"):
            result = back_up(private, repository)
            make_database(private, "meanwhile", options="")
            drop_database(private, "meanwhile")
        assert any("'template1' is left out" in line and "1 tables of your own" in line for line in result["warnings"])
        taken = back_up(private, repository, databases=["template1"])
        assert entry_of(taken, "template1")["status"] == "complete"
    finally:
        private.sql("DROP TABLE public.in_every_new_database", database="template1")
