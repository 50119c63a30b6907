# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets of SFTP version 3: written, and read with all lengths bounded, as whatever a server says may be hostile.

Source: draft-ietf-secsh-filexfer-02, and OpenSSH's PROTOCOL file for the extensions.
"""

from __future__ import annotations

import stat
import struct
from datetime import datetime, timezone
from typing import NamedTuple

from .tree import FILE, FOLDER, ODD, Entry

VERSION = 3
INIT, VERSION_ANSWER = 1, 2
OPEN, CLOSE, READ, WRITE, LSTAT, OPENDIR, READDIR, REMOVE, MKDIR, RMDIR, RENAME = 3, 4, 5, 6, 7, 11, 12, 13, 14, 15, 18
STATUS, HANDLE, DATA, NAME, ATTRS = 101, 102, 103, 104, 105
EXTENDED, EXTENDED_ANSWER = 200, 201

OK, END, NO_SUCH_FILE, PERMISSION_DENIED, FAILURE, BAD_MESSAGE, NO_CONNECTION, CONNECTION_LOST, UNSUPPORTED = range(9)

FOR_READING, FOR_WRITING, CREATE, TRUNCATE, EXCLUSIVE = 0x01, 0x02, 0x08, 0x10, 0x20

LARGEST = 256 << 10  # bytes of a packet; no server sends larger ones
_LONGEST_HANDLE = 256
_HAS_SIZE, _HAS_OWNER, _HAS_MODE, _HAS_TIMES, _HAS_MORE = 0x01, 0x02, 0x04, 0x08, 0x80000000
_SHOWN = 300  # characters


class NotUnderstood(Exception):
    """An answer is none of the protocol."""


class Attributes(NamedTuple):
    """What a server says of a file; None is what it does not say."""

    size: int | None
    owner: int | None
    mode: int | None
    time: int | None

    def entry(self) -> Entry:
        """Return what is there."""
        kind = ODD
        if self.mode is not None:
            kind = FILE if stat.S_ISREG(self.mode) else FOLDER if stat.S_ISDIR(self.mode) else ODD
        if kind == FILE and self.size is None:
            raise NotUnderstood("it does not say how large a file is")
        moment = None if self.time is None else datetime.fromtimestamp(self.time, timezone.utc)
        return Entry(kind, self.size or 0, moment)


class Answer:
    """A packet that came from the server, read from its beginning to its end."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._position = 0
        self.kind = self.byte()

    def byte(self) -> int:
        return self._take(1)[0]

    def number(self) -> int:
        """Read an unsigned number of 32 bits."""
        return int(struct.unpack(">I", self._take(4))[0])

    def large_number(self) -> int:
        """Read an unsigned number of 64 bits."""
        return int(struct.unpack(">Q", self._take(8))[0])

    def data(self) -> bytes:
        """Read bytes with their length before them."""
        return self._take(self.number())

    def handle(self) -> bytes:
        """Read the name of an open file or folder."""
        handle = self.data()
        if not 0 < len(handle) <= _LONGEST_HANDLE:
            raise NotUnderstood(f"its handle has {len(handle)} bytes")
        return handle

    def attributes(self) -> Attributes:
        """Read what is known of a file."""
        flags = self.number()
        size = self.large_number() if flags & _HAS_SIZE else None
        owner = (self.number(), self.number())[0] if flags & _HAS_OWNER else None
        mode = self.number() if flags & _HAS_MODE else None
        time = (self.number(), self.number())[1] if flags & _HAS_TIMES else None
        for _pair in range(self.number() if flags & _HAS_MORE else 0):
            self.data()
            self.data()
        return Attributes(size, owner, mode, time)

    def names(self) -> list[tuple[bytes, Attributes]]:
        """Read a part of a folder's entries."""
        found = []
        for _entry in range(self.number()):
            name = self.data()
            self.data()  # the line that `ls -l` would show
            found.append((name, self.attributes()))
        return found

    def extensions(self) -> frozenset[str]:
        """Read the names of the extensions that the server has, to the end of the packet."""
        found = set()
        while self._position < len(self._content):
            found.add(printable(self.data()))
            self.data()
        return frozenset(found)

    def status(self) -> tuple[int, str]:
        """Read how a request ended, and the server's words."""
        code = self.number()
        return code, printable(self.data()) if self._position < len(self._content) else ""

    def _take(self, length: int) -> bytes:
        end = self._position + length
        if end > len(self._content):
            raise NotUnderstood("a packet ends too early")
        piece = self._content[self._position : end]
        self._position = end
        return piece


def packet(kind: int, *fields: int | bytes | str) -> bytes:
    """Write a packet. A number is one of 32 bits; `large` writes one of 64, and bytes have their length before them."""
    content = b"".join(_field(field) for field in fields)
    return struct.pack(">IB", len(content) + 1, kind) + content


class Large(int):
    """A number of 64 bits."""


class Raw(bytes):
    """Bytes without their length."""


NO_ATTRIBUTES = Raw(struct.pack(">I", 0))


def mode(bits: int) -> Raw:
    """Write attributes with a mode only."""
    return Raw(struct.pack(">II", _HAS_MODE, bits))


def printable(text: bytes) -> str:
    """Return a server's words without what could do something to a terminal, and not too many."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:_SHOWN].decode("utf-8", "replace"))


def _field(field: int | bytes | str) -> bytes:
    if isinstance(field, Raw):
        return field
    if isinstance(field, Large):
        return struct.pack(">Q", field)
    if isinstance(field, int):
        return struct.pack(">I", field)
    text = field.encode("utf-8", "surrogateescape") if isinstance(field, str) else field
    return struct.pack(">I", len(text)) + text
