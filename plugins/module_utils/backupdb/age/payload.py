# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The payload of an age v1 file: 64 KiB chunks, each sealed with ChaCha20-Poly1305 (the STREAM construction).

The nonce of a chunk is its number (11 bytes, big endian) and a byte that is 1 for the last chunk only, so that
chunks cannot be swapped, dropped or added. The last chunk is full or shorter; it is empty only when the whole
payload is. Source: C2SP age.md, section "Payload".
"""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import ArchiveDamaged
from ..streams.transform import BytesLike
from .primitives import TAG_SIZE, Cipher

CHUNK_SIZE = 64 * 1024
SEALED_SIZE = CHUNK_SIZE + TAG_SIZE


def _chunk_nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


class Chunker:
    """Cuts a stream into chunks of one size, whatever the sizes of the calls.

    With `hold_back` a full chunk waits until more bytes follow it, because only then it is known not to be the last.
    """

    def __init__(self, size: int, *, hold_back: bool) -> None:
        self._size = size
        self._hold_back = hold_back
        self._held = bytearray()

    def push(self, data: BytesLike) -> Iterator[bytes]:
        """The full chunks, one at a time; they must be taken to the end.

        They are `bytes` because older releases of cryptography take nothing else.
        """
        view = memoryview(data).cast("B")
        if self._held:
            missing = self._size - len(self._held)
            self._held += view[:missing]
            view = view[missing:]
            if len(self._held) < self._size or (self._hold_back and not view):
                return
            yield bytes(self._held)
        complete = max(0, len(view) - self._hold_back) // self._size
        for number in range(complete):
            yield bytes(view[number * self._size : (number + 1) * self._size])
        self._held = bytearray(view[complete * self._size :])

    def rest(self) -> bytes:
        """What is held when the stream has ended."""
        return bytes(self._held)


class Joiner:
    """Joins pieces in a buffer that is kept between calls.

    Holding all pieces of a call for one `bytes.join` makes the C library return memory to the system and fetch it
    again for every block, which was measured to cost more time than the cipher itself.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def join(self, pieces: Iterator[bytes]) -> bytes:
        end = 0
        for piece in pieces:
            # Beyond the end of the buffer this assignment extends it.
            self._buffer[end : end + len(piece)] = piece
            end += len(piece)
        return bytes(memoryview(self._buffer)[:end])


class StreamSealer:
    """Plain bytes to a sealed payload; a `Transform`."""

    def __init__(self, key: bytes) -> None:
        self._cipher = Cipher(key)
        self._chunker = Chunker(CHUNK_SIZE, hold_back=True)
        self._joiner = Joiner()
        self._number = 0

    def update(self, data: BytesLike) -> bytes:
        return self._joiner.join(self._seal(chunk, last=False) for chunk in self._chunker.push(data))

    def finish(self) -> bytes:
        return self._seal(self._chunker.rest(), last=True)

    def _seal(self, chunk: bytes, *, last: bool) -> bytes:
        sealed = self._cipher.seal(_chunk_nonce(self._number, last=last), chunk)
        self._number += 1
        return sealed


class StreamOpener:
    """A sealed payload to plain bytes; a `Transform` that returns authenticated bytes only.

    Raises `ArchiveDamaged`. Good chunks before a bad one are still returned, and the error is raised by the next
    call: what comes out does not depend on how the input was cut into calls.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = Cipher(key)
        self._chunker = Chunker(SEALED_SIZE, hold_back=False)
        self._joiner = Joiner()
        self._number = 0
        self._ended = False
        self._error: ArchiveDamaged | None = None

    def update(self, data: BytesLike) -> bytes:
        self._raise_error()
        plain = self._joiner.join(self._opened(data))
        if not plain:
            self._raise_error()
        return plain

    def finish(self) -> bytes:
        self._raise_error()
        if self._ended:
            return b""
        chunk = self._chunker.rest()
        if not chunk:
            raise self._damaged("is missing: the file was cut short")
        plain = self._open(chunk, last=True) if len(chunk) >= TAG_SIZE else None
        if plain is None:
            raise self._damaged("was altered or cut short")
        if not plain and self._number:
            raise self._damaged("is an empty last one, which no age program writes")
        return plain

    def _opened(self, data: BytesLike) -> Iterator[bytes]:
        for chunk in self._chunker.push(data):
            plain = self._open_full(chunk)
            if plain is None:
                self._error = self._damaged("follows the last one" if self._ended else "was altered")
                return
            yield plain
            self._number += 1
        if self._ended and self._chunker.rest():
            self._error = self._damaged("follows the last one")

    def _open_full(self, chunk: bytes) -> bytes | None:
        """A full chunk may be the last one: it is tried so when it is not one of those before."""
        if self._ended:
            return None
        plain = self._open(chunk, last=False)
        if plain is None:
            plain = self._open(chunk, last=True)
            self._ended = plain is not None
        return plain

    def _open(self, chunk: bytes, *, last: bool) -> bytes | None:
        return self._cipher.open(_chunk_nonce(self._number, last=last), chunk)

    def _raise_error(self) -> None:
        if self._error:
            raise self._error

    def _damaged(self, what: str) -> ArchiveDamaged:
        return ArchiveDamaged(
            f"The encrypted payload is damaged: chunk {self._number + 1} (plain bytes from {self._number * CHUNK_SIZE})"
            f" {what}. Nothing from there on can be trusted; use another copy of this file, or another backup."
        )
