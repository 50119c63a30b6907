# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a statement word by word, to compare the whole of it with what such a statement may be.

It is for statements from a document that somebody else may have written. There is one way only to read one: comments,
dollar quotes, and whatever else could be taken for something else are refused, and so is any second statement. Each
engine says how it quotes; the time is linear.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

WORD, NAME, TEXT, NUMBER, MARK = "word", "name", "text", "number", "mark"

_PLAIN = re.compile(
    r"(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<number>0x[0-9A-Fa-f]+|-?[0-9]+(?:\.[0-9]+)?)|(?P<mark>[(),.;=@*])"
)
_BLANK = re.compile(r"[ \t\r\n]*")


class NotAllowed(ValueError):
    """The statement is not one of those that are allowed; the text says where it departs from them."""


@dataclass(frozen=True)
class Token:
    """One piece of a statement: `text` as it stands there from `start` on, `value` without quotes."""

    kind: str
    text: str
    value: str
    start: int


# Reads what begins with a certain quote at a position: the token's kind and value, and where it ends.
QuotedReader = Callable[[str, int], "tuple[str, str, int]"]


def tokens(sql: str, quotes: Mapping[str, QuotedReader]) -> list[Token]:
    """Take a statement apart; raises `NotAllowed` for what is no word, number, mark or closed quote of the engine."""
    found: list[Token] = []
    position = 0
    longest = max(len(opening) for opening in quotes)
    while True:
        position = _end_of_blanks(sql, position)
        if position == len(sql):
            return found
        openings = (sql[position : position + size] for size in range(longest, 0, -1))
        opening = next((text for text in openings if text in quotes), None)
        if opening is not None:
            kind, value, end = quotes[opening](sql, position + len(opening))
            found.append(Token(kind, sql[position:end], value, position))
        else:
            plain = _PLAIN.match(sql, position)
            if plain is None:
                raise NotAllowed(f"it holds {sql[position : position + 2]!a}, which has no place in it")
            end = plain.end()
            found.append(Token(str(plain.lastgroup), plain[0], plain[0], position))
        position = end


def doubled(quote: str, kind: str, *, unwanted: str = "") -> QuotedReader:
    """Make the reader of a quote that is doubled inside; `unwanted` characters are refused in it."""

    def read(sql: str, start: int) -> tuple[str, str, int]:
        position = start
        while True:
            position = sql.find(quote, position)
            if position < 0:
                raise NotAllowed("a quote is not closed in it")
            if not sql.startswith(quote, position + 1):
                break
            position += 2
        value = sql[start:position]
        if any(character in value for character in unwanted + "\0"):
            raise NotAllowed("it holds a text of another form than an export writes")
        return kind, value.replace(quote * 2, quote), position + 1

    return read


def escaped(kind: str, escapes: Mapping[str, str]) -> QuotedReader:
    """Make the reader of a single-quoted text with backslashes, of which only these `escapes` are taken."""
    special = re.compile(r"['\\]")

    def read(sql: str, start: int) -> tuple[str, str, int]:
        pieces: list[str] = []
        position = start
        while True:
            met = special.search(sql, position)
            if met is None:
                raise NotAllowed("a quote is not closed in it")
            pieces.append(sql[position : met.start()])
            following = sql[met.end() : met.end() + 1]
            if met[0] == "'" and following != "'":
                return kind, "".join(pieces), met.end()
            if met[0] == "\\" and following not in escapes:
                raise NotAllowed("it holds a text of another form than an export writes")
            pieces.append("'" if met[0] == "'" else escapes[following])
            position = met.end() + 1

    return read


class Cursor:
    """The tokens of one statement, taken from the left; whatever does not fit raises `NotAllowed`."""

    def __init__(self, found: Sequence[Token]) -> None:
        self._tokens = found
        self._position = 0

    def next(self) -> Token | None:
        """Return the next token and leave it there; None at the end."""
        return self._tokens[self._position] if self._position < len(self._tokens) else None

    def take(self, *kinds: str) -> Token:
        """Take a token of one of these kinds."""
        token = self.next()
        if token is None or token.kind not in kinds:
            raise NotAllowed(f"{_shown(token)} stands where a {' or '.join(kinds)} belongs")
        self._position += 1
        return token

    def has(self, words: str) -> bool:
        """Take these words and marks, which have blanks between them, if they are what comes next."""
        wanted = words.split()
        coming = self._tokens[self._position : self._position + len(wanted)]
        if [token.text for token in coming] != wanted or any(
            token.kind not in (WORD, MARK, NUMBER) for token in coming
        ):
            return False
        self._position += len(wanted)
        return True

    def need(self, words: str) -> None:
        """Take these words and marks; nothing else may come next."""
        if not self.has(words):
            raise NotAllowed(f"{_shown(self.next())} stands where {words} belongs")

    def one_of(self, *choices: str) -> str:
        """Take the first of these that comes next, and return it."""
        for words in choices:
            if self.has(words):
                return words
        raise NotAllowed(f"{_shown(self.next())} stands where one of {', '.join(choices)} belongs")

    def listed(self, read: Callable[[], object]) -> None:
        """Read one or more with commas between them."""
        read()
        while self.has(","):
            read()

    def end(self) -> None:
        """Take the semicolon, behind which nothing comes."""
        self.need(";")
        if self.next() is not None:
            raise NotAllowed(f"{_shown(self.next())} comes after its end")


def _end_of_blanks(sql: str, position: int) -> int:
    match = _BLANK.match(sql, position)
    return match.end() if match else position


def _shown(token: Token | None) -> str:
    """Name a token for people; texts may be secrets."""
    if token is None:
        return "the end"
    return f"a {token.kind}" if token.kind in (TEXT, NUMBER, NAME) else ascii(token.text[:40])
