# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers and repositories that are not as one expects: each of these once lost something, or failed without need."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from backupdb.engines import mariadb as engine
from support import mysql_dumps
from support.library import back_up


@pytest.fixture
def repository(scratch: Path) -> Path:
    folder = scratch / "repository"
    folder.mkdir(mode=0o700)
    return folder


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
        with mysql_dumps.opened(engine, mariadb) as where:
            export = engine.export_accounts(where.server, where.facts, where.client())
    finally:
        mariadb.sql("DROP USER plain@'%'")
    assert "GRANT SELECT ON `mysql`.* TO `plain`@`%`;" in export.sql
