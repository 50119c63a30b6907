# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups come back equal through our own restore: beside the original, and under its name on an empty server."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from backupdb.accounts.restore import restore_accounts
from backupdb.engines.registry import open_engine
from support import mysql_sid
from support.library import SCHEMAS, back_up, instance_of, plain, stored_backups
from support.private_server import PrivateServer
from support.restores import clean, details_of, make_database, names, restored

KINDS = ["postgres15", "postgres18", "mariadb", pytest.param("mysql", marks=pytest.mark.mysql)]
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
