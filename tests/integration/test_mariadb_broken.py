# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB: what cannot be dumped is left out by name, and all the rest is there."""

from __future__ import annotations

from typing import Any

import pytest
from support.mysql_dumps import Opened, dump, execute, new_database, opened, restore


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_view_without_its_table_is_left_out_by_name_with_its_text(mariadb: Any, where: Opened, jobs: int) -> None:
    with new_database(mariadb, "hurt") as name:
        execute(
            mariadb,
            "CREATE TABLE gone (a INT)",
            "CREATE TABLE kept (a INT)",
            "CREATE TABLE kept_too (a INT)",
            "INSERT INTO kept VALUES (1)",
            "CREATE VIEW bad AS SELECT a FROM gone",
            "CREATE VIEW good AS SELECT a FROM kept",
            "DROP TABLE gone",
            database=name,
        )
        done = dump(where, name, jobs=jobs)
        assert len(done.details.missing) == 1
        assert done.details.missing[0].startswith("view bad: ")
        left_out = done.details.extra["left_out"]
        assert left_out[0]["name"] == "bad"
        assert "gone" in left_out[0]["definition"]
        assert done.details.inventory["views"] == 1
        with new_database(mariadb, "hurt_again") as other:
            restore(mariadb, other, done.parts)
            assert execute(mariadb, "SELECT a FROM good", database=other) == [(1,)]


def test_a_view_of_a_dropped_account_does_not_end_the_dump(mariadb: Any, where: Opened) -> None:
    with new_database(mariadb, "hurt") as name:
        execute(
            mariadb,
            "CREATE TABLE kept (a INT)",
            "INSERT INTO kept VALUES (1)",
            "CREATE DEFINER='nobody'@'nowhere' VIEW dead AS SELECT a FROM kept",
            "CREATE DEFINER='nobody'@'nowhere' PROCEDURE dead_p() SELECT 1",
            "CREATE DEFINER='nobody'@'nowhere' TRIGGER dead_t BEFORE INSERT ON kept FOR EACH ROW SET NEW.a = 1",
            "CREATE DEFINER='nobody'@'nowhere' EVENT dead_e ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1",
            database=name,
        )
        done = dump(where, name)
        assert b"INSERT INTO `kept`" in done.parts["data"]
        dead = done.details.extra["dead_definers"]["nobody@nowhere"]
        assert dead == ["view dead", "procedure dead_p", "trigger dead_t", "event dead_e"]
        assert any("nobody@nowhere is not an account" in warning for warning in done.details.warnings)


def test_a_table_with_a_damaged_file_is_left_out_by_name(server_factory: Any) -> None:
    private = server_factory("mariadb", settings={"myisam_recover_options": "OFF"})
    with new_database(private, "hurt") as name:
        execute(
            private,
            "CREATE TABLE damaged (a INT, b TEXT) ENGINE=MyISAM",
            "INSERT INTO damaged SELECT seq, REPEAT('x', 200) FROM seq_1_to_500",
            "CREATE TABLE lost (a INT) ENGINE=InnoDB",
            "INSERT INTO lost VALUES (1)",
            "CREATE TABLE kept (a INT)",
            "INSERT INTO kept VALUES (1)",
            "FLUSH TABLES",
            database=name,
        )
        rows = private.data / name / "damaged.MYD"
        with rows.open("r+b") as file:
            file.truncate(rows.stat().st_size // 2)
        private.stop()
        (private.data / name / "lost.ibd").unlink()
        private.start()
        with opened(private) as here:
            done = dump(here, name, row_counts=True)
        assert sorted(text.split(":")[0] for text in done.details.missing) == ["table damaged", "table lost"]
        assert done.details.row_counts == {"kept": 1}
        assert b"INSERT INTO `kept`" in done.parts["data"]
        execute(private, "DROP TABLE damaged", database=name)
