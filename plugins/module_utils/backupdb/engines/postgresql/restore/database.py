# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statements about a database as such: making it, giving it what belongs to its name, dropping it.

They are built for the target's name from the values in the manifest. Nothing that names the original is replayed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ....connection.server import Server
from ....errors import QueryFailed, RestoreRefused
from ...values import RestoreOptions, ServerFacts
from ..catalogue import MAINTENANCE_DATABASE, TEMPLATE_DATABASE
from ..quoting import identifier, literal, setting_values
from .roles import new_owner

_KNOWN_PROVIDERS = ("libc", "icu", "builtin")
_PROVIDERS = (15,)  # the version in which a database can have a locale provider
_ICU_RULES = (16,)
_BUILTIN = (17,)  # it also gave ICU_LOCALE the name LOCALE
_NOBODY = 0  # sessions; superusers are let in whatever the limit says
_EVERYBODY = -1
_RIGHT_LETTERS = {"C": "CREATE", "T": "TEMPORARY", "c": "CONNECT"}
_ACL_ITEM = re.compile(r'("(?:[^"]|"")*"|[^"=]*)=((?:[a-zA-Z]\*?)*)/("(?:[^"]|"")*"|.*)', re.DOTALL)
_MAINTENANCE = (MAINTENANCE_DATABASE, TEMPLATE_DATABASE)
_ROLES = "SELECT rolname FROM pg_catalog.pg_roles"
_EXISTS = "SELECT count(*) FROM pg_catalog.pg_database WHERE datname = :name"
_IS_TEMPLATE = "SELECT 1 FROM pg_catalog.pg_database WHERE datname = :name AND datistemplate"
_COLLATION_VERSION = "SELECT datcollversion FROM pg_catalog.pg_database WHERE datname = :name"


@dataclass(frozen=True)
class Right:
    """One entry of a database's ACL."""

    grantee: str  # "" is PUBLIC
    privileges: tuple[str, ...]
    grantable: tuple[str, ...]
    grantor: str


def create(
    server: Server, facts: ServerFacts, name: str, properties: Mapping[str, Any], options: RestoreOptions
) -> list[str]:
    """Create the empty database; returns warnings. Raises `RestoreRefused` for what this server cannot give it."""
    if server.value(_EXISTS, {"name": name}):
        raise RestoreRefused(f"{server.instance.where()}: there is a database {name!r} already; it is not replaced")
    server.forget(name)  # connections to one of this name that has been dropped
    # The owner of a database may let itself in, whatever the limit was: one that is to be closed gets its owner later.
    owner = None if options.closed else database_owner(properties, options)
    statement = create_statement(facts, name, properties, owner, options)
    try:
        execute(server, statement)
    except QueryFailed as error:
        raise RestoreRefused(
            f"{error}; the database needs encoding {properties['encoding']} and {locale_text(properties)}: install "
            "that locale on the server's host and restart the server, or restore into a server that has it"
            if "locale" in str(error).lower() or "encoding" in str(error).lower()
            else f"{error}; nothing was created"
        ) from error
    return _collation_warnings(server, facts, name, properties)


def run_in_new(server: Server, name: str, statements: Iterable[str]) -> list[str]:
    """Run statements in a database that has just been made; returns what was refused, and why."""
    warnings = []
    for statement in statements:
        try:
            execute(server, statement, database=name)
        except QueryFailed as error:
            warnings.append(f"database {name!r}: this was refused: {statement} ({error})")
    return warnings


def create_statement(
    facts: ServerFacts, name: str, properties: Mapping[str, Any], owner: str | None, options: RestoreOptions
) -> str:
    """Write CREATE DATABASE for a server of that version; raises `RestoreRefused` for an unknown locale provider."""
    words = [
        f"CREATE DATABASE {identifier(name)} TEMPLATE template0",
        f"ENCODING {literal(properties['encoding'])}",
        f"LC_COLLATE {literal(properties['lc_collate'])}",
        f"LC_CTYPE {literal(properties['lc_ctype'])}",
    ]
    provider = properties["locale_provider"]
    if provider not in _KNOWN_PROVIDERS:
        raise RestoreRefused(f"the database has the locale provider {provider!r}, which is not known here")
    if facts.version_number >= _PROVIDERS:
        words.append(f"LOCALE_PROVIDER {provider}")
    if provider == "icu":
        words.append(f"ICU_LOCALE {literal(properties['locale'])}")
        if properties.get("icu_rules"):
            words.append(f"ICU_RULES {literal(properties['icu_rules'])}")
    if provider == "builtin":
        words.append(f"BUILTIN_LOCALE {literal(properties['locale'])}")
    if owner is not None:
        words.append(f"OWNER {identifier(owner)}")
    if options.closed:
        words.append(f"CONNECTION LIMIT {_NOBODY}")
    if not options.no_tablespaces and properties.get("tablespace"):
        words.append(f"TABLESPACE {identifier(properties['tablespace'])}")
    return " ".join(words)


def locale_refusal(facts: ServerFacts, properties: Mapping[str, Any]) -> str | None:
    """Say why a server of that version cannot have a database with such a locale; None if it can."""
    provider = properties["locale_provider"]
    needed = {"icu": _PROVIDERS, "builtin": _BUILTIN}.get(provider)
    if provider not in _KNOWN_PROVIDERS:
        return f"the database has the locale provider {provider!r}, which is not known here"
    if needed and facts.version_number < needed:
        return f"the database has the locale provider {provider}, which PostgreSQL has from version {needed[0]} on"
    if properties.get("icu_rules") and facts.version_number < _ICU_RULES:
        return f"the database has ICU rules, which PostgreSQL has from version {_ICU_RULES[0]} on"
    return None


def locale_text(properties: Mapping[str, Any]) -> str:
    """Name the locale for people."""
    own = f"{properties['locale_provider']} locale {properties['locale']}, " if properties.get("locale") else ""
    return f"{own}LC_COLLATE {properties['lc_collate']}, LC_CTYPE {properties['lc_ctype']}"


def database_owner(properties: Mapping[str, Any], options: RestoreOptions) -> str | None:
    """Return who is to own the database; None is the login."""
    if options.owner_policy == "drop":
        return None
    return new_owner(properties["owner"], options.owner_map if options.owner_policy == "map" else {})


def finish(server: Server, name: str, properties: Mapping[str, Any], options: RestoreOptions) -> list[str]:
    """Give the database settings, rights, comment, labels and limits; returns what could not be given, and why.

    Where it is to stay closed, whatever lets others in is left out, for `open_to_others`.
    """
    owner = _owner(server, properties, options)
    return _given(server, name, finishing_statements(name, owner, properties, options))


def open_to_others(server: Server, name: str, properties: Mapping[str, Any], options: RestoreOptions) -> list[str]:
    """Let others into a database that was made closed; returns what could not be given, and why."""
    database, owner = identifier(name), database_owner(properties, options)
    limit = max(int(properties.get("connection_limit", _EVERYBODY)), _EVERYBODY)
    statements = [
        *([] if owner is None else [(f"ALTER DATABASE {database} OWNER TO {identifier(owner)}", owner)]),
        *opening_statements(name, _owner(server, properties, options), properties, options),
        (f"ALTER DATABASE {database} CONNECTION LIMIT {limit}", None),
    ]
    return _given(server, name, statements)


def _owner(server: Server, properties: Mapping[str, Any], options: RestoreOptions) -> str:
    return database_owner(properties, options) or str(server.value("SELECT current_user"))


def _given(server: Server, name: str, statements: Iterable[tuple[str, str | None]]) -> list[str]:
    roles = {role for (role,) in server.rows(_ROLES)}
    warnings = []
    for statement, role in statements:
        if role is not None and role not in roles:
            warnings.append(f"database {name!r}: role {role!r} does not exist here, so this was not done: {statement}")
            continue
        try:
            execute(server, statement)
        except QueryFailed as error:
            warnings.append(f"database {name!r}: this was refused: {statement} ({error})")
    return warnings


def finishing_statements(
    name: str, owner: str, properties: Mapping[str, Any], options: RestoreOptions
) -> Iterator[tuple[str, str | None]]:
    """Yield the statements, each with the role that it needs, if any, in the order in which they are run."""
    database = identifier(name)
    if properties.get("comment") is not None:
        yield f"COMMENT ON DATABASE {database} IS {literal(properties['comment'])}", None
    for provider, label in (properties.get("security_labels") or {}).items():
        yield f"SECURITY LABEL FOR {identifier(provider)} ON DATABASE {database} IS {literal(label)}", None
    owner_map = options.owner_map if options.owner_policy == "map" else {}
    for entry in properties.get("settings") or []:
        role = None if entry["role"] is None else owner_map.get(entry["role"], entry["role"])
        subject = f"DATABASE {database}" if role is None else f"ROLE {identifier(role)} IN DATABASE {database}"
        for setting in entry["settings"]:
            yield f"ALTER {subject} SET {setting_text(setting)}", role
    if not options.closed:
        yield from opening_statements(name, owner, properties, options)


def opening_statements(
    name: str, owner: str, properties: Mapping[str, Any], options: RestoreOptions
) -> Iterator[tuple[str, str | None]]:
    """Yield the statements that say who may enter, or copy, the database, in the same form."""
    database = identifier(name)
    owner_map = options.owner_map if options.owner_policy == "map" else {}
    if options.acl_policy == "keep" and properties.get("acl") is not None:
        yield from _acl_statements(database, owner, properties, owner_map)
    if properties.get("connection_limit", -1) >= 0:
        yield f"ALTER DATABASE {database} CONNECTION LIMIT {int(properties['connection_limit'])}", None
    if properties.get("is_template"):
        yield f"ALTER DATABASE {database} IS_TEMPLATE true", None


def setting_text(stored: str) -> str:
    """Write a setting as it is stored ("name=value") for SET; the names of a list are given one by one.

    >>> setting_text("search_path=shop, public")
    "\"search_path\" TO 'shop', 'public'"
    """
    name, _equals, value = stored.partition("=")
    quoted = ".".join(identifier(part) for part in name.split("."))
    return f"{quoted} TO {', '.join(map(literal, setting_values(name, value)))}"


def read_acl(items: Sequence[str]) -> list[Right]:
    """Read ACL entries as PostgreSQL writes them: `grantee=letters/grantor`, a star for WITH GRANT OPTION."""
    return [_right(item) for item in items]


def drop(server: Server, name: str) -> None:
    """End every session in the database and drop it; nothing happens where there is none."""
    server.forget(name)
    maintenance = maintenance_database(server, name)
    if server.rows(_IS_TEMPLATE, {"name": name}, database=maintenance):
        execute(server, f"ALTER DATABASE {identifier(name)} IS_TEMPLATE false", database=maintenance)
    execute(server, f"DROP DATABASE IF EXISTS {identifier(name)} WITH (FORCE)", database=maintenance)


def maintenance_database(server: Server, *names: str) -> str | None:
    """Return a database to be in while those are dropped or renamed; None is the one where we are by ourselves."""
    if (server.instance.database or _MAINTENANCE[0]) not in names:
        return None
    return next(name for name in _MAINTENANCE if name not in names)


def execute(server: Server, statement: str, *, database: str | None = None) -> None:
    """Run a statement that gives no rows, outside a transaction."""
    with server.connect(database) as connection:
        connection.execution_options(no_parameters=True).exec_driver_sql(statement).close()


def _right(item: str) -> Right:
    match = _ACL_ITEM.fullmatch(item)
    if match is None:
        raise RestoreRefused(f"the manifest has a right of an unknown form: {item!r}; choose acl_policy drop")
    letters = re.findall(r"([a-zA-Z])(\*?)", match.group(2))
    known = [(_RIGHT_LETTERS[letter], star) for letter, star in letters if letter in _RIGHT_LETTERS]
    return Right(
        grantee=_unquoted(match.group(1)),
        privileges=tuple(privilege for privilege, _star in known),
        grantable=tuple(privilege for privilege, star in known if star),
        grantor=_unquoted(match.group(3)),
    )


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _acl_statements(
    database: str, owner: str, properties: Mapping[str, Any], owner_map: Mapping[str, str]
) -> Iterator[tuple[str, str | None]]:
    yield f"REVOKE ALL ON DATABASE {database} FROM PUBLIC", None
    yield f"REVOKE ALL ON DATABASE {database} FROM {identifier(owner)}", None
    for right in read_acl(properties["acl"]):
        role = owner if right.grantee == properties["owner"] else owner_map.get(right.grantee, right.grantee)
        grantee = identifier(role) if role else "PUBLIC"
        plain = [privilege for privilege in right.privileges if privilege not in right.grantable or role == owner]
        for privileges, option in ((plain, ""), (right.grantable, " WITH GRANT OPTION")):
            if privileges and not (option and role == owner):
                statement = f"GRANT {', '.join(privileges)} ON DATABASE {database} TO {grantee}{option}"
                yield statement, role or None


def _collation_warnings(server: Server, facts: ServerFacts, name: str, properties: Mapping[str, Any]) -> list[str]:
    old = properties.get("collation_version")
    if facts.version_number < _PROVIDERS or old is None:
        return []
    new = server.value(_COLLATION_VERSION, {"name": name})
    if new == old:
        return []
    return [
        f"database {name!r}: its collation has version {new} here and had {old} where the backup was taken; texts may "
        "sort differently (indexes are built anew, so they are right)"
    ]
