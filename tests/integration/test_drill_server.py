# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The private server of a drill: what it is like, and that it is gone whatever happens."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from backupdb.connection.server import Server
from backupdb.engines.mysql.driver import PyMysql
from backupdb.engines.mysql.mariadb import MariadbEngine
from backupdb.engines.postgresql import private_server as private_postgresql
from backupdb.engines.postgresql.driver import Psycopg2
from backupdb.engines.workplace import server_user, workplace
from backupdb.errors import ClientMissing
from support import mysql_dumps, mysql_sid, postgresql_dumps
from support.drills import drilled, servers_in
from support.library import IDENTITY, LIBRARY, back_up, wait_for


@contextmanager
def private_postgresql_server(work_dir: Path, **settings: Any) -> Iterator[Server]:
    manifest = {"server": {"version": "15.1", "settings": settings}}
    with (
        workplace(str(work_dir), server_user(None), socket_name=private_postgresql.SOCKET_NAME) as place,
        private_postgresql.private_server(manifest, superuser="boss", place=place, cancel=threading.Event()) as private,
        Server(private.instance, driver=Psycopg2()) as server,
    ):
        server.unmatched = list(private.unmatched)  # type: ignore[attr-defined]
        yield server


@contextmanager
def private_mariadb_server(work_dir: Path, *, longest: int = 0, **settings: Any) -> Iterator[Server]:
    manifest = {
        "engine": "mariadb",
        "server": {"version": "10.11.1", "settings": settings},
        "archives": [{"longest_statement_bytes": longest}],
    }
    with (
        workplace(str(work_dir), server_user(None), socket_name=MariadbEngine.DRILL.SOCKET_NAME) as place,
        MariadbEngine.DRILL.private_server(manifest, None, place=place, cancel=threading.Event()) as private,
        Server(private.instance, driver=PyMysql()) as server,
    ):
        server.unmatched = list(private.unmatched)  # type: ignore[attr-defined]
        yield server


def program_of(pid: int) -> str:
    """The name of the program that a process runs."""
    return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()


def user_and_network_of(pid: int) -> tuple[str, str]:
    """Who runs a process, and which network namespace it is in."""
    return pwd.getpwuid(Path(f"/proc/{pid}").stat().st_uid).pw_name, os.readlink(f"/proc/{pid}/ns/net")  # noqa: PTH115


def test_postgresql_runs_unprivileged_without_a_network_with_the_settings_of_the_source(work_dir: Path) -> None:
    settings = {"TimeZone": "Asia/Tokyo", "block_size": "16384", "shared_preload_libraries": "auto_explain, not_here"}
    with private_postgresql_server(work_dir, **settings) as server:
        assert server.value("SELECT current_user") == "boss"
        assert server.value("SHOW timezone") == "Asia/Tokyo"
        assert server.value("SHOW shared_preload_libraries") == "auto_explain"
        assert server.value("SHOW listen_addresses") == ""
        assert server.value("SHOW block_size") == "8192"
        told: Any = server.unmatched  # type: ignore[attr-defined]
        assert any("not_here" in line for line in told)
        assert any(line.startswith("block_size: 16384 at the source, 8192 here") for line in told)
        pid = next(pid for pid in servers_in(work_dir) if program_of(pid) == "postgres")
        user, network = user_and_network_of(pid)
        if os.geteuid() == 0:
            assert user == "nobody"
            assert network != user_and_network_of(os.getpid())[1]
    assert servers_in(work_dir) == []
    assert list(work_dir.iterdir()) == []


def test_mariadb_runs_unprivileged_without_a_network_with_the_settings_of_the_source(work_dir: Path) -> None:
    settings = {
        "lower_case_table_names": 1,
        "sql_mode": "ANSI_QUOTES",
        "collation_server": "utf8mb4_polish_ci",
        "character_set_server": "utf8mb4",
        "innodb_page_size": 8192,
        "time_zone": "+03:00",
        "log_bin_trust_function_creators": 1,
        "max_allowed_packet": 4 << 20,
        "plugins": ["ed25519", "not_here", "SPIDER", "SERVER_AUDIT"],
    }
    with private_mariadb_server(work_dir, **settings) as server:
        for name in (
            "lower_case_table_names",
            "sql_mode",
            "collation_server",
            "innodb_page_size",
            "max_allowed_packet",
        ):
            assert server.value(f"SELECT @@GLOBAL.{name}") == settings[name]
        assert server.value("SELECT @@GLOBAL.event_scheduler") == "OFF"
        assert server.value("SELECT @@GLOBAL.skip_networking") == 1
        assert server.value("SELECT @@GLOBAL.time_zone") == settings["time_zone"]  # our own sessions have another
        plugins = {row[0] for row in server.rows("SELECT plugin_name FROM information_schema.plugins")}
        assert "ed25519" in plugins
        assert "SERVER_AUDIT" not in plugins
        told: Any = server.unmatched  # type: ignore[attr-defined]
        assert {line for line in told if "network" not in line} == {
            "plugins: SPIDER is not installed here",
            "plugins: not_here is none that a restore is known to need; left out",
        }
        pid = next(pid for pid in servers_in(work_dir) if program_of(pid) == "mariadbd")
        user, network = user_and_network_of(pid)
        if os.geteuid() == 0:
            assert user == "nobody"
            assert network != user_and_network_of(os.getpid())[1]
    assert servers_in(work_dir) == []
    assert list(work_dir.iterdir()) == []


def test_a_statement_that_is_too_long_for_the_source_is_told_with_what_a_restore_needs(work_dir: Path) -> None:
    with private_mariadb_server(work_dir, longest=30_000_000, max_allowed_packet=16 << 20) as server:
        limit = server.value("SELECT @@GLOBAL.max_allowed_packet")
        assert limit >= 30_000_000
        told: Any = server.unmatched  # type: ignore[attr-defined]
        assert any(f"SET GLOBAL max_allowed_packet = {limit}" in line for line in told)


def test_a_big_value_is_drilled_with_the_limit_that_it_needs(mariadb: Any, repository: Path, work_dir: Path) -> None:
    with mysql_dumps.new_database(mariadb, "big"):
        mariadb.sql("CREATE TABLE t (id int PRIMARY KEY, b longblob)", database="big")
        limit = mariadb.sql("SELECT @@GLOBAL.max_allowed_packet")[0][0]
        mariadb.sql("INSERT INTO t VALUES (1, REPEAT('x', 12000000))", database="big")
        back_up(mariadb, repository, databases=["big"])
    entry = drilled(repository, work_dir=str(work_dir))
    assert entry["verdict"] == "equal", entry
    assert limit == 16 << 20
    assert any("SET GLOBAL max_allowed_packet" in line for line in entry["unmatched_settings"])


def test_without_a_server_program_the_package_is_named_and_no_record_kept(
    postgres15: Any, repository: Path, work_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgresql_dumps.new_database(postgres15, "small"):
        back_up(postgres15, repository, databases=["small"], accounts=False)
    monkeypatch.setattr(private_postgresql, "_VERSIONED_FOLDERS", ())
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    entry = drilled(repository, work_dir=str(work_dir))
    assert (entry["verdict"], entry["error_kind"], entry["record"]) == ("failed", "ClientMissing", None)
    assert "postgresql-15" in entry["error"]


def test_an_older_mariadb_is_refused() -> None:
    with pytest.raises(ClientMissing, match=r"99\.1"):
        MariadbEngine.DRILL.program({"server": {"version": "99.1.0"}})


_DRILL = """
import sys
sys.path.insert(0, sys.argv[1])
from backupdb.archives.keys import Keys
from backupdb.drill import run as drill
from backupdb.drill.request import DrillRequest
from backupdb.errors import BackupDbError
try:
    drill.run(DrillRequest(repository=sys.argv[2], work_dir=sys.argv[3], keys=Keys(identity=sys.stdin.read())))
except BackupDbError as error:
    sys.exit(type(error).__name__)
"""


@pytest.fixture(params=["postgres15", "mariadb", pytest.param("mysql", marks=pytest.mark.mysql)])
def slow_repository(request: pytest.FixtureRequest, repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A backup whose drill takes some seconds."""
    server = request.getfixturevalue(request.param)
    if request.param == "mysql":
        monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{mysql_sid.programs()}")
    if request.param == "postgres15":
        with postgresql_dumps.new_database(server, "slow"):
            server.sql(
                "CREATE TABLE t AS SELECT g, repeat('x', 200) FROM generate_series(1, 300000) g", database="slow"
            )
            back_up(server, repository, databases=["slow"])
    else:
        with mysql_dumps.new_database(server, "slow"):
            server.sql("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, v text)", database="slow")
            server.sql("INSERT INTO t (v) VALUES (REPEAT('x', 200))", database="slow")
            for _number in range(17):
                server.sql("INSERT INTO t (v) SELECT v FROM t", database="slow")
            back_up(server, repository, databases=["slow"])
    return repository


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_server_is_gone_when_the_drill_is_ended(
    slow_repository: Path, work_dir: Path, number: signal.Signals
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _DRILL, str(LIBRARY), str(slow_repository), str(work_dir)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(IDENTITY.reveal())
    process.stdin.close()
    data_folder = wait_for(
        lambda: list(work_dir.glob("backupdb-drill-*/run/*")), what="the socket of the server", seconds=90
    )
    assert data_folder
    assert servers_in(work_dir)
    process.send_signal(number)
    process.wait(60)
    wait_for(lambda: not servers_in(work_dir), what="the end of the server", seconds=60)
    assert list(slow_repository.glob("**/drill-*.json")) == []
    if number == signal.SIGTERM:
        assert list(work_dir.iterdir()) == []
        assert process.stderr is not None
        assert process.stderr.read().strip() == "Interrupted"
    else:
        assert len(list(work_dir.iterdir())) == 1  # nobody was there to remove it, but the next drill does
        with workplace(str(work_dir), server_user(None), socket_name="s") as place:
            assert list(work_dir.iterdir()) == [place.home.parent]
        assert list(work_dir.iterdir()) == []


def test_a_drill_that_takes_too_long_has_failed_and_its_server_is_gone(slow_repository: Path, work_dir: Path) -> None:
    entry = drilled(slow_repository, work_dir=str(work_dir), timeout=1.5)
    assert (entry["verdict"], entry["error_kind"]) == ("failed", "RunTimeout"), entry
    assert entry["record"] is not None
    assert servers_in(work_dir) == []
    assert list(work_dir.iterdir()) == []


@pytest.mark.parametrize("moment", [0.1, 0.4, 0.8])
def test_a_server_that_is_still_being_made_is_gone_too(slow_repository: Path, work_dir: Path, moment: float) -> None:
    entry = drilled(slow_repository, work_dir=str(work_dir), timeout=moment)
    assert (entry["verdict"], entry["error_kind"]) == ("failed", "RunTimeout"), entry
    assert servers_in(work_dir) == []
    assert list(work_dir.iterdir()) == []


def test_the_folder_of_a_living_drill_is_left_alone(work_dir: Path) -> None:
    user = server_user(None)
    with workplace(str(work_dir), user, socket_name="s") as one, workplace(str(work_dir), user, socket_name="s") as two:
        assert one.home.is_dir()
        assert two.home.is_dir()
    assert list(work_dir.iterdir()) == []


def test_tablespaces_are_not_made(postgres15: Any, repository: Path, work_dir: Path) -> None:
    """Replaying them would write into the folders of the source, where these are on the same host."""
    place = postgres15.folder / "space"
    place.mkdir(exist_ok=True)
    postgres15.own(place)
    postgres15.sql(f"CREATE TABLESPACE drill_space LOCATION '{place}'")
    try:
        with postgresql_dumps.new_database(postgres15, "spaced"):
            postgres15.sql("CREATE TABLE t (id int PRIMARY KEY) TABLESPACE drill_space", database="spaced")
            postgres15.sql("INSERT INTO t VALUES (1)", database="spaced")
            before = sorted(place.rglob("*"))
            back_up(postgres15, repository, databases=["spaced"])
            entry = drilled(repository, work_dir=str(work_dir))
            assert sorted(place.rglob("*")) == before
    finally:
        postgres15.sql("DROP TABLESPACE drill_space")
    assert entry["verdict"] == "equal", entry["differences"]


def test_events_do_not_run(mariadb: Any, repository: Path, work_dir: Path) -> None:
    with mysql_dumps.new_database(mariadb, "eventful"):
        mariadb.sql("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY)", database="eventful")
        mariadb.sql("CREATE EVENT e ON SCHEDULE EVERY 1 SECOND DO INSERT INTO t VALUES ()", database="eventful")
        back_up(mariadb, repository, databases=["eventful"], fingerprints=True)
    entry = drilled(repository, work_dir=str(work_dir))
    assert entry["verdict"] == "equal", entry["differences"]
