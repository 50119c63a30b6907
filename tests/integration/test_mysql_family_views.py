# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB and MySQL: views that need functions, other views or other databases, and what a load must not refuse."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.drills import drilled
from support.library import back_up
from support.mysql_dumps import Opened, dump, execute, new_database, restore
from support.mysql_restores import restored
from support.restores import restore as restore_run
from support.restores import restore_request


def restore_backup(either: Any, repository: Path, database: str, **options: Any) -> dict[str, Any]:
    """Restore the newest backup and return the result, whatever it is."""
    return restore_run.run(restore_request(either, repository, database, **options))


@contextmanager
def databases(either: Any, **statements: list[str]) -> Iterator[None]:
    """Databases by name, each with what the statements make in it, once all are there."""
    with ExitStack() as stack:
        for name in statements:
            stack.enter_context(new_database(either, name))
        for name, made in statements.items():
            execute(either, *made, database=name)
        yield


CALLING = [
    "CREATE FUNCTION f(x int) RETURNS int DETERMINISTIC RETURN x * 2",
    "CREATE TABLE t (a int PRIMARY KEY)",
    "CREATE TABLE u (a int PRIMARY KEY)",
    "INSERT INTO t VALUES (1), (2)",
    "CREATE VIEW a_second AS SELECT d + 1 AS e FROM v",
    "CREATE VIEW v AS SELECT f(a) AS d FROM t",
]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_view_that_calls_a_function_comes_back_in_each_way(
    either: Any, where: Opened, repository: Path, work_dir: Path, jobs: int
) -> None:
    in_order = [*CALLING[:4], CALLING[5], CALLING[4]]
    with databases(either, calls=in_order):
        done = dump(where, "calls", jobs=jobs)
        with new_database(either, "calls_standard"):
            restore(either, "calls_standard", done.parts)
            assert execute(either, "SELECT e FROM a_second ORDER BY 1", database="calls_standard") == [(3,), (5,)]
        with restored(where, "calls", done, "calls_again") as report:
            assert not report.errors
            assert execute(either, "SELECT e FROM a_second ORDER BY 1", database="calls_again") == [(3,), (5,)]
        with restored(where, "calls", done, "calls_again", schema_only=True) as report:
            assert not report.errors
            assert execute(either, "SELECT e FROM a_second", database="calls_again") == []
        back_up(either, repository, databases=["calls"], jobs=jobs, row_counts=True, fingerprints=True)
    entry = drilled(repository, work_dir=str(work_dir))
    assert entry["verdict"] == "equal", entry["differences"]


def test_a_database_of_nothing_but_broken_views_is_partial_with_their_names(
    either: Any, repository: Path, work_dir: Path
) -> None:
    broken = ["CREATE TABLE gone (a int)", "CREATE VIEW v1 AS SELECT a FROM gone", "DROP TABLE gone"]
    with databases(either, dangling=[*broken, "CREATE PROCEDURE kept() SELECT 1"]):
        result = back_up(either, repository, databases=["dangling"])
        entry = result["databases"][0]
        assert entry["status"] == "partial", result["message"]
        assert entry["missing"][0].startswith("view v1: ")
    assert drilled(repository, work_dir=str(work_dir))["verdict"] == "equal"


def test_databases_with_views_on_each_other_come_back_with_the_way_out(either: Any, repository: Path) -> None:
    with databases(
        either,
        cross_x=["CREATE TABLE t (x int)", "INSERT INTO t VALUES (1)"],
        cross_y=["CREATE TABLE t (y int)", "INSERT INTO t VALUES (2)", "CREATE VIEW v AS SELECT x FROM cross_x.t"],
    ):
        execute(either, "CREATE VIEW v AS SELECT y FROM cross_y.t", database="cross_x")
        back_up(either, repository, databases=["cross_x", "cross_y"], row_counts=True)
        execute(either, "DROP DATABASE cross_x", "DROP DATABASE cross_y")
        first = restore_backup(either, repository, "cross_x", target="cross_x")
        assert first["status"] == "restored_with_errors", first["message"]
        (error,) = first["errors"]
        assert error.startswith("view v: ")
        second = restore_backup(either, repository, "cross_y", target="cross_y")
        assert second["status"] == "restored", second["message"]
        way_out = error.partition("run in database cross_x: ")[2].rstrip(";")
        assert execute(either, "USE cross_x", way_out, "SELECT y FROM v", database="cross_x") == [(2,)]
        assert execute(either, "SELECT x FROM v", database="cross_y") == [(1,)]


def test_what_the_source_did_not_check_comes_back(either: Any, where: Opened, repository: Path, work_dir: Path) -> None:
    columns = ", ".join(f"c{number} varchar(200)" for number in range(60))
    wide = f"CREATE TABLE wide (id int PRIMARY KEY, {columns}) ROW_FORMAT=COMPACT CHARSET=latin1"
    made = ["SET SESSION innodb_strict_mode = OFF", wide, "INSERT INTO wide (id, c0) VALUES (1, 'x')"]
    if either.engine == "mariadb":
        made += [
            "CREATE TABLE checked (a int CHECK (a > 0))",
            "SET SESSION check_constraint_checks = OFF",
            "INSERT INTO checked VALUES (-1)",
        ]
    with databases(either, unchecked=made):
        with restored(where, "unchecked", dump(where, "unchecked"), "unchecked_too"):
            assert execute(either, "SELECT c0 FROM wide", database="unchecked_too") == [("x",)]
        back_up(either, repository, databases=["unchecked"], row_counts=True)
    entry = drilled(repository, work_dir=str(work_dir))
    assert entry["verdict"] == "equal", entry["differences"]


def test_an_event_whose_time_has_passed_is_told_and_kept(either: Any, repository: Path, work_dir: Path) -> None:
    made = [
        "SET GLOBAL event_scheduler = OFF",
        "CREATE TABLE log (x int)",
        "CREATE EVENT once ON SCHEDULE AT NOW() + INTERVAL 4 SECOND DO INSERT INTO log VALUES (1)",
        "CREATE EVENT ends ON SCHEDULE EVERY 1 DAY ENDS NOW() + INTERVAL 4 SECOND DO INSERT INTO log VALUES (2)",
        "CREATE EVENT forever ON SCHEDULE EVERY 1 DAY DO INSERT INTO log VALUES (3)",
    ]
    with databases(either, events=made):
        back_up(either, repository, databases=["events"], row_counts=True)
        time.sleep(5)
        for target in ("events_copy", "events"):
            if target == "events":
                execute(either, "DROP DATABASE events")
            done = restore_backup(either, repository, "events", target=target)
            assert done["status"] == "restored", done["message"]
            warned = " ".join(done["warnings"])
            assert "event once: its time has passed" in warned
            assert "event ends: its time has passed" in warned
            if target == "events_copy":
                assert "events are disabled in a copy, unless enable_events is set: ends, forever, once" in warned
            listed = f"SELECT event_name FROM information_schema.events WHERE event_schema = '{target}' AND status ="
            kept = [name for (name,) in execute(either, f"{listed} 'DISABLED'")]
            assert {"once", "ends"} <= set(kept)
            if target == "events_copy":
                execute(either, "DROP DATABASE events_copy")
    entry = drilled(repository, work_dir=str(work_dir))
    assert entry["verdict"] == "equal", entry["differences"]


def test_a_folder_of_its_own_is_not_used_by_copies_and_drills(
    server_factory: Any, request: pytest.FixtureRequest, repository: Path, work_dir: Path, scratch: Path
) -> None:
    folder = scratch / "elsewhere"
    server = server_factory("mariadb")
    folder.mkdir()
    server.own(folder)
    made = [
        f"CREATE TABLE far (id int PRIMARY KEY, v text) ENGINE=InnoDB DATA DIRECTORY='{folder}'",
        "INSERT INTO far VALUES (1, ' DATA DIRECTORY=''/none''')",
        f"CREATE TABLE isam (id int) ENGINE=MyISAM DATA DIRECTORY='{folder}' INDEX DIRECTORY='{folder}'",
        f"CREATE TABLE parts (id int) PARTITION BY RANGE (id) (PARTITION p VALUES LESS THAN (9)"
        f" DATA DIRECTORY='{folder}')",
    ]
    with databases(server, folders=made):
        back_up(server, repository, databases=["folders"], row_counts=True)
        entry = drilled(repository, work_dir=str(work_dir))
        assert entry["verdict"] == "equal", entry["differences"]
        assert any("far, isam, parts" in line for line in entry["warnings"])
        done = restore_backup(server, repository, "folders", target="folders_copy")
        assert done["status"] == "restored", done["message"]
        assert execute(server, "SELECT v FROM far", database="folders_copy") == [(" DATA DIRECTORY='/none'",)]
        created = execute(server, "SHOW CREATE TABLE folders_copy.far")[0][1]
        assert "DIRECTORY" not in created
        execute(server, "DROP DATABASE folders_copy", "DROP DATABASE folders")
        done = restore_backup(server, repository, "folders", target="folders")
        assert done["status"] == "restored", done["message"]
        for table in ("far", "isam", "parts"):
            assert "DATA DIRECTORY" in execute(server, f"SHOW CREATE TABLE folders.{table}")[0][1]


def test_a_view_on_another_database_is_proven_with_stand_ins(either: Any, repository: Path, work_dir: Path) -> None:
    other = [
        "CREATE TABLE t (id int PRIMARY KEY, `odd ``name` varchar(9) CHARACTER SET latin1 COLLATE latin1_bin, g point)",
        "CREATE VIEW nested AS SELECT id FROM t",
        "CREATE FUNCTION twice(x int) RETURNS int DETERMINISTIC RETURN 2 * x",
    ]
    with databases(either, outer_one=other, inner_one=["CREATE TABLE own (a int)", "INSERT INTO own VALUES (1)"]):
        execute(
            either,
            "CREATE VIEW v AS SELECT n.id, o.`odd ``name` COLLATE latin1_bin AS odd, ST_X(o.g) AS x,"
            " outer_one.twice(n.id) AS double_id, 'outer_one.`none`' AS text"
            " FROM outer_one.nested n JOIN outer_one.t o ON o.id = n.id",
            "CREATE VIEW w AS SELECT odd FROM v",
            database="inner_one",
        )
        result = back_up(either, repository, databases=["inner_one"], accounts=False, row_counts=True)
        assert result["databases"][0]["status"] == "complete"
        assert any("which a restore needs first: outer_one" in line for line in result["databases"][0]["warnings"])
    entry = drilled(repository, work_dir=str(work_dir))
    assert entry["verdict"] in ("equal", "equal, expressions rewritten"), (entry["differences"], entry["error"])
    assert any("outer_one.nested, outer_one.t, outer_one.twice" in line for line in entry["warnings"])
    plan = restore_run.run(restore_request(either, repository, "inner_one", target="inner_one"), check_mode=True)
    assert any("views or defaults name databases that are not here: outer_one" in line for line in plan["warnings"])


def test_views_over_views_whose_definers_have_no_rights_on_the_copy_come_back(either: Any, repository: Path) -> None:
    definers = ["first_definer", "second_definer"]
    with databases(either, layered=["CREATE TABLE t (a int)", "INSERT INTO t VALUES (1)"]):
        try:
            for name in definers:
                execute(either, f"CREATE USER {name}@localhost", f"GRANT ALL ON layered.* TO {name}@localhost")
            execute(
                either,
                "CREATE DEFINER=first_definer@localhost VIEW m AS SELECT a FROM t",
                "CREATE DEFINER=second_definer@localhost VIEW b AS SELECT a, a + 1 AS c FROM m",
                "CREATE DEFINER=first_definer@localhost VIEW z AS SELECT * FROM b",
                "CREATE VIEW own AS SELECT z.c FROM z JOIN m ON m.a = z.a",
                database="layered",
            )
            assert back_up(either, repository, databases=["layered"], accounts=False)["status"] == "ok"
            done = restore_backup(either, repository, "layered", target="layered_copy")
            assert done["status"] == "restored", done["message"]
            found = execute(
                either,
                "SELECT table_name, definer FROM information_schema.views WHERE table_schema = 'layered_copy'"
                " AND definer LIKE '%definer%' ORDER BY 1",
            )
            assert [tuple(map(str, row)) for row in found] == [
                ("b", "second_definer@localhost"),
                ("m", "first_definer@localhost"),
                ("z", "first_definer@localhost"),
            ]
            execute(either, *(f"GRANT ALL ON layered_copy.* TO {name}@localhost" for name in definers))
            assert execute(either, "SELECT * FROM own", database="layered_copy") == [(2,)]
        finally:
            execute(either, "DROP DATABASE IF EXISTS layered_copy")
            execute(either, *(f"DROP USER IF EXISTS {name}@localhost" for name in definers))


def test_a_default_from_a_sequence_of_another_database_is_proven(
    mariadb: Any, repository: Path, work_dir: Path
) -> None:
    with databases(
        mariadb,
        numbers=["CREATE SEQUENCE `odd ``one` START WITH 7"],
        numbered=["CREATE TABLE t (a int DEFAULT nextval(numbers.`odd ``one`), b varchar(9) DEFAULT 'val(x.y)')"],
    ):
        execute(mariadb, "INSERT INTO t VALUES ()", "INSERT INTO t VALUES ()", database="numbered")
        result = back_up(mariadb, repository, databases=["numbered"], accounts=False, fingerprints=True)
        assert any("defaults name other databases" in line for line in result["databases"][0]["warnings"])
    entry = drilled(repository, work_dir=str(work_dir))
    assert entry["verdict"] == "equal", (entry["differences"], entry["error"])


@pytest.mark.mysql
@pytest.mark.usefixtures("mysql_programs")
def test_a_general_tablespace_is_not_used_by_copies_and_drills(mysql: Any, repository: Path, work_dir: Path) -> None:
    execute(mysql, "CREATE TABLESPACE own_space ADD DATAFILE 'own_space.ibd'")
    try:
        with databases(mysql, spaces=["CREATE TABLE t (a int) TABLESPACE own_space", "INSERT INTO t VALUES (1)"]):
            result = back_up(mysql, repository, databases=["spaces"], row_counts=True)
            assert result["status"] == "ok"
            entry = drilled(repository, work_dir=str(work_dir))
            assert entry["verdict"] == "equal", (entry["differences"], entry["error"])
            done = restore_backup(mysql, repository, "spaces", target="spaces_copy")
            assert done["status"] == "restored", done["message"]
            assert "TABLESPACE" not in execute(mysql, "SHOW CREATE TABLE spaces_copy.t")[0][1]
            execute(mysql, "DROP DATABASE spaces_copy")
    finally:
        execute(mysql, "DROP TABLESPACE own_space")


@pytest.mark.parametrize("jobs", [1, 2])
def test_rows_that_the_server_refuses_cost_their_table_only_where_that_is_accepted(
    either: Any, repository: Path, jobs: int
) -> None:
    made = [f"CREATE TABLE `{name}` (a int PRIMARY KEY)" for name in ("first", "second `", "third")]
    rows = [f"INSERT INTO `{name.replace('`', '``')}` VALUES (1), (2)" for name in ("first", "second `", "third")]
    made[1] = made[1].replace("second `", "second ``")
    with databases(either, refused=[*made, *rows]), new_database(either, "refused_again"):
        back_up(either, repository, databases=["refused"], jobs=jobs, accounts=False)
        execute(either, *made, "INSERT INTO `second ``` VALUES (2)", database="refused_again")
        again = {"target": "refused_again", "data_only": True, "jobs": jobs, "confirm": "refused_again"}
        stopped = restore_backup(either, repository, "refused", **again)
        assert stopped["status"] == "failed", stopped
        assert "second `: the server refused: Duplicate entry" in stopped["message"]
        execute(either, "DELETE FROM first", "DELETE FROM third", database="refused_again")
        result = restore_backup(either, repository, "refused", accept_errors=True, **again)
        assert result["status"] == "restored_with_errors", result
        assert len(result["errors"]) == 1
        assert "second `" in result["errors"][0] and "Duplicate entry '2'" in result["errors"][0]
        for name in ("first", "third"):
            assert execute(either, f"SELECT COUNT(*) FROM {name}", database="refused_again") == [(2,)]
        assert execute(either, "SELECT COUNT(*) FROM `second ```", database="refused_again") == [(1,)]
