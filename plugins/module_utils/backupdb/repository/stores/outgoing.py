# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file of this host on its way into a store: read once, hashed on the way, its end held back until the hash fits."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...errors import ArchiveDamaged
from ...system import files
from ..files import storage_errors
from .interface import Upload

_HASHED_AT_A_TIME = 1 << 20  # bytes


class Outgoing:
    """The open file of an upload."""

    def __init__(self, upload: Upload, descriptor: int) -> None:
        self.upload = upload
        self._descriptor = descriptor

    def digest_of(self, length: int) -> Any:
        """Return the hash of the first `length` bytes, which are not sent again; it goes on with `blocks`."""
        digest = hashlib.sha256()
        for offset in range(0, length, _HASHED_AT_A_TIME):
            digest.update(self._read(offset, min(_HASHED_AT_A_TIME, length - offset)))
        return digest

    def blocks(self, offset: int, size: int, digest: Any) -> Iterator[bytes]:
        """Yield the file from `offset` on in blocks of `size`; the last one only when all of the file is as it must be.

        `digest` has seen what comes before. So a file that has arrived with its full size was good when it was sent.
        Raises `ArchiveDamaged`.
        """
        while True:
            length = min(size, self.upload.size - offset)
            block = self._read(offset, length)
            digest.update(block)
            offset += length
            if offset == self.upload.size:
                break
            yield block
        if digest.hexdigest() != self.upload.sha256 or self._size() != self.upload.size:
            raise damaged(self.upload)
        if block:
            yield block

    def _read(self, offset: int, length: int) -> bytes:
        pieces = []
        while length:
            with storage_errors(self.upload.path, "reading"):
                piece = os.pread(self._descriptor, length, offset)
            if not piece:
                raise damaged(self.upload)
            pieces.append(piece)
            offset += len(piece)
            length -= len(piece)
        return b"".join(pieces)

    def _size(self) -> int:
        with storage_errors(self.upload.path, "reading"):
            return os.fstat(self._descriptor).st_size


@contextmanager
def outgoing(upload: Upload) -> Iterator[Outgoing]:
    """Open the file of an upload."""
    with storage_errors(upload.path, "reading"):
        descriptor = files.open_regular(upload.path)
    try:
        yield Outgoing(upload, descriptor)
    finally:
        os.close(descriptor)


def damaged(upload: Upload) -> ArchiveDamaged:
    """Return the error for a file of this host that is not what its manifest says."""
    return ArchiveDamaged(
        f"{upload.path} is not what its manifest says: {upload.size} bytes with sha256 {upload.sha256}. It was not "
        "copied; verify this backup, look at the disk, and make a new backup"
    )
