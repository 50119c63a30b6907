# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a statement of a dump is about, and the few words in its header that a restore may have to change.

Only the header of a definition is ever changed, and only what the dump client wrote there itself: the definer, an
event's status, the database in front of a sequence in a column's default, the database of ALTER DATABASE. Values of
rows and bodies of programs stay as they are, whatever they hold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .stream import QUOTED_NAME, unquoted

# Kinds of statements, other than those of objects.
SESSION = "session"  # settings of the session, transactions
ROWS = "rows"  # belongs to the rows of a table
OTHER = "other"

TABLES = ("table", "view", "sequence")
DEFERRED = ("trigger", "event")  # made after the data
ROUTINES = ("function", "procedure", "package", "package body")
DEFINED = ("view", *ROUTINES, *DEFERRED)  # what has a definer

OPEN = rb"\A\s*(?:/\*M?!\d+\s+)?"
_FILL = rb"(?:\s|\*/|/\*M?!\d+)+"
# MariaDB keeps a trigger's header as its author wrote it: with comments, any case, names without quotes or with the
# database in front of them.
# Each of its alternatives ends where it must, so that a row of them can be read in one way only, and in linear time.
BLANK = rb"(?:\s|/\*(?!M?!)(?:[^*]|\*(?!/))*\*/|--(?:[^\S\n][^\n]*)?\n|#[^\n]*\n)"
_SPACE = BLANK + rb"+"
_WORD = rb"(?:" + QUOTED_NAME + rb"|[\w$\x80-\xff]+)"
_NAME = rb"(?P<name>" + QUOTED_NAME + rb")"
_PLACE = rb"(?:(?P<schema>" + _WORD + rb")\s*\.\s*)?(?P<name>" + _WORD + rb")"

_SESSION = re.compile(OPEN + rb"(?:SET|COMMIT|START\s+TRANSACTION|LOCK\s+TABLES|UNLOCK\s+TABLES)\b", re.IGNORECASE)
_DROP = re.compile(
    OPEN + rb"DROP\s+(?P<kind>TABLE|VIEW|SEQUENCE|TRIGGER|EVENT|FUNCTION|PROCEDURE|PACKAGE\s+BODY|PACKAGE)\s+"
    rb"(?:IF\s+EXISTS\s+)?" + _NAME
)
_KEYS = re.compile(OPEN + rb"ALTER\s+TABLE\s+" + _NAME + rb"\s+(?:DISABLE|ENABLE)\s+KEYS")
_SETVAL = re.compile(OPEN + rb"(?:DO|SELECT)\s+SETVAL\s*\(\s*" + _NAME, re.IGNORECASE)
NAME_OF_DATABASE = _NAME
_ALTER_DATABASE = re.compile(OPEN + rb"ALTER\s+DATABASE\s+" + _NAME)
_DEFINER = rb"DEFINER\s*=\s*(?P<user>" + QUOTED_NAME + rb")(?:@(?P<host>" + QUOTED_NAME + rb"))?"
CREATE = re.compile(
    OPEN + rb"CREATE" + _FILL + rb"(?:OR\s+REPLACE" + _FILL + rb")?"
    rb"(?:ALGORITHM\s*=\s*\w+" + _FILL + rb")?"
    rb"(?P<definer>" + _DEFINER + rb"(?P<after>" + _FILL + rb"))?"
    rb"(?:SQL\s+SECURITY\s+\w+" + _FILL + rb")?(?:AGGREGATE" + _FILL + rb")?"
    rb"(?P<kind>TABLE|VIEW|SEQUENCE|TRIGGER|EVENT|FUNCTION|PROCEDURE|PACKAGE\s+BODY|PACKAGE)"
    + _SPACE
    + rb"(?:IF\s+NOT\s+EXISTS"
    + _SPACE
    + rb")?"
    + _PLACE,
    re.IGNORECASE | re.DOTALL,
)
TRIGGER_TABLE = re.compile(
    _SPACE + rb"(?:BEFORE|AFTER)" + BLANK + rb"(?:[\w,`]|" + BLANK + rb")*?\bON" + _SPACE + _PLACE,
    re.IGNORECASE | re.DOTALL,
)
# What stands in texts and names is passed over. One that is not closed reaches to the end: to look for its end again
# and again would take the square of the time.
_PASSED_OVER = rb"'(?:[^'\\]|\\.|'')*(?:'|\Z)|`(?:[^`]|``)*(?:`|\Z)"
_TABLE_PLACES = re.compile(
    rb"(?P<directory>\b(?:DATA|INDEX) DIRECTORY ?= ?'(?:[^'\\]|\\.|'')*')"
    rb"|(?P<tablespace>/\*!50100 TABLESPACE `(?:[^`]|``)*` \*/ ?|\bTABLESPACE = `(?:[^`]|``)*` ?)|" + _PASSED_OVER,
    re.DOTALL,
)
_TABLE_ENGINE = re.compile(rb"\n\) ENGINE=(?P<engine>\w+)")
_DUMP_MODE = re.compile(rb"(\bSQL_MODE='NO_AUTO_VALUE_ON_ZERO)(')")
_EVENT_STATUS = re.compile(
    rb"\bON COMPLETION (?:NOT )?PRESERVE\s+(?P<status>ENABLE|DISABLE(?: ON (?:SLAVE|REPLICA))?)(?=\s)"
)


@dataclass(frozen=True)
class Described:
    """A statement's kind, the name of its object, and the table, view or sequence that it belongs to.

    `definer` is user@host, of a role with nothing after the @; None where the header has none.
    """

    kind: str
    name: str = ""
    relation: str | None = None
    creates: bool = False
    definer: str | None = None

    def place(self) -> str:
        """Say which object this is, for messages; "" for none."""
        return f"{self.kind} {self.name}" if self.name else ""


def describe(text: bytes) -> Described:
    """Tell what the statement is about."""
    if _SESSION.match(text):
        return Described(SESSION)
    found = CREATE.match(text)
    if found is not None:
        return _described_creation(text, found)
    found = _DROP.match(text)
    if found is not None:
        return _named(object_kind(found), found["name"])
    found = _KEYS.match(text)
    if found is not None:
        return Described(ROWS, unquoted(found["name"]), unquoted(found["name"]))
    found = _SETVAL.match(text)
    if found is not None:
        return _named("sequence", found["name"])
    return Described(OTHER)


def with_definer(text: bytes, definer: str | None) -> bytes:
    """Put another definer (user@host) into the header, or take it out: the login that restores then becomes it."""
    found = CREATE.match(text)
    if found is None or found["definer"] is None:
        return text
    begin, end = found.start("definer"), found.start("after")
    if definer is not None:
        return text[:begin] + b"DEFINER=" + _account(definer) + text[end:]
    return text[:begin] + text[end:].lstrip()


def event_disabled(text: bytes) -> bytes:
    """Make the event's definition create it disabled."""
    found = _EVENT_STATUS.search(text, _header_end(text))
    if found is None:
        return text
    return text[: found.start("status")] + b"DISABLE" + text[found.end("status") :]


def event_kept(text: bytes) -> bytes:
    """Make the event's definition one that stays when its time has passed: disabled, and preserved."""
    found = _EVENT_STATUS.search(text, _header_end(text))
    if found is None:
        return text
    return text[: found.start()] + b"ON COMPLETION PRESERVE DISABLE" + text[found.end() :]


def engine_of_table(text: bytes) -> str:
    """Return the engine that CREATE TABLE names, in capitals; "" for none."""
    found = _TABLE_ENGINE.search(text)
    return found["engine"].decode("ascii").upper() if found is not None else ""


def without_far_end(text: bytes) -> bytes:
    """Make a FEDERATED table one that reaches no other server: a MERGE table of nothing, which is never dumped either.

    The comparison of a drill takes the two for the same (`drill_text.py`).
    """
    found = _TABLE_ENGINE.search(text)
    if found is None or found["engine"].upper() != b"FEDERATED":
        return text
    return text[: found.start("engine")] + b"MRG_MyISAM" + text[found.end("engine") :]


def has_own_directory(text: bytes) -> bool:
    """Tell whether CREATE TABLE puts the table or a partition into a folder of its own."""
    return any(found["directory"] is not None for found in _TABLE_PLACES.finditer(text))


def loading_mode(text: bytes, *, ignore_directories: bool) -> bytes:
    """Add to the sql_mode that the dump sets for all its tables.

    Dates such as February 31st, which a server keeps by ALLOW_INVALID_DATES, would become zeros without a word; and the
    server ignores the folders of tables where it is asked to.
    """
    directories = b",NO_DIR_IN_CREATE" if ignore_directories else b""
    return _DUMP_MODE.sub(rb"\1,ALLOW_INVALID_DATES" + directories + rb"\2", text)


def without_tablespace(text: bytes) -> bytes:
    """Take the general tablespaces out of CREATE TABLE (MySQL), which the server would not have."""
    return _TABLE_PLACES.sub(lambda found: b"" if found["tablespace"] else found[0], text)


def sequences_unqualified(text: bytes, database: str) -> bytes:
    """Take the database's own name off the sequences in column defaults, where SHOW CREATE TABLE always writes it."""
    qualified = rb"((?:nextval|lastval)\()" + re.escape(_quoted(database)) + rb"\."
    words = re.compile(qualified + rb"|" + _PASSED_OVER, re.DOTALL)
    return words.sub(lambda word: word[1] or word[0], text)


def trigger_unqualified(text: bytes, database: str) -> bytes:
    """Take the database's own name off a trigger and its table; it would be made in that database otherwise."""
    found = CREATE.match(text)
    table = TRIGGER_TABLE.match(text, found.end()) if found is not None else None
    for place in (table, found):  # from the end, so that positions stay true
        if place is not None and place["schema"] is not None and unquoted(place["schema"]) == database:
            text = text[: place.start("schema")] + text[place.start("name") :]
    return text


def altered_database(text: bytes) -> str | None:
    """Return the database that the statement alters; the dump clients do so around programs of another collation."""
    found = _ALTER_DATABASE.match(text)
    return None if found is None else unquoted(found["name"])


def with_altered_database(text: bytes, name: str) -> bytes:
    """Make ALTER DATABASE mean the database `name`."""
    found = _ALTER_DATABASE.match(text)
    return text if found is None else text[: found.start("name")] + _quoted(name) + text[found.end("name") :]


def _described_creation(text: bytes, found: re.Match[bytes]) -> Described:
    kind, name = object_kind(found), unquoted(found["name"])
    definer = None
    if found["definer"] is not None:
        host = unquoted(found["host"]) if found["host"] else ""
        definer = f"{unquoted(found['user'])}@{host}"
    relation = name if kind in TABLES else None
    if kind == "trigger":
        table = TRIGGER_TABLE.match(text, found.end())
        relation = unquoted(table["name"]) if table is not None else None
    return Described(kind, name, relation, creates=True, definer=definer)


def _named(kind: str, name: bytes) -> Described:
    return Described(kind, unquoted(name), unquoted(name) if kind in TABLES else None)


def object_kind(found: re.Match[bytes]) -> str:
    """Return the kind that the header's pattern found, as messages have it."""
    return b" ".join(found["kind"].split()).decode("ascii").lower()


def _header_end(text: bytes) -> int:
    found = CREATE.match(text)
    return found.end() if found is not None else 0


def _account(definer: str) -> bytes:
    user, mark, host = definer.rpartition("@")
    return _quoted(user) + (b"@" + _quoted(host) if host else b"") if mark else _quoted(definer)


def _quoted(name: str) -> bytes:
    return b"`" + name.encode("utf-8", "surrogateescape").replace(b"`", b"``") + b"`"
