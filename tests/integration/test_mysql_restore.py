# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MySQL: what comes out of a backup is restored by the engine itself and is the same."""

from __future__ import annotations

from typing import Any

import pytest
from backupdb.engines.values import DEGRADED, FATAL
from backupdb.errors import RestoreFailed
from support.library import SCHEMAS
from support.mysql_dumps import Opened, dump, execute, lines, new_account, new_database, opened, without_times
from support.mysql_restores import load, manifest, problems, restored

pytestmark = [pytest.mark.mysql, pytest.mark.usefixtures("mysql_programs")]

TORTURE = SCHEMAS / "mysql_torture.sql"
ALL_COUNTS = {"row_counts": True, "fingerprints": True}


def test_oracles_client_is_used_and_mariadbs_is_not(where: Opened) -> None:
    clients = where.engine.restore_clients({})
    assert [(client.vendor, client.usable) for client in clients][:2] == [("mysql", True), ("mariadb", False)]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_database_with_one_of_everything_comes_back_beside_and_in_place_of_its_original(
    mysql: Any, where: Opened, jobs: int
) -> None:
    with new_database(mysql, "tort2", "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci") as name:
        mysql.run_sql_script(TORTURE, database=name)
        with restored(where, name, dump(where, name), "settled"):
            # The first dump leaves out a character set that was not written in CREATE TABLE.
            first = dump(where, "settled", jobs=jobs, **ALL_COUNTS)
        with restored(where, "settled", first, "beside", jobs=jobs) as report:
            assert (report.errors, report.warnings) == ([], [])
            second = dump(where, "beside", jobs=jobs, **ALL_COUNTS)
    with restored(where, "settled", first, "settled", jobs=jobs) as report:
        assert (report.errors, report.warnings) == ([], [])
        third = dump(where, "settled", jobs=jobs, **ALL_COUNTS)
    for again in (second, third):
        assert again.details.inventory == first.details.inventory
        assert again.details.row_counts == first.details.row_counts
        assert again.details.fingerprints == first.details.fingerprints
        assert again.details.properties == first.details.properties
        assert lines(again.parts) == lines(first.parts)


def test_chosen_tables_and_the_schema_alone_and_the_rows_alone(mysql: Any, where: Opened, torture: str) -> None:
    first = dump(where, torture, jobs=2, **ALL_COUNTS)
    assert first.details.row_counts is not None
    with restored(where, torture, first, "some", tables=("child", "parent"), jobs=2):
        some = dump(where, "some", **ALL_COUNTS).details
        assert (some.inventory["tables"], some.inventory["triggers"], some.inventory["views"]) == (2, 2, 0)
        assert some.row_counts == {name: first.details.row_counts[name] for name in ("child", "parent")}
    with restored(where, torture, first, "half", schema_only=True):
        assert dump(where, "half").details.inventory == first.details.inventory
        described = manifest(where, torture, first)
        assert "would fire" in problems(where, described, "half", data_only=True).refusals[0]
        execute(mysql, "DROP TRIGGER child_added_too", "DROP TRIGGER child_added", database="half")
        load(where, "half", first.parts, described, data_only=True, jobs=2)
        assert dump(where, "half", **ALL_COUNTS).details.row_counts == first.details.row_counts


def test_a_broken_statement_stops_and_a_broken_trigger_is_named(mysql: Any, where: Opened) -> None:
    with new_database(mysql, "broken") as name:
        execute(
            mysql,
            "CREATE TABLE a (i INT)",
            "INSERT INTO a VALUES (1)",
            "CREATE TRIGGER t1 BEFORE INSERT ON a FOR EACH ROW SET NEW.i = 1",
            "CREATE EVENT e1 ON SCHEDULE EVERY 1 DAY DO SELECT 1",
            database=name,
        )
        first = dump(where, name)
    whole = first.parts["data"]
    with (
        pytest.raises(RestoreFailed, match="table a: the server refused: Unknown column 'one'"),
        restored(where, name, first, "broken2", parts={"data": whole.replace(b"VALUES (1)", b"VALUES (one)")}),
    ):
        pytest.fail("it was restored")
    parts = {"data": whole.replace(b"SET NEW.i = 1", b"SET NEW.b = 1")}
    with restored(where, name, first, "broken2", parts=parts) as report:
        assert [error.partition(":")[0] for error in report.errors] == ["trigger t1"]
        status = "SELECT event_name, status FROM information_schema.events WHERE event_schema = 'broken2'"
        assert execute(mysql, status) == [("e1", "DISABLED")]


def test_what_names_the_original_is_listed_and_other_collations_leave_it_alone(mysql: Any, where: Opened) -> None:
    with new_database(mysql, "alt", "CHARACTER SET latin1 COLLATE latin1_german1_ci") as name:
        execute(
            mysql,
            "CREATE TABLE t (a INT)",
            "CREATE TRIGGER alt.tr BEFORE INSERT ON alt.t FOR EACH ROW SET @x = 1",
            "CREATE PROCEDURE p() INSERT INTO alt.t VALUES (1)",
            "ALTER DATABASE alt CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            database=name,
        )
        first = dump(where, name)
        assert b"ALTER DATABASE `alt`" in first.parts["data"]
        execute(mysql, "ALTER DATABASE alt CHARACTER SET ucs2 COLLATE ucs2_bin")
        with restored(where, name, first, "alt2") as report:
            assert report.errors == []
            assert where.engine.qualified_references("alt2", name) == ["procedure p"]
            second = without_times(dump(where, "alt2").parts["data"]).replace(b"`alt2`", b"`alt`")
            assert second == without_times(first.parts["data"])
        assert where.database(name).collation == "ucs2_bin"


def test_rights_and_definers_are_asked_for_and_the_named_grants_are_enough(mysql: Any, where: Opened) -> None:
    with new_account(mysql, "author", "GRANT ALL ON *.* TO {account}"), new_database(mysql, "authored") as name:
        execute(
            mysql,
            "CREATE TABLE t (a TEXT)",
            "INSERT INTO t VALUES ('CREATE DEFINER=`author`@`%` VIEW')",
            "CREATE DEFINER=author@'%' VIEW v AS SELECT 'DEFINER=`author`@`%`' AS a FROM t",
            "CREATE DEFINER=author@'%' TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET @x = 1",
            "CREATE DEFINER=author@'%' FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1",
            "CREATE DEFINER=author@'%' EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1",
            database=name,
        )
        first = dump(where, name, fingerprints=True)
        described = manifest(where, name, first)
        assert described["engine_details"]["definers"] == ["author@%"]
        with new_account(mysql, "poor") as poor:
            with opened(mysql, user=poor, password="pw") as here:
                found = problems(here, described, "copied")
                refusals, missing = found.refusals, found.missing
            assert [refusal.partition("run: ")[2] for refusal in refusals] == [
                "SET GLOBAL log_bin_trust_function_creators = 1;"
            ]
            fatal = [one.privilege for one in missing if one.severity == FATAL]
            assert {"CREATE ON `copied`.*", "SET_ANY_DEFINER ON *.*"} <= set(fatal)
            assert [one.privilege for one in missing if one.severity == DEGRADED] == [
                "SELECT ON `mysql`.`global_grants`",
                "SELECT ON `mysql`.`user`",
            ]
            execute(mysql, *(one.grant for one in missing), refusals[0].partition("run: ")[2])
            with opened(mysql, user=poor, password="pw") as here:
                found = problems(here, described, "copied")
                refusals, missing = found.refusals, found.missing
            assert (refusals, [one.privilege for one in missing]) == ([], ["SYSTEM_USER ON *.*"])
            # A right of administrators: the login to use is told, and no grant.
            assert missing[0].grant == ""
            execute(mysql, f"GRANT SYSTEM_USER ON *.* TO {poor}@'%'")
            try:
                with opened(mysql, user=poor, password="pw") as here:
                    found = problems(here, described, "copied")
                    assert (found.refusals, found.missing) == ([], [])
                    with restored(here, name, first, "copied") as report:
                        (warning,) = report.warnings  # it may make no account
                        assert report.errors == []
                        assert "has all rights of the login that restores" in warning
                        again = dump(where, "copied", fingerprints=True)
                        assert again.details.extra["definers"] == ["author@%"]
                        assert again.details.fingerprints == first.details.fingerprints
            finally:
                execute(mysql, "SET GLOBAL log_bin_trust_function_creators = 0")
        with restored(where, name, first, "copied", definer_policy="drop"):
            assert dump(where, "copied").details.extra["definers"] == ["root@127.0.0.1"]
        execute(mysql, "DROP USER author@'%'")
        assert "no accounts of this server (author@%)" in problems(where, described, "copied").refusals[0]
