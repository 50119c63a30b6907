# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a dump as a drill compares it: without the places of tables, which belong to the server of the source.

A drill makes its tables without folders and tablespaces of their own, and FEDERATED tables without their far end
(`restore/headers.py`). Both dumps of the comparison go through here, so neither is at odds with the other for that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

# Lines after the columns of CREATE TABLE; no line with rows begins so.
_AFTER_COLUMNS = (
    b") ENGINE=",
    b") /*!50100 TABLESPACE ",
    b"(PARTITION ",
    b" PARTITION ",
    b" SUBPARTITION ",
    b"(SUBPARTITION ",
)
_TEXT = rb"'(?:[^'\\]|\\.|'')*'"
_PLACES = re.compile(
    rb" ?\b(?:DATA|INDEX) DIRECTORY ?= ?" + _TEXT + rb"|/\*!50100 TABLESPACE `(?:[^`]|``)*` \*/ ?"
    rb"|TABLESPACE = `(?:[^`]|``)*` ?|(?P<kept>" + _TEXT + rb"|`(?:[^`]|``)*`)"
)
_FAR = (b") ENGINE=FEDERATED", b") ENGINE=MRG_MyISAM")
_LONGEST = 64 << 10  # bytes of a line that may be looked at; longer ones are rows


def comparable(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the stream with these places taken out, in blocks; a line that is cut between blocks is put together."""
    rest = b""
    inside = False  # of a line that was too long to be looked at
    for block in blocks:
        data = rest + block
        end = data.rfind(b"\n") + 1
        if not end and len(data) <= _LONGEST and not inside:
            rest = data
            continue
        if not end or len(data) - end > _LONGEST:
            rest = b""
            yield _changed(data, inside=inside)
            inside = not data.endswith(b"\n")
            continue
        rest = data[end:]
        yield _changed(data[:end], inside=inside)
        inside = False
    if rest:
        yield _changed(rest, inside=False)


def _changed(lines: bytes, *, inside: bool) -> bytes:
    if not any(word in lines for word in (b" DIRECTORY", b"TABLESPACE", _FAR[0])):
        return lines
    first, *others = lines.split(b"\n")
    return b"\n".join([first if inside else _line(first), *(_line(line) for line in others)])


def _line(line: bytes) -> bytes:
    if not line.startswith(_AFTER_COLUMNS):
        return line
    if line.startswith(_FAR[0]):
        line = _FAR[1] + line[len(_FAR[0]) :]
    return _PLACES.sub(lambda found: found["kept"] or b"", line)
