# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles in an archive: who owns its objects, who is named in its GRANTs, and giving them other names.

Owners stand in the table of contents as such. Rights are statements that pg_dump itself has put together, of known
shape, without any text of the user's but quoted names: their role names can be told by reading them word by word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Callable

from ...values import RestoreOptions
from ..quoting import identifier
from .toc import Contents, Entry

_RIGHTS = ("ACL", "ACL LANGUAGE", "DEFAULT ACL")
_WORD = re.compile(r'"(?:[^"]|"")*"|[^\s;",()]+|[;,()]')
_USER_MAPPING = re.compile(r"USER MAPPING (.*) SERVER .*", re.DOTALL)
_NOT_ROLES = ("PUBLIC", "CURRENT_USER", "SESSION_USER", "CURRENT_ROLE")
_EVERYBODY_ELSE = "*"
_PREDEFINED = "pg_"


def owners(entries: Iterable[Entry]) -> set[str]:
    """Return the roles that own the entries."""
    return {entry.owner for entry in entries if entry.owner}


def grantees(entries: Iterable[Entry]) -> set[str]:
    """Return the roles that are named in statements about rights."""
    found: set[str] = set()

    def note(role: str) -> str:
        found.add(role)
        return role

    for entry in entries:
        if entry.kind in _RIGHTS:
            with_other_roles(entry.definition, note)
    return found


def mapped_users(entries: Iterable[Entry]) -> set[str]:
    """Return the roles that have user mappings on foreign servers."""
    matches = (_USER_MAPPING.fullmatch(entry.tag) for entry in entries if entry.kind == "USER MAPPING")
    return {match.group(1) for match in matches if match and match.group(1) != "public"}


def new_owner(owner: str, owner_map: Mapping[str, str]) -> str:
    """Return the owner that takes the place of another; roles that PostgreSQL brings along stay."""
    everybody_else = owner if owner.startswith(_PREDEFINED) else owner_map.get(_EVERYBODY_ELSE, owner)
    return owner_map.get(owner, everybody_else) if owner else owner


def role_preamble(contents: Contents, options: RestoreOptions) -> bytes:
    """Return the table of contents as it is to be restored: with the mapped owners, where owners are mapped."""
    if options.owner_policy != "map":
        return contents.head

    def change(entry: Entry) -> tuple[str, str]:
        owner = new_owner(entry.owner, options.owner_map)
        if entry.kind not in _RIGHTS:
            return owner, entry.definition

        def other(role: str) -> str:
            return owner if role == entry.owner else options.owner_map.get(role, role)

        return owner, with_other_roles(entry.definition, other)

    return contents.rewritten(change)


def with_other_roles(statements: str, change: Callable[[str], str]) -> str:
    """Return GRANT, REVOKE and the like with the role names that `change` gives.

    >>> with_other_roles('GRANT SELECT ON TABLE a TO b;', str.upper)
    'GRANT SELECT ON TABLE a TO "B";'
    """
    pieces = []
    done = 0
    for start, end in _role_places(statements):
        word = statements[start:end]
        role = word[1:-1].replace('""', '"') if word.startswith('"') else word
        new = change(role)
        if new != role:
            pieces += [statements[done:start], identifier(new)]
            done = end
    return "".join([*pieces, statements[done:]])


def _role_places(statements: str) -> Iterator[tuple[int, int]]:
    """Yield where role names stand: after FOR ROLE, SESSION AUTHORIZATION, and the last TO or FROM of a statement."""
    words: list[re.Match[str]] = []
    for word in _WORD.finditer(statements):
        if word.group() != ";":
            words.append(word)
            continue
        texts = [one.group() for one in words]
        places = [
            position + 2
            for position in range(len(texts) - 2)
            if texts[position : position + 2] in (["FOR", "ROLE"], ["SESSION", "AUTHORIZATION"])
        ]
        places += [position + 1 for position in range(len(texts) - 1) if texts[position] in ("TO", "FROM")][-1:]
        for place in places:
            if texts[place] not in _NOT_ROLES:
                yield words[place].span()
        words = []
