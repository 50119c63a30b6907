# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of an open file, read at their places, so that several may be read at once and nothing of them is kept."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator

from .interface import Meter

_BLOCK = 1 << 18  # bytes


class Slice(io.RawIOBase):
    """A part of a file as something that can be read and rewound; what is read is told to the meter once."""

    def __init__(self, descriptor: int, offset: int, size: int, meter: Meter) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._offset = offset
        self._size = size
        self._meter = meter
        self._position = 0
        self._counted = 0

    def __len__(self) -> int:
        return self._size

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position, and return it."""
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = min(max(0, begin + offset), self._size)
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes."""
        left = self._size - self._position
        wanted = left if size is None or size < 0 else min(size, left)
        block = os.pread(
            self._descriptor, min(wanted, _BLOCK) if size and size > 0 else wanted, self._offset + self._position
        )
        self._position += len(block)
        if self._position > self._counted:
            new = self._position - self._counted
            self._counted = self._position
            self._meter.count(new)
        return block


def blocks(descriptor: int, offset: int, size: int) -> Iterator[bytes]:
    """Yield a part of a file in blocks."""
    end = offset + size
    while offset < end:
        block = os.pread(descriptor, min(_BLOCK, end - offset), offset)
        if not block:
            return  # it has become shorter; its digest tells
        offset += len(block)
        yield block


def sha256_of(descriptor: int, offset: int, size: int) -> str:
    """Return the digest of a part of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    for block in blocks(descriptor, offset, size):
        digest.update(block)
    return digest.hexdigest()
