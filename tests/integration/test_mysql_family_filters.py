# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB and MySQL: what goes with a table that is left out, what is warned of, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from backupdb.backup import run as backup
from backupdb.engines.mysql import plan
from backupdb.errors import InvalidOption
from support.drills import drilled
from support.library import back_up, entry_of, instance_of, request_for
from support.mysql_dumps import execute, new_database
from support.restores import restore, restore_request, restored

NAME = "Filtered.shop"
COUNTED = {"row_counts": True, "fingerprints": True}
RIGHTS = ("`Filtered.shop`.log", "`Filtered.shop`.kept")  # one that a drill cannot give, and must not miss
SCHEMA = (
    "CREATE TABLE kept (id int AUTO_INCREMENT PRIMARY KEY, word varchar(20))",
    "INSERT INTO kept (word) VALUES ('a'), ('b'), ('c')",
    "CREATE TABLE log (id int PRIMARY KEY, word varchar(20))",
    "INSERT INTO log VALUES (1, 'x'), (2, 'y')",
    "CREATE TRIGGER on_log BEFORE INSERT ON log FOR EACH ROW SET NEW.word = 'z'",
    "CREATE TRIGGER on_kept BEFORE UPDATE ON kept FOR EACH ROW SET NEW.word = 'z'",
    "CREATE TABLE refers (id int PRIMARY KEY, other int, CONSTRAINT to_log FOREIGN KEY (other) REFERENCES log (id))",
    "INSERT INTO refers VALUES (1, 1), (2, 2)",
    "CREATE VIEW seen AS SELECT word FROM log",
    "CREATE VIEW fine AS SELECT word FROM kept",
    "CREATE FUNCTION f() RETURNS int DETERMINISTIC RETURN 1",
    "CREATE VIEW called AS SELECT f() AS n FROM kept",
)


@pytest.fixture
def shop(either: Any) -> Iterator[Any]:
    with new_database(either, NAME):
        execute(either, *SCHEMA, database=NAME)
        execute(
            either, "CREATE USER reader@localhost", *(f"GRANT SELECT ON {one} TO reader@localhost" for one in RIGHTS)
        )
        yield either
        execute(either, "DROP DATABASE IF EXISTS back", "DROP USER reader@localhost")


def names(server: Any, database: str) -> set[str]:
    return {str(row[0]) for row in execute(server, "SHOW TABLES", database=database)}


def triggers(server: Any, database: str) -> set[str]:
    return {str(row[0]) for row in execute(server, "SHOW TRIGGERS", database=database)}


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_triggers_of_a_table_go_with_it_and_rows_alone_leave_it(
    shop: Any, repository: Path, work_dir: Path, jobs: int
) -> None:
    filters = {
        "exclude_tables": ("Filtered.shop.log", "other.kept", "seen"),
        "exclude_table_data": ("re*", "LOG"),
    }
    result = back_up(shop, repository, databases=[NAME], jobs=jobs, **COUNTED, **filters)
    entry = entry_of(result, NAME)
    assert entry["status"] == "complete", result["message"]
    assert entry["filters"]["left_out"]["tables"]["names"] == ["log", "seen"]
    assert entry["filters"]["left_out"]["table_data"]["names"] == ["refers"]
    # Two patterns mean nothing here: one names another database, the other one has other letters.
    assert len([line for line in result["warnings"] if "matches no table" in line]) == 2
    restored(shop, repository, NAME, target="back")
    assert names(shop, "back") == {"kept", "refers", "fine", "called"}
    assert triggers(shop, "back") == {"on_kept"}
    assert execute(shop, "SELECT COUNT(*) FROM refers", database="back") == [(0,)]
    assert execute(shop, "SELECT COUNT(*) FROM fine", database="back") == [(3,)]
    if jobs == 1:
        return  # the parts are the same, but for their number
    drill = drilled(repository, work_dir=str(work_dir))
    assert (drill["verdict"], drill["differences"]) == ("equal", [])
    assert "rights of reader@localhost on log" in [one["what"] for one in drill["not_compared"]]


def test_all_tables_or_the_rows_of_all_may_be_left_out(shop: Any, repository: Path, work_dir: Path) -> None:
    result = back_up(shop, repository, databases=[NAME], exclude_table_data=("*",), **COUNTED)
    assert entry_of(result, NAME)["without"] == "without the rows of 3 tables", result["message"]
    restored(shop, repository, NAME, target="back")
    assert [execute(shop, f"SELECT COUNT(*) FROM {table}", database="back") for table in ("kept", "log")] == [
        [(0,)]
    ] * 2
    assert triggers(shop, "back") == {"on_kept", "on_log"}
    assert drilled(repository, work_dir=str(work_dir))["verdict"] == "equal"
    execute(shop, "DROP DATABASE back")
    back_up(shop, repository, databases=[NAME], exclude_tables=("*",), **COUNTED)
    restored(shop, repository, NAME, target="back")
    assert names(shop, "back") == set()
    assert execute(shop, "SELECT back.f()") == [(1,)]


def test_what_needs_something_left_out_is_told_beforehand(shop: Any, repository: Path) -> None:
    for filters, told in (
        ({"exclude_tables": ("log",)}, ("view seen needs log", "to_log of refers to log")),
        ({"exclude_table_data": ("log",)}, ("to_log of refers to log",)),
        ({"include_tables": ("refers", "seen")}, ("view seen needs log", "to_log of refers to log")),
    ):
        for check_mode in (True, False):
            request = request_for(instance_of(shop), repository, databases=[NAME], **filters)
            result = backup.run(request, check_mode=check_mode)
            lines = "\n".join([*result["warnings"], *entry_of(result, NAME)["warnings"]])
            assert all(line in lines for line in told), lines
    done = restore.run(restore_request(shop, repository, NAME, target="back", accept_errors=True))
    assert done["status"] == "restored_with_errors" and "seen" in "\n".join(done["errors"]), done["message"]
    refused = restore.run(restore_request(shop, repository, NAME, target="back2", tables=("log",)), check_mode=True)
    assert "tables: 'log' left out of this backup on purpose (include_tables" in refused["message"]


def test_a_list_that_is_too_long_leaves_out_what_it_should_or_nothing_is_made(
    shop: Any, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        plan, "MOST_NAME_BYTES", 40
    )  # as if the names of all tables were more than a command line holds
    back_up(shop, repository, databases=[NAME], exclude_tables=("log", "seen"), **COUNTED)
    restored(shop, repository, NAME, target="back")
    assert names(shop, "back") == {"kept", "refers", "fine", "called"}
    execute(shop, "CREATE TABLE `Lög` (n int)", database=NAME)
    result = back_up(shop, repository, databases=[NAME], exclude_tables=("log", "seen"))
    assert "takes for one another: log" in entry_of(result, NAME)["error"]
    result = back_up(shop, repository, databases=[NAME], exclude_table_data=("log",))
    assert "more than a command line" in entry_of(result, NAME)["error"]


def test_schemas_cannot_be_left_out_where_they_are_databases(shop: Any, repository: Path) -> None:
    with pytest.raises(InvalidOption, match="a schema is a database; leave databases out with exclude"):
        back_up(shop, repository, databases=[NAME], exclude_schemas=("log",))
