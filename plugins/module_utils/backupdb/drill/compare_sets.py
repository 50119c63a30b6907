# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparing two dump streams whatever the order in which they list equal things, in constant memory.

A server lists rows as they lie in its files and definitions by numbers of its own; neither is content. So rows are
compared as a multiset for each table, and definitions as a multiset of whole entries.

A multiset is summed up as the number of its members and the sum, modulo 2^256, of their keyed BLAKE2b digests of 256
bits, under a key that is drawn anew for each comparison (MSet-Add-Hash of Clarke and others:
Incremental Multiset Hash Functions, 2003). The sum does not depend on the order, counts every repetition (as the XOR
of digests would not), and equal sums of different multisets take a chance of 2^-256 that nobody who does not know the
key can better. What is held in memory is one such sum for each table or definition, never rows.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Callable

from ..engines.drill_interface import DumpReader
from .compare_streams import KEPT, Comparison, Difference, compare, split_lines

_MODULUS = 1 << 256
_DIGEST = 32  # bytes
_MOST_TEXT = 64 << 20  # bytes of definitions that are looked at line by line
_TRIFLES = (b"", b"--")  # lines between entries

Opener = Callable[[], Iterable[bytes]]


@dataclass
class _Sum:
    """The digest of a multiset."""

    count: int = 0
    total: int = 0

    def add(self, digest: bytes) -> None:
        self.count += 1
        self.total = (self.total + int.from_bytes(digest, "big")) % _MODULUS


@dataclass(frozen=True)
class _Content:
    """What one stream holds, by places."""

    rows: dict[str, _Sum]
    entries: dict[str, _Sum]

    def differing(self, other: _Content) -> tuple[list[str], list[str]]:
        """Return the places where the rows differ, and those where the definitions do."""
        return _unequal(self.rows, other.rows), _unequal(self.entries, other.entries)


def compare_in_any_order(
    expected: Opener,
    found: Opener,
    reader: Callable[[], DumpReader],
    *,
    kept: int = KEPT,
    left_out: Collection[str] = (),
) -> Comparison:
    """Compare two streams, each of which can be opened several times; raises what reading them raises.

    `left_out` are places whose definitions are not compared. The streams are read once where they are equal line by
    line, or where only expressions were written otherwise.
    """
    in_order = compare(expected(), found(), reader, kept=kept)
    if in_order.equal or in_order.rewritten:
        return in_order
    key = secrets.token_bytes(_DIGEST)
    ours, theirs = (_Summary(reader(), key).read(blocks()) for blocks in (expected, found))
    rows, all_definitions = ours.differing(theirs)
    definitions = [place for place in all_definitions if place not in left_out]
    lines = _compare_definitions(expected, found, reader, definitions, kept)
    differences = [*_of_rows(in_order, ours, theirs, rows), *lines.differences]
    return Comparison(
        count=len(rows) + lines.count,
        in_data=bool(rows) or lines.in_data,
        rewritten=not rows and lines.rewritten,
        differences=differences[:kept],
        pieces=in_order.pieces,
        ended_early=in_order.ended_early,
    )


def _of_rows(in_order: Comparison, ours: _Content, theirs: _Content, places: Collection[str]) -> Iterator[Difference]:
    """Yield one difference at least for each place; where all lines were compared, those that were seen."""
    for place in places:
        seen = [one for one in in_order.differences if one.place == place]
        if seen and not in_order.ended_early:
            yield from seen
            continue
        before, now = (content.rows.get(place, _Sum()).count for content in (ours, theirs))
        yield Difference(place, f"{before} rows", f"{now} rows, not the same", in_data=True, rewritten=False)


def _compare_definitions(
    expected: Opener, found: Opener, reader: Callable[[], DumpReader], places: Collection[str], kept: int
) -> Comparison:
    """Compare the definitions at these places line by line, in an order that both have."""
    if not places:
        return Comparison(0, in_data=False, rewritten=True, differences=(), pieces=0)
    ours, theirs = (_Texts(reader(), frozenset(places)).read(blocks()) for blocks in (expected, found))
    differences: list[Difference] = []
    count, in_data, rewritten = 0, False, True
    for place in places:
        result = _compare_texts(place, ours, theirs, reader)
        count += result.count
        in_data = in_data or result.in_data
        rewritten = rewritten and result.rewritten
        # A text has no line that says where it stands when that line is one that does not count.
        differences += [replace(one, place=place) for one in result.differences[: kept - len(differences)]]
    return Comparison(count, in_data, rewritten, differences, pieces=0)


def _compare_texts(
    place: str,
    ours: Mapping[str, Sequence[bytes]] | None,
    theirs: Mapping[str, Sequence[bytes]] | None,
    reader: Callable[[], DumpReader],
) -> Comparison:
    """Compare the definitions at one place, which differ; at least one difference comes of it."""
    if ours is None or theirs is None:
        general = Difference(place, "a definition", "another one", in_data=False, rewritten=False)
    else:
        result = compare(ours.get(place, ()), theirs.get(place, ()), reader)
        if not result.equal:
            return result
        # What differs holds for the entry and stands outside of it.
        general = Difference(place, "a definition", "the same under other settings", in_data=False, rewritten=False)
    return Comparison(1, in_data=False, rewritten=False, differences=[general], pieces=0)


def _unequal(ours: dict[str, _Sum], theirs: dict[str, _Sum]) -> list[str]:
    return [place for place in sorted({*ours, *theirs}) if ours.get(place) != theirs.get(place)]


class _Walk:
    """Goes through a stream and tells entries and rows; rows that a reader knows to be a set come one by one."""

    def __init__(self, reader: DumpReader) -> None:
        self.reader = reader
        self._trifles: list[bytes] = []

    def walk(self, blocks: Iterable[bytes]) -> None:
        counts = row = False
        self.begin()
        for lines, begins in split_lines(blocks):
            if begins is not None:  # a piece of one long line
                if begins:
                    counts, row = self._look(lines[0])
                self._take(lines[0], row=row, counts=counts, begins=begins)
                continue
            position = 0
            while position < len(lines):
                end = self.reader.rows_until(lines, position)
                for line in lines[position:end]:
                    self.row(line, begins=True)
                position = end
                if position < len(lines):
                    counts, row = self._look(lines[position])
                    self._take(lines[position], row=row, counts=counts, begins=True)
                    position += 1
        self.end()

    def _look(self, line: bytes) -> tuple[bool, bool]:
        counts = self.reader.look(line)
        if self.reader.begins_entry:
            self.end()
            self._trifles = []
            self.begin()
        return counts and not self.reader.is_setting, self.reader.is_row

    def _take(self, line: bytes, *, row: bool, counts: bool, begins: bool) -> None:
        if row:
            self.row(line, begins=begins)
        elif begins and line in _TRIFLES:
            self._trifles.append(line)
        elif counts:
            line = self.reader.canonical(line)
            for trifle in self._trifles:
                self.line(trifle, begins=True)
            self._trifles = []
            self.line(line, begins=begins)

    def begin(self) -> None:
        """An entry begins."""

    def end(self) -> None:
        """The entry has ended."""

    def row(self, line: bytes, *, begins: bool) -> None:
        """Take a line with rows, or a further piece of it."""

    def line(self, line: bytes, *, begins: bool) -> None:
        """Take another line of the entry, or a further piece of it."""


class _Summary(_Walk):
    def __init__(self, reader: DumpReader, key: bytes) -> None:
        super().__init__(reader)
        self._key = key
        self._rows: dict[str, _Sum] = {}
        self._entries: dict[str, _Sum] = {}
        self._entry = self._digest()
        self._place = self._row_place = reader.place
        self._row = self._digest()
        self._in_row = False

    def read(self, blocks: Iterable[bytes]) -> _Content:
        self.walk(blocks)
        return _Content(self._rows, self._entries)

    def begin(self) -> None:
        self._place = self.reader.place
        self._entry = self._digest(self.reader.setting)

    def end(self) -> None:
        self._entries.setdefault(self._place, _Sum()).add(self._entry.digest())
        self._end_row()

    def line(self, line: bytes, *, begins: bool) -> None:
        self._end_row()
        self._entry.update(b"\n" + line if begins else line)

    def row(self, line: bytes, *, begins: bool) -> None:
        for piece, ends in self.reader.rows_in(line, begins):
            if piece is None:
                self._end_row()
                continue
            if not self._in_row:
                self._row_place = self.reader.place  # an entry's rows may belong to more than the entry
            self._row.update(piece)
            self._in_row = True
            if ends:
                self._end_row()

    def _end_row(self) -> None:
        if self._in_row:
            self._rows.setdefault(self._row_place, _Sum()).add(self._row.digest())
            self._row = self._digest()
            self._in_row = False

    def _digest(self, content: bytes = b"") -> hashlib.blake2b:
        return hashlib.blake2b(content, key=self._key, digest_size=_DIGEST)


class _Texts(_Walk):
    """Collects the definitions at some places, without rows."""

    def __init__(self, reader: DumpReader, places: frozenset[str]) -> None:
        super().__init__(reader)
        self._places = places
        self._found: dict[str, list[bytes]] = {}
        self._lines: list[bytes] | None = None
        self._place = reader.place
        self._bytes = 0

    def read(self, blocks: Iterable[bytes]) -> Mapping[str, Sequence[bytes]] | None:
        """Return the texts by their places; None when they are too much to be looked at."""
        self.walk(blocks)
        return {place: sorted(texts) for place, texts in self._found.items()} if self._bytes <= _MOST_TEXT else None

    def begin(self) -> None:
        self._place = self.reader.place
        self._lines = [] if self._place in self._places and self._bytes <= _MOST_TEXT else None

    def end(self) -> None:
        if self._lines is not None:
            self._found.setdefault(self._place, []).append(b"".join([*self._lines, b"\n"]).lstrip(b"\n"))
            self._lines = None

    def line(self, line: bytes, *, begins: bool) -> None:
        if self._lines is not None:
            self._lines += [b"\n", line] if begins else [line]
            self._bytes += len(line)
            if self._bytes > _MOST_TEXT:
                self._lines = None
