# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster with one byte a character, or with bytes without meaning, and a role that is not ASCII."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from backupdb.accounts.restore import export, restore_accounts
from backupdb.engines.registry import open_engine
from support.drills import drilled
from support.library import back_up, entry_of, instance_of, stored_backups
from support.restores import restored
from support.servers import PrivatePostgres

BYTES = b"m\xfcller"
SETUP = b"""
CREATE ROLE "%(role)s" LOGIN; CREATE ROLE team; GRANT team TO "%(role)s"; COMMENT ON ROLE "%(role)s" IS 'gr\xfc\xdfe';
ALTER ROLE "%(role)s" SET search_path = "%(role)s"; CREATE DATABASE shop OWNER "%(role)s";
ALTER ROLE "%(role)s" IN DATABASE shop SET work_mem = '9MB'; GRANT ALL ON DATABASE shop TO "%(role)s", team;
COMMENT ON DATABASE shop IS 'sch\xf6n'""".replace(b"%(role)s", BYTES)


@pytest.fixture(params=[("postgres15", "LATIN1"), ("postgres18", "LATIN1"), ("postgres15", "SQL_ASCII")])
def cluster(
    request: pytest.FixtureRequest, server_factory: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[PrivatePostgres, str]]:
    kind, encoding = request.param
    server: PrivatePostgres = server_factory(kind, initdb_options=(f"--encoding={encoding}", "--locale=C"))
    monkeypatch.setenv("PATH", f"{server.binaries}:{os.environ['PATH']}")
    connection = server.connect()
    connection.set_client_encoding(encoding)
    with connection.cursor() as cursor:
        for statement in SETUP.split(b";"):
            cursor.execute(statement)
    connection.close()
    connection = server.connect(database="shop")
    connection.set_client_encoding(encoding)
    with connection.cursor() as cursor:
        cursor.execute(b'CREATE SCHEMA mine AUTHORIZATION "%s"' % BYTES)
        cursor.execute(b'CREATE TABLE mine.t (n int, "gr\xfc\xdfe" text)')
        cursor.execute(b'ALTER TABLE mine.t OWNER TO "%s"' % BYTES)
        cursor.execute(b"INSERT INTO mine.t VALUES (1, 'sch\xf6n')")
    connection.close()
    return server, "müller" if encoding == "LATIN1" else "m\udcfcller"


def test_a_role_has_one_name_in_accounts_and_databases(cluster: tuple[PrivatePostgres, str], repository: Path) -> None:
    server, role = cluster
    result = back_up(server, repository, databases=["shop"], row_counts=True, fingerprints=True)
    assert (result["status"], result["accounts"]["status"], entry_of(result, "shop")["status"]) == (
        *("ok", "complete", "complete"),
    )
    (stored,) = stored_backups(repository, "shop")
    properties = stored.manifest["properties"]
    assert properties["owner"] == role
    assert {entry["role"] for entry in properties["settings"]} == {role}
    assert any(role in statement for statement in properties["acl_statements"])
    with open_engine(instance_of(server)) as engine:
        document = export(engine)
        assert next(one for one in engine.databases() if one.name == "shop").owner == role
    assert role in {account["name"] for account in document["accounts"]}
    (settings,) = [entry for entry in document["instance"] if entry["kind"] == "role_in_database_setting"]
    assert role in settings["sql"]


def test_a_database_of_that_role_is_restored_and_drilled_equal(
    cluster: tuple[PrivatePostgres, str], repository: Path, work_dir: Path
) -> None:
    server, role = cluster
    back_up(server, repository, databases=["shop"], row_counts=True, fingerprints=True)
    result = restored(server, repository, "shop", target="again")
    assert result["warnings"] == []
    with open_engine(instance_of(server)) as engine:
        assert next(one for one in engine.databases() if one.name == "again").owner == role
    entry = drilled(repository, work_dir=str(work_dir))
    assert (entry["verdict"], entry["differences"], entry["error"]) == ("equal", [], None)


def test_the_accounts_come_back_on_another_server(
    cluster: tuple[PrivatePostgres, str], server_factory: Callable[..., Any]
) -> None:
    server, role = cluster
    kind = "postgres15" if "15" in str(server.binaries) else "postgres18"
    other = server_factory(kind, initdb_options=server.initdb_options)
    other.sql("CREATE DATABASE shop")
    with open_engine(instance_of(server)) as engine:
        document = export(engine)
    with open_engine(instance_of(other)) as engine:
        result = restore_accounts(engine, document).to_dict()
        assert (result["status"], result["errors"], result["difference"]) == ("ok", [], [])
        again = export(engine)
    assert role in {account["name"] for account in again["accounts"]}


def test_a_database_with_such_a_name_is_told_and_stops_no_other(
    cluster: tuple[PrivatePostgres, str], repository: Path
) -> None:
    server, _role = cluster
    connection = server.connect()
    connection.set_client_encoding("LATIN1")
    with connection.cursor() as cursor:
        cursor.execute(b'CREATE DATABASE "%s"' % BYTES)
    connection.close()
    result = back_up(server, repository)
    assert entry_of(result, "shop")["status"] == result["accounts"]["status"] == "complete"
    assert result["status"] == "failed"
    assert "its name is not UTF-8" in result["message"]
