# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading an SQL dump as statements, in constant memory however long its rows are.

Where a statement ends is found as the `mysql` and `mariadb` clients find it: at the delimiter, outside of quotes and
comments (client/mysql.cc, function add_line). Rows are different: they are most of the bytes and may be longer than
memory, and the dump clients write a newline inside a value as two characters, so the first semicolon at the end of a
line ends them; they are handed on in pieces, unread.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Union

# An identifier in the quotes of any sql_mode.
# No quote follows the last one: with that, a name can be read in one way only, and in linear time.
QUOTED_NAME = rb"(?:`(?:[^`]|``)*`(?!`)|\"(?:[^\"]|\"\")*\"(?!\"))"

_ROWS = re.compile(rb"INSERT (?:IGNORE )?INTO (" + QUOTED_NAME + rb")")
_ROWS_BEGIN = b"INSERT "
_ROWS_END = b";\n"
_LONGEST_BEGINNING = 4096  # bytes in which the table's name has ended: 64 characters of 4 bytes, each doubled

# MariaDB's client takes the backslash for a command of its own, MySQL's and older ones stop at it.
_SANDBOX = re.compile(rb"/\*M?!999999\\- [^\n]*\*/\s*\Z")
_COMMENT_LINE = re.compile(rb"\s*(?:(?:--(?:[ \t][^\n]*)?|#[^\n]*)\s*)?\Z")
_DELIMITER = re.compile(rb"DELIMITER\s+(\S+)\s*\Z", re.IGNORECASE)
_SQL_MODE = re.compile(rb"\A(?:/\*!\d+\s+)?SET\s+sql_mode\s*=\s*(?:'([^']*)'|@)", re.IGNORECASE)

_ENDS = {
    b"'": re.compile(rb"\\.|'", re.DOTALL),
    b'"': re.compile(rb"\\.|\"", re.DOTALL),
    b"`": re.compile(rb"`"),
    b"/*": re.compile(rb"\*/"),
}
_PLAIN_ENDS = {**_ENDS, b"'": re.compile(rb"'"), b'"': re.compile(rb"\"")}  # sql_mode NO_BACKSLASH_ESCAPES


@dataclass(frozen=True)
class Statement:
    """A whole statement, without its delimiter and without comment lines before it."""

    text: bytes
    delimiter: bytes


@dataclass(frozen=True)
class Rows:
    """A piece of an INSERT statement, as it stands in the dump; the last one has the delimiter and the newline.

    It is a part of a block that was read: most of a dump's bytes are rows, and are not copied.
    """

    table: str
    block: bytes
    start: int
    end: int
    first: bool

    @property
    def data(self) -> memoryview:
        """The piece itself."""
        return memoryview(self.block)[self.start : self.end]

    def count(self, byte: bytes) -> int:
        """Count how often the byte stands in it."""
        return self.block.count(byte, self.start, self.end)


Piece = Union[Statement, Rows]


def read(blocks: Iterable[bytes]) -> Iterator[Piece]:
    """Yield the statements of a dump in their order. Comment lines between statements are left out.

    A statement that the stream's end cuts off is yielded too: whether the stream was whole is for its source to say.
    """
    reader = _Reader()
    for block in blocks:
        yield from reader.feed(block)
    yield from reader.end()


def unquoted(name: bytes) -> str:
    """Return the identifier without the quotes around it, if any."""
    mark = name[:1]
    plain = name[1:-1].replace(mark * 2, mark) if mark in (b"`", b'"') else name
    return plain.decode("utf-8", "surrogateescape")


class _Reader:
    def __init__(self) -> None:
        self._rest = b""
        self._table: str | None = None  # of the rows that are being read
        self._first = False
        self._lines: list[bytes] = []  # of the statement that is being read
        self._open: bytes | None = None  # the quote or comment that the last line left open
        self._delimiter = b";"
        self._backslash = True

    def feed(self, block: bytes) -> Iterator[Piece]:
        data, position = self._rest + block, 0
        while position < len(data):
            if self._table is not None:
                end = data.find(_ROWS_END, position)
                if end < 0:
                    stop = len(data) - 1 if data.endswith(b";") else len(data)  # the newline may be in the next block
                    if stop > position:
                        yield self._rows(data, position, stop)
                    position = stop
                    break
                yield self._rows(data, position, end + len(_ROWS_END))
                self._table = None
                position = end + len(_ROWS_END)
                continue
            if not self._lines and data.startswith(_ROWS_BEGIN, position):
                found = _ROWS.match(data, position, position + _LONGEST_BEGINNING)
                if found is not None:
                    self._table, self._first = unquoted(found[1]), True
                    continue
                if len(data) - position < _LONGEST_BEGINNING:
                    break
            newline = data.find(b"\n", position)
            if newline < 0:
                break
            yield from self._line(data[position : newline + 1])
            position = newline + 1
        self._rest = data[position:]

    def end(self) -> Iterator[Piece]:
        if self._table is not None:
            yield self._rows(self._rest, 0, len(self._rest))
        elif self._rest:
            yield from self._line(self._rest)
        if self._lines:
            yield self._statement(b"".join(self._lines))

    def _rows(self, block: bytes, start: int, end: int) -> Rows:
        piece = Rows(self._table or "", block, start, end, self._first)
        self._first = False
        return piece

    def _line(self, line: bytes) -> Iterator[Piece]:
        position = 0
        while position < len(line):
            if not self._lines:
                if _COMMENT_LINE.match(line, position) or _SANDBOX.match(line, position):
                    return
                command = _DELIMITER.match(line, position)
                if command is not None:
                    self._delimiter = command[1]
                    return
            end = self._end_of_statement(line, position)
            if end is None:
                self._lines.append(line[position:])
                return
            self._lines.append(line[position:end])
            yield self._statement(b"".join(self._lines))
            position = end + len(self._delimiter)

    def _statement(self, text: bytes) -> Statement:
        self._lines = []
        self._open = None
        mode = _SQL_MODE.match(text)
        if mode is not None:
            self._backslash = b"NO_BACKSLASH_ESCAPES" not in (mode[1] or b"")
        return Statement(text, self._delimiter)

    def _end_of_statement(self, line: bytes, position: int) -> int | None:
        """Return where the delimiter stands in the line, None when the statement goes on."""
        marks = re.compile(rb"(['\"`]|/\*(?!M?!))|(--(?=\s)|#)|(" + re.escape(self._delimiter) + rb")")
        ends = _ENDS if self._backslash else _PLAIN_ENDS
        while True:
            if self._open is not None:
                closing = ends[self._open].search(line, position)
                if closing is None:
                    return None
                if closing[0][:1] != b"\\":
                    self._open = None
                position = closing.end()
                continue
            mark = marks.search(line, position)
            if mark is None or mark[2]:
                return None
            if mark[3]:
                return mark.start()
            self._open, position = mark[1], mark.end()
