# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a plain stream is a whole one of its format: the format's own completion mark, or the format's own reader.

Digests prove that the bytes are those that were written; this proves that what was written had an end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ..engines.mysql.commands import COMPLETION_MARK
from ..engines.postgresql.archive import ArchiveReader, find_reader
from ..streams.pipeline import TAIL_BYTES


class FormatCheck(Protocol):
    """Sees all of a plain stream. `note` says what could not be checked."""

    note: str

    def feed(self, block: bytes) -> None: ...

    def finish(self) -> str | None:
        """Say what is wrong with the stream; None when it is whole."""

    def close(self) -> None: ...


def format_check(manifest: Mapping[str, Any], archive: Mapping[str, Any]) -> FormatCheck:
    """Make the check for one archive of a backup; always `close` it."""
    form = archive["format"]
    if form == "postgresql-custom":
        program, note = find_reader(manifest)
        return ArchiveReader(program) if program is not None else _End(None, note)
    if form == "json":
        return _End(b"\n}\n")  # inner braces are indented
    if form == "sql" and manifest["kind"] == "database":
        return _End(COMPLETION_MARK)
    return _End(None)


class _End:
    """Looks for a mark in the last bytes of a stream."""

    def __init__(self, mark: bytes | None, note: str = "") -> None:
        self.note = note
        self._mark = mark
        self._tail = b""

    def feed(self, block: bytes) -> None:
        self._tail = (self._tail + block[-TAIL_BYTES:])[-TAIL_BYTES:]

    def finish(self) -> str | None:
        if self._mark is None or self._mark in self._tail:
            return None
        return f"its end {self._mark.decode('ascii').strip()!r} is missing, so it was not whole when it was stored"

    def close(self) -> None:
        return
