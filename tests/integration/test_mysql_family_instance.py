# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB and MySQL: what belongs to no database, and grants on what is gone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from backupdb.accounts.restore import restore_accounts
from backupdb.engines.mysql.system_tables import TABLES, is_known
from support.ansible import ROOT
from support.drills import drilled
from support.library import back_up
from support.mysql_dumps import Opened, execute, new_account, new_database

ON_PAGE = {"taken": "taken", "named": "named", "irrelevant": "not needed"}


def exported(where: Opened) -> Mapping[str, Any]:
    return where.engine.export_accounts(where.client()).document


@contextmanager
def foreign_server(either: Any, options: str) -> Iterator[None]:
    execute(either, f"CREATE SERVER `far``s` FOREIGN DATA WRAPPER mysql OPTIONS ({options})")
    try:
        yield
    finally:
        execute(either, "DROP SERVER IF EXISTS `far``s`")


def test_every_table_of_the_servers_own_database_is_on_the_page(either: Any) -> None:
    rows = execute(
        either,
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'mysql' AND table_type <> 'VIEW'",
    )
    assert [name for (name,) in rows if not is_known(name)] == []


def test_the_page_says_what_the_code_does() -> None:
    page = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
    page = page[page.index("## MySQL and MariaDB") :]
    listed = dict(re.findall(r"^\| `([a-z_]+)` \| ([a-z ]+) \|", page, flags=re.MULTILINE))
    assert listed == {table: ON_PAGE[verdict] for table, (verdict, _why) in TABLES.items()}


def test_servers_are_among_the_accounts_and_come_back_with_their_options(either: Any, where: Opened) -> None:
    options = "HOST '192.0.2.1', DATABASE 'd', USER 'u', PASSWORD 'CAN''ARY\\\\', PORT 3307, OWNER 'o'"
    with foreign_server(either, options):
        before = execute(either, "SELECT * FROM mysql.servers")
        document = exported(where)
        (statement,) = [one for one in document["instance"] if one["kind"] == "foreign_server"]
        execute(either, "DROP SERVER `far``s`")
        done = restore_accounts(where.engine, document)
        assert done.status == "ok", done.message
        assert "CANARY" not in str(done) and "CAN''ARY" not in str(done)
        assert execute(either, "SELECT * FROM mysql.servers") == before
        again = restore_accounts(where.engine, document)
        assert not again.changed
        execute(either, "DROP SERVER `far``s`", "CREATE SERVER `far``s` FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'h')")
        other = restore_accounts(where.engine, document)
        assert not other.changed
        assert "to be dropped" in str(other.facts["waiting"])
        assert statement["database"] is None


def test_a_table_of_ones_own_among_the_servers_is_named(either: Any, where: Opened) -> None:
    execute(either, "CREATE TABLE mysql.people (a int)")
    try:
        assert any(line.startswith("table mysql.people: ") for line in exported(where)["missing"])
    finally:
        execute(either, "DROP TABLE mysql.people")
    assert exported(where)["missing"] == []


@pytest.mark.mysql
@pytest.mark.usefixtures("mysql_programs")
def test_loadable_functions_and_reference_systems_of_mysql(mysql: Any, where: Opened) -> None:
    definition = execute(
        mysql, "SELECT definition FROM information_schema.st_spatial_reference_systems WHERE srs_id = 4326"
    )
    execute(
        mysql,
        "CREATE FUNCTION keyring_key_generate RETURNS INTEGER SONAME 'keyring_udf.so'",
        f"CREATE SPATIAL REFERENCE SYSTEM 990001 NAME 'ours' DEFINITION '{definition[0][0]}' DESCRIPTION 'it''s'",
    )
    dropped = ["DROP FUNCTION IF EXISTS keyring_key_generate", "DROP SPATIAL REFERENCE SYSTEM IF EXISTS 990001"]
    try:
        document = exported(where)
        kinds = {one["kind"] for one in document["instance"]}
        assert {"loadable_function", "spatial_reference_system"} <= kinds
        execute(mysql, *dropped)
        assert restore_accounts(where.engine, document).status == "ok"
        assert exported(where)["instance"] == document["instance"]
        execute(mysql, *dropped)
        for one in document["instance"]:
            one["sql"] = one["sql"].replace("keyring_udf.so", "not_there.so")
        done = restore_accounts(where.engine, document)
        assert done.status == "ok"
        assert any("does not take its library" in line for line in done.warnings)
    finally:
        execute(mysql, *dropped)


def test_grants_on_what_is_gone_are_told_and_not_expected_back(
    either: Any, where: Opened, repository: Path, work_dir: Path
) -> None:
    with new_database(either, "graves"), new_account(either, "heir") as name:
        account = f"'{name}'@'%'"
        execute(
            either,
            "CREATE TABLE t (a int, b int, c int)",
            "CREATE TABLE gone (a int)",
            "CREATE FUNCTION f() RETURNS int DETERMINISTIC RETURN 1",
            f"GRANT SELECT, UPDATE (a, b), INSERT (b) ON graves.t TO {account}",
            f"GRANT INSERT ON graves.gone TO {account}",
            f"GRANT EXECUTE ON FUNCTION graves.f TO {account}",
            f"GRANT CREATE, SELECT ON graves.later TO {account}",
            "DROP TABLE gone",
            "ALTER TABLE t DROP b",
            database="graves",
        )
        result = back_up(either, repository, databases=["graves"], accounts=True)
        assert result["accounts"]["status"] == "complete"
        assert len([line for line in result["accounts"]["warnings"] if "not there any more" in line]) == 2
        document = exported(where)
        dead = [
            one["sql"]
            for entry in document["accounts"]
            if entry["name"] == name
            for one in entry["statements"]
            if one.get("dead")
        ]
        assert len(dead) == 2
        assert any("gone" in sql for sql in dead)
        assert any("(`b`)" in sql and "(`a`" not in sql for sql in dead)
        execute(either, f"DROP USER {account}")
        done = restore_accounts(where.engine, document, patterns=(name,))
        assert done.status == "ok", done.message
        assert len([line for line in done.warnings if "gone at the source" in line]) == 2
        entry = drilled(repository, work_dir=str(work_dir))
        assert entry["verdict"] == "equal", entry["differences"]
        execute(either, f"CREATE USER IF NOT EXISTS {account}")


def test_an_administrator_at_the_hosts_name_is_no_difference(
    server_factory: Any, repository: Path, work_dir: Path
) -> None:
    import socket

    private = server_factory("mariadb", settings={"skip_name_resolve": "OFF"})
    execute(
        private,
        f"CREATE USER IF NOT EXISTS root@'{socket.gethostname()}'",
        "CREATE USER app@'host.example'",
        "CREATE DATABASE d",
        "CREATE TABLE d.t (x int)",
        "GRANT SELECT ON d.t TO app@'host.example'",
    )
    back_up(private, repository, databases=["d"])
    entry = drilled(repository, work_dir=str(work_dir))
    assert entry["verdict"] == "equal", entry["differences"]
