# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB and MySQL: the inventory of a backup counts what the dump client writes, kind by kind."""

from __future__ import annotations

from typing import Any

import pytest
from backupdb.engines.mysql.restore.headers import describe
from backupdb.engines.mysql.restore.stream import Statement, read
from support.library import SCHEMAS
from support.mysql_dumps import Dumped, Opened, dump, execute, new_database

CLAUSE = "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
KINDS = {
    "table": "tables",
    "view": "views",
    "sequence": "sequences",
    "function": "functions",
    "procedure": "procedures",
    "package": "packages",
    "package body": "package_bodies",
    "trigger": "triggers",
    "event": "events",
}


def written(done: Dumped) -> dict[str, int]:
    """Count the objects in the archives; a view is there twice, as a stand-in and as itself."""
    objects = set()
    versioned = set()
    for stream in done.parts.values():
        for piece in read([stream]):
            what = describe(piece.text) if isinstance(piece, Statement) else None
            if what is not None and what.creates:
                objects.add((what.kind, what.name))
                if what.kind == "table" and b"WITH SYSTEM VERSIONING" in piece.text:  # type: ignore[union-attr]
                    versioned.add(what.name)
    counts = {name: sum(kind == found for found, _name in objects) for kind, name in KINDS.items()}
    return {**counts, "system_versioned_tables": len(versioned)}


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_inventory_is_what_the_client_writes(either: Any, where: Opened, jobs: int) -> None:
    with new_database(either, "counted", CLAUSE):
        either.run_sql_script(SCHEMAS / f"{either.engine}_torture.sql", database="counted")
        done = dump(where, "counted", jobs=jobs)
    assert not done.details.missing
    found = written(done)
    assert found == {name: done.details.inventory.get(name, 0) for name in found}
    assert set(done.details.inventory) <= set(found)


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_left_out_is_not_counted(either: Any, where: Opened, jobs: int) -> None:
    with new_database(either, "counted", CLAUSE):
        execute(
            either,
            "CREATE TABLE gone (a int)",
            "CREATE TABLE t (a int)",
            "CREATE TABLE u (a int)",
            "CREATE VIEW broken AS SELECT a FROM gone",
            "CREATE VIEW on_broken AS SELECT a FROM broken",
            "CREATE VIEW good AS SELECT a FROM t",
            "CREATE PROCEDURE p() SELECT 1",
            "DROP TABLE gone",
            database="counted",
        )
        done = dump(where, "counted", jobs=jobs, routines=False)
    assert [line.partition(":")[0] for line in done.details.missing] == [
        "view broken",
        "view on_broken",
        "1 of kind procedure",
    ]
    found = written(done)
    assert found == {name: done.details.inventory.get(name, 0) for name in found}
