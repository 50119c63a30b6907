# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of MySQL and MariaDB that are read or changed: definitions of tables, events, views, and grants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from backupdb.engines.accounts_document import Statement
from backupdb.engines.mysql.dead_grants import LiveObjects, is_promise
from backupdb.engines.mysql.drill_text import comparable
from backupdb.engines.mysql.grants import parse
from backupdb.engines.mysql.outside import named_pairs, stand_in
from backupdb.engines.mysql.restore.headers import (
    engine_of_table,
    event_kept,
    has_own_directory,
    loading_mode,
    without_far_end,
    without_tablespace,
)
from backupdb.engines.mysql.view_functions import calls
from backupdb.engines.sql_tokens import NotAllowed

TABLE = (
    b"CREATE TABLE `DATA DIRECTORY='x'` (\n  `a` int DEFAULT NULL COMMENT 'TABLESPACE = `no` DATA DIRECTORY=''y'''\n"
    b") /*!50100 TABLESPACE `ts``1` */ ENGINE=InnoDB%s"
)


def test_places_of_tables_are_found_but_not_in_texts_and_names() -> None:
    assert not has_own_directory(TABLE % b"")
    assert has_own_directory(TABLE % b" DATA DIRECTORY='/a'")
    assert has_own_directory(TABLE % b"\n(PARTITION p VALUES LESS THAN (1) INDEX DIRECTORY = '/a')")
    assert without_tablespace(TABLE % b"") == (TABLE % b"").replace(b"/*!50100 TABLESPACE `ts``1` */ ", b"")


def test_the_dumps_own_mode_is_the_only_one_that_is_changed() -> None:
    mode = b"/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */"
    assert b"'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_DIR_IN_CREATE'" in loading_mode(
        mode, ignore_directories=True
    )
    assert b"'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'" in loading_mode(mode, ignore_directories=False)
    other = b"/*!50003 SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO' */"
    assert loading_mode(other, ignore_directories=True) == other


def test_a_far_table_is_one_of_nothing_on_a_private_server() -> None:
    far = b"CREATE TABLE `t` (\n  `a` int\n) ENGINE=FEDERATED DEFAULT CHARSET=latin1 CONNECTION='s/t'"
    assert engine_of_table(far) == "FEDERATED"
    assert engine_of_table(without_far_end(far)) == "MRG_MYISAM"
    assert b"".join(comparable([far])) == b"".join(comparable([without_far_end(far)]))


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
def test_two_dumps_are_compared_without_the_places_whatever_the_blocks(size: int) -> None:
    row = b"INSERT INTO `t` VALUES (' DATA DIRECTORY=''x''');\n(' DATA DIRECTORY=\\'y\\''),\n" + b"x" * 70_000 + b"\n"
    theirs = b"\n".join([row, TABLE % b" DATA DIRECTORY='/a' INDEX DIRECTORY='/b' COMMENT='c d'", row])
    ours = b"\n".join([row, (TABLE % b" COMMENT='c d'").replace(b"/*!50100 TABLESPACE `ts``1` */ ", b""), row])
    blocks = [theirs[start : start + size] for start in range(0, len(theirs), size)]
    assert b"".join(comparable(blocks)) == ours


def test_an_event_is_kept_disabled() -> None:
    event = (
        b"CREATE DEFINER=`r`@`l` EVENT `e` ON SCHEDULE AT '2020-01-01' ON COMPLETION NOT PRESERVE ENABLE DO SELECT 1"
    )
    assert b"ON COMPLETION PRESERVE DISABLE DO" in event_kept(event)


def test_what_views_name_is_read_from_their_definitions() -> None:
    text = "select `f`(`d`.`t`.`a`) AS `x`,`o`.`g``h`('`no`(') AS `y`,'`o`.`none`' AS `z` from `d`.`t`"
    assert calls(text, "d") == {("d", "f"), ("o", "g`h")}
    assert named_pairs(text) == {("d", "t"), ("o", "g`h")}


class _Known(LiveObjects):
    """Objects without a server."""

    def __init__(self, found: Mapping[tuple[str, ...], set[str]]) -> None:
        self._grants = parse(["GRANT SELECT ON *.* TO `me`@`%`"])
        self._found = found

    def _names(self, query: str, **place: str) -> Any:
        return frozenset(self._found.get(tuple(place.values()), set()))


@pytest.mark.parametrize(
    ("sql", "parts"),
    [
        ("GRANT SELECT ON `d`.`t` TO `u`@`h`;", [("GRANT SELECT ON `d`.`t` TO `u`@`h`;", False)]),
        ("GRANT SELECT ON `d`.`gone` TO `u`@`h`;", [("GRANT SELECT ON `d`.`gone` TO `u`@`h`;", True)]),
        ("GRANT SELECT, CREATE ON `d`.`gone` TO `u`@`h`;", [("GRANT SELECT, CREATE ON `d`.`gone` TO `u`@`h`;", False)]),
        (
            "GRANT SELECT, UPDATE (`a`, `x`), INSERT (`x`) ON `d`.`t` TO `u`@`h` WITH GRANT OPTION;",
            [
                ("GRANT SELECT, UPDATE (`a`) ON `d`.`t` TO `u`@`h` WITH GRANT OPTION;", False),
                ("GRANT UPDATE (`x`), INSERT (`x`) ON `d`.`t` TO `u`@`h` WITH GRANT OPTION;", True),
            ],
        ),
        ("GRANT EXECUTE ON FUNCTION `d`.`g` TO `u`@`h`;", [("GRANT EXECUTE ON FUNCTION `d`.`g` TO `u`@`h`;", True)]),
    ],
)
def test_grants_are_parted_into_what_is_alive_and_what_is_dead(sql: str, parts: list[tuple[str, bool]]) -> None:
    live = _Known({("d",): {"t"}, ("d", "t"): {"a", "b"}})
    found = list(live.parted(Statement("object_grant", sql, database="d")))
    assert [(one.sql, one.dead) for one in found] == parts
    assert is_promise(sql) == ("CREATE" in sql)


TYPES = (
    *(
        "int(11)",
        "bigint unsigned",
        "decimal(10,2) unsigned zerofill",
        "enum('a','it''s','c\\\\d')",
        "set('x')",
        "json",
    ),
    *("varchar(10) CHARSET utf8mb4 COLLATE utf8mb4_bin", "char(3) CHARACTER SET latin1", "double", "double precision"),
    *("time(6)", "point", "uuid", "vector(3)"),
)


@pytest.mark.parametrize("kind", TYPES)
def test_stand_ins_have_the_columns_and_types_of_the_manifest(kind: str) -> None:
    place = {"database": "o`d", "name": "t"}
    table = {**place, "kind": "table", "columns": [["a`b", kind, "latin1", "latin1_bin"], ["c", kind, None, None]]}
    assert stand_in(table) == (
        f"CREATE TABLE IF NOT EXISTS `o``d`.`t` (`a``b` {kind} CHARACTER SET latin1 COLLATE latin1_bin, `c` {kind})"
    )
    function = {**place, "kind": "function", "returns": kind, "parameters": [kind, kind]}
    assert stand_in(function) == (
        f"CREATE FUNCTION IF NOT EXISTS `o``d`.`t`(p0 {kind}, p1 {kind}) RETURNS {kind} DETERMINISTIC RETURN NULL"
    )


def test_remarks_behind_a_type_are_left_out() -> None:
    one = {"kind": "table", "database": "d", "name": "t"}
    for remark in (" /* mariadb-5.3 */", " /*M!100301 COMPRESSED*/", " /*!100301 COMPRESSED*/"):
        assert stand_in({**one, "columns": [["a", f"text{remark}", None, None]]}).endswith("(`a` text)")


@pytest.mark.parametrize(
    "kind",
    [
        "int) ENGINE=CONNECT TABLE_TYPE=DOS FILE_NAME='/etc/passwd' -- ",
        "int GENERATED ALWAYS AS (LOAD_FILE('/etc/passwd'))",
        "int DEFAULT (1)",
        "text RETURN LOAD_FILE('/etc/passwd')",
        "int /*!50003 , b int */",
        "int, b int",
        "int # x",
        "",
        "enum('a",
    ],
)
def test_what_is_no_type_makes_no_stand_in(kind: str) -> None:
    place = {"database": "d", "name": "t"}
    for one in (
        {**place, "kind": "table", "columns": [["a", kind, None, None]]},
        {**place, "kind": "function", "returns": kind, "parameters": []},
        {**place, "kind": "function", "returns": "int", "parameters": [kind]},
        {**place, "kind": "table", "columns": [["a", "int", "latin1) ENGINE=x --", "latin1_bin"]]},
        {**place, "kind": "table", "columns": [["a", "int", "latin1", "latin1_bin DEFAULT 1"]]},
    ):
        with pytest.raises(NotAllowed):
            stand_in(one)
