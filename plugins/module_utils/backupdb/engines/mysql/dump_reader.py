# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lines of a dump's text are: which carry time, version or chance, which are rows, and where one stands.

Lines were compared by hand on schemas with nearly every kind of object: those named here as volatile are the only
ones that differ between two dumps of equal databases by the same client.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence


class MysqlDumpReader:
    """The SQL that mysqldump and mariadb-dump write: one statement with rows on one line, or one row on each."""

    _VOLATILE = re.compile(
        rb"-- (?:MySQL dump|MariaDB dump|Host: |Server version|Dump completed|"
        rb"Dumping (?:events|routines) for database )"
    )
    _HEADER = re.compile(rb"-- ((?:Table|Temporary|Final|Sequence|Dumping data|Temporary table)[a-z ]*) `(.*)`$")
    _STATEMENT = re.compile(
        rb"(?:INSERT|REPLACE) +(?:IGNORE +)?INTO +`(?:[^`]|``)+` *(?:\((?:`(?:[^`]|``)+`,? *)+\) *)?VALUES *"
    )
    _IN_TEXT = re.compile(rb"['\\]")
    _BETWEEN = re.compile(rb"['()]")
    _ROWS = re.compile(rb"(?:INSERT |REPLACE )|(?:DO|SELECT) SETVAL\(")

    def __init__(self) -> None:
        self.place = "head"
        self.in_data = False
        self.rewritable = False
        self.begins_entry = False
        self.is_row = False
        self.is_setting = False  # its entries all name what they need
        self.setting = b""
        self._open = False  # a statement with rows goes on on the next line
        self._depth = 0  # of parentheses: rows are within one
        self._in_text = False
        self._escaped = False

    def canonical(self, line: bytes) -> bytes:
        return line

    def rows_until(self, lines: Sequence[bytes], start: int) -> int:
        if not self._open:
            return start
        return next((number for number in range(start, len(lines)) if lines[number].endswith(b";")), len(lines))

    def rows_in(self, line: bytes, begins: bool) -> Iterator[tuple[bytes | None, bool]]:
        """How many rows a statement has depends on their lengths, so rows are taken out of their statements."""
        statement = self._STATEMENT.match(line) if begins and not self._depth else None
        start = position = statement.end() if statement is not None else 0
        if self._escaped:
            self._escaped = False
            position += 1
        while (mark := self._mark(line, position)) is not None:
            position = mark.end()
            if mark.group() == b"\\":
                self._escaped = position == len(line)
                position += 1  # what stands behind a backslash means nothing
            elif mark.group() == b"'":
                self._in_text = not self._in_text
            elif mark.group() == b"(":
                start = start if self._depth else mark.start()
                self._depth += 1
            else:
                self._depth -= 1
                if not self._depth:
                    yield line[start:position], True
                    start = position
        if self._depth:
            yield line[start:], False
        elif line.endswith(b";"):
            self._open = False

    def _mark(self, line: bytes, position: int) -> re.Match[bytes] | None:
        return (self._IN_TEXT if self._in_text else self._BETWEEN).search(line, position)

    def look(self, line: bytes) -> bool:
        self.begins_entry = False
        was_open = self._open
        counts = self._look(line)
        self.is_row = was_open or (self.in_data and line.startswith((b"INSERT ", b"REPLACE ")))
        return counts

    def _look(self, line: bytes) -> bool:
        if self._open:
            self.in_data = True
            self._open = not line.endswith(b";")
            return True
        self.in_data = self._ROWS.match(line) is not None
        if self.in_data:
            self._open = not line.endswith(b";") and line.startswith((b"INSERT ", b"REPLACE "))
            return True
        if not line.startswith(b"-- "):
            return True
        header = self._HEADER.match(line)
        if header is not None:
            what, name = (part.decode("utf-8", "backslashreplace") for part in header.groups())
            self.begins_entry = True
            self.place = f"{what} {name}"
            self.rewritable = what.startswith(("Table", "Temporary", "Final"))
        elif line.startswith((b"-- Dumping events", b"-- Dumping routines")):
            self.begins_entry = True
            self.place = line[11:].split(b" ", 1)[0].decode("ascii")
            self.rewritable = False
        return self._VOLATILE.match(line) is None
