# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lines of a dump's text are: which carry time, version or chance, which are rows, and where one stands.

Lines were compared by hand on schemas with nearly every kind of object: those named here as volatile are the only
ones that differ between two dumps of equal databases by the same client.
"""

from __future__ import annotations

import re
from collections.abc import Sequence


class MysqlDumpReader:
    """The SQL that mysqldump and mariadb-dump write: one statement with rows on one line, or one row on each."""

    _VOLATILE = re.compile(
        rb"-- (?:MySQL dump|MariaDB dump|Host: |Server version|Dump completed|"
        rb"Dumping (?:events|routines) for database )"
    )
    _HEADER = re.compile(rb"-- ((?:Table|Temporary|Final|Sequence|Dumping data|Temporary table)[a-z ]*) `(.*)`$")
    _ROWS = re.compile(rb"(?:INSERT |REPLACE )|(?:DO|SELECT) SETVAL\(")

    def __init__(self) -> None:
        self.place = "head"
        self.in_data = False
        self.rewritable = False
        self._open = False  # a statement with rows goes on on the next line

    def rows_until(self, lines: Sequence[bytes], start: int) -> int:
        if not self._open:
            return start
        return next((number for number in range(start, len(lines)) if lines[number].endswith(b";")), len(lines))

    def look(self, line: bytes) -> bool:
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
            self.place = f"{what} {name}"
            self.rewritable = what.startswith(("Table", "Temporary", "Final"))
        elif line.startswith((b"-- Dumping events", b"-- Dumping routines")):
            self.place = line[11:].split(b" ", 1)[0].decode("ascii")
            self.rewritable = False
        return self._VOLATILE.match(line) is None
