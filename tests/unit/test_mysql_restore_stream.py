# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading SQL dumps as statements: where they end, what they are about, which words of a header are changed."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest
from backupdb.engines.mysql.restore.feed import Changes, Feed
from backupdb.engines.mysql.restore.headers import (
    describe,
    event_disabled,
    sequences_unqualified,
    trigger_unqualified,
    with_altered_database,
    with_definer,
)
from backupdb.engines.mysql.restore.references import mentions
from backupdb.engines.mysql.restore.stream import Rows, Statement, read
from backupdb.engines.values import RestoreOptions

# The sandbox line, comments, a name with a newline, quotes that hold delimiters, rows on lines of their own.
STREAM = (
    b"/*M!999999\\- enable the sandbox mode */ \n"
    + rb"""-- MariaDB dump; with a semicolon
--

/*!40101 SET NAMES utf8mb4 */;
DROP TABLE IF EXISTS `a;
b`;
CREATE TABLE `a;
b` (
  `c` varchar(9) DEFAULT 'x;''\'' COMMENT '-- ;'
) /* a comment; */ COMMENT='#;';
INSERT INTO `t``;` VALUES
(1,'; -- \' ;'),
(2,'INSERT INTO `u` VALUES (1);\n');
INSERT INTO `u` VALUES (1),(2);
DELIMITER ;;
/*!50003 SET sql_mode = 'NO_BACKSLASH_ESCAPES' */ ;;
CREATE PROCEDURE `p`()
BEGIN
  -- it's; a comment ;;
  # another ;; '
  /* and; ;;
  DELIMITER ;
  INSERT INTO `t` VALUES (1);
  */
  SELECT 'C:\', ";;", `;;`;
END ;;
/*!50003 SET sql_mode = @saved_sql_mode */ ;;
SELECT 'it\'s ;;' ;;
DELIMITER ;
SELECT 1; SELECT 2;
-- Dump completed on 2026-11-24
"""
)


def texts(stream: bytes, size: int) -> list[bytes]:
    whole: list[bytes] = []
    for piece in read(stream[start : start + size] for start in range(0, len(stream), size)):
        if isinstance(piece, Statement):
            whole.append(piece.text.strip() + piece.delimiter)
        elif piece.first:
            whole.append(bytes(piece.data))
        else:
            whole[-1] += piece.data
    return whole


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1 << 20])
def test_statements_end_where_the_client_ends_them_however_the_blocks_fall(size: int) -> None:
    found = texts(STREAM, size)
    assert found[:3] == [
        b"/*!40101 SET NAMES utf8mb4 */;",
        b"DROP TABLE IF EXISTS `a;\nb`;",
        b"CREATE TABLE `a;\nb` (\n  `c` varchar(9) DEFAULT 'x;''\\'' COMMENT '-- ;'\n) /* a comment; */ COMMENT='#;';",
    ]
    assert found[3] == b"INSERT INTO `t``;` VALUES\n(1,'; -- \\' ;'),\n(2,'INSERT INTO `u` VALUES (1);\\n');\n"
    assert found[4] == b"INSERT INTO `u` VALUES (1),(2);\n"
    assert found[6].startswith(b"CREATE PROCEDURE `p`()")
    assert found[6].endswith(b"SELECT 'C:\\', \";;\", `;;`;\nEND;;")
    assert found[7:] == [
        b"/*!50003 SET sql_mode = @saved_sql_mode */;;",
        b"SELECT 'it\\'s ;;';;",
        b"SELECT 1;",
        b"SELECT 2;",
    ]


def test_rows_name_their_table_and_what_a_value_holds_is_not_read() -> None:
    rows = [piece for piece in read([STREAM]) if isinstance(piece, Rows)]
    assert [(piece.table, piece.first) for piece in rows] == [("t`;", True), ("u", True)]


def test_a_stream_that_breaks_off_is_given_out_to_its_last_byte() -> None:
    for end in range(len(STREAM)):
        assert texts(STREAM[:end], 5) == texts(STREAM[:end], 1 << 20)


def test_a_statement_longer_than_memory_passes_in_pieces() -> None:
    def blocks() -> Iterator[bytes]:
        yield b"INSERT INTO `t` VALUES (0x"
        block = b"00FF" * (1 << 18)
        for _number in range(300):
            yield block
        yield b");\nSET @a = 1;\n"

    tracemalloc.start()
    try:
        count = 0
        for piece in read(blocks()):
            count += len(piece.data) if isinstance(piece, Rows) else 0
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 300 * (1 << 20) + len(b"INSERT INTO `t` VALUES (0x);\n")
    assert peak < 8 << 20


TRIGGER = (
    b"/*!50003 CREATE*/ /*!50017 DEFINER=`a``b`@`%`*/ /*!50003 TRIGGER `tr` BEFORE INSERT ON `t` FOR EACH ROW"
    b" SET @x = 'DEFINER=`a``b`@`%`' */"
)
EVENT = (
    b"/*!50106 CREATE*/ /*!50117 DEFINER=`r`@`localhost`*/ /*!50106 EVENT `e` ON SCHEDULE EVERY 1 DAY STARTS"
    b" '2030-01-01 00:00:00' ON COMPLETION NOT PRESERVE ENABLE COMMENT 'ON COMPLETION PRESERVE ENABLE x' DO SELECT 1 */"
)
VIEW = (
    b"/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`r`@`localhost` SQL SECURITY INVOKER */\n"
    b"/*!50001 VIEW `v` AS select 'DEFINER=`r`@`localhost`' AS `a` */"
)
FUNCTION = b"CREATE DEFINER=`r`@`localhost` FUNCTION `f`(x int) RETURNS int(11)\nRETURN 'DEFINER=`r`@`localhost`'\n"
PACKAGE = b'CREATE DEFINER="team" PACKAGE BODY "pk" AS END'


@pytest.mark.parametrize(
    ("text", "place", "definer"),
    [
        (TRIGGER, "trigger tr", "a`b@%"),
        (EVENT, "event e", "r@localhost"),
        (VIEW, "view v", "r@localhost"),
        (FUNCTION, "function f", "r@localhost"),
        (PACKAGE, "package body pk", "team@"),
        (b"CREATE DEFINER=`r`@`%` PROCEDURE `p`()\nSELECT 1", "procedure p", "r@%"),
        (b"CREATE DEFINER=`r`@`%` AGGREGATE FUNCTION `g`(x INT)", "function g", "r@%"),
        (b"/*!50001 CREATE VIEW `v` AS SELECT\n NULL AS `a` */", "view v", None),
        (b"CREATE TABLE `DEFINER=``r``@``%``` (`a` int)", "table DEFINER=`r`@`%`", None),
        (b"CREATE SEQUENCE `s` start with 1", "sequence s", None),
        (
            b"/*!50003 create*/ /*!50017 DEFINER=`r`@`%`*/ /*!50003 trigger tr before update on t set",
            "trigger tr",
            "r@%",
        ),
    ],
)
def test_a_definition_is_told_by_its_header(text: bytes, place: str, definer: str | None) -> None:
    found = describe(text)
    assert (found.place(), found.definer, found.creates) == (place, definer, True)


@pytest.mark.parametrize("text", [TRIGGER, EVENT, VIEW, FUNCTION, PACKAGE])
def test_only_the_definer_of_the_header_is_replaced_or_taken_out(text: bytes) -> None:
    replaced = with_definer(text, "n`ew@10.%")
    assert describe(replaced).definer == "n`ew@10.%"
    assert with_definer(replaced, describe(text).definer).replace(b"`team`", b'"team"') == text
    without = with_definer(text, None)
    assert describe(without).definer is None
    assert describe(without).place() == describe(text).place()
    assert len(text) - len(without) in (
        len(b"DEFINER=`a``b`@`%`"),
        len(b"DEFINER=`r`@`localhost`"),
        len(b"DEFINER=`r`@`localhost` "),
        len(b'DEFINER="team" '),
    )


@pytest.mark.parametrize("status", [b"ENABLE", b"DISABLE ON SLAVE", b"DISABLE ON REPLICA", b"DISABLE"])
def test_an_event_is_disabled_in_its_header_only(status: bytes) -> None:
    text = EVENT.replace(b"ENABLE", status, 1)
    assert event_disabled(text) == EVENT.replace(b"ENABLE", b"DISABLE", 1)


def test_a_trigger_is_told_its_table_and_loses_its_databases_name() -> None:
    text = (
        b"/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`%`*/ /*!50003 TRIGGER `shop` . two /* c ON z */ AFTER -- x\n"
        b"INSERT ON shop.`t``1` FOR EACH ROW INSERT INTO shop.t VALUES ('shop.t') */"
    )
    assert describe(text).relation == "t`1"
    changed = trigger_unqualified(text, "shop")
    assert b"TRIGGER two /* c ON z */ AFTER -- x\nINSERT ON `t``1` FOR EACH ROW INSERT INTO shop.t VALUES" in changed
    assert trigger_unqualified(text, "other") == text


def test_a_sequence_loses_its_databases_name_and_texts_keep_theirs() -> None:
    text = (
        b"CREATE TABLE `t` (\n  `a` int DEFAULT nextval(`sh``op`.`s`),\n  `nextval(``sh````op``.``x` int"
        b" DEFAULT lastval(`sh``op`.`s`) COMMENT 'nextval(`sh``op`.`s`) it''s \\' nextval(`sh``op`.`s`)'\n)"
    )
    for function in (b"DEFAULT nextval(", b"DEFAULT lastval("):
        assert text.count(function + b"`sh``op`.") == 1
    changed = text.replace(b"DEFAULT nextval(`sh``op`.", b"DEFAULT nextval(")
    changed = changed.replace(b"DEFAULT lastval(`sh``op`.", b"DEFAULT lastval(")
    assert sequences_unqualified(text, "sh`op") == changed
    assert sequences_unqualified(text, "other") == text


def test_alter_database_means_the_database_that_is_restored() -> None:
    text = b"ALTER DATABASE `a` CHARACTER SET latin1 COLLATE latin1_bin "
    assert with_altered_database(text, "b`c") == b"ALTER DATABASE `b``c` CHARACTER SET latin1 COLLATE latin1_bin "


def test_a_line_of_the_clients_input_is_told_its_object() -> None:
    feed = Feed(Changes("db", "db", RestoreOptions(), None))
    given = b"".join(feed.lines([STREAM])).decode()
    numbered = given.split("\n")
    assert "sandbox" not in given
    assert "Dump completed" not in given
    assert feed.place(numbered.index("(1,'; -- \\' ;'),") + 1) == "table t`;"
    assert "PROCEDURE" not in given
    assert [one.place for one in feed.routines] == ["procedure p"]
    assert feed.place(1) == ""


def test_triggers_and_events_are_held_back_with_the_settings_they_were_made_under() -> None:
    stream = (
        b"/*!50003 SET sql_mode              = 'ANSI' */ ;\nDELIMITER ;;\n" + TRIGGER + b";;\nDELIMITER ;\n"
        b"/*!50003 SET sql_mode              = @saved_sql_mode */ ;\nDELIMITER ;;\n" + EVENT + b" ;;\nDELIMITER ;\n"
    )
    feed = Feed(Changes("db", "other", RestoreOptions(), frozenset(("a`b@%", "r@localhost"))))
    given = b"".join(feed.lines([stream]))
    assert b"TRIGGER" not in given
    assert [(one.place, one.settings) for one in feed.deferred] == [
        ("trigger tr", (b"/*!50003 SET sql_mode              = 'ANSI' */ ",)),
        ("event e", ()),
    ]
    assert b"NOT PRESERVE DISABLE COMMENT" in feed.deferred[1].text


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("INSERT INTO shop.t VALUES (1)", True),
        ("INSERT INTO `shop`.`t` VALUES (1)", True),
        ('INSERT INTO "SHOP" . "t" VALUES (1)', True),
        ("CALL shop.p()", True),
        ("EXECUTE IMMEDIATE 'DELETE FROM shop.t'", True),
        ("SELECT other.shop.t", False),
        ("SELECT workshop.t, shop2.t, shop", False),
        ("SELECT 1 -- shop.t\n", False),
        ("SELECT /* shop.t */ 1 # shop.t", False),
        ("SELECT '-- ', shop.t", True),
    ],
)
def test_a_body_names_a_database_only_in_front_of_a_dot(body: str, found: bool) -> None:
    assert mentions(body, "shop") is found
