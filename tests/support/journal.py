# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand where systemd's journal listens, and read its native protocol."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path


class JournalSocket:
    """A datagram socket at `path`; what comes is read at once, as journald does, unless `reads` is false."""

    def __init__(self, path: Path, *, reads: bool = True) -> None:
        self.path = str(path)
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.server.bind(self.path)
        self.datagrams: list[bytes] = []
        self._arrived = threading.Condition()
        if reads:
            threading.Thread(target=self._read, daemon=True).start()

    def close(self) -> None:
        if self.server.fileno() >= 0:
            self.server.shutdown(socket.SHUT_RDWR)
            self.server.close()

    def entry(self) -> dict[str, str]:
        """Take the next entry; fields that come twice are refused."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: self.datagrams, timeout=5):
                raise AssertionError("no entry came")
            return entry_in(self.datagrams.pop(0))

    def _read(self) -> None:
        while True:
            try:
                datagram = self.server.recv(1 << 20)
            except OSError:
                return
            if not datagram:  # closed
                return
            with self._arrived:
                self.datagrams.append(datagram)
                self._arrived.notify_all()


def entry_in(datagram: bytes) -> dict[str, str]:
    """Return an entry by its fields."""
    found: dict[str, str] = {}
    for name, value in fields_of(datagram):
        if name in found:
            raise AssertionError(f"{name} is there twice")
        found[name] = value
    return found


def fields_of(datagram: bytes) -> Iterator[tuple[str, str]]:
    """Read `NAME=value\\n` and `NAME\\n<length, 64 bits, little endian><value>\\n`."""
    while datagram:
        head, _newline, rest = datagram.partition(b"\n")
        if b"=" in head:
            name, _equals, value = head.partition(b"=")
        else:
            name, length = head, int.from_bytes(rest[:8], "little")
            value, rest = rest[8 : 8 + length], rest[8 + length :]
            if not rest.startswith(b"\n"):
                raise AssertionError(f"{head!r} does not end where its length says")
            rest = rest[1:]
        yield name.decode(), value.decode(errors="replace")
        datagram = rest
