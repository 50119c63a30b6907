# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No pattern of the library takes time that grows with the power of its input.

Every compiled pattern is tried with what makes backtracking slow: pieces that can be read in more than one way, many
times over, behind the beginnings of what the patterns look for, and an end that fits nothing.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import backupdb
import pytest
from backupdb.engines.mysql.restore.headers import describe, trigger_unqualified
from backupdb.engines.mysql.restore.stream import read

pytestmark = pytest.mark.unmeasured

TIMES = 60
LIMIT = 2.0  # seconds of processor time for all pieces; what takes 60 of one that long would take years for 100
BEGINNINGS = (
    *("", "'", "`", '"', "(", "a ", "-- ", "/*"),
    *("CREATE ", "CREATE TRIGGER ", "CREATE TRIGGER `a` ", "CREATE TRIGGER `a` BEFORE ", "CREATE DEFINER=`a`@`b` "),
    *(" BEFORE ", "/**/BEFORE ", "SET ", "SET sql_mode = '", "INSERT INTO ", "DROP TABLE ", "ALTER TABLE "),
    *("GRANT ", "GRANT SELECT ", "GRANT SELECT ON ", "GRANT a TO ", "GRANT PROXY ON ", " DEFAULT ROLE ", "DELIMITER "),
    *("ALTER ROLE a WITH", "ALTER ROLE ", "ALTER ROLE a IN DATABASE ", "USER MAPPING ", "ERROR 1 (a)", " PASSWORD '"),
    *("ON COMPLETION PRESERVE ", "DATA DIRECTORY='", "/*!50100 TABLESPACE `", "TO ", "AS ", " VIA ", "E'"),
    *("/*!999999\\- ", "DO SETVAL("),
)
PIECES = (
    *(" ", "\t", "\n", "a", "1", ",", "(", ")", ".", "@", "'", "''", "\\'", "\\", '"', '""', "`", "``", "`a`", "'a'"),
    *(
        "/**/",
        "/* */",
        "/* a */ ",
        "/*!50003 ",
        "*/",
        "*",
        "/*",
        "--\n",
        "-- \n",
        "-- a\n",
        "#\n",
        "# a\n",
        "a ",
        "A B ",
    ),
    *("a,", "`a`,", "`a`, ", "`a`.", "`a`@`b`,", "'a' ", '"a".', "(`a`)", " A", "a.b,", "E''", "E", ";", "SELECT, "),
    *("''a", '"a"', "A B "),
)
ENDS = ("", "\0")


def patterns() -> Iterator[tuple[str, re.Pattern[Any]]]:
    for module in pkgutil.walk_packages(backupdb.__path__, "backupdb."):
        for name, value in vars(importlib.import_module(module.name)).items():
            values = (
                value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else [value]
            )
            yield from ((f"{module.name}.{name}", one) for one in values if isinstance(one, re.Pattern))


FOUND = list(patterns())


@contextmanager
def in_time() -> Iterator[None]:
    def too_late(*_signal: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGVTALRM, too_late)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@pytest.mark.parametrize("number", range(len(FOUND)), ids=[name for name, _pattern in FOUND])
def test_no_pattern_explodes(number: int) -> None:
    _name, pattern = FOUND[number]
    with in_time():
        for beginning in BEGINNINGS:
            texts = [beginning + piece * TIMES + end for piece in PIECES for end in ENDS]
            signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT)
            for text in texts:
                try:
                    pattern.search(text.encode() if isinstance(pattern.pattern, bytes) else text)
                except TimeoutError:
                    pytest.fail(f"{pattern.pattern!r} takes too long for {text[:60]!r}")
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)


STATEMENTS = (
    *(
        b"CREATE " + piece * 20_000 + b"TRIGGER `a` BEFORE INSERT ON `t` x"
        for piece in (b"/**/", b" ", b"-- a\n", b"*/")
    ),
    *(b"CREATE TRIGGER " + piece * 20_000 + b"`a` BEFORE" for piece in (b"/* a */", b"#\n", b"--\n", b"``")),
    *(b"CREATE TRIGGER `a` BEFORE " + piece * 20_000 + b"!" for piece in (b"/**/", b"\n", b"-- a\n", b"`a`,", b"ON ")),
    b" " * 200_000 + b"x",
    b";" * 20_000,
)


@pytest.mark.parametrize("statement", STATEMENTS, ids=range(len(STATEMENTS)))
def test_a_statement_of_a_dump_is_looked_at_in_linear_time(statement: bytes) -> None:
    with in_time():
        signal.setitimer(signal.ITIMER_VIRTUAL, 10)
        assert list(read([statement + b"\n"])) is not None
        assert describe(statement) is not None
        assert trigger_unqualified(statement, "shop") == statement
