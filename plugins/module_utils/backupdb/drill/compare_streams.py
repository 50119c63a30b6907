# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparing two dump streams line by line, in constant memory.

Long lines are taken in pieces, always cut at the same places. After a difference the streams are brought in step
again within a window of lines, so that one changed line is one difference. Only the first differences are kept, with
the place where they stand and with their values cut short; what is kept never holds more of a row than that.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Callable, NamedTuple

from ..engines.drill_interface import DumpReader

KEPT = 20  # differences
PIECE_BYTES = 16 << 10
_RUN = 256  # lines with rows that are compared at once
_WINDOW = 400  # pieces of each stream that are looked at to find the way back in step
_SHOWN = 80  # characters of a value
_CONTEXT = 30  # of them before the first difference
_VALUE = re.compile(rb"'(?:[^']|'')*'|(?<![\w.])\d+(?:\.\d+)?(?!\w)")


class Piece(NamedTuple):
    """A line, a piece of a long one, or (for speed) a run of lines with rows."""

    text: bytes
    place: str
    in_data: bool
    rewritable: bool
    is_run: bool = False

    def lines(self) -> list[Piece]:
        """Return the lines of a run."""
        return [self._replace(text=line, is_run=False) for line in self.text.split(b"\n")]


@dataclass(frozen=True)
class Difference:
    """One line that differs; None where only one of the streams has it.

    `rewritten`: it may be the same definition, written otherwise. Then both have it, in a definition with
    expressions, with the same values in it.
    """

    place: str
    expected: str | None
    found: str | None
    in_data: bool
    rewritten: bool


@dataclass(frozen=True)
class Comparison:
    """What came of it. `differences` are the first `KEPT`; `count` is of all, or of those up to an early end.

    The comparison ends early when rows differ and enough differences are known: nothing after could change its outcome.
    """

    count: int
    in_data: bool
    rewritten: bool  # all differences may be the same definitions, written otherwise
    differences: Sequence[Difference]
    pieces: int
    ended_early: bool = False

    @property
    def equal(self) -> bool:
        """Whether the streams are the same but for volatile lines."""
        return self.count == 0


def compare(
    expected: Iterable[bytes], found: Iterable[bytes], reader: Callable[[], DumpReader], *, kept: int = KEPT
) -> Comparison:
    """Compare two streams given in blocks of any size; raises what reading them raises."""
    left, right = _Stream(expected, reader()), _Stream(found, reader())
    differences: list[Difference] = []
    count = pieces = 0
    in_data = False
    rewritten = True
    while True:
        one, other = left.next(), right.next()
        if one is None and other is None:
            return Comparison(count, in_data, rewritten, differences, pieces)
        pieces += 1
        if one is not None and other is not None and one.text == other.text:
            continue
        is_run = any(piece is not None and piece.is_run for piece in (one, other))
        for piece, stream in ((one, left), (other, right)):
            if piece is not None:
                stream.put_back(piece.lines() if piece.is_run else [piece])
        if is_run:
            continue  # now line by line
        for difference in _in_step_again(left, right):
            count += 1
            in_data = in_data or difference.in_data
            rewritten = rewritten and difference.rewritten
            if len(differences) < kept:
                differences.append(difference)
        if in_data and len(differences) >= kept:
            return Comparison(count, in_data, rewritten, differences, pieces, ended_early=True)


class _Stream:
    """The pieces of one stream that count, with a place for those that were read too far."""

    def __init__(self, blocks: Iterable[bytes], reader: DumpReader) -> None:
        self._pieces = _counted(blocks, reader)
        self._waiting: list[Piece] = []  # in reverse order

    def next(self) -> Piece | None:
        """Return the next piece; None at the end."""
        return self._waiting.pop() if self._waiting else next(self._pieces, None)

    def take(self, count: int) -> list[Piece]:
        """Return up to `count` pieces."""
        taken: list[Piece] = []
        while len(taken) < count:
            piece = self.next()
            if piece is None:
                break
            if piece.is_run:
                self.put_back(piece.lines())
            else:
                taken.append(piece)
        return taken

    def put_back(self, pieces: Sequence[Piece]) -> None:
        """Have these pieces, in their order, come next."""
        self._waiting.extend(reversed(pieces))


def _in_step_again(left: _Stream, right: _Stream) -> Iterator[Difference]:
    """Yield the differences of the next lines, up to the last ones that both streams have in common."""
    ours, theirs = left.take(_WINDOW), right.take(_WINDOW)
    matcher = difflib.SequenceMatcher(None, [one.text for one in ours], [one.text for one in theirs], autojunk=False)
    blocks = [block for block in matcher.get_matching_blocks() if block.size]
    if blocks:
        last = blocks[-1]
        left.put_back(ours[last.a + last.size :])
        right.put_back(theirs[last.b + last.size :])
    start = start_other = 0
    for block in [*blocks, None]:
        end = block.a if block else len(ours) if not blocks else start
        end_other = block.b if block else len(theirs) if not blocks else start_other
        yield from _paired(ours[start:end], theirs[start_other:end_other])
        if block:
            start, start_other = block.a + block.size, block.b + block.size


def _paired(ours: Sequence[Piece], theirs: Sequence[Piece]) -> Iterator[Difference]:
    for number in range(max(len(ours), len(theirs))):
        one = ours[number] if number < len(ours) else None
        other = theirs[number] if number < len(theirs) else None
        expected, found = _cut(one.text if one else None, other.text if other else None)
        both = [piece for piece in (one, other) if piece is not None]
        yield Difference(
            both[0].place,
            expected,
            found,
            in_data=any(piece.in_data for piece in both),
            rewritten=len(both) == 2
            and both[0].place == both[1].place
            and all(piece.rewritable and not piece.in_data for piece in both)
            and _values(both[0].text) == _values(both[1].text),
        )


def _values(line: bytes) -> set[bytes]:
    """Return the texts in quotes and the numbers of a definition: rewriting an expression changes neither."""
    return set(_VALUE.findall(line))


def _cut(one: bytes | None, other: bytes | None) -> tuple[str | None, str | None]:
    """Cut two values around their first difference."""
    if one is None or other is None:
        return _text(one, 0), _text(other, 0)
    shortest = min(len(one), len(other))
    same = next((number for number in range(shortest) if one[number] != other[number]), shortest)
    start = max(0, same - _CONTEXT)
    return _text(one, start), _text(other, start)


def _text(value: bytes | None, start: int) -> str | None:
    if value is None:
        return None
    end = start + _SHOWN
    text = value[start:end].decode("utf-8", "backslashreplace")
    return ("…" if start else "") + text + ("…" if end < len(value) else "")


def _counted(blocks: Iterable[bytes], reader: DumpReader) -> Iterator[Piece]:
    """Yield what counts. The border of a run depends on the lines alone, never on those of the blocks."""
    counts = True
    rows = _Rows(reader)
    for lines, begins in split_lines(blocks):
        if begins is not None:  # a piece of one long line
            yield from rows.end()
            counts = reader.look(lines[0]) if begins else counts
            if counts:
                yield _line(lines[0], reader)
            continue
        position = 0
        while position < len(lines):
            end = reader.rows_until(lines, position)
            yield from rows.add(lines[position:end])
            position = end
            if position < len(lines):
                yield from rows.end()
                counts = reader.look(lines[position])
                if counts:
                    yield _line(lines[position], reader)
                position += 1
    yield from rows.end()


class _Rows:
    """Collects rows that follow one another into runs of the same length, however the stream was cut into blocks."""

    def __init__(self, reader: DumpReader) -> None:
        self._reader = reader
        self._run: list[bytes] = []

    def add(self, lines: Sequence[bytes]) -> Iterator[Piece]:
        """Take rows; yields every run that is full."""
        position = 0
        while position < len(lines):
            more = min(len(lines) - position, _RUN - len(self._run))
            self._run += lines[position : position + more]
            position += more
            if len(self._run) == _RUN:
                yield from self.end()

    def end(self) -> Iterator[Piece]:
        """End the run, full or not."""
        if self._run:
            yield _run(self._run, self._reader)
            self._run = []


def _line(line: bytes, reader: DumpReader) -> Piece:
    return Piece(reader.canonical(line), reader.place, reader.in_data, reader.rewritable)


def _run(lines: list[bytes], reader: DumpReader) -> Piece:
    return Piece(b"\n".join(lines), reader.place, in_data=True, rewritable=False, is_run=True)


def split_lines(blocks: Iterable[bytes]) -> Iterator[tuple[list[bytes], bool | None]]:
    """Split a stream at its line ends, and long lines every `PIECE_BYTES` from their beginning.

    Yields whole lines that are not long, with None, and single pieces of long ones with whether the line begins there.
    """
    rest = b""
    in_long = False
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        if in_long and lines:
            for piece, _begins in _cut_up(lines.pop(0)):
                yield piece, False
            in_long = False
        start = 0
        if max(map(len, lines), default=0) > PIECE_BYTES:
            for position, line in enumerate(lines):
                if len(line) > PIECE_BYTES:
                    yield lines[start:position], None
                    yield from _cut_up(line)
                    start = position + 1
        yield lines[start:], None
        while len(rest) > PIECE_BYTES:
            yield [rest[:PIECE_BYTES]], not in_long
            rest = rest[PIECE_BYTES:]
            in_long = True
    if rest:
        yield [rest], False if in_long else None


def _cut_up(line: bytes) -> Iterator[tuple[list[bytes], bool | None]]:
    for start in range(0, len(line), PIECE_BYTES):
        yield [line[start : start + PIECE_BYTES]], start == 0
