# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups come back equal through our own restore: beside the original, and under its name on an empty server."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from backupdb.accounts.restore import restore_accounts
from backupdb.engines.registry import open_engine
from support import mysql_sid, postgresql_dumps
from support.library import SCHEMAS, back_up, instance_of, plain, stored_backups
from support.private_server import PrivateServer
from support.restores import clean, details_of, drop_database, make_database, names, quoted, restored

KINDS = ["postgres15", "postgres18", "mariadb", pytest.param("mysql", marks=pytest.mark.mysql)]
ODD_NAMES = [
    "single ' quote",
    'double " quote',
    "back`tick and \\ backslash",
    "semi;colon --",
    "$(touch x)",
    "-leading-dash",
    "../../x",
    "a/b",
    "a=b",
    "postgresql://localhost/x",
    "dbname='postgres' host=nowhere",
    "percent %s %(x)s",
    "naïve_ключ_鍵",
    "CASE",
]
COMPARED = {"row_counts": True, "fingerprints": True}


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateServer]:
    if request.param == "mysql":
        monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{mysql_sid.programs()}")
    private: PrivateServer = request.getfixturevalue(request.param)
    if request.param == "postgres18":
        monkeypatch.setenv("PATH", f"{private.binaries}:{os.environ['PATH']}")  # type: ignore[attr-defined]
    with clean(private):
        yield private
    if private.engine == "postgresql":
        private.sql("DROP ROLE IF EXISTS torture_owner, torture_reader")


def torture(server: PrivateServer, name: str) -> None:
    """The database `name` with one of everything."""
    make_database(server, name)
    server.run_sql_script(SCHEMAS / f"{server.engine}_torture.sql", database=name)


@pytest.mark.parametrize("jobs", [1, 3])
def test_one_of_everything_comes_back_beside_the_original(server: PrivateServer, repository: Path, jobs: int) -> None:
    torture(server, "torture")
    back_up(server, repository, databases=["torture"], jobs=jobs, **COMPARED)
    before = details_of(server, "torture")
    result = restored(server, repository, "torture", jobs=jobs)
    assert result["target"].startswith("torture_restored_2")
    assert result["target"] in names(server)
    after = details_of(server, result["target"])
    assert after.inventory == before.inventory
    assert after.row_counts == before.row_counts
    assert after.fingerprints == before.fingerprints
    assert details_of(server, "torture").fingerprints == before.fingerprints


def test_a_database_comes_back_under_its_name_on_an_empty_server(
    server: PrivateServer, repository: Path, server_factory: Callable[..., Any], request: pytest.FixtureRequest
) -> None:
    torture(server, "torture")
    kind = request.node.callspec.params["server"]
    result = back_up(server, repository, databases=["torture"], **COMPARED)
    document = json.loads(plain(result["accounts"]["path"], "accounts", format="json"))
    before = details_of(server, "torture")
    empty = server_factory(kind)
    with open_engine(instance_of(empty)) as engine:
        restore_accounts(engine, document)
        restored(empty, repository, "torture", target="torture")
        again = restore_accounts(engine, document, existing="update", object_grants_for={"torture"}).to_dict()
        assert again["status"] == "ok", again["message"]
    after = details_of(empty, "torture")
    assert after.inventory == before.inventory
    assert after.row_counts == before.row_counts
    assert after.fingerprints == before.fingerprints
    assert after.properties == before.properties
    if server.engine == "postgresql":
        assert postgresql_dumps.plain(empty, "torture") == postgresql_dumps.plain(server, "torture")


def test_odd_names_of_databases_and_tables_come_back(server: PrivateServer, repository: Path) -> None:
    tables = {name: quoted(server, f"t {name}"[:40].rstrip()) for name in ODD_NAMES}
    for name, table in tables.items():
        make_database(server, name)
        server.sql(f"CREATE TABLE {table} (n int)", database=name)
        server.sql(f"INSERT INTO {table} VALUES (1), (2)", database=name)
    result = back_up(server, repository, databases=ODD_NAMES, accounts=False, row_counts=True)
    assert result["status"] == "ok", result["message"]
    for name, table in tables.items():
        beside = restored(server, repository, name)["target"]
        drop_database(server, name)
        restored(server, repository, name, target=name)
        for there in (beside, name):
            assert [tuple(row) for row in server.sql(f"SELECT count(*) FROM {table}", database=there)] == [(2,)], there


def test_a_long_name_is_cut_so_that_the_time_fits_behind_it(server: PrivateServer, repository: Path) -> None:
    name = "n" * 63
    make_database(server, name)
    back_up(server, repository, databases=[name])
    target = restored(server, repository, name)["target"]
    assert len(target) == 63
    assert target in names(server)


def test_a_moment_or_a_name_picks_the_backup(server: PrivateServer, repository: Path) -> None:
    make_database(server, "twice")
    server.sql("CREATE TABLE one (n int)", database="twice")
    back_up(server, repository, databases=["twice"], accounts=False)
    server.sql("CREATE TABLE two (n int)", database="twice")
    time.sleep(1.1)  # the names of backups tell seconds only
    back_up(server, repository, databases=["twice"], accounts=False)
    newest, oldest = stored_backups(repository, "twice")
    assert restored(server, repository, "twice", target="r1")["backup_id"] == newest.folder.name
    assert restored(server, repository, "twice", target="r2", at=oldest.time)["backup_id"] == oldest.folder.name
    by_id = restored(server, repository, "twice", target="r3", backup_id=oldest.folder.name)
    by_path = restored(server, repository, "twice", target="r4", path=str(oldest.folder))
    assert by_id["backup_id"] == by_path["backup_id"] == oldest.folder.name
    assert details_of(server, "r1").inventory["tables"] == 2
    assert {details_of(server, name).inventory["tables"] for name in ("r2", "r3", "r4")} == {1}


def test_a_backup_of_postgresql_15_comes_back_in_18(
    postgres15: Any, postgres18: Any, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with clean(postgres15), clean(postgres18):
        torture(postgres15, "torture")
        result = back_up(postgres15, repository, databases=["torture"], jobs=2, **COMPARED)
        document = json.loads(plain(result["accounts"]["path"], "accounts", format="json"))
        before = details_of(postgres15, "torture")
        monkeypatch.setenv("PATH", f"{postgres18.binaries}:{os.environ['PATH']}")
        with open_engine(instance_of(postgres18)) as engine:
            restore_accounts(engine, document, patterns=["torture_*"])
        restored(postgres18, repository, "torture", target="torture", jobs=2)
        after = details_of(postgres18, "torture")
        assert after.row_counts == before.row_counts
        assert after.fingerprints == before.fingerprints
    for private in (postgres15, postgres18):
        private.sql("DROP ROLE torture_owner, torture_reader")
