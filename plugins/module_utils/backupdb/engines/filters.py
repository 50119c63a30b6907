# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tables of a database a backup leaves out on purpose: the patterns, and what they match.

Patterns are compared by us with the names that the server lists, as whole names, and case counts. A dot separates a
name from that of what it is in: `table`, `schema.table` and `database.schema.table` on PostgreSQL, `table` and
`database.table` on MySQL and MariaDB. In each of these parts `*` stands for any characters, `?` for one, and
`[...]` for one of these; a dot inside a name is matched by `?`. An entry that is exactly how a name is written this
way means that name, whatever characters it has.
"""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from ..errors import InvalidOption

INCLUDE_TABLES, EXCLUDE_TABLES = "include_tables", "exclude_tables"
EXCLUDE_TABLE_DATA, EXCLUDE_SCHEMAS = "exclude_table_data", "exclude_schemas"
OPTIONS = (INCLUDE_TABLES, EXCLUDE_TABLES, EXCLUDE_TABLE_DATA, EXCLUDE_SCHEMAS)

NAMES_KEPT = 1000  # names of each kind in a manifest
_NAMES_SHOWN = 20
_MOST_PATTERNS = 1000  # of one option
_LONGEST_PATTERN = 1000  # characters
_SEPARATOR = re.compile(r"\.(?![^\[]*\])")  # a dot in brackets is one of the characters there


class Pattern(NamedTuple):
    """An entry of one of the options."""

    option: str
    entry: str


@dataclass(frozen=True)
class Filters:
    """What a backup leaves out. With `include_tables` every table that no entry means; `exclude_*` come after that."""

    include_tables: tuple[str, ...] = ()
    exclude_tables: tuple[str, ...] = ()
    exclude_table_data: tuple[str, ...] = ()
    exclude_schemas: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for option in OPTIONS:
            entries = getattr(self, option)
            if len(entries) > _MOST_PATTERNS:
                raise InvalidOption(f"option {option}: {len(entries)} patterns; use at most {_MOST_PATTERNS}")
            for entry in entries:
                if not entry or "\0" in entry or len(entry) > _LONGEST_PATTERN:
                    raise InvalidOption(f"option {option}: {entry[:40]!r} cannot be the name of a table or schema")

    def __bool__(self) -> bool:
        return any(getattr(self, option) for option in OPTIONS)

    def patterns(self, *options: str) -> list[Pattern]:
        """Return the entries of these options, or of all."""
        return [Pattern(option, entry) for option in options or OPTIONS for entry in getattr(self, option)]

    def values(self) -> dict[str, list[str]]:
        """Return the patterns as a manifest has them: in order, none twice, so that equal filters are equal there."""
        return {option: sorted(set(getattr(self, option))) for option in OPTIONS if getattr(self, option)}


@dataclass(frozen=True)
class Filtered:
    """What filters leave out of one database. Names are as the engine's row counts have them.

    `matched` are the patterns that mean something there, `there` the tables, so that a misspelt pattern can be told.
    """

    filters: Filters
    tables: Sequence[str] = ()  # tables, views and sequences; neither their definitions nor their rows are taken
    table_data: Sequence[str] = ()  # their definitions are taken
    schemas: Sequence[str] = ()
    matched: frozenset[Pattern] = frozenset()
    there: Sequence[str] = field(default=(), repr=False)
    size: int = 0  # about how many bytes of the database are left out
    warnings: Sequence[str] = ()

    def to_manifest(self) -> dict[str, Any]:
        """Return it as plain values of a bounded size; the numbers are of all."""
        return {
            **self.filters.values(),
            "left_out": {
                kind: {"count": len(names), "names": list(names[:NAMES_KEPT])}
                for kind, names in (
                    ("tables", self.tables),
                    ("table_data", self.table_data),
                    ("schemas", self.schemas),
                )
            },
        }


NOT_FILTERED = Filtered(Filters())


class Matcher:
    """Tells what patterns mean, and remembers which of them meant something.

    `database` is the name of the database, `of_databases` whether a pattern of two parts begins with it.
    """

    def __init__(self, filters: Filters, database: str) -> None:
        self._filters = filters
        self._database = database
        self.matched: set[Pattern] = set()

    def any(self, option: str, *name: str) -> bool:
        """Tell whether an entry of an option means a name; `name` has its parts, without the database's.

        Every entry is tried, so that none is taken for a misspelt one.
        """
        found = [pattern for pattern in self._filters.patterns(option) if means(pattern.entry, (self._database, *name))]
        self.matched.update(found)
        return bool(found)

    def limits(self, parts: int) -> bool:
        """Tell whether `include_tables` says anything of this database; `parts` has the name of a table without it.

        An entry that names another database says nothing of this one.
        """
        for entry in self._filters.include_tables:
            split = _split(entry)
            if len(split) != parts + 1 or _matches(split[0], self._database):
                return True
        return False


def means(entry: str, name: Sequence[str]) -> bool:
    """Tell whether an entry means a name, given by its parts from the outermost on; only the last one must be said.

    >>> means("log*", ("shop", "public", "log_2026")), means("p*", ("shop", "public", "log_2026"))
    (True, False)
    >>> means("audit.*", ("shop", "audit", "x")), means("shop.audit.x", ("shop", "audit", "x"))
    (True, True)
    """
    if any(entry == ".".join(name[start:]) for start in range(len(name))):
        return True
    parts = _split(entry)
    return len(parts) <= len(name) and all(
        _matches(part, said) for part, said in zip(parts, name[len(name) - len(parts) :])
    )


def nothing_matches(pattern: Pattern, there: Iterable[str]) -> str:
    """Say that a pattern means nothing, with the nearest name there is."""
    by_lower = {name.lower(): name for name in there}
    nearest = difflib.get_close_matches(pattern.entry.lower(), list(by_lower), n=1)
    hint = f"; the nearest name is {by_lower[nearest[0]]!r}" if nearest else ""
    what = "schema" if pattern.option == EXCLUDE_SCHEMAS else "table"
    return f"{pattern.option} has {pattern.entry!r}, which matches no {what} of the selected databases{hint}"


def has_wildcard(entry: str) -> bool:
    """Tell whether an entry is a pattern, and no plain name."""
    return any(character in entry for character in "*?[")


def listed(names: Sequence[str], separator: str = ", ") -> str:
    """Write names in a line, those beyond a number as how many they are."""
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return separator.join(names[:_NAMES_SHOWN]) + more


@lru_cache(maxsize=4096)
def _split(entry: str) -> tuple[str, ...]:
    return tuple(_SEPARATOR.split(entry))


def _matches(pattern: str, name: str) -> bool:
    return pattern == name or _compiled(pattern).match(name) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern))
