# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a document's statements about one role, or about the instance, may be: those that an export writes, no others.

Sources: src/bin/pg_dump/pg_dumpall.c and dumputils.c of PostgreSQL 13 to 18; accounts_instance.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..sql_tokens import MARK, NAME, NUMBER, TEXT, WORD, Cursor, NotAllowed, doubled, escaped, tokens
from .catalogue import MAINTENANCE_DATABASE, TEMPLATE_DATABASE

# A text with a backslash is written as E'…', with nothing but the backslash itself behind one.
_QUOTES = {
    '"': doubled('"', NAME),
    "'": doubled("'", TEXT, unwanted="\\"),
    "E'": escaped(TEXT, {"\\": "\\"}),
}
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*\Z")
# Words that stand for others than a role of that name; of the last two even when they are quoted.
_NO_NAMES = ("all", "current_role", "current_user", "group", "session_user", "user")
_NO_ROLES = ("public", "none", "")
_ATTRIBUTES = ("SUPERUSER", "INHERIT", "CREATEROLE", "CREATEDB", "LOGIN", "REPLICATION", "BYPASSRLS")
_PASSWORD = re.compile(
    r"(?:NULL|'(?:SCRAM-SHA-256\$[0-9]+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+|md5[0-9a-f]{32})')\Z"
)
_TIME = re.compile(r"'[-+:. 0-9A-Za-z]+'\Z")
_RIGHTS_ON_PARAMETERS = ("ALL", "SET", "ALTER SYSTEM")
_RIGHTS_ON_DATABASES = ("ALL", "CREATE", "CONNECT", "TEMPORARY")


@dataclass(frozen=True)
class RoleAttributes:
    """The facts of `ALTER ROLE … WITH`: each as it is written, None where it is not."""

    role: str
    words: tuple[str, ...]
    limit: str | None
    password: str | None
    until: str | None

    def sql(self) -> str:
        """Write the statement."""
        clauses = (("CONNECTION LIMIT", self.limit), ("PASSWORD", self.password), ("VALID UNTIL", self.until))
        written = [f"{words} {value}" for words, value in clauses if value is not None]
        return " ".join(["ALTER ROLE", self.role, "WITH", *self.words, *written]) + ";"


def check_of_role(name: str, kind: str, sql: str) -> None:
    """Raise `NotAllowed` unless the statement is one that an export writes of this kind about this role."""
    readers: Mapping[str, Callable[[Cursor, str], None]] = {
        "identity": _identity,
        "settings": _settings,
        "membership": _membership,
        "global_grant": _parameter_grant,
    }
    if name.startswith("pg_"):
        raise NotAllowed("roles of that name belong to the server's version")
    _read(readers, kind, sql, name)


def check_of_instance(kind: str, sql: str, database: str | None) -> None:
    """The same of a statement about the instance; `database` is the one that the document says it needs."""
    if kind == "role_in_database_setting":
        cursor = _cursor(sql)
        cursor.need("ALTER ROLE")
        _role(cursor)
        cursor.need("IN DATABASE")
        if _name(cursor) != database:
            raise NotAllowed("it is about another database than its entry says")
        _set(cursor)
        cursor.end()
        return
    readers: Mapping[str, Callable[[Cursor, str], None]] = {
        "membership": _membership,
        "global_grant": _parameter_grant,
        "parameter_grant": _parameter_grant,
        "instance_setting": _instance_setting,
    }
    # An empty name is everybody where rights are granted, and otherwise a role that every server has.
    _read(readers, kind, sql, "")


def attributes(sql: str) -> RoleAttributes | None:
    """Read `ALTER ROLE … WITH`; None for any other statement."""
    try:
        cursor = _cursor(sql)
        cursor.need("ALTER ROLE")
        role = cursor.take(NAME, WORD).text
        cursor.need("WITH")
        found = _attributes(cursor, role)
        cursor.end()
    except NotAllowed:
        return None
    return found


def single_statements(sql: str) -> list[str]:
    """Split at the semicolons outside of quotes; raises `NotAllowed` for what cannot be read."""
    found: list[str] = []
    start = 0
    for token in tokens(sql, _QUOTES):
        if token.kind == MARK and token.text == ";":
            found.append(sql[start : token.start].strip())
            start = token.start + 1
    last = sql[start:].strip()
    return [*found, last] if last else found


def _cursor(sql: str) -> Cursor:
    return Cursor(tokens(sql, _QUOTES))


def _read(readers: Mapping[str, Callable[[Cursor, str], None]], kind: str, sql: str, name: str) -> None:
    if kind not in readers:
        raise NotAllowed(f"an export writes no statements of kind {kind!a} there")
    cursor = _cursor(sql)
    readers[kind](cursor, name)
    cursor.end()


def _identity(cursor: Cursor, name: str) -> None:
    if cursor.has("CREATE ROLE"):
        _this(cursor, name)
        return
    cursor.need("ALTER ROLE")
    _this(cursor, name)
    cursor.need("WITH")
    found = _attributes(cursor, name)
    for text, pattern in ((found.password, _PASSWORD), (found.until, _TIME)):
        if text is not None and not pattern.match(text):
            raise NotAllowed("a text in it is of another form than an export writes")


def _attributes(cursor: Cursor, role: str) -> RoleAttributes:
    words: list[str] = []
    known = [word for attribute in _ATTRIBUTES for word in (attribute, f"NO{attribute}")]
    while True:
        word = next((word for word in known if cursor.has(word)), None)
        if word is None:
            break
        words.append(word)
    limit = cursor.take(NUMBER).text if cursor.has("CONNECTION LIMIT") else None
    password = _password(cursor) if cursor.has("PASSWORD") else None
    until = cursor.take(TEXT).text if cursor.has("VALID UNTIL") else None
    return RoleAttributes(role, tuple(words), limit, password, until)


def _password(cursor: Cursor) -> str:
    return "NULL" if cursor.has("NULL") else cursor.take(TEXT).text


def _settings(cursor: Cursor, name: str) -> None:
    if cursor.has("ALTER ROLE"):
        _this(cursor, name)
        _set(cursor)
    elif cursor.has("COMMENT ON ROLE"):
        _this(cursor, name)
        _is_text(cursor)
    else:
        cursor.need("SECURITY LABEL FOR")
        _name(cursor)
        cursor.need("ON ROLE")
        _this(cursor, name)
        _is_text(cursor)


def _set(cursor: Cursor) -> None:
    cursor.need("SET")
    _parameter(cursor)
    cursor.one_of("TO", "=")
    cursor.listed(lambda: cursor.take(TEXT))


def _is_text(cursor: Cursor) -> None:
    cursor.need("IS")
    cursor.take(TEXT)


def _membership(cursor: Cursor, name: str) -> None:
    cursor.need("GRANT")
    _role(cursor)
    cursor.need("TO")
    _this(cursor, name)
    if cursor.has("WITH"):
        cursor.listed(lambda: (cursor.one_of("ADMIN", "INHERIT", "SET"), cursor.one_of("OPTION", "TRUE", "FALSE")))
    if cursor.has("GRANTED BY"):
        _role(cursor)


def _parameter_grant(cursor: Cursor, name: str) -> None:
    """Read one, or one that is given in the name of its grantor, as three statements in one text."""
    switched = cursor.has("SET SESSION AUTHORIZATION")
    if switched:
        _role(cursor)
        cursor.need(";")
    _rights(cursor, _RIGHTS_ON_PARAMETERS, "PARAMETER", lambda: _parameter(cursor), name)
    if switched:
        cursor.need("; RESET SESSION AUTHORIZATION")


def _rights(cursor: Cursor, known: Sequence[str], on: str, what: Callable[[], object], name: str) -> None:
    granted = cursor.one_of("GRANT", "REVOKE") == "GRANT"
    if not granted:
        cursor.has("GRANT OPTION FOR")
    cursor.listed(lambda: cursor.one_of(*known))
    cursor.need(f"ON {on}")
    what()
    cursor.need("TO" if granted else "FROM")
    if name or not cursor.has("PUBLIC"):
        _this(cursor, name)
    if granted:
        cursor.has("WITH GRANT OPTION")


def _instance_setting(cursor: Cursor, _name_of_role: str) -> None:
    if cursor.has("ALTER ROLE ALL"):
        _set(cursor)
    elif cursor.has("COMMENT ON ROLE"):
        _this(cursor, "")
        _is_text(cursor)
    elif cursor.has("ALTER DATABASE"):
        _system_database(cursor)
        _set(cursor)
    elif cursor.has("COMMENT ON DATABASE"):
        _system_database(cursor)
        _is_text(cursor)
    else:
        _database_rights(cursor)


def _database_rights(cursor: Cursor) -> None:
    granted = cursor.one_of("GRANT", "REVOKE") == "GRANT"
    cursor.listed(lambda: cursor.one_of(*_RIGHTS_ON_DATABASES))
    cursor.need("ON DATABASE")
    _system_database(cursor)
    cursor.need("TO" if granted else "FROM")
    if not cursor.has("PUBLIC"):
        _role(cursor)
    if granted:
        cursor.has("WITH GRANT OPTION")


def _system_database(cursor: Cursor) -> None:
    if _name(cursor) not in (MAINTENANCE_DATABASE, TEMPLATE_DATABASE):
        raise NotAllowed("it is about a database that is not the server's own")


def _this(cursor: Cursor, name: str) -> None:
    """Take the role that the statement has to be about; an empty name is one that belongs to the server's version."""
    found = _role(cursor)
    if found != name if name else not found.startswith("pg_"):
        raise NotAllowed("it is about another role")


def _role(cursor: Cursor) -> str:
    name = _name(cursor)
    if name in _NO_ROLES:
        raise NotAllowed("it is about everybody or nobody, and no role")
    return name


def _name(cursor: Cursor) -> str:
    token = cursor.take(NAME, WORD)
    if token.kind == WORD and (token.text in _NO_NAMES or not _PLAIN_NAME.match(token.text)):
        raise NotAllowed(f"{token.text[:40]!a} stands where a name belongs")
    return token.value


def _parameter(cursor: Cursor) -> None:
    cursor.take(NAME, WORD)
    while cursor.has("."):
        cursor.take(NAME, WORD)
