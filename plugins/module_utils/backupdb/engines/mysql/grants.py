# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading SHOW GRANTS: which rights a login has, globally and for one database.

Sources: MySQL manual "SHOW GRANTS Statement", "Access Control, Stage 2"; MariaDB documentation "SHOW GRANTS", "GRANT".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

ALL = "ALL PRIVILEGES"
GLOBAL = "global"
DATABASE = "database"
OBJECT = "object"

_NO_WILDCARD = 1 << 20

# What ALL does not bring: it has to be named.
_NOT_IN_ALL = ("PROXY", "GRANT OPTION")

# Which quotes are used follows the server's sql_mode.
# No quote follows the last one: with that, quoted names can be read in one way only, and in linear time.
_QUOTED = r"`(?:[^`]|``)*`(?!`)|'(?:[^']|'')*'(?!')|\"(?:[^\"]|\"\")*\"(?!\")"
NAME = rf"(?:{_QUOTED}|[^\s`'\".@]+)"
LISTED_NAME = rf"(?:{_QUOTED}|[^\s`'\".@,]+)"  # one of several, with commas between them
UNQUOTED_TEXT = rf"(?:{_QUOTED}|[^`'\"])+?"  # goes over quoted names, which may hold any word

_GRANT = re.compile(
    rf"^(?P<verb>GRANT|REVOKE)\s+(?P<rights>{UNQUOTED_TEXT})\s+ON\s+"
    r"(?P<kind>(?:TABLE|FUNCTION|PROCEDURE|PACKAGE|PACKAGE\s+BODY|LIBRARY)\s+)?"
    rf"(?P<database>{NAME})\.(?P<object>{NAME})\s+(?:TO|FROM)\s+(?P<grantee>.+)$",
    re.DOTALL,
)
_COLUMNS = re.compile(r"\((?:`(?:[^`]|``)*`(?!`)|[^)`])*\)")


@dataclass(frozen=True)
class Entry:
    """One line of SHOW GRANTS on `database`.`object`. Column rights are left out of `rights`.

    The level tells whether it is for everything (`GLOBAL`), for one database or for one object: a database and a table
    may be called `*`, too.
    """

    level: str
    rights: frozenset[str]
    database: str
    object: str
    grantee: str
    revoked: bool
    of_routine: frozenset[str] = frozenset()  # the rights where the object is a routine


@dataclass(frozen=True)
class Right:
    """A right on the whole instance: `grant` is the one to ask for, `instead` serves as well."""

    grant: str
    instead: str | None = None


@dataclass(frozen=True)
class Grants:
    """The rights in force for one session. `literal`: database grants have no wildcards (MySQL, partial_revokes=ON)."""

    entries: tuple[Entry, ...]
    literal: bool = False

    def has_global(self, right: str) -> bool:
        """Tell whether the right is held on `*.*`."""
        return any(_brings(e.rights, right) for e in self.entries if e.level == GLOBAL and not e.revoked)

    def has_right(self, right: Right) -> bool:
        """Tell whether the right, or the one that serves as well, is held on `*.*`."""
        return self.has_global(right.grant) or (right.instead is not None and self.has_global(right.instead))

    def has_on_database(self, right: str, database: str) -> bool:
        """Tell whether the right is held on every object of the database."""
        if self._revoked(right, database):
            return any(_brings(e.rights, right) for e in self._database_entries(database))
        return self.has_global(right) or any(_brings(e.rights, right) for e in self._database_entries(database))

    def has_on_table(self, right: str, database: str, table: str) -> bool:
        """Tell whether the right is held on the table, by whichever level."""
        return self.has_on_database(right, database) or any(
            _brings(e.rights, right) for e in self.entries if (e.database, e.object) == (database, table)
        )

    def has_on_function(self, right: str, database: str, function: str) -> bool:
        """Tell whether the right is held on the function, by whichever level."""
        return self.has_on_database(right, database) or any(
            _brings(e.of_routine, right) and e.database == database and e.object.casefold() == function.casefold()
            for e in self.entries
        )

    def _revoked(self, right: str, database: str) -> bool:
        return any(
            e.revoked and e.level == DATABASE and e.database == database and _brings(e.rights, right)
            for e in self.entries
        )

    def _database_entries(self, database: str) -> list[Entry]:
        """Return, per grantee, the most specific database entry: the server looks at no other."""
        best: dict[str, Entry] = {}
        for entry in self.entries:
            if entry.revoked or entry.level != DATABASE:
                continue
            if not self._matches(entry.database, database):
                continue
            known = best.get(entry.grantee)
            if known is None or _specificity(entry.database) > _specificity(known.database):
                best[entry.grantee] = entry
        return list(best.values())

    def _matches(self, pattern: str, database: str) -> bool:
        if self.literal:
            return pattern == database
        return matches_pattern(pattern, database)


def parse(lines: Iterable[str], *, literal: bool = False) -> Grants:
    """Read the lines of SHOW GRANTS; memberships, default roles and proxies are no rights of their own."""
    entries = [entry for entry in (parse_line(line) for line in lines) if entry is not None]
    return Grants(entries=tuple(entries), literal=literal)


def parse_line(line: str) -> Entry | None:
    """Read one line; None for one that grants a role or a proxy."""
    match = _GRANT.match(line.strip())
    if match is None:
        return None
    rights = {part.strip().upper() for part in _COLUMNS.sub("(", match["rights"]).split(",")}
    routine = bool(match["kind"]) and not match["kind"].startswith("TABLE")
    whole = frozenset(right for right in rights if not right.endswith("("))
    level = GLOBAL if match["database"] == "*" else DATABASE if match["object"] == "*" else OBJECT
    return Entry(
        level=level,
        rights=frozenset() if routine else whole,
        of_routine=whole if routine else frozenset(),
        database=_unquoted(match["database"]),
        object=_unquoted(match["object"]),
        grantee=re.split(r"\s+(?:IDENTIFIED|REQUIRE|WITH)\s", match["grantee"])[0],
        revoked=match["verb"] == "REVOKE",
    )


def escaped_pattern(database: str, *, literal: bool) -> str:
    """Write a database name for GRANT ... ON so that it means that database only."""
    return database if literal else re.sub(r"([_%\\])", r"\\\1", database)


def plain_name(pattern: str) -> str:
    """Take the escapes out of a database grant's name; one with wildcards stays as it is."""
    wild = _specificity(pattern) != _NO_WILDCARD
    return pattern if wild else re.sub(r"\\(.)", r"\1", pattern)


def matches_pattern(pattern: str, database: str) -> bool:
    """Tell whether a database grant's name, in which `_` and `%` are wildcards, means this database too.

    In time of pattern times name: a stored pattern of many wildcards would keep a regular expression busy for years.
    """
    pieces = re.findall(r"\\.|.", pattern, re.DOTALL)
    at = position = 0
    last, tried = -1, 0  # the last % and how much of the name it is tried with
    while position < len(database):
        piece = pieces[at] if at < len(pieces) else ""
        if piece == "%":
            last, tried = at, position
            at += 1
        elif piece and (piece == "_" or piece[-1] == database[position]):
            at, position = at + 1, position + 1
        elif last >= 0:
            tried += 1
            at, position = last + 1, tried
        else:
            return False
    return all(piece == "%" for piece in pieces[at:])


def _brings(rights: frozenset[str], right: str) -> bool:
    return right in rights or (right not in _NOT_IN_ALL and bool(rights & {ALL, "ALL"}))


def _unquoted(name: str) -> str:
    if len(name) > 1 and name[0] == name[-1] and name[0] in "`'\"":
        return name[1:-1].replace(name[0] * 2, name[0])
    return name


def _specificity(pattern: str) -> int:
    """Count the characters before the first wildcard; a pattern without one beats every other."""
    match = re.search(r"(?<!\\)[%_]", pattern)
    return match.start() if match else _NO_WILDCARD
