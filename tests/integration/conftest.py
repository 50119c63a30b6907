# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything here needs real servers; what several files need of them is made here."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from backupdb.age.recipients import ScryptRecipient
from support import mysql_dumps, mysql_sid, postgresql_dumps
from support.ansible import this_machine
from support.failing_proxy import FailingProxy, failing
from support.jobs import JobHost
from support.library import IDENTITY, SCHEMAS, back_up
from support.moto_server import Moto
from support.private_server import PrivateServer
from support.restores import make_database
from support.seaweed import Seaweed
from support.servers import PrivatePostgres
from support.stored import DUMP, SEALED, store

HERE = Path(__file__).parent
POSTGRESQL = ["postgres15", "postgres18"]
_buckets = itertools.count(1)
UNICODE = "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session", autouse=True)
def _cheap_passphrases() -> Iterator[None]:
    """A passphrase of a test asks for little work: usually it takes a second and 256 MiB for each archive."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScryptRecipient.__init__, "__defaults__", (10,))
        yield


# -- places, keys and hosts ------------------------------------------------------------------------------------------


@pytest.fixture
def work_dir(scratch: Path) -> Path:
    """Where drills have their private servers: everybody may pass through it."""
    scratch.chmod(0o711)
    folder = scratch / "work"
    folder.mkdir(mode=0o711)
    return folder


@pytest.fixture
def identity_file(scratch: Path) -> Path:
    """The key that opens the backups of `support.library`."""
    path = scratch / "identity.txt"
    path.touch(mode=0o600)
    path.write_text(IDENTITY.reveal() + "\n", encoding="utf-8")
    return path


@pytest.fixture
def host(scratch: Path) -> JobHost:
    """A host that has no job yet."""
    return JobHost(scratch)


@pytest.fixture
def inventory(scratch: Path) -> dict[str, Any]:
    """Two hosts that only read, each with a repository of its own."""
    hosts = {}
    for name in ("db1", "db2"):
        root = scratch / name
        root.mkdir(mode=0o700)
        store(root, "shop", host=name, content=DUMP, envelope=SEALED)
        hosts[name] = {"backupdb_repository": str(root)}
    return {"all": {"vars": this_machine(scratch), "hosts": hosts}}


# -- servers and their programs --------------------------------------------------------------------------------------


@pytest.fixture
def mysql_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """MySQL's own clients are found, as on a host that has them."""
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{mysql_sid.programs()}")


@pytest.fixture(params=POSTGRESQL)
def private(request: pytest.FixtureRequest) -> PrivatePostgres:
    """PostgreSQL, once of each version."""
    server: PrivatePostgres = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def where(request: pytest.FixtureRequest) -> Iterator[mysql_dumps.Opened]:
    """MariaDB, or MySQL for tests with that mark, opened by its engine."""
    with mysql_dumps.opened(request.getfixturevalue("mysql" if is_for_mysql(request) else "mariadb")) as here:
        yield here


@pytest.fixture(params=["mariadb", pytest.param("mysql", marks=pytest.mark.mysql)])
def either(request: pytest.FixtureRequest) -> Any:
    """MariaDB, then MySQL, each with its clients on the path; `where` is opened on the same one."""
    if request.param == "mysql":
        request.getfixturevalue("mysql_programs")
    return request.getfixturevalue(request.param)


def is_for_mysql(request: pytest.FixtureRequest) -> bool:
    return request.node.get_closest_marker("mysql") is not None


# -- stores of copies ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def seaweed() -> Iterator[Seaweed]:
    """An object store with keys, versions and locks, shared by the session: each test has a bucket of its own."""
    server = Seaweed().start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    """An object store that is as strict as Amazon's, shared by the session."""
    server = Moto().start()
    yield server
    server.kill()


@pytest.fixture
def proxy(seaweed: Seaweed) -> Iterator[FailingProxy]:
    """Stands before the object store, and does what a test wants to go wrong."""
    with failing("127.0.0.1", seaweed.port) as found:
        yield found


@pytest.fixture
def state(scratch: Path) -> Path:
    """Where a host keeps what it knows of copies; made when it is needed."""
    return scratch / "state"


@pytest.fixture
def bucket() -> str:
    """The name of a bucket that no other test has."""
    return f"bucket-{next(_buckets)}"


# -- databases -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=POSTGRESQL)
def torture_server(request: pytest.FixtureRequest) -> Iterator[PrivatePostgres]:
    """PostgreSQL, once of each version, with nearly every kind of object in the database `torture`."""
    server: PrivatePostgres = request.getfixturevalue(request.param)
    postgresql_dumps.make_database(server, "torture")
    server.run_sql_script(SCHEMAS / "postgresql_torture.sql", database="torture")
    yield server
    postgresql_dumps.drop_database(server, "torture")
    server.sql("DROP ROLE torture_owner, torture_reader")


@pytest.fixture(scope="module")
def torture(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a database with nearly every kind of object, in MariaDB, or in MySQL for files with that mark."""
    kind = "mysql" if is_for_mysql(request) else "mariadb"
    server: Any = request.getfixturevalue(kind)
    comment = "" if kind == "mysql" else "COMMENT 'it''s'"  # MySQL's databases have none
    with mysql_dumps.new_database(server, "torture", f"{UNICODE} {comment}") as name:
        server.run_sql_script(SCHEMAS / f"{kind}_torture.sql", database=name)
        yield name


@pytest.fixture
def shop(server: PrivateServer, repository: Path) -> str:
    """A database of the file's `server` whose backup has one row, while it has two by now."""
    make_database(server, "shop")
    server.sql("CREATE TABLE item (n int NOT NULL PRIMARY KEY)", database="shop")
    server.sql("INSERT INTO item VALUES (1)", database="shop")
    back_up(server, repository, databases=["shop"], accounts=False, row_counts=True)
    server.sql("INSERT INTO item VALUES (2)", database="shop")
    return "shop"
