# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong during a run: it is told, nothing of it is published, earlier backups stay, the next run is clean."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from backupdb.backup import run as backup
from backupdb.errors import LockBusy
from backupdb.repository import last_run
from backupdb.repository.problems import Problems
from support import mysql_dumps, postgresql_dumps
from support.library import (
    IDENTITY,
    LIBRARY,
    BackgroundRun,
    back_up,
    client_pid,
    database_folder,
    descendants,
    entry_of,
    instance_of,
    request_for,
    stored_backups,
    unpublished,
    wait_for,
)
from support.process_watch import ProcessWatch
from support.tree import folder_state

SLOW = 1 << 20  # bytes a second: the big database below takes several seconds at that
CLIENTS = {"postgres15": "pg_dump", "mariadb": "mariadb-dump"}


@pytest.fixture(params=["postgres15", "mariadb"])
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def fill(kind: str, server: Any, database: str) -> None:
    """8 MiB that cannot be compressed, and one small table."""
    if kind == "postgres15":
        server.sql(
            "CREATE TABLE big AS SELECT g AS id, decode(string_agg(md5(random()::text), ''), 'hex') AS noise "
            "FROM generate_series(1, 512) g, generate_series(1, 1024) h GROUP BY g",
            database=database,
        )
        server.sql("CREATE TABLE small AS SELECT 1 AS id", database=database)
        return
    server.sql("CREATE TABLE big (id INT PRIMARY KEY, noise LONGBLOB)", database=database)
    for number in range(8):
        server.sql("INSERT INTO big VALUES (%s, %s)", parameters=(number, os.urandom(1 << 20)), database=database)
    server.sql("CREATE TABLE small (id INT PRIMARY KEY)", database=database)
    server.sql("INSERT INTO small VALUES (1)", database=database)
    server.sql("ANALYZE TABLE big PERSISTENT FOR ALL", database=database)  # so that the server knows its size


@pytest.fixture
def server(kind: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A server of the session with the databases `big_one` and `calm`."""
    found = request.getfixturevalue(kind)
    dumps: Any = postgresql_dumps if kind == "postgres15" else mysql_dumps
    with dumps.new_database(found, "big_one"), dumps.new_database(found, "calm"):
        fill(kind, found, "big_one")
        found.sql("CREATE TABLE t (id int)", database="calm")
        yield found


def slow_request(server: Any, repository: Path, **options: Any) -> Any:
    return request_for(instance_of(server), repository, databases=["big_one", "calm"], bandwidth_limit=SLOW, **options)


def assert_only_good_backups(repository: Path, before: dict[str, Any]) -> None:
    """Nothing is unpublished, and what was there is still there unchanged, but for what tells of runs."""
    assert unpublished(repository) == []
    after = folder_state(repository)
    for path, entry in before.items():
        if entry.mode.startswith("-") and not path.endswith((".lock", last_run.FILE)):
            assert after.get(path) == entry, path


def test_a_client_that_is_killed_fails_its_database_and_no_other(kind: str, server: Any, repository: Path) -> None:
    back_up(server, repository, databases=["big_one", "calm"])
    before = folder_state(repository)
    run = BackgroundRun(slow_request(server, repository))
    # Both databases have a client at first; the one that lasts is the big one's.
    wait_for(lambda: len(stored_backups(repository, "calm")) == 2, what="the small backup")
    os.kill(client_pid(CLIENTS[kind]), signal.SIGKILL)
    result = run.result()
    assert result["status"] == "failed"
    assert "SIGKILL" in entry_of(result, "big_one")["error"]
    assert entry_of(result, "calm")["status"] == "complete"
    assert_only_good_backups(repository, before)
    assert len(stored_backups(repository, "big_one")) == 1
    assert back_up(server, repository, databases=["big_one", "calm"])["status"] == "ok"


def test_a_server_that_stops_during_a_dump_fails_the_run(
    kind: str, server_factory: Callable[..., Any], repository: Path
) -> None:
    server = server_factory(kind)
    (
        mysql_dumps.execute(server, "CREATE DATABASE big_one")
        if kind == "mariadb"
        else server.sql("CREATE DATABASE big_one")
    )
    fill(kind, server, "big_one")
    back_up(server, repository, databases=["big_one"])
    before = folder_state(repository)
    run = BackgroundRun(
        request_for(instance_of(server), repository, databases=["big_one"], bandwidth_limit=SLOW, accounts=False)
    )
    client_pid(CLIENTS[kind])
    time.sleep(0.5)
    server.kill()
    result = run.result()
    assert result["status"] == "failed"
    assert entry_of(result, "big_one")["error"]
    assert_only_good_backups(repository, before)
    server.start()
    assert back_up(server, repository, databases=["big_one"])["status"] == "ok"


def command_line_run(server: Any, repository: Path, **options: Any) -> subprocess.Popen[bytes]:
    """A run in a process of its own, as a module is one."""
    request = {
        "instance": {**{key: value for key, value in vars(instance_of(server)).items() if value is not None}},
        "selection": {"include": ["big_one", "calm"]},
        "encryption": {"recipients": [IDENTITY.recipient]},
        "repository": str(repository),
        "host": "host1",
        "bandwidth_limit": SLOW,
        **options,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "backupdb.cli.main", "backup"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(LIBRARY)},
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(request).encode())
    process.stdin.close()
    process.stdin = None  # so that communicate() leaves it alone
    return process


def test_a_run_that_is_killed_leaves_no_client_and_the_next_one_clears_up(
    kind: str, server: Any, repository: Path
) -> None:
    back_up(server, repository, databases=["big_one", "calm"])
    before = folder_state(repository)
    process = command_line_run(server, repository)
    client = client_pid(CLIENTS[kind], of=process.pid)
    wait_for(lambda: unpublished(repository), what="the unpublished folder")
    children = {*descendants(process.pid), client}
    process.kill()
    process.wait()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), seconds=5, what="the clients' end")
    assert len(stored_backups(repository, "big_one")) == 1
    assert unpublished(repository)
    result = back_up(server, repository, databases=["big_one", "calm"])
    assert result["status"] == "ok"
    assert any("left by a run" in warning for warning in result["warnings"])
    assert_only_good_backups(repository, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_asked_to_stop_reports_and_leaves_nothing(
    kind: str, server: Any, repository: Path, number: signal.Signals
) -> None:
    process = command_line_run(server, repository)
    client_pid(CLIENTS[kind], of=process.pid)
    wait_for(lambda: unpublished(repository), what="the unpublished folder")
    process.send_signal(number)
    output, _errors = process.communicate(timeout=30)
    result = json.loads(output)
    assert process.returncode == 2
    assert result["status"] == "failed"
    assert "asked to stop" in entry_of(result, "big_one")["error"]
    assert any(number.name in warning for warning in result["warnings"])
    assert_only_good_backups(repository, {})
    assert not stored_backups(repository, "big_one")


def test_a_second_run_is_told_who_is_at_work(kind: str, server: Any, repository: Path) -> None:
    run = BackgroundRun(slow_request(server, repository))
    client_pid(CLIENTS[kind])
    with pytest.raises(LockBusy, match=rf"pid {os.getpid()}"):
        back_up(server, repository)
    assert run.result()["status"] == "ok"


def test_a_second_run_waits_as_long_as_it_is_allowed_to(kind: str, server: Any, repository: Path) -> None:
    run = BackgroundRun(slow_request(server, repository))
    client_pid(CLIENTS[kind])
    second = back_up(server, repository, databases=["calm"], repository_lock_timeout=60.0)
    assert second["status"] == "ok"
    assert run.result()["status"] == "ok"


def test_a_database_that_takes_too_long_is_ended(kind: str, server: Any, repository: Path) -> None:
    result = backup.run(slow_request(server, repository, timeout=1.5))
    assert "timeout (1.5 seconds)" in entry_of(result, "big_one")["error"]
    assert entry_of(result, "calm")["status"] == "complete"
    assert_only_good_backups(repository, {})
    assert not [name for name in descendants(os.getpid()).values() if name.startswith(CLIENTS[kind][:15])]


def test_a_question_to_the_server_that_takes_too_long_is_ended_on_the_server(
    kind: str, server: Any, repository: Path
) -> None:
    """The dump of the table is quick, its fingerprint is not."""
    rows = "generate_series(1, 3000000) AS s(seq)" if kind == "postgres15" else "seq_1_to_3000000"
    server.sql(
        f"CREATE TABLE wide AS SELECT seq, md5(seq{'::text' if kind == 'postgres15' else ''}) AS m FROM {rows}",
        database="calm",
    )
    began = time.monotonic()
    result = back_up(server, repository, databases=["calm"], accounts=False, fingerprints=True, timeout=1.0)
    assert "timeout (1 seconds)" in entry_of(result, "calm")["error"]
    assert time.monotonic() - began < 20
    running = (
        "SELECT query FROM pg_stat_activity WHERE datname = 'calm' AND state = 'active'"
        if kind == "postgres15"
        else "SELECT info FROM information_schema.processlist WHERE db = 'calm' AND command = 'Query'"
    )
    wait_for(lambda: server.sql(running) == [], seconds=5, what="the end of the statement")
    assert_only_good_backups(repository, {})


def test_too_little_space_is_refused_beforehand_with_the_numbers(
    kind: str, server: Any, small_tmpfs: Callable[[str], Path]
) -> None:
    repository = small_tmpfs("64K")
    result = back_up(server, repository, databases=["big_one"], accounts=False)
    assert result["status"] == "failed"
    error = entry_of(result, "big_one")["error"]
    assert error.startswith("at least ") and "are needed and 60.0 KiB are free" in error
    assert "with low confidence: guessed from the size of the database" in error
    assert not database_folder(repository, "big_one").exists()


def test_what_may_fit_is_tried_with_a_warning_and_a_full_disk_harms_nothing(
    kind: str, server: Any, small_tmpfs: Callable[[str], Path]
) -> None:
    repository = small_tmpfs("1M")
    back_up(server, repository, databases=["calm"])
    before = folder_state(repository)
    check = backup.run(request_for(instance_of(server), repository, databases=["big_one"]), check_mode=True)
    result = back_up(server, repository, databases=["big_one"])
    assert check["status"] == "planned"  # nobody knows yet how well it compresses
    for said in (check, result):
        assert any("the backups will likely take" in warning for warning in said["warnings"]), said["warnings"]
    assert "the filesystem is full" in entry_of(result, "big_one")["error"]
    assert_only_good_backups(repository, before)


def test_a_disk_that_fills_up_during_the_dump_fails_and_harms_nothing(
    kind: str, server: Any, small_tmpfs: Callable[[str], Path]
) -> None:
    repository = small_tmpfs("40M")
    back_up(server, repository, databases=["calm"])
    before = folder_state(repository)
    run = BackgroundRun(
        request_for(instance_of(server), repository, databases=["big_one"], bandwidth_limit=4 * SLOW, accounts=False)
    )
    wait_for(lambda: unpublished(repository), what="the unpublished folder")
    with (repository / "filler").open("wb") as filler:
        free = shutil.disk_usage(repository).free
        filler.write(bytes(max(0, free - (2 << 20))))
    result = run.result()
    (repository / "filler").unlink()
    assert result["status"] == "failed"
    assert "full" in entry_of(result, "big_one")["error"]
    assert_only_good_backups(repository, before)


def test_no_secret_reaches_the_arguments_or_environment_of_any_process(
    kind: str, server: Any, repository: Path
) -> None:
    with ProcessWatch() as watch:
        result = back_up(server, repository, databases=["big_one", "calm"], jobs=2, row_counts=True)
    assert result["status"] == "ok"
    assert CLIENTS[kind] in watch.programs()
    assert watch.find(server.password) == []
    assert watch.find(IDENTITY.reveal()) == []


def test_a_failing_database_does_not_stop_the_others(kind: str, server: Any, repository: Path) -> None:
    """The big one's folder is a file, so that it cannot be stored."""
    folder = database_folder(repository, "big_one")
    folder.parent.mkdir(parents=True, mode=0o700)
    folder.touch()
    result = back_up(server, repository, databases=["big_one", "calm"])
    assert result["status"] == "failed"
    assert "in the way" in entry_of(result, "big_one")["error"]
    assert entry_of(result, "calm")["status"] == "complete"
    assert result["accounts"]["status"] == "complete"
    record = last_run.read(folder.parent, Problems())
    assert record is not None
    assert {outcome.name: outcome.status for outcome in record.databases} == {"big_one": "failed", "calm": "complete"}
    assert record.present > {"big_one", "calm"}
    assert record.run_id == result["run_id"]


def test_a_database_that_vanished_is_told_and_its_backups_are_kept(kind: str, server: Any, repository: Path) -> None:
    dumps: Any = postgresql_dumps if kind == "postgres15" else mysql_dumps
    with dumps.new_database(server, "short_lived"):
        back_up(server, repository, databases=["calm", "short_lived"])
    with dumps.new_database(server, "newcomer"):
        result = back_up(server, repository, databases=["calm", "newcomer"])
    assert result["gone"] == ["short_lived"]
    assert result["new"] == ["newcomer"]
    assert any("'short_lived' was in the last run" in warning for warning in result["warnings"])
    assert len(stored_backups(repository, "short_lived")) == 1
    assert back_up(server, repository, databases=["calm"])["gone"] == ["newcomer"]


def test_a_fresh_backup_is_not_made_again_and_a_stale_one_is(kind: str, server: Any, repository: Path) -> None:
    back_up(server, repository, databases=["calm"])
    again = back_up(server, repository, databases=["calm"], skip_if_newer_than=3600.0)
    assert again["changed"] is False
    assert again["status"] == "ok"
    assert "complete backup" in entry_of(again, "calm")["reason"]
    assert back_up(server, repository, databases=["calm"], skip_if_newer_than=0.001)["changed"] is True
    assert len(stored_backups(repository, "calm")) == 2


def test_a_change_of_the_schema_during_the_dump_is_tried_again(mariadb: Any, repository: Path) -> None:
    with mysql_dumps.new_database(mariadb, "big_one"):
        fill("mariadb", mariadb, "big_one")
        run = BackgroundRun(
            request_for(instance_of(mariadb), repository, databases=["big_one"], bandwidth_limit=4 * SLOW)
        )
        client_pid("mariadb-dump")
        time.sleep(0.3)
        threading.Thread(
            target=lambda: mariadb.sql("ALTER TABLE small ADD COLUMN more int", database="big_one"), daemon=True
        ).start()
        result = run.result()
    assert result["status"] == "ok", result["message"]
    assert len(stored_backups(repository, "big_one")) == 1


def test_a_broken_table_makes_the_backup_partial_and_is_named(
    server_factory: Callable[..., Any], repository: Path
) -> None:
    server = server_factory("mariadb")
    mysql_dumps.execute(server, "CREATE DATABASE torn")
    server.sql("CREATE TABLE good (id INT PRIMARY KEY)", database="torn")
    server.sql("CREATE TABLE torn_table (id INT PRIMARY KEY, t TEXT) ENGINE=MyISAM", database="torn")
    server.sql("INSERT INTO torn_table VALUES (1, REPEAT('x', 10000))", database="torn")
    server.sql("FLUSH TABLES", database="torn")
    (server.data / "torn" / "torn_table.MYI").write_bytes(b"torn")
    result = back_up(server, repository, databases=["torn"])
    assert result["status"] == "partial"
    entry = entry_of(result, "torn")
    assert entry["status"] == "partial"
    assert any("torn_table" in line for line in entry["missing"])
    assert "torn_table" in result["message"]
