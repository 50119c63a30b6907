# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a database's catalogues there is to ask for: many have no rows, and few have members of extensions.

To plan a question takes the server longer than to answer it, above all in a session that has asked for nothing yet. So
one question comes first, and the others leave out what cannot change their answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Callable

from .session import Session

_IS_SPACE = "nspname !~ '^pg_' AND nspname <> 'information_schema'"
SPACES = f"(SELECT oid FROM pg_catalog.pg_namespace WHERE {_IS_SPACE})"  # noqa: S608  constants only
# The server's own schemas, but for those of temporary objects and of TOAST tables.
_IS_SYSTEM_SPACE = "nspname IN ('pg_catalog', 'information_schema')"
_SYSTEM_SPACES = f"(SELECT oid FROM pg_catalog.pg_namespace WHERE {_IS_SYSTEM_SPACE})"  # noqa: S608
_MOST_LISTED = 200  # schemas that are named one by one in each place; of more the server is asked there

# A catalogue whose file is empty has no row in any snapshot: a row that one could still see is never taken away.
_FILLED = f"""
    SELECT ARRAY(SELECT c.relname::text FROM pg_catalog.pg_class c
                  WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r'
                    AND COALESCE(pg_relation_size(c.oid), 1) > 0) AS catalogues,
           ARRAY(SELECT DISTINCT d.classid::regclass::text FROM pg_catalog.pg_depend d
                  WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e') AS with_members,
           ARRAY(SELECT n.oid::bigint FROM pg_catalog.pg_namespace n WHERE {_IS_SPACE}) AS spaces,
           ARRAY(SELECT n.oid::bigint FROM pg_catalog.pg_namespace n WHERE {_IS_SYSTEM_SPACE}) AS system_spaces"""  # noqa: S608


@dataclass(frozen=True)
class Filled:
    """Which catalogues have rows, and which of them members of extensions; by default any may.

    `of_users` and `of_system` are SQL that comes after a schema's number, and holds for the schemas of people, and for
    those that the server has for its own.
    """

    catalogues: frozenset[str] | None = None
    with_members: frozenset[str] | None = None
    of_users: str = f"IN {SPACES}"
    of_system: str = f"IN {_SYSTEM_SPACES}"

    def has(self, catalogue: str) -> bool:
        """Tell whether a catalogue may have rows."""
        return self.catalogues is None or catalogue in self.catalogues

    def has_members(self, catalogue: str) -> bool:
        """Tell whether objects of a catalogue may be members of extensions."""
        return self.with_members is None or catalogue in self.with_members

    def no_member(self, catalogue: str, alias: str, column: str = "oid") -> str:
        """Return SQL for "this object is no member of an extension"."""
        if not self.has_members(catalogue):
            return "true"
        return (
            f"NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = '{catalogue}'::regclass "
            f"AND d.objid = {alias}.{column} AND d.deptype = 'e')"
        )


ANYTHING = Filled()


def read_filled(session: Session, limit: Callable[[str], str]) -> Filled:
    """Look in the session's snapshot, for questions in the same one that are limited in the same way."""
    ((catalogues, with_members, spaces, system_spaces),) = session.rows(limit(_FILLED))
    return Filled(
        frozenset(catalogues),
        frozenset(with_members),
        _listed(spaces, ANYTHING.of_users),
        _listed(system_spaces, ANYTHING.of_system),
    )


def _listed(oids: Iterable[int], otherwise: str) -> str:
    listed = sorted(map(int, oids))
    return f"= ANY ('{{{','.join(map(str, listed))}}}'::oid[])" if len(listed) <= _MOST_LISTED else otherwise
