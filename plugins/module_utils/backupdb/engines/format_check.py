# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a plain stream is a whole one of its format: the format's own completion mark, or the format's own reader.

Digests prove that the bytes are those that were written; this proves that what was written had an end.
"""

from __future__ import annotations

from typing import Protocol

from ..streams.pipeline import TAIL_BYTES


class FormatCheck(Protocol):
    """Sees all of a plain stream. `note` says what could not be checked."""

    note: str

    def feed(self, block: bytes) -> None: ...

    def finish(self) -> str | None:
        """Say what is wrong with the stream; None when it is whole."""

    def close(self) -> None: ...


class CompletionMark:
    """Looks for a mark in the last bytes of a stream; without a mark nothing is checked."""

    def __init__(self, mark: bytes | None, note: str = "") -> None:
        self.note = note
        self._mark = mark
        self._tail = b""

    def feed(self, block: bytes) -> None:
        """Take the next block."""
        self._tail = (self._tail + block[-TAIL_BYTES:])[-TAIL_BYTES:]

    def finish(self) -> str | None:
        """Say whether the mark is missing."""
        if self._mark is None or self._mark in self._tail:
            return None
        return f"its end {self._mark.decode('ascii').strip()!r} is missing, so it was not whole when it was stored"

    def close(self) -> None:
        """Nothing is held."""
