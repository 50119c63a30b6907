# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lines of a dump's text are: which carry time, version or chance, which are rows, and where one stands.

Lines were compared by hand on schemas with nearly every kind of object: those named here as volatile are the only
ones that differ between two dumps of equal databases by the same client.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter

_NAME = rb'(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)'
_LONG = 16 << 10  # bytes; longer lines come in pieces


class PostgresqlDumpReader:
    r"""The text that `pg_restore -f -` makes of an archive. Since 2025 it has random `\restrict` lines."""

    _VOLATILE = re.compile(rb"\\(?:un)?restrict |-- Dumped (?:from database|by pg_dump) version ")
    _HEADER = re.compile(rb"-- (?:Data for )?Name: (.*); Type: ([A-Z ]+); Schema: (.*); Owner: ")
    _ROWS = (b"TABLE DATA", b"SEQUENCE SET", b"BLOB", b"BLOBS", b"BLOB METADATA")
    _WITH_EXPRESSIONS = (
        *(b"TABLE", b"INDEX", b"VIEW", b"MATERIALIZED VIEW", b"DOMAIN", b"CONSTRAINT", b"CHECK CONSTRAINT", b"DEFAULT"),
        *(b"RULE", b"POLICY", b"TRIGGER", b"STATISTICS", b"FUNCTION", b"PROCEDURE"),
    )

    _POLICY = re.compile(
        rb"(?P<head>CREATE POLICY %(name)s ON %(name)s\.%(name)s(?: AS RESTRICTIVE)?(?: FOR [A-Z]+)? TO )"
        rb"(?P<roles>%(name)s(?:, %(name)s)*)(?P<tail>(?: USING| WITH CHECK).*|;)" % {b"name": _NAME}
    )

    _COPY = re.compile(
        rb"COPY %(name)s\.%(name)s \((?P<columns>%(name)s(?:, %(name)s)*)\) FROM stdin;" % {b"name": _NAME}
    )

    # Written where it changes, so its place depends on the order of the tables.
    _SETTING = re.compile(rb"SET default_table_access_method = [^;]+;")
    # The rows of several partitions, which may share them out in another way after a restore.
    _THROUGH = re.compile(rb"-- load via partition root (.+)")
    _END = b"-- PostgreSQL database dump complete"
    _UNDER_SETTING = (b"TABLE", b"MATERIALIZED VIEW")

    def __init__(self) -> None:
        self.place = "head"
        self.in_data = False
        self.rewritable = False
        self.begins_entry = False
        self.is_row = False
        self.is_setting = False
        self.setting = b""
        self._access_method = b""
        self._in_copy = False
        self._names = b""  # stands for those of the columns, and is short as it goes with each row
        self._columns: list[bytes] = []
        self._in_order: Callable[[list[bytes]], tuple[bytes, ...]] | None = None  # puts values as the names are sorted

    def _take_columns(self, line: bytes) -> None:
        """Remember the columns of a COPY, which are told with each row: the line itself is no part of the entry."""
        copy = self._COPY.fullmatch(line)
        self.is_setting = copy is not None
        self._columns = re.findall(_NAME, copy["columns"]) if copy is not None else []
        self._names = hashlib.sha256(b",".join(sorted(self._columns))).digest()[:8] if self._columns else b""
        order = sorted(range(len(self._columns)), key=self._columns.__getitem__)
        # A single value has only one order, and none needs to be changed where the names are in theirs.
        self._in_order = itemgetter(*order) if order != list(range(len(order))) else None

    def canonical(self, line: bytes) -> bytes:
        """Sort the roles of a policy, which pg_dump lists as they lie in the server's catalogue."""
        if not self.place.startswith("POLICY "):
            return line
        policy = self._POLICY.fullmatch(line)
        if policy is None:
            return line
        roles = sorted(re.findall(_NAME, policy["roles"]))
        return policy["head"] + b", ".join(roles) + policy["tail"]

    def rows_until(self, lines: Sequence[bytes], start: int) -> int:
        if not self._in_copy:
            return start
        try:
            return lines.index(b"\\.", start)
        except ValueError:
            return len(lines)

    def rows_in(self, line: bytes, begins: bool) -> Iterator[tuple[bytes | None, bool]]:
        if begins:
            yield None, True
        yield self._by_columns(line) if begins else line, False  # the row ends where the next line begins

    def _by_columns(self, row: bytes) -> bytes:
        """Put the values in the order of their columns' names: a table that inherits may get its columns in another."""
        if len(row) >= _LONG:  # perhaps only a piece of one
            return row
        if self._in_order is not None:
            values = row.split(b"\t")
            if len(values) != len(self._columns):
                return row
            row = b"\t".join(self._in_order(values))
        return self._names + row

    def look(self, line: bytes) -> bool:
        self.begins_entry = self.is_setting = False
        self.is_row = self._in_copy and line != b"\\."
        if self._in_copy:  # rows may look like anything but the mark of their end
            self._in_copy = self.is_row
            return True
        if line.startswith(b"-- "):
            self.is_setting = line == self._END
            header = self._HEADER.match(line)
            if header is not None:
                name, kind, schema = header.groups()
                where = name if schema == b"-" else schema + b"." + name
                self.place = f"{kind.decode('ascii')} {where.decode('utf-8', 'backslashreplace')}"
                self.in_data = kind in self._ROWS
                self.rewritable = kind in self._WITH_EXPRESSIONS
                self.begins_entry = True
                self.setting = self._access_method if kind in self._UNDER_SETTING else b""
                return self._VOLATILE.match(line) is None
            through = self._THROUGH.fullmatch(line) if self.in_data else None
            if through is not None:
                self.place = f"TABLE DATA {through[1].decode('utf-8', 'backslashreplace')}"
        elif self.in_data and line.startswith(b"COPY ") and line.endswith(b" FROM stdin;"):
            self._in_copy = True
            self._take_columns(line)
        elif self._SETTING.fullmatch(line) is not None:
            self.is_setting = True
            self._access_method = line
        return self._VOLATILE.match(line) is None
