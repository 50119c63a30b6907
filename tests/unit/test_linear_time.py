# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reads text of others takes time in proportion to its length.

Each reader is given a hostile text and one of four times the length, and its steps are counted in processor time: four
times as much is linear, sixteen times is not. The limit lies between the two.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from backupdb.age.header import decode_base64
from backupdb.age.identity_file import parse_identities
from backupdb.engines.mysql import accounts_grammar as mysql_grammar
from backupdb.engines.mysql.accounts_grammar import statement_cursor
from backupdb.engines.mysql.grants import matches_pattern, parse_line
from backupdb.engines.mysql.outside import named_pairs
from backupdb.engines.mysql.restore.definitions import objection, setting_of
from backupdb.engines.mysql.restore.feed import Changes, Feed
from backupdb.engines.mysql.restore.headers import (
    describe,
    event_disabled,
    has_own_directory,
    sequences_unqualified,
    trigger_unqualified,
    without_tablespace,
)
from backupdb.engines.mysql.restore.references import mentions
from backupdb.engines.mysql.restore.stream import read
from backupdb.engines.postgresql import accounts_grammar as postgresql_grammar
from backupdb.engines.postgresql.accounts_script import parse, statements
from backupdb.engines.postgresql.restore.run import only_restricted, without_unknown_settings
from backupdb.engines.postgresql.restore.tables import qualified_names
from backupdb.engines.values import RestoreOptions
from backupdb.errors import BackupDbError

pytestmark = pytest.mark.unmeasured

SHORT = 2_500  # characters
TIMES = 4
LIMIT = 9.0
SMALLEST = 0.003  # seconds of processor time below which a ratio says nothing
LONGEST = 5.0  # seconds for the longer text, whatever the ratio

BLOCK = 1 << 12


class Server:
    def runs_comment(self, *, of_mariadb: bool, version: int) -> bool:
        return True


def blocks(text: bytes) -> Any:
    return (text[at : at + BLOCK] for at in range(0, len(text), BLOCK))


def of_bytes(function: Callable[[bytes], Any]) -> Callable[[str], Any]:
    return lambda text: function(text.encode())


def fed(text: bytes) -> None:
    for _piece in Feed(Changes("a", "b", RestoreOptions(), None)).lines(blocks(text)):
        pass


READERS: dict[str, Callable[[str], Any]] = {
    "the stream of MariaDB and MySQL": of_bytes(lambda text: list(read(blocks(text)))),
    "the feed of their client": of_bytes(fed),
    "what a statement is about": of_bytes(describe),
    "an event that is disabled": of_bytes(event_disabled),
    "a trigger's database": of_bytes(lambda text: trigger_unqualified(text, "a")),
    "a table's folders": of_bytes(has_own_directory),
    "a table's tablespace": of_bytes(without_tablespace),
    "a table's sequences": of_bytes(lambda text: sequences_unqualified(text, "a")),
    "a definition": of_bytes(lambda text: objection(text, "a", Server())),
    "a setting": of_bytes(setting_of),
    "names in bodies": lambda text: mentions(text, "a"),
    "names in views": named_pairs,
    "a statement of an account": statement_cursor,
    "the identity of an account": lambda text: mysql_grammar.check_of_account(
        mysql_grammar.Subject("a", "b"), "identity", text, None
    ),
    "a line of SHOW GRANTS": parse_line,
    "a pattern of databases": lambda text: matches_pattern(text[:64], "a" * 64),
    "an attribute of a role": lambda text: postgresql_grammar.check_of_role("a", "identity", text),
    "several statements of a role": postgresql_grammar.single_statements,
    "the script of pg_dumpall": lambda text: list(statements(text)),
    "the statements of pg_dumpall": parse,
    "a script for psql": of_bytes(lambda text: list(only_restricted(blocks(text), "psql"))),
    "settings in a script": of_bytes(lambda text: list(without_unknown_settings(blocks(text), frozenset()))),
    "names in definitions": lambda text: list(qualified_names(text)),
    "base64": decode_base64,
    "identities": lambda text: parse_identities(text, where="the test"),
}
BEGINNINGS = (
    *("", "'", "`", '"', "/*", "/*!50003 ", "-- ", "$a$", "E'"),
    *("CREATE TRIGGER `a` BEFORE INSERT ON ", "CREATE DEFINER=`a`@`b` EVENT `a` ON SCHEDULE ", "CREATE TABLE `a` ("),
    *("INSERT INTO `a` VALUES (", "GRANT SELECT ON ", "CREATE USER `a`@`b` IDENTIFIED ", "ALTER ROLE a WITH "),
    *("SET sql_mode = '", "DELIMITER "),
)
PIECES = (
    *(
        "a",
        " ",
        "\n",
        "'",
        "''",
        "\\'",
        '"',
        "`",
        "``",
        "`a`.",
        "a.",
        ",",
        "(",
        ";",
        ";\n",
        "%",
        "%a",
        "$",
        "$a$",
        "\\",
    ),
    *("/*", "*/", "/**/", "/*!50003 ", "-- \n", "#\n", "A B ", "nextval(", " DATA DIRECTORY='", "TABLESPACE = `"),
    *("ON COMPLETION PRESERVE ", " ON ", "DELIMITER a\n", "CREATE TABLE `a` (\n", "INSERT INTO `a` VALUES (1)\n"),
)


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_takes_time_in_proportion_to_its_text(reader: str) -> None:
    function = READERS[reader]
    slow = {}
    for beginning in BEGINNINGS:
        for piece in PIECES:
            short = beginning + piece * (SHORT // len(piece))
            before = seconds(function, short)
            if before < SMALLEST:
                continue
            long = beginning + piece * (TIMES * SHORT // len(piece))
            after = seconds(function, long)
            # What looks slow is measured again: the machine may have been busy.
            if after > LIMIT * before or after > LONGEST:
                before = min(seconds(function, short) for _round in range(3))
                after = min(seconds(function, long) for _round in range(2))
                if after > LIMIT * before or after > LONGEST:
                    slow[beginning, piece] = (before, after)
                    break
    assert slow == {}


def test_a_pattern_of_databases_means_what_the_servers_mean() -> None:
    for pattern, names, others in (
        ("shop", ["shop"], ["shops", "", "sho"]),
        ("sh_p", ["shop", "sh_p"], ["shp", "shoop"]),
        (r"sh\_p", ["sh_p"], ["shop"]),
        ("sh%", ["sh", "shop"], ["s", "ash"]),
        ("%a%b", ["ab", "xaxb", "aab", "abab"], ["ba", "abx"]),
        (r"a\%%", ["a%", "a%b"], ["ab"]),
        ("%", ["", "x"], []),
        ("", [""], ["x"]),
        ("%%%_", ["a", "abc"], [""]),
        ("a\n%", ["a\nb"], ["ab"]),
    ):
        assert [name for name in names if not matches_pattern(pattern, name)] == []
        assert [name for name in others if matches_pattern(pattern, name)] == []


def seconds(function: Callable[[str], Any], text: str) -> float:
    before = time.process_time()
    with suppress(BackupDbError, ValueError):
        function(text)
    return time.process_time() - before
