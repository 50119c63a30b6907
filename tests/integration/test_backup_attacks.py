# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers and repositories that are not as one expects: each of these once lost something, or failed without need."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from backupdb.backup import one_database as database_backup
from backupdb.backup import run as backup
from backupdb.backup import workers
from backupdb.engines.mysql import lock as mysql_lock
from backupdb.engines.mysql import observation as mysql_observation
from backupdb.engines.mysql.statements import ask
from backupdb.errors import RepositoryError
from support import mysql_dumps
from support.library import (
    BackgroundRun,
    back_up,
    client_pid,
    database_folder,
    descendants,
    entry_of,
    instance_of,
    request_for,
    stored_backups,
)
from support.postgresql_dumps import new_database


@pytest.fixture
def settings(mariadb: Any) -> Iterator[Callable[[str, str], None]]:
    """`settings("wait_timeout", "2")` changes a global setting of MariaDB until the end of the test."""
    before: dict[str, Any] = {}

    def change(name: str, value: str) -> None:
        before.setdefault(name, mariadb.sql(f"SELECT @@GLOBAL.{name}")[0][0])
        mariadb.sql(f"SET GLOBAL {name} = {value}")

    yield change
    for name, value in before.items():
        mariadb.sql(f"SET GLOBAL {name} = %s", parameters=(value,))


def test_a_server_in_another_time_zone_is_backed_up(
    mariadb: Any, settings: Callable[[str, str], None], repository: Path
) -> None:
    settings("time_zone", "'+05:00'")
    with mysql_dumps.new_database(mariadb, "elsewhere"):
        mariadb.sql(
            "CREATE TABLE t (id int PRIMARY KEY, at timestamp NOT NULL DEFAULT '2020-01-01 00:00:00')",
            database="elsewhere",
        )
        mariadb.sql("CREATE PROCEDURE p() SELECT 1", database="elsewhere")
        mariadb.sql("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1", database="elsewhere")
        mariadb.sql("CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET @seen = 1", database="elsewhere")
        result = back_up(mariadb, repository, databases=["elsewhere"])
    assert result["status"] == "ok", result["message"]


def test_many_databases_at_once_do_not_wait_for_each_others_sessions(mariadb: Any, repository: Path) -> None:
    names = [f"crowd_{number}" for number in range(8)]
    try:
        for name in names:
            mariadb.sql(f"CREATE DATABASE {name}")
            mariadb.sql("CREATE TABLE t (noise LONGBLOB)", database=name)
            mariadb.sql("INSERT INTO t VALUES (%s)", parameters=(os.urandom(1 << 20),), database=name)
        result = back_up(mariadb, repository, databases=["crowd_*"], workers=8, bandwidth_limit=4 << 20)
    finally:
        for name in names:
            mariadb.sql(f"DROP DATABASE IF EXISTS {name}")
    assert result["status"] == "ok", result["message"]
    assert result["duration"] < 30


def test_grants_are_exported_from_a_server_that_quotes_no_names(
    mariadb: Any, settings: Callable[[str, str], None]
) -> None:
    mariadb.sql("CREATE USER plain@'%' IDENTIFIED BY 'x'")
    try:
        mariadb.sql("GRANT SELECT ON mysql.* TO plain@'%'")
        settings("sql_quote_show_create", "0")
        with mysql_dumps.opened(mariadb) as where:
            export = where.engine.export_accounts(where.client())
    finally:
        mariadb.sql("DROP USER plain@'%'")
    assert "GRANT SELECT ON `mysql`.* TO `plain`@`%`;" in export.sql


@pytest.fixture
def big(mariadb: Any) -> Iterator[str]:
    """A database of 8 MiB, for dumps that take their time."""
    with mysql_dumps.new_database(mariadb, "big_attack"):
        mariadb.sql("CREATE TABLE big (id INT PRIMARY KEY, noise LONGBLOB)", database="big_attack")
        for number in range(8):
            parameters = (number, os.urandom(1 << 20))
            mariadb.sql("INSERT INTO big VALUES (%s, %s)", parameters=parameters, database="big_attack")
        yield "big_attack"


def test_a_login_with_an_at_sign_does_not_hold_up_writers(mariadb: Any, big: str, repository: Path) -> None:
    mariadb.sql("CREATE USER `a@b`@'%' IDENTIFIED BY 'x'")
    try:
        mariadb.sql("GRANT ALL ON *.* TO `a@b`@'%'")
        login = instance_of(mariadb, user="a@b", password="x")
        run = BackgroundRun(request_for(login, repository, databases=[big], bandwidth_limit=1 << 20, accounts=False))
        client_pid("mariadb-dump")
        began = time.monotonic()
        mariadb.sql("INSERT INTO big VALUES (100, '')", database=big)
        waited = time.monotonic() - began
        result = run.result()
    finally:
        mariadb.sql("DROP USER `a@b`@'%'")
    assert result["status"] == "ok", result["message"]
    assert waited < 2


def test_a_look_that_takes_longer_than_the_lock_may_be_held_is_not_disturbed(
    mariadb: Any, big: str, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a server with very many tables: the watchdog gives the lock back while the coordinator is waiting."""
    monkeypatch.setattr(mysql_lock, "MAX_HOLD", 3.0)
    look = mysql_observation.programs

    def slow(server: Any, connection: Any, database: str) -> Any:
        ask(server, connection, f"SELECT SLEEP({mysql_lock.MAX_HOLD + 2})")
        return look(server, connection, database)

    monkeypatch.setattr(mysql_observation, "programs", slow)
    result = back_up(mariadb, repository, databases=[big], accounts=False, row_counts=True)
    assert result["status"] == "ok", result["message"]
    assert any("had not begun within" in warning for warning in result["databases"][0]["warnings"])


def test_sessions_that_the_server_ended_for_idling_are_replaced(mariadb: Any, settings: Any) -> None:
    settings("wait_timeout", "1")
    with mysql_dumps.opened(mariadb) as where:
        where.server.value("SELECT 1")
        time.sleep(2.5)
        assert where.server.value("SELECT 1") == 1


def test_names_and_comments_in_another_encoding_harm_no_other_database(server_factory: Any, repository: Path) -> None:
    server = server_factory("postgres15")
    server.sql("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    server.sql("CREATE DATABASE plain")
    for statement in (
        "CREATE DATABASE \"café\" ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
        'CREATE ROLE "café"',
        'ALTER DATABASE latin OWNER TO "café"',
        "ALTER ROLE \"café\" IN DATABASE latin SET application_name = 'é'",
        "COMMENT ON DATABASE latin IS 'é'",
    ):
        server.sql(statement, database="latin")
    result = back_up(server, repository, accounts=False)
    assert {entry["name"]: entry["status"] for entry in result["databases"]} == {
        "latin": "complete",
        "plain": "complete",
    }
    assert "'caf\\udce9' is not backed up" in result["message"]
    properties = stored_backups(repository, "latin")[0].manifest["properties"]
    assert (properties["owner"], properties["comment"]) == ("caf\udce9", "\udce9")
    assert properties["settings"] == [{"role": "caf\udce9", "settings": ["application_name=\udce9"]}]


@pytest.mark.parametrize("kind", ["postgres15", "mariadb"])
def test_a_server_that_no_longer_answers_does_not_hold_the_run_for_ever(
    kind: str, server_factory: Any, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_PATIENCE", 3.0)
    server = server_factory(kind)
    server.sql("CREATE DATABASE silent")
    server.sql("CREATE TABLE big (noise TEXT)", database="silent")
    fill = "INSERT INTO big VALUES (%s)"
    if kind == "mariadb":
        server.sql("ALTER TABLE big MODIFY noise LONGTEXT", database="silent")
    for _number in range(9):
        server.sql(fill, parameters=(os.urandom(1 << 19).hex(),), database="silent")
    request = request_for(
        instance_of(server), repository, databases=["silent"], accounts=False, timeout=4, bandwidth_limit=1 << 19
    )
    run = BackgroundRun(request)
    client_pid("pg_dump" if kind == "postgres15" else "mariadb-dump")
    time.sleep(1)
    processes = [server.pid, *descendants(server.pid)]
    try:
        for pid in processes:
            os.kill(pid, signal.SIGSTOP)
        result = run.result(seconds=50)
    finally:
        for pid in processes:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    assert result["status"] == "failed"
    assert back_up(server, repository, databases=["silent"], accounts=False)["status"] == "ok"


@pytest.fixture
def as_nobody() -> Iterator[Callable[[], None]]:
    """`as_nobody()` gives up root's rights until the end of the test."""

    def become() -> None:
        os.setegid(65534)
        os.seteuid(65534)

    yield become
    os.seteuid(0)
    os.setegid(0)


def given_to_nobody(folder: Path) -> None:
    folder.parent.chmod(0o755)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 65534, 65534)


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_database_folder_of_another_user_blocks_only_its_own_database(
    check_mode: bool, postgres15: Any, repository: Path, as_nobody: Callable[[], None]
) -> None:
    with new_database(postgres15, "mine"), new_database(postgres15, "foreign"):
        request = request_for(instance_of(postgres15), repository, databases=["mine", "foreign"])
        backup.run(request)
        given_to_nobody(repository)
        os.chown(database_folder(repository, "foreign"), 0, 0)
        as_nobody()
        result = backup.run(request, check_mode=check_mode)
    assert any("foreign cannot be read" in warning for warning in result["warnings"])
    assert entry_of(result, "mine")["status"] == ("planned" if check_mode else "complete")
    assert entry_of(result, "foreign")["status"] == "failed"
    assert "permission denied" in entry_of(result, "foreign")["error"]


@pytest.mark.parametrize("what", ["foreign/.partial-dead", ".lock"])
def test_what_another_user_left_in_the_way_of_a_run_is_found_by_its_check(
    what: str, postgres15: Any, repository: Path, as_nobody: Callable[[], None]
) -> None:
    """As after a run by root in the repository of the backup user."""
    with new_database(postgres15, "mine"):
        request = request_for(instance_of(postgres15), repository, databases=["mine"])
        backup.run(request)
        left = database_folder(repository, "mine").parent / what
        if what != ".lock":
            left.mkdir(parents=True)
            (left / "data").touch()
        given_to_nobody(repository)
        os.chown(left, 0, 0)
        left.chmod(0o700)
        as_nobody()
        check = backup.run(request, check_mode=True)
        with pytest.raises(RepositoryError, match="permission denied"):
            backup.run(request)
    assert (check["status"], entry_of(check, "mine")["status"]) == ("failed", "failed")
    assert str(left) in check["message"]


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_repository_below_a_closed_folder_is_told_in_plain_words(
    check_mode: bool, postgres15: Any, scratch: Path, repository: Path, as_nobody: Callable[[], None]
) -> None:
    given_to_nobody(repository)
    scratch.chmod(0o700)
    with new_database(postgres15, "mine"):
        as_nobody()
        request = request_for(instance_of(postgres15), repository, databases=["mine"])
        if check_mode:
            said = backup.run(request, check_mode=True)["message"]
        else:
            with pytest.raises(RepositoryError) as caught:
                backup.run(request)
            said = str(caught.value)
    assert "permission denied for uid 65534" in said


def test_stray_files_in_a_repository_do_not_stop_the_runs(postgres15: Any, repository: Path) -> None:
    with new_database(postgres15, "strayed"):
        first = back_up(postgres15, repository, databases=["strayed"], accounts=False)
        manifest = Path(entry_of(first, "strayed")["path"], "manifest.json")
        manifest.write_text("[" * 200_000)
        (manifest.parents[1] / ".partial-file").touch()
        second = back_up(postgres15, repository, databases=["strayed"], accounts=False)
    assert second["status"] == "ok"
    assert any(f"{manifest} is not JSON" in warning for warning in second["warnings"])


def test_what_is_ready_after_its_time_is_up_is_not_published(
    postgres15: Any, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk that takes very long to write: the run may have given up on it and let go of the lock."""
    dump_part = database_backup.dump_part

    def late(*arguments: Any, **options: Any) -> Any:
        archive = dump_part(*arguments, **options)
        time.sleep(max(0.0, options["limits"].deadline - time.monotonic()) + 0.1)
        return archive

    monkeypatch.setattr(database_backup, "dump_part", late)
    with new_database(postgres15, "tardy"):
        result = back_up(postgres15, repository, databases=["tardy"], accounts=False, timeout=3)
    assert "not finished within timeout" in entry_of(result, "tardy")["error"]
    assert not database_folder(repository, "tardy").exists()
