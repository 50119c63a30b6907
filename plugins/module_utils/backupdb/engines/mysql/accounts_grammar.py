# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a document's statements about one account, or about the instance, may be: those that an export writes.

Sources: MySQL manual and MariaDB documentation "SHOW CREATE USER", "SHOW GRANTS"; accounts_export.py and
instance_objects.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ..sql_tokens import NAME, NUMBER, TEXT, WORD, Cursor, NotAllowed, doubled, escaped, tokens
from .grants import plain_name

_ESCAPES = {"\\": "\\", "'": "'", '"': '"', "n": "\n", "r": "\r", "t": "\t", "0": "\0", "Z": "\x1a"}
_QUOTES = {"`": doubled("`", NAME), "'": escaped(TEXT, _ESCAPES)}
_EVERYBODY = "PUBLIC"
_LIMITS = (
    *("MAX_QUERIES_PER_HOUR", "MAX_UPDATES_PER_HOUR", "MAX_CONNECTIONS_PER_HOUR", "MAX_USER_CONNECTIONS"),
    "MAX_STATEMENT_TIME",
)
_TLS = ("NONE", "SSL", "X509")
_TLS_TEXTS = ("SUBJECT", "ISSUER", "CIPHER")
_KINDS_OF_OBJECTS = ("TABLE", "FUNCTION", "PROCEDURE", "PACKAGE BODY", "PACKAGE", "LIBRARY")
_SERVER_OPTIONS = ("HOST", "DATABASE", "USER", "PASSWORD", "SOCKET", "OWNER")
_LIBRARY = re.compile(r"[^/\\]+\Z")

Place = tuple[str, str]  # database and object of a grant, as they are written


class Subject:
    """The account that statements have to be about."""

    def __init__(self, name: str, host: str | None) -> None:
        self.name = name
        self.host = host
        self.is_everybody = name == _EVERYBODY and host is None

    def take(self, cursor: Cursor) -> None:
        """Take its name; raises `NotAllowed` for another's."""
        if self.is_everybody and cursor.has(_EVERYBODY):
            return
        name, host = account(cursor)
        same = host == self.host if host is None or self.host is None else host.casefold() == self.host.casefold()
        if name != self.name or not same:
            raise NotAllowed("it is about another account")
        if name.endswith(" ") or (host or "").endswith(" "):
            # The tables of accounts cannot tell it from one without the blank, and their row would be another's.
            raise NotAllowed("a name of an account cannot end with a blank")


def check_of_account(subject: Subject, kind: str, sql: str, database: str | None) -> None:
    """Raise `NotAllowed` unless an export writes such a statement of this kind about the account.

    `database` is the one that the document says the statement needs.
    """
    readers: Mapping[str, Callable[[Cursor, Subject], str | None]] = {
        "identity": _identity,
        "default_role": _default_role,
        "membership": _membership,
        "global_grant": _global_grant,
        "database_grant": _database_grant,
        "object_grant": _object_grant,
        "proxy": _proxy,
    }
    if kind not in readers:
        raise NotAllowed(f"an export writes no statements of kind {kind!a} there")
    cursor = statement_cursor(sql)
    needed = readers[kind](cursor, subject)
    cursor.end()
    if needed != database:
        raise NotAllowed("it is about another database than its entry says")


def check_of_instance(kind: str, sql: str) -> None:
    """The same of a statement about the instance."""
    readers: Mapping[str, Callable[[Cursor], None]] = {
        "foreign_server": _foreign_server,
        "loadable_function": _loadable_function,
        "spatial_reference_system": _reference_system,
    }
    if kind not in readers:
        raise NotAllowed(f"an export writes no statements of kind {kind!a} there")
    cursor = statement_cursor(sql)
    readers[kind](cursor)
    cursor.end()


def account(cursor: Cursor) -> tuple[str, str | None]:
    """Take the name of an account or role, which is quoted, and its host, where it has one."""
    name = cursor.take(NAME, TEXT).value
    return name, cursor.take(NAME, TEXT).value if cursor.has("@") else None


def statement_cursor(sql: str) -> Cursor:
    """Read SQL of this family from the left; raises `NotAllowed` for comments and for quotes that it may not have."""
    return Cursor(tokens(sql, _QUOTES))


def _identity(cursor: Cursor, subject: Subject) -> None:
    """Read CREATE ROLE, CREATE USER, or the ALTER USER that is made of one."""
    if cursor.has("CREATE ROLE"):
        subject.take(cursor)
        return
    cursor.one_of("CREATE USER", "ALTER USER")
    subject.take(cursor)
    if cursor.has("IDENTIFIED"):
        _identified(cursor)
    if cursor.has("REQUIRE"):
        _required(cursor)
    if cursor.has("WITH"):
        _limits(cursor)
    while _further_clause(cursor):
        pass


def _identified(cursor: Cursor) -> None:
    if cursor.has("BY PASSWORD"):
        cursor.take(TEXT)
        return
    if cursor.has("VIA"):
        _method(cursor)
        while cursor.has("OR"):
            _method(cursor)
        return
    cursor.need("WITH")
    _method(cursor)
    if cursor.has("INITIAL AUTHENTICATION IDENTIFIED WITH"):
        _method(cursor)
    while cursor.has("AND IDENTIFIED WITH"):
        _method(cursor)


def _method(cursor: Cursor) -> None:
    cursor.take(WORD, NAME, TEXT)
    if cursor.has("USING") or cursor.has("AS"):
        cursor.take(TEXT, NUMBER)


def _required(cursor: Cursor) -> None:
    if any(cursor.has(word) for word in _TLS):
        return
    cursor.one_of(*_TLS_TEXTS)
    cursor.take(TEXT)
    while any(cursor.has(f"{mark}{word}") for mark in ("", "AND ") for word in _TLS_TEXTS):
        cursor.take(TEXT)


def _limits(cursor: Cursor) -> None:
    cursor.one_of(*_LIMITS)
    cursor.take(NUMBER)
    while any(cursor.has(word) for word in _LIMITS):
        cursor.take(NUMBER)


def _further_clause(cursor: Cursor) -> bool:
    if cursor.has("PASSWORD"):
        _password_rule(cursor)
    elif cursor.has("ACCOUNT"):
        cursor.one_of("LOCK", "UNLOCK")
    elif cursor.has("FAILED_LOGIN_ATTEMPTS"):
        cursor.take(NUMBER)
    elif cursor.has("PASSWORD_LOCK_TIME"):
        if not cursor.has("UNBOUNDED"):
            cursor.take(NUMBER)
    elif cursor.has("ATTRIBUTE") or cursor.has("COMMENT"):
        cursor.take(TEXT)
    else:
        return False
    return True


def _password_rule(cursor: Cursor) -> None:
    rule = cursor.one_of("EXPIRE", "HISTORY", "REUSE INTERVAL", "REQUIRE CURRENT")
    if rule == "REQUIRE CURRENT":
        cursor.has("DEFAULT") or cursor.has("OPTIONAL")
    elif rule == "EXPIRE":
        if cursor.has("INTERVAL"):
            _days(cursor)
        else:
            cursor.has("DEFAULT") or cursor.has("NEVER")
    elif not cursor.has("DEFAULT"):
        if rule == "HISTORY":
            cursor.take(NUMBER)
        else:
            _days(cursor)


def _days(cursor: Cursor) -> None:
    cursor.take(NUMBER)
    cursor.need("DAY")


def _default_role(cursor: Cursor, subject: Subject) -> None:
    if cursor.has("SET DEFAULT ROLE"):
        if not cursor.has("NONE"):
            account(cursor)
        cursor.need("FOR")
        subject.take(cursor)
        return
    cursor.need("ALTER USER")
    subject.take(cursor)
    cursor.need("DEFAULT ROLE")
    cursor.listed(lambda: account(cursor))


def _membership(cursor: Cursor, subject: Subject) -> None:
    cursor.need("GRANT")
    cursor.listed(lambda: account(cursor))
    cursor.need("TO")
    subject.take(cursor)
    cursor.has("WITH ADMIN OPTION")


def _proxy(cursor: Cursor, subject: Subject) -> None:
    cursor.need("GRANT PROXY ON")
    account(cursor)
    cursor.need("TO")
    subject.take(cursor)
    cursor.has("WITH GRANT OPTION")


def _global_grant(cursor: Cursor, subject: Subject) -> None:
    if _grant(cursor, subject) != ("*", "*"):
        raise NotAllowed("it is not about the whole server, as its entry says")


def _database_grant(cursor: Cursor, subject: Subject) -> str:
    database, thing = _grant(cursor, subject)
    if database == "*" or thing != "*":
        raise NotAllowed("it is not about a database, as its entry says")
    return plain_name(database[1:])


def _object_grant(cursor: Cursor, subject: Subject) -> str:
    database, thing = _grant(cursor, subject)
    if "*" in (database, thing):
        raise NotAllowed("it is not about an object, as its entry says")
    return database[1:]


def _grant(cursor: Cursor, subject: Subject) -> Place:
    granted = cursor.one_of("GRANT", "REVOKE") == "GRANT"
    cursor.listed(lambda: _right(cursor))
    cursor.need("ON")
    if any(cursor.has(kind) for kind in _KINDS_OF_OBJECTS):
        pass
    database = _name_or_any(cursor)
    cursor.need(".")
    thing = _name_or_any(cursor)
    cursor.need("TO" if granted else "FROM")
    subject.take(cursor)
    if granted:
        cursor.has("WITH GRANT OPTION")
    return database, thing


def _name_or_any(cursor: Cursor) -> str:
    """Take `*`, or a name, which is returned behind a mark that tells it from that."""
    return "*" if cursor.has("*") else f"={cursor.take(NAME).value}"


def _right(cursor: Cursor) -> None:
    """Take the words of a right, which differ by version, and its columns. None of them is `ON`."""
    cursor.take(WORD)
    while True:
        token = cursor.next()
        if token is None or token.kind != WORD or token.text == "ON":
            break
        cursor.take(WORD)
    if cursor.has("("):
        cursor.listed(lambda: cursor.take(NAME))
        cursor.need(")")


def _foreign_server(cursor: Cursor) -> None:
    cursor.need("CREATE SERVER")
    cursor.take(NAME)
    cursor.need("FOREIGN DATA WRAPPER")
    cursor.take(NAME)
    cursor.need("OPTIONS (")
    if not cursor.has(")"):
        cursor.listed(lambda: _server_option(cursor))
        cursor.need(")")


def _server_option(cursor: Cursor) -> None:
    if any(cursor.has(word) for word in _SERVER_OPTIONS):
        cursor.take(TEXT)
    elif cursor.has("PORT"):
        cursor.take(NUMBER, TEXT)
    else:
        cursor.take(NAME)
        cursor.take(TEXT)


def _loadable_function(cursor: Cursor) -> None:
    cursor.need("CREATE")
    cursor.has("AGGREGATE")
    cursor.need("FUNCTION")
    cursor.take(NAME)
    cursor.need("RETURNS")
    cursor.one_of("STRING", "REAL", "INTEGER", "DECIMAL")
    cursor.need("SONAME")
    if not _LIBRARY.match(cursor.take(TEXT).value):
        raise NotAllowed("its library is not one of the server's own folder of plugins")


def _reference_system(cursor: Cursor) -> None:
    cursor.need("CREATE SPATIAL REFERENCE SYSTEM IF NOT EXISTS")
    cursor.take(NUMBER)
    cursor.need("NAME")
    cursor.take(TEXT)
    if cursor.has("ORGANIZATION"):
        cursor.take(TEXT)
        cursor.need("IDENTIFIED BY")
        cursor.take(NUMBER)
    cursor.need("DEFINITION")
    cursor.take(TEXT)
    if cursor.has("DESCRIPTION"):
        cursor.take(TEXT)
