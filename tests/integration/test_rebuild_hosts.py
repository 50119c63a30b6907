# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole host out of every kind of copy into empty servers, in one run, compared by the vendors' own programs.

What is told of the servers before and after is all that makes them anew: accounts with their passwords and rights,
settings of roles and databases, every definition and every row.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from backupdb.backup import run as backup
from support import mysql_sid, run_state
from support.copying import copied
from support.library import HOST, IDENTITY, LIBRARY, SCHEMAS, instance_of, request_for
from support.private_server import PrivateServer
from support.restores import make_database
from support.seaweed import Seaweed
from support.servers import embedded_postgres, make_server
from support.sshd import Sshd
from support.vendor_dumps import told, unlike
from support.webdav import Webdav

pytestmark = pytest.mark.long

ENGINES = ["postgres15", "postgres18", "mariadb", "mysql"]
STORES = ["local", "sftp", "rclone", "s3"]
ODD = 'Kunden "../x"; --'
APPLICATIONS = {"postgresql": ("shop", "multitenant", "chat"), "mysql_family": ("shop", "wiki", "modes", "names")}
NUMBERS = """
    CREATE TABLE numbers (i int NOT NULL PRIMARY KEY);
    INSERT INTO numbers WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 299) SELECT i FROM n;
"""
# Accounts with all that they can have, and what hangs on databases beside their content.
POSTGRESQL = (
    "CREATE ROLE app LOGIN PASSWORD 'first pass' CONNECTION LIMIT 7 VALID UNTIL '2031-01-01'",
    "CREATE ROLE \"odd 'name'; --\" LOGIN NOINHERIT CREATEDB",
    "CREATE ROLE reader",
    "GRANT reader TO app WITH ADMIN OPTION",
    "ALTER ROLE app SET search_path = '\"$user\", public', 'more'",
    "ALTER ROLE app IN DATABASE shop SET work_mem = '5MB'",
    "ALTER DATABASE shop SET timezone = 'Asia/Tokyo'",
    "ALTER DATABASE shop OWNER TO app",
    "ALTER DATABASE shop CONNECTION LIMIT 42",
    "COMMENT ON DATABASE shop IS 'all that is sold'",
    "REVOKE CONNECT ON DATABASE shop FROM PUBLIC",
    "GRANT CONNECT, TEMPORARY ON DATABASE shop TO reader",
)
MARIADB = (
    "CREATE USER app@'%' IDENTIFIED BY 'first pass' WITH MAX_USER_CONNECTIONS 7 PASSWORD EXPIRE INTERVAL 90 DAY",
    "CREATE USER \"odd 'name'; --\"@'10.%' IDENTIFIED VIA unix_socket",
    "CREATE ROLE reader",
    "GRANT reader TO app@'%'",
    "SET DEFAULT ROLE reader FOR app@'%'",
    "GRANT SELECT, SHOW VIEW ON shop.* TO reader",
    "GRANT UPDATE (total) ON shop.cart TO app@'%' WITH GRANT OPTION",
)
MYSQL = (
    "CREATE USER app@'%' IDENTIFIED BY 'first pass' WITH MAX_USER_CONNECTIONS 7 PASSWORD EXPIRE INTERVAL 90 DAY "
    "COMMENT 'who sells'",
    "CREATE USER \"odd 'name'; --\"@'10.%' IDENTIFIED BY 'second' ACCOUNT LOCK",
    "CREATE ROLE reader",
    "GRANT reader TO app@'%' WITH ADMIN OPTION",
    "SET DEFAULT ROLE reader TO app@'%'",
    "GRANT BACKUP_ADMIN ON *.* TO reader",
    "GRANT SELECT, SHOW VIEW ON shop.* TO reader",
    "GRANT UPDATE (total) ON shop.cart TO app@'%' WITH GRANT OPTION",
)
STATEMENTS = {"postgresql": POSTGRESQL, "mariadb": MARIADB, "mysql": MYSQL}


@dataclass(frozen=True)
class Lost:
    """A host that is gone: what its servers told, its backups, and which databases it had, by instance."""

    repository: Path
    told: dict[str, Counter[str]]
    kinds: dict[str, str]
    databases: dict[str, set[str]]


@pytest.fixture(scope="module", autouse=True)
def _programs() -> Iterator[None]:
    """Every vendor's clients are found, as on a host that has them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{embedded_postgres()}:{os.environ['PATH']}:{mysql_sid.programs()}")
        yield


def fill(server: PrivateServer) -> set[str]:
    """Make databases as hosts have them, with one of everything; returns their names."""
    postgresql = server.engine == "postgresql"
    family = "postgresql" if postgresql else "mysql_family"
    folder = SCHEMAS / "applications" / ("" if postgresql else family)
    if postgresql:
        server.sql("CREATE ROLE app_owner; CREATE ROLE app_reader; CREATE ROLE app_writer")
    scripts = {name: folder / f"{name}.sql" for name in APPLICATIONS[family]}
    scripts["torture"] = SCHEMAS / f"{server.engine}_torture.sql"
    for name, script in scripts.items():
        make_database(server, name)
        if not postgresql and name != "torture":
            server.run_sql_script(NUMBERS, database=name)
        server.run_sql_script(script, database=name)
    for name in (ODD, "empty"):
        make_database(server, name)
    server.sql("CREATE TABLE item (n int NOT NULL PRIMARY KEY)", database=ODD)
    server.sql("INSERT INTO item VALUES (1), (2)", database=ODD)
    for statement in STATEMENTS[server.engine]:
        server.sql(statement)
    return {*scripts, ODD, "empty"}


def lose(kinds: dict[str, str], repository: Path) -> Lost:
    """Have a host with these kinds of servers, back it up, and lose it."""
    tellings, databases = {}, {}
    for instance, kind in kinds.items():
        server = make_server(kind)
        server.start()
        try:
            databases[instance] = fill(server)
            wanted = instance_of(server, id=instance, unix_socket=str(_socket(server)), host=None)
            result = backup.run(request_for(wanted, repository, row_counts=True, fingerprints=True))
            assert result["status"] == "ok", result["message"]
            tellings[instance] = told(server)
        finally:
            server.remove()
    return Lost(repository, tellings, kinds, databases)


@pytest.fixture(scope="module", params=ENGINES)
def lost(request: pytest.FixtureRequest) -> Lost:
    """A host with one server."""
    return lose({"main": request.param}, run_state.new_folder("lost"))


@pytest.fixture(scope="module")
def lost_with_all() -> Lost:
    """A host with a server of every kind."""
    return lose({kind: kind for kind in ENGINES}, run_state.new_folder("lost"))


@pytest.fixture(scope="module")
def sshd() -> Iterator[Sshd]:
    with Sshd() as server:
        yield server


@pytest.fixture(scope="module")
def webdav() -> Iterator[Webdav]:
    with Webdav() as server:
        yield server


@pytest.fixture
def copies(
    request: pytest.FixtureRequest, scratch: Path, seaweed: Seaweed, bucket: str
) -> Callable[[str], Sequence[dict[str, Any]]]:
    """A copy of a kind, as the lost host had it, and as somebody describes it who only reads."""

    def copy(store: str) -> Sequence[dict[str, Any]]:
        if store == "s3":
            seaweed.bucket(bucket, lock_days=1)
            return [seaweed.copy(bucket, key=key, prefix="hosts") for key in ("writer", "reader")]
        if store == "sftp":
            server: Sshd = request.getfixturevalue("sshd")
            shutil.rmtree(server.top)
            server.make_top()
            return [{"options": server.options, "secrets": {}}] * 2
        if store == "rclone":
            far: Webdav = request.getfixturevalue("webdav")
            return [far.copy(bucket)] * 2
        (scratch / "disk").mkdir(mode=0o700)
        return [{"options": {"name": "disk", "type": "local", "path": str(scratch / "disk")}, "secrets": {}}] * 2

    return copy


@dataclass(frozen=True)
class Fresh:
    """A new host with empty servers, and the copy that brings the lost one back."""

    servers: dict[str, PrivateServer]
    copy: dict[str, Any]
    home: Path

    def settings(self) -> Path:
        """The file that the page on recovery describes."""
        path = self.home / "rebuild.json"
        path.touch(mode=0o600)
        options = {name: value for name, value in self.copy["options"].items() if name != "name"}
        values = {
            "servers": {
                name: {"engine": server.engine, **_socket_login(server)} for name, server in self.servers.items()
            },
            "copies": {"vault": {**options, **self.copy["secrets"]}},
        }
        path.write_text(json.dumps(values), encoding="utf-8")
        return path

    def rebuild(self, identity_file: Path, *words: str) -> tuple[dict[str, Any], int]:
        """Run the command, in a process of its own, as somebody does who has nothing but the key and the copy."""
        argv = ["rebuild", "--copy", "vault", "--host", HOST, "--settings", str(self.settings()), "--json"]
        argv += ["--state-dir", str(self.home / "state"), "-i", str(identity_file), *words]
        done = subprocess.run(
            [sys.executable, "-m", "backupdb.cli.main", *argv],
            capture_output=True,
            check=False,
            text=True,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(LIBRARY)},
        )
        assert done.stdout, done.stderr
        return json.loads(done.stdout), done.returncode


def _socket(server: Any) -> Path:
    folder: Path = server.socket_folder
    return folder if server.engine == "postgresql" else folder / "my.sock"


def _socket_login(server: PrivateServer) -> dict[str, Any]:
    login = {key: value for key, value in server.login.items() if key not in ("login_host", "login_port")}
    port = {"login_port": server.port} if server.engine == "postgresql" else {}
    return {**login, **port, "login_unix_socket": str(_socket(server))}


def fresh(
    lost: Lost, store: str, copies: Callable[[str], Sequence[dict[str, Any]]], factory: Callable[..., Any], home: Path
) -> Fresh:
    """Send the backups of the lost host to a copy, forget where they were, and have empty servers."""
    writing, reading = copies(store)
    sent = copied(lost.repository, home / "lost", writing)
    assert sent["status"] == "ok", sent["message"]
    return Fresh({name: factory(kind) for name, kind in lost.kinds.items()}, reading, home)


def assert_is_back(lost: Lost, host: Fresh) -> None:
    assert {name: unlike(lost.told[name], told(server)) for name, server in host.servers.items()} == {
        name: [] for name in lost.kinds
    }


def statuses(result: dict[str, Any]) -> dict[str, dict[str, str]]:
    """What became of each database, by instance."""
    return {one["instance"]: {each["name"]: each["status"] for each in one["databases"]} for one in result["instances"]}


@pytest.mark.parametrize("store", STORES)
def test_a_whole_host_comes_back_by_the_command(
    store: str,
    lost: Lost,
    copies: Callable[[str], Sequence[dict[str, Any]]],
    server_factory: Callable[..., Any],
    scratch: Path,
    identity_file: Path,
) -> None:
    host = fresh(lost, store, copies, server_factory, scratch)
    planned, status = host.rebuild(identity_file)
    assert (status, planned["status"], planned["lost"]) == (0, "planned", [])
    done, status = host.rebuild(identity_file, "--confirm", HOST, "--jobs", "4")
    assert (done["status"], done["lost"], status) == ("ok", [], 0)
    assert statuses(done) == {"main": dict.fromkeys(lost.databases["main"], "restored")}
    assert_is_back(lost, host)


@pytest.mark.parametrize("store", ["s3", "sftp"])
def test_a_whole_host_comes_back_by_the_module(
    store: str,
    lost: Lost,
    copies: Callable[[str], Sequence[dict[str, Any]]],
    server_factory: Callable[..., Any],
    scratch: Path,
    run_module: Callable[..., Any],
) -> None:
    host = fresh(lost, store, copies, server_factory, scratch)
    options = {
        "copy": host.copy["options"],
        "copy_credentials": host.copy["secrets"],
        "copy_state_dir": str(scratch / "state"),
        "host": HOST,
        "confirm": HOST,
        "identity": IDENTITY.reveal(),
        "servers": [
            {"instance": name, "engine": server.engine, **_socket_login(server)}
            for name, server in host.servers.items()
        ],
    }
    run = run_module("vya.backupdb.host_rebuild", options)
    assert not run.failed, run.output
    assert (run.result["status"], run.result["lost"], run.changed) == ("ok", [], True)
    assert_is_back(lost, host)
    again = run_module("vya.backupdb.host_rebuild", options)
    assert not again.failed, again.output
    assert not again.changed


def test_a_host_with_servers_of_all_kinds_comes_back_in_one_run(
    lost_with_all: Lost,
    copies: Callable[[str], Sequence[dict[str, Any]]],
    server_factory: Callable[..., Any],
    scratch: Path,
    identity_file: Path,
) -> None:
    host = fresh(lost_with_all, "s3", copies, server_factory, scratch)
    done, status = host.rebuild(identity_file, "--confirm", HOST, "--jobs", "4")
    assert (done["status"], done["lost"], status) == ("ok", [], 0)
    assert statuses(done) == {
        name: dict.fromkeys(databases, "restored") for name, databases in lost_with_all.databases.items()
    }
    assert_is_back(lost_with_all, host)


@pytest.mark.parametrize("kind", ENGINES)
def test_the_comparison_sees_one_change(kind: str, server_factory: Callable[..., Any]) -> None:
    server = server_factory(kind)
    fill(server)
    before = told(server)
    assert unlike(before, told(server)) == []
    postgresql = server.engine == "postgresql"
    for statement, database in [
        ("UPDATE item SET n = 3 WHERE n = 2", ODD),
        ("ALTER TABLE item ADD CONSTRAINT small CHECK (n < 100)", ODD),
        (f"ALTER DATABASE shop {'SET DateStyle = SQL' if postgresql else 'CHARACTER SET latin1'}", None),
        ("GRANT CREATE ON DATABASE shop TO reader" if postgresql else "GRANT CREATE ON shop.* TO app@'%'", None),
        ("ALTER ROLE app PASSWORD 'other'" if postgresql else "ALTER USER app@'%' IDENTIFIED BY 'other'", None),
    ]:
        server.sql(statement, database=database)
        after = told(server)
        assert unlike(before, after) != [], statement
        before = after
