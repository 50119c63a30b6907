# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB: what comes out of the dump clients goes into an empty database and is the same there."""

from __future__ import annotations

from typing import Any

import pytest
from support.mysql_dumps import (
    Opened,
    dump,
    execute,
    lines,
    new_database,
    quoted,
    restore,
)

ALL_COUNTS = {"row_counts": True, "fingerprints": True}


def checksums(mariadb: Any, database: str) -> dict[str, Any]:
    kinds = "('BASE TABLE', 'SYSTEM VERSIONED')"
    tables = [row[0] for row in execute(mariadb, f"SHOW FULL TABLES WHERE table_type IN {kinds}", database=database)]
    names = ", ".join(quoted(table) for table in tables)
    rows = execute(mariadb, f"CHECKSUM TABLE {names} EXTENDED", database=database)
    return {name.partition(".")[2]: value for name, value in rows}


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_a_database_with_one_of_everything_comes_back_equal(
    mariadb: Any, where: Opened, torture: str, jobs: int
) -> None:
    first = dump(where, torture, jobs=jobs, **ALL_COUNTS)
    assert first.details.missing == []
    assert first.details.inventory_trusted
    assert first.details.position["taken"] == "global read lock"
    assert len(first.parts) == (1 if jobs == 1 else jobs + 2)
    with new_database(mariadb, "again", "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci") as other:
        restore(mariadb, other, first.parts)
        second = dump(where, other, jobs=jobs, **ALL_COUNTS)
        assert second.details.inventory == first.details.inventory
        assert second.details.row_counts == first.details.row_counts
        assert second.details.fingerprints == first.details.fingerprints
        assert checksums(mariadb, other) == checksums(mariadb, torture)
        # Which table is in which share follows the server's estimates, so shares are compared together.
        assert lines(second.parts) == lines(first.parts)


def test_the_inventory_names_every_kind(where: Opened, torture: str) -> None:
    counted = dump(where, torture, row_counts=True).details
    assert counted.inventory == {
        "tables": 15,
        "views": 2,
        "sequences": 1,
        "system_versioned_tables": 2,
        "functions": 1,
        "procedures": 1,
        "packages": 0,
        "package_bodies": 0,
        "triggers": 2,
        "events": 1,
    }
    assert counted.row_counts is not None
    assert counted.row_counts["history"] == 1
    assert counted.row_counts["history FOR SYSTEM_TIME ALL"] == 3
    assert "old_engine" not in counted.row_counts


def test_tables_without_transactions_are_named_in_a_warning(where: Opened, torture: str) -> None:
    warnings = dump(where, torture).details.warnings
    assert any("aria (Aria), old_engine (MyISAM)" in warning for warning in warnings)


def test_a_fingerprint_tells_apart_what_a_count_does_not(mariadb: Any, where: Opened) -> None:
    with new_database(mariadb, "prints") as name:
        execute(mariadb, "CREATE TABLE t (a VARBINARY(9) NULL, b VARBINARY(9) NULL)", database=name)
        seen = set()
        rows = [
            "(NULL, '')",
            "('', NULL)",
            "('', '')",
            "('-', '')",
            "('a', 'b')",
            "('ab', '')",
            "(X'00', '')",
            "('', X'00')",
        ]
        for row in rows:
            execute(mariadb, "DELETE FROM t", f"INSERT INTO t VALUES {row}", database=name)
            prints = dump(where, name, fingerprints=True).details.fingerprints
            assert prints is not None
            seen.add(prints["t"])
        assert len(seen) == len(rows)


def test_a_value_of_12_mb_passes_through_the_dump(mariadb: Any, where: Opened) -> None:
    with new_database(mariadb, "big") as name:
        execute(
            mariadb, "CREATE TABLE b (v LONGBLOB)", "INSERT INTO b VALUES (REPEAT(X'00FF', 6000000))", database=name
        )
        done = dump(where, name, fingerprints=True)
        assert len(done.parts["data"]) > 24_000_000
        limit = execute(mariadb, "SELECT @@GLOBAL.max_allowed_packet")[0][0]
        assert where.facts.settings["max_allowed_packet"] == limit
        with new_database(mariadb, "big_again") as other:
            execute(mariadb, "SET GLOBAL max_allowed_packet = 1073741824")
            try:
                restore(mariadb, other, done.parts)
            finally:
                execute(mariadb, f"SET GLOBAL max_allowed_packet = {limit}")
            assert dump(where, other, fingerprints=True).details.fingerprints == done.details.fingerprints


def test_databases_that_differ_in_case_only_are_told_apart(mariadb: Any, where: Opened) -> None:
    with new_database(mariadb, "Twin") as upper, new_database(mariadb, "twin") as lower:
        execute(mariadb, "CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1)", database=upper)
        execute(mariadb, "CREATE PROCEDURE p() SELECT 1", "CREATE VIEW v AS SELECT 1 AS x", database=upper)
        execute(mariadb, "CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1", database=upper)
        execute(mariadb, "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1", database=upper)
        execute(mariadb, "CREATE TABLE t (b INT, c INT)", "INSERT INTO t VALUES (2, 3)", database=lower)
        first, second = (dump(where, name, row_counts=True, fingerprints=True) for name in (upper, lower))
        assert b"(1)" in first.parts["data"]
        assert b"(2,3)" in second.parts["data"]
        kinds = ("tables", "views", "procedures", "triggers", "events")
        assert [first.details.inventory[kind] for kind in kinds] == [1, 1, 1, 1, 1]
        assert [second.details.inventory[kind] for kind in kinds] == [1, 0, 0, 0, 0]
        assert where.database(upper).tables == where.database(lower).tables == 1


def test_a_database_of_old_tables_only_and_an_empty_one_are_dumped(mariadb: Any, where: Opened) -> None:
    with new_database(mariadb, "old_only") as name:
        execute(mariadb, "CREATE TABLE m (a INT) ENGINE=MyISAM", "INSERT INTO m VALUES (1)", database=name)
        assert b"INSERT INTO `m`" in dump(where, name, jobs=2).parts["data"]
    with new_database(mariadb, "nothing") as name:
        execute(mariadb, "CREATE PROCEDURE p() SELECT 1", database=name)
        done = dump(where, name)
        assert b"PROCEDURE `p`" in done.parts["data"]
        assert done.details.inventory["tables"] == 0


def test_routines_of_oracle_mode_packages_are_counted_and_dumped(mariadb: Any, where: Opened) -> None:
    with new_database(mariadb, "packed") as name:
        mariadb.run_sql_script(
            "SET sql_mode = ORACLE;\nDELIMITER //\nCREATE PACKAGE pk AS FUNCTION f RETURN INT; END;\n//\n"
            "CREATE PACKAGE BODY pk AS FUNCTION f RETURN INT AS BEGIN RETURN 1; END; END;\n//\n",
            database=name,
        )
        done = dump(where, name)
        assert (done.details.inventory["packages"], done.details.inventory["package_bodies"]) == (1, 1)
        assert done.parts["data"].count(b"PACKAGE") >= 2
