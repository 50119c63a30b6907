# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB: the least privileged login and views that call functions; and a server that cuts rows off."""

from __future__ import annotations

from typing import Any

import pytest
from backupdb.engines.login_interface import WantedLogin
from backupdb.errors import QueryFailed
from support.mysql_dumps import Opened, dump, execute, new_account, new_database, opened

RIGHTS = "SELECT, SHOW VIEW, TRIGGER, EVENT, PROCESS, SHOW DATABASES, RELOAD"


def test_a_view_that_calls_a_function_needs_its_execution_and_costs_only_itself(mariadb: Any, where: Opened) -> None:
    with (
        new_database(mariadb, "lib"),
        new_database(mariadb, "calls"),
        new_account(mariadb, "least", f"GRANT {RIGHTS} ON *.* TO {{account}}"),
    ):
        execute(mariadb, "CREATE FUNCTION g(x int) RETURNS int RETURN x", database="lib")
        execute(
            mariadb,
            "CREATE FUNCTION f(x int) RETURNS int RETURN x * 2",
            "CREATE TABLE t (a int)",
            "CREATE VIEW v AS SELECT f(a) AS b, lib.g(a) AS c FROM t",
            "CREATE VIEW plain AS SELECT a FROM t",
            database="calls",
        )
        with opened(mariadb, user="least", password="pw") as here:
            missing = [one for one in here.missing(["calls"]) if one.privilege.startswith("EXECUTE")]
            assert [one.severity for one in missing] == ["partial", "partial"]
            done = dump(here, "calls")
            assert [text.partition(":")[0] for text in done.details.missing] == ["view v"]
            assert b"VIEW `plain`" in done.parts["data"]
            assert done.details.inventory["views"] == 1
        manager = where.engine.login_manager(WantedLogin(name="least", password="pw", host="%"))
        needs = [step.sql for need in manager.look().needs for step in need.steps]
        assert {one.grant for one in missing} <= set(needs)
        execute(mariadb, *(one.grant for one in missing))
        state = manager.look()
        assert not any("EXECUTE" in one.what for one in state.surplus)
        assert not any("EXECUTE" in need.what for need in state.needs)
        with opened(mariadb, user="least", password="pw") as here:
            assert not any(one.privilege.startswith("EXECUTE") for one in here.missing(["calls"]))
            done = dump(here, "calls")
            assert not done.details.missing
            assert done.details.inventory["views"] == 2


def test_a_server_that_cuts_rows_off_is_refused_with_the_remedy(server_factory: Any) -> None:
    private = server_factory("mariadb", settings={})
    execute(private, "SET GLOBAL sql_select_limit = 1")
    with new_database(private, "cut"), opened(private) as here:
        execute(
            private, "CREATE TABLE t (a int)", "CREATE TABLE u (a int)", "INSERT INTO t VALUES (1), (2)", database="cut"
        )
        assert "cut" in [one.name for one in here.engine.databases()]
        with pytest.raises(QueryFailed, match="SET GLOBAL sql_select_limit = DEFAULT"):
            dump(here, "cut")


@pytest.mark.parametrize(
    "settings",
    [
        {"sql_mode": "PAD_CHAR_TO_FULL_LENGTH,ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT"},
        {"init_connect": "SET autocommit = 0, sql_safe_updates = 1, sql_quote_show_create = 0, time_zone = '+05:00'"},
        {"max_statement_time": "0.5", "group_concat_max_len": "8"},
    ],
)
def test_settings_of_the_server_do_not_reach_our_sessions(server_factory: Any, settings: dict[str, str]) -> None:
    private = server_factory("mariadb", settings=settings)
    execute(
        private, "SET GLOBAL tx_read_only = ON", "SET GLOBAL sql_safe_updates = ON", "SET GLOBAL sql_auto_is_null = ON"
    )
    with opened(private) as here:
        row = here.server.rows(
            "SELECT @@sql_mode, @@time_zone, @@sql_quote_show_create, @@max_statement_time, @@tx_read_only,"
            " @@sql_safe_updates, @@group_concat_max_len"
        )[0]
        assert tuple(row) == ("", "+00:00", 1, 0, 0, 0, 1048576)
