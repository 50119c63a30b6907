# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB and MySQL: databases as applications have them, restored and compared without the product's own code."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support.drills import drill_all
from support.library import SCHEMAS, back_up, entry_of
from support.mysql_dumps import execute, new_database
from support.restores import restored

pytestmark = pytest.mark.long

FOLDER = SCHEMAS / "applications"
# What every script may take rows from; it stays, as a table like any other.
NUMBERS = """
    CREATE TABLE numbers (i int NOT NULL PRIMARY KEY);
    INSERT INTO numbers WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 299) SELECT i FROM n;
"""
EQUAL = ("equal", "equal, expressions rewritten")


def scripts(server: Any) -> dict[str, Path]:
    """The applications of this vendor by their names."""
    folders = [FOLDER / "mysql_family", *([FOLDER / "mariadb"] if server.engine == "mariadb" else [])]
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.sql"))}


@pytest.fixture
def applications(either: Any) -> Iterator[Any]:
    """A server with one database for every application."""
    with ExitStack() as stack:
        for name, script in scripts(either).items():
            stack.enter_context(new_database(either, name))
            either.run_sql_script(NUMBERS, database=name)
            either.run_sql_script(script, database=name)
            # Other rows at the end of the table than at its beginning.
            execute(either, "DELETE FROM numbers WHERE i % 3 = 1", "INSERT INTO numbers VALUES (1), (4)", database=name)
        yield either


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def definitions(server: Any, name: str) -> dict[str, str]:
    """What the server says it would take to make each object, without the database's own name in it."""
    found = {}
    for kind, question in (
        ("TABLE", "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"),
        ("TRIGGER", "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = %s"),
        ("EVENT", "SELECT event_name FROM information_schema.events WHERE event_schema = %s"),
        ("PROCEDURE", "SELECT routine_name FROM information_schema.routines WHERE routine_schema = %s"
         " AND routine_type = 'PROCEDURE'"),
        ("FUNCTION", "SELECT routine_name FROM information_schema.routines WHERE routine_schema = %s"
         " AND routine_type = 'FUNCTION'"),
    ):  # fmt: skip
        for (item,) in server.sql(question, parameters=(name,)):
            text = _text(item)
            row = server.sql(f"SHOW CREATE {kind} {quoted(text)}", database=name)[0]
            # The last columns of a trigger tell when it was made.
            shown = " ".join(_text(value) for value in (row[:-1] if kind == "TRIGGER" else row))
            # MySQL writes a character set that was given with the column and follows from the collation.
            shown = re.sub(r"CHARACTER SET \w+ COLLATE", "COLLATE", shown)
            found[f"{kind} {text}"] = shown.replace(quoted(name), "`the database`").replace(" DISABLE ", " ENABLE ")
    return found


def _text(value: Any) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, (bytes, bytearray)) else str(value)


def rows(server: Any, name: str) -> dict[str, tuple[int, str]]:
    """How many rows every table has, and a checksum of their bytes in any order."""
    tables = server.sql(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type <> 'VIEW'",
        parameters=(name,),
    )
    found = {}
    for (table,) in tables:
        lines = sorted(repr(row) for row in server.sql(f"SELECT * FROM {quoted(_text(table))}", database=name))
        found[_text(table)] = (len(lines), hashlib.sha256("\0".join(lines).encode("utf-8", "replace")).hexdigest())
    return found


def looked_at(server: Any, name: str) -> tuple[dict[str, str], dict[str, tuple[int, str]]]:
    return definitions(server, name), rows(server, name)


def unlike(before: tuple[Any, Any], after: tuple[Any, Any]) -> list[Any]:
    """What is only in one of two looks."""
    return sorted({str(one) for pair in zip(before, after) for one in set(pair[0].items()) ^ set(pair[1].items())})


def test_every_application_is_complete_equal_and_comes_back(
    applications: Any, repository: Path, work_dir: Path
) -> None:
    server, names = applications, sorted(scripts(applications))
    result = back_up(server, repository, databases=names, row_counts=True, fingerprints=True)
    entries = {name: entry_of(result, name) for name in names}
    assert {name: entry for name, entry in entries.items() if entry["status"] != "complete"} == {}
    drills = drill_all(repository, work_dir=str(work_dir))["drills"]
    assert sorted(entry["database"] for entry in drills) == names
    assert [(one["database"], one["error"], one["differences"]) for one in drills if one["verdict"] not in EQUAL] == []
    differences = {}
    for name in names:
        again = f"{name}_again"
        try:
            restored(server, repository, name, target=again)
            before, after = looked_at(server, name), looked_at(server, again)
            if before != after:
                differences[name] = unlike(before, after)
        finally:
            execute(server, f"DROP DATABASE IF EXISTS {quoted(again)}")
    assert differences == {}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE cart SET total = total + 0.000000000000000000000000000001 WHERE id = 2",
        "DELETE FROM cart_log LIMIT 1",
        "ALTER TABLE product ALTER weight SET DEFAULT 1",
        "ALTER VIEW open_carts AS SELECT id, total FROM cart WHERE state = 'open'",
        "DROP TRIGGER cart_made",
    ],
)
def test_the_comparison_sees_one_change(mariadb: Any, change: str) -> None:
    with new_database(mariadb, "shop"):
        mariadb.run_sql_script(NUMBERS, database="shop")
        mariadb.run_sql_script(FOLDER / "mysql_family" / "shop.sql", database="shop")
        before = looked_at(mariadb, "shop")
        assert looked_at(mariadb, "shop") == before
        execute(mariadb, change, database="shop")
        assert looked_at(mariadb, "shop") != before
