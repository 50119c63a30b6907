# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what `pg_dumpall --globals-only` writes: single statements, and which role each belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...errors import CommandFailed
from ..accounts_document import Statement

COMPLETE = "-- PostgreSQL database cluster dump complete"

_NAME = r'("(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)'
# Kind of statement, and its beginning with the name of the role that it belongs to (None: the whole instance's).
_OF_ROLES = (
    ("identity", re.compile(rf"CREATE ROLE {_NAME};$")),
    ("identity", re.compile(rf"ALTER ROLE {_NAME} WITH ")),
    ("settings", re.compile(rf"ALTER ROLE {_NAME} SET ")),
    ("settings", re.compile(rf"COMMENT ON ROLE {_NAME} IS ")),
    ("settings", re.compile(rf"SECURITY LABEL FOR {_NAME} ON ROLE (?P<role>{_NAME}) IS ")),
    ("membership", re.compile(rf"GRANT {_NAME} TO (?P<role>{_NAME})(?: WITH .*)?(?: GRANTED BY .*)?;$", re.DOTALL)),
    ("global_grant", re.compile(rf"GRANT [A-Z, ]+ ON PARAMETER \S+ TO (?!PUBLIC\b)(?P<role>{_NAME})")),
    ("global_grant", re.compile(rf"REVOKE [A-Z, ]+ ON PARAMETER \S+ FROM (?!PUBLIC\b)(?P<role>{_NAME})")),
)
_OF_INSTANCE = (
    ("tablespace", re.compile(r"(?:CREATE|ALTER) TABLESPACE |COMMENT ON TABLESPACE ")),
    ("tablespace", re.compile(r"(?:GRANT|REVOKE) [A-Z, ]+ ON TABLESPACE ")),
    ("tablespace", re.compile(rf"SECURITY LABEL FOR {_NAME} ON TABLESPACE ")),
    ("parameter_grant", re.compile(r"(?:GRANT|REVOKE) [A-Z, ]+ ON PARAMETER ")),
)
_OF_THE_SCRIPT = re.compile(r"SET [a-z_]+ = ")
_AS_ANOTHER = re.compile(rf"SET SESSION AUTHORIZATION {_NAME};$")
_GRANTED_BY = re.compile(rf" GRANTED BY {_NAME};$")
_NAME = r'("(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)'
_MEMBERSHIP = re.compile(
    rf"GRANT (?P<role>{_NAME}) TO (?P<member>{_NAME})(?: WITH (?P<options>[A-Z, ]+?))?"
    rf"(?: GRANTED BY (?P<grantor>{_NAME}))?;$",
    re.DOTALL,
)


@dataclass(frozen=True)
class Parsed:
    """One statement; `role` is None for the whole instance's, `grantor` is who gave it, where that is written."""

    role: str | None
    statement: Statement
    grantor: str | None = None


def parse(script: str) -> list[Parsed]:
    """Tell every statement apart; raises `CommandFailed` for one that is not known and for an incomplete script."""
    if COMPLETE not in script:
        raise CommandFailed("pg_dumpall did not write its completion mark; the accounts are not backed up")
    parsed: list[Parsed] = []
    switched = ""
    for sql in statements(script):
        if _AS_ANOTHER.match(sql):
            switched = sql
        elif sql == "RESET SESSION AUTHORIZATION;":
            switched = ""
        elif not _OF_THE_SCRIPT.match(sql):
            parsed.append(_classified(sql, switched))
    return parsed


def statements(script: str) -> Iterator[str]:
    """Split a script of pg_dumpall at its semicolons; comments and psql's backslash commands are dropped."""
    position = 0
    while True:
        position = _skipped(script, position)
        if position >= len(script):
            return
        end = _end(script, position)
        yield script[position:end]
        position = end


def unquoted(name: str) -> str:
    """Return the name that a quoted or plain identifier stands for."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _classified(sql: str, switched: str) -> Parsed:
    whole = f"{switched} {sql} RESET SESSION AUTHORIZATION;" if switched else sql
    for kind, pattern in _OF_ROLES:
        match = pattern.match(sql)
        if match:
            role = match.groupdict().get("role") or match.group(1)
            grantor = _GRANTED_BY.search(sql) if kind == "membership" else _AS_ANOTHER.match(switched)
            return Parsed(unquoted(role), Statement(kind, whole), unquoted(grantor.group(1)) if grantor else None)
    for kind, pattern in _OF_INSTANCE:
        if pattern.match(sql):
            return Parsed(None, Statement(kind, whole))
    # Not the whole text: it might hold a password's hash.
    raise CommandFailed(f"pg_dumpall wrote a statement that is not known: {' '.join(sql.split()[:3])} …")


def _skipped(script: str, position: int) -> int:
    """Go to the next statement, past white space, comments and backslash commands."""
    while position < len(script):
        if script[position].isspace():
            position += 1
        elif script.startswith("--", position) or script[position] == "\\":
            position = (script.find("\n", position) + 1) or len(script)
        else:
            break
    return position


_TOKEN = re.compile(
    # Each piece ends where it must, so that a row of them can be read in one way only, and in linear time.
    r"""(?:\bE'(?:[^'\\]|\\.|'')*'(?!')|'(?:[^']|'')*'(?!')|"(?:[^"]|"")*"(?!")|[^'"E;]+(?=['"E;])|\BE|\bE(?!'))*;""",
    re.DOTALL,
)


def _end(script: str, position: int) -> int:
    match = _TOKEN.match(script, position)
    if match is None:
        raise CommandFailed("pg_dumpall wrote a statement without an end; the accounts are not backed up")
    return match.end()


def in_order_of_grants(roles: Sequence[str], grantors: dict[str, set[str]]) -> list[str]:
    """Sort roles by name, yet each after those that granted it something: they must have theirs first."""
    ordered: list[str] = []
    left = sorted(roles)
    while left:
        ready = [role for role in left if not (grantors.get(role, set()) - {role}) & set(left)]
        # Roles that granted each other different things have no such order.
        chosen = (ready or left)[0]
        left.remove(chosen)
        ordered.append(chosen)
    return ordered


@dataclass(frozen=True)
class Membership:
    """A role given to a member in PostgreSQL; `options` are the words after WITH."""

    role: str
    member: str
    options: tuple[str, ...]
    grantor: str | None

    def sql(self, *, options: Sequence[str] | None = None, grantor: str | None = None) -> str:
        """Write it as a statement with these options (default: its own) and this grantor (default: none)."""
        chosen = self.options if options is None else options
        given = f" WITH {', '.join(chosen)}" if chosen else ""
        return f"GRANT {self.role} TO {self.member}{given}{f' GRANTED BY {grantor}' if grantor else ''};"


def membership(sql: str) -> Membership | None:
    """Read PostgreSQL's GRANT of a role; None for any other statement. Names stay as they are quoted."""
    match = _MEMBERSHIP.match(sql)
    if match is None:
        return None
    options = tuple(option.strip() for option in (match["options"] or "").split(",") if option.strip())
    return Membership(match["role"], match["member"], options, match["grantor"])
