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


class PostgresqlDumpReader:
    r"""The text that `pg_restore -f -` makes of an archive. Since 2025 it has random `\restrict` lines."""

    _VOLATILE = re.compile(rb"\\(?:un)?restrict |-- Dumped (?:from database|by pg_dump) version ")
    _HEADER = re.compile(rb"-- (?:Data for )?Name: (.*); Type: ([A-Z ]+); Schema: (.*); Owner: ")
    _ROWS = (b"TABLE DATA", b"SEQUENCE SET", b"BLOB", b"BLOBS", b"BLOB METADATA")
    _WITH_EXPRESSIONS = (
        *(b"TABLE", b"INDEX", b"VIEW", b"MATERIALIZED VIEW", b"DOMAIN", b"CONSTRAINT", b"CHECK CONSTRAINT", b"DEFAULT"),
        *(b"RULE", b"POLICY", b"TRIGGER", b"STATISTICS", b"FUNCTION", b"PROCEDURE"),
    )

    def __init__(self) -> None:
        self.place = "head"
        self.in_data = False
        self.rewritable = False
        self._in_copy = False

    def rows_until(self, lines: Sequence[bytes], start: int) -> int:
        if not self._in_copy:
            return start
        try:
            return lines.index(b"\\.", start)
        except ValueError:
            return len(lines)

    def look(self, line: bytes) -> bool:
        if self._in_copy:  # rows may look like anything but the mark of their end
            self._in_copy = line != b"\\."
            return True
        if line.startswith(b"-- "):
            header = self._HEADER.match(line)
            if header is not None:
                name, kind, schema = header.groups()
                where = name if schema == b"-" else schema + b"." + name
                self.place = f"{kind.decode('ascii')} {where.decode('utf-8', 'backslashreplace')}"
                self.in_data = kind in self._ROWS
                self.rewritable = kind in self._WITH_EXPRESSIONS
        elif self.in_data and line.startswith(b"COPY ") and line.endswith(b" FROM stdin;"):
            self._in_copy = True
        return self._VOLATILE.match(line) is None
