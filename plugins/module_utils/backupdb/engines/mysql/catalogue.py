# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one database holds: its objects, which of them cannot be dumped, and which definers are gone.

Names are compared as bytes in addition to the plain comparison, which is fast but, on MariaDB, takes `Shop`
and `shop` for the same.

A view whose tables are gone, or a table whose files are damaged, would end the whole dump; both are found
beforehand and left out by name. Everything is read on the connection that is passed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...connection.server import Server
from ...errors import ConnectionFailed, QueryFailed
from .sizes import BASE_TABLE_TYPES, TableSizes, table_sizes
from .statements import DENIED_CODES, LOCK_WAIT_TIMEOUT, ask, quoted

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

TRANSACTIONAL_ENGINES = ("innodb", "rocksdb", "tokudb", "ndbcluster")

# Engines that keep their rows in files of their own, which can be damaged while the table still opens.
_CHECKED_ENGINES = ("myisam", "aria")
_ASKED_AT_ONCE = 50  # tables in one statement

# What there is to say of each kind, beside its definer and when it was changed.
_ROUTINE = ("sql_mode", "routine_definition")
_TRIGGER = ("sql_mode", "event_manipulation", "action_timing", "action_statement")
_EVENT = (
    *("sql_mode", "status", "event_definition", "execute_at", "interval_value", "interval_field", "starts", "ends"),
    "on_completion",
)


@dataclass(frozen=True)
class Relation:
    """A table, view or sequence. `size` in bytes as the server estimates it; `engine` is None where it cannot tell.

    `unanswered` is what the server said when it could not even tell the size: a FEDERATED table whose far end is gone.
    """

    name: str
    type: str  # as information_schema.tables has it
    engine: str | None
    size: int
    unanswered: str | None = None

    @property
    def is_table(self) -> bool:
        return self.type in BASE_TABLE_TYPES

    @property
    def is_transactional(self) -> bool:
        return self.engine is not None and self.engine.lower() in TRANSACTIONAL_ENGINES


@dataclass(frozen=True)
class Broken:
    """An object that no client can dump, why, and its definition as far as the server still gives it."""

    name: str
    kind: str  # table or view
    reason: str
    definition: str | None


@dataclass(frozen=True)
class Programs:
    """Routines, triggers and events: (kind, name) -> digest of what it says, to see a change; and -> its definer."""

    digests: Mapping[tuple[str, str], str] = field(default_factory=dict)
    definers: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def count(self, kind: str) -> int:
        return sum(1 for found, _item in self.digests if found == kind)


def relations(server: Server, connection: Connection, database: str, sizes: TableSizes | None = None) -> list[Relation]:
    """List tables, views and sequences in the order of their names; `sizes` as they were read before, if they were."""
    rows = ask(
        server,
        connection,
        "SELECT table_name, table_type, engine FROM information_schema.tables"
        " WHERE table_schema = :database"
        " AND CAST(table_schema AS BINARY) = CAST(:database AS BINARY) AND table_type <> 'TEMPORARY'",
        database=database,
    )
    # Sorted here: names that differ in case only are equal to the server's collation.
    known = sizes if sizes is not None else table_sizes(server, connection, database)
    found = [
        Relation(str(name), str(kind), engine, known.sizes.get(str(name), (0, 0))[0], known.dead.get(str(name)))
        for name, kind, engine in rows
    ]
    return sorted(found, key=lambda relation: relation.name)


def programs(server: Server, connection: Connection, database: str) -> Programs:
    """List routines, triggers and events; needs the rights that missing_privileges checks, else it is blind.

    A trigger is always in the database of its table. MariaDB looks there when asked by that one; asked by the trigger's
    it opens the tables of all databases.
    """
    digests: dict[tuple[str, str], str] = {}
    theirs: dict[tuple[str, str], str] = {}
    for statement in (
        f"SELECT LOWER(routine_type), routine_name, definer, last_altered, {_digest(*_ROUTINE)}"  # noqa: S608  constants
        " FROM information_schema.routines WHERE routine_schema = :database"
        " AND CAST(routine_schema AS BINARY) = CAST(:database AS BINARY)",
        f"SELECT 'trigger', trigger_name, definer, created, {_digest(*_TRIGGER)}"  # noqa: S608  constants
        " FROM information_schema.triggers WHERE event_object_schema = :database"
        " AND CAST(event_object_schema AS BINARY) = CAST(:database AS BINARY)",
        f"SELECT 'event', event_name, definer, last_altered, {_digest(*_EVENT)}"  # noqa: S608  constants
        " FROM information_schema.events WHERE event_schema = :database"
        " AND CAST(event_schema AS BINARY) = CAST(:database AS BINARY)",
    ):
        for kind, name, definer, *rest in ask(server, connection, statement, database=database):
            text = repr((definer, *rest)).encode("utf-8", "surrogateescape")
            digests[(str(kind), str(name))] = hashlib.sha256(text).hexdigest()
            theirs[(str(kind), str(name))] = str(definer)
    return Programs(digests, theirs)


def _digest(*columns: str) -> str:
    """Have the server tell a text from a changed one without sending it; each column more would be work for the driver.

    No sum is made where all is longer than a packet may be; the time of the last change is compared as well.
    """
    return "SHA2(CONCAT_WS(CHAR(0), " + ", ".join(f"COALESCE({one}, CHAR(1))" for one in columns) + "), 256)"


def definitions(server: Server, connection: Connection, database: str) -> dict[str, str]:
    """Return a digest of each table's columns, to see a change that the dump clients do not notice.

    A column that is added in place leaves the older snapshots readable, but with the new columns.
    """
    rows = ask(
        server,
        connection,
        "SELECT table_name, column_name, column_type, is_nullable, column_default, extra, collation_name"
        " FROM information_schema.columns WHERE table_schema = :database"
        " AND CAST(table_schema AS BINARY) = CAST(:database AS BINARY) ORDER BY table_name, ordinal_position",
        database=database,
    )
    digests: dict[str, Any] = {}
    for name, *column in rows:
        digests.setdefault(str(name), hashlib.sha256()).update(repr(column).encode("utf-8", "surrogateescape"))
    return {name: digest.hexdigest() for name, digest in digests.items()}


def find_broken(server: Server, connection: Connection, database: str, found: Sequence[Relation]) -> list[Broken]:
    """Find the tables and views at which a dump client would stop."""
    answered = _answering(server, connection, database, found)
    broken = []
    for relation in found:
        if relation.name in answered:
            continue
        reason = _refusal(server, connection, database, relation)
        if reason is not None:
            kind = "table" if relation.is_table else relation.type.lower()
            broken.append(Broken(relation.name, kind, reason, _definition(server, connection, database, relation.name)))
    return broken


def definers_of_views(server: Server, connection: Connection, database: str) -> dict[tuple[str, str], str]:
    """Return the definers of views, as those of `Programs`: ("view", name) -> definer."""
    rows = ask(
        server,
        connection,
        "SELECT table_name, definer FROM information_schema.views WHERE table_schema = :database"
        " AND CAST(table_schema AS BINARY) = CAST(:database AS BINARY)",
        database=database,
    )
    return {("view", str(name)): str(definer) for name, definer in rows}


def accounts(server: Server, connection: Connection) -> frozenset[str] | None:
    """Return every account as user@host, a role with nothing after the @; None for a login that may not read them."""
    try:
        rows = ask(server, connection, "SELECT CONCAT(user, '@', host) FROM mysql.user")
    except QueryFailed as error:
        if error.code in DENIED_CODES:
            return None
        raise
    return frozenset(str(row[0]) for row in rows)


def properties(server: Server, connection: Connection, database: str) -> dict[str, Any]:
    """Return what CREATE DATABASE needs: character set, collation and, where the server has them, comment and more."""
    rows = ask(
        server,
        connection,
        "SELECT * FROM information_schema.schemata WHERE schema_name = :database"
        " AND CAST(schema_name AS BINARY) = CAST(:database AS BINARY)",
        database=database,
    )
    names = {
        "default_character_set_name": "character_set",
        "default_collation_name": "collation",
        "schema_comment": "comment",
        "default_encryption": "encryption",
    }
    found = {str(name).lower(): value for name, value in rows[0]._mapping.items()} if rows else {}
    return {ours: found[theirs] for theirs, ours in names.items() if found.get(theirs)}


def _answering(server: Server, connection: Connection, database: str, found: Sequence[Relation]) -> frozenset[str]:
    """Ask tables for their rows, many at once; return the names of those of which none of a group refused.

    Not those whose files must be checked as well, which is done for each by itself.
    """
    plain = [one.name for one in found if one.is_table and (one.engine or "").lower() not in _CHECKED_ENGINES]
    answered: set[str] = set()
    for start in range(0, len(plain), _ASKED_AT_ONCE):
        group = plain[start : start + _ASKED_AT_ONCE]
        questions = (f"(SELECT 1 FROM {quoted(database)}.{quoted(name)} LIMIT 0)" for name in group)  # noqa: S608
        with suppress(QueryFailed):  # each is asked by itself then, which tells what it said
            ask(server, connection, " UNION ALL ".join(questions))
            answered.update(group)
    return frozenset(answered)


def _refusal(server: Server, connection: Connection, database: str, relation: Relation) -> str | None:
    """Ask what a dump client asks first; return the server's words when it refuses."""
    place = f"{quoted(database)}.{quoted(relation.name)}"
    try:
        if not relation.is_table:
            ask(server, connection, f"SHOW FIELDS FROM {place}")
            return None
        ask(server, connection, f"SELECT 1 FROM {place} LIMIT 0")  # noqa: S608  a quoted identifier
        if (relation.engine or "").lower() not in _CHECKED_ENGINES:
            return None
        verdict = [(str(row[2]), str(row[3])) for row in ask(server, connection, f"CHECK TABLE {place} QUICK")]
    except QueryFailed as error:
        if error.code == LOCK_WAIT_TIMEOUT:
            text = f"table {database}.{relation.name} is locked by another session; run later or raise db_lock_timeout"
            raise QueryFailed(f"{server.instance.where()}: {text}", code=error.code) from error
        if error.code in DENIED_CODES and relation.is_table:
            raise
        return str(error)
    except ConnectionFailed as error:
        if error.kind != "access_denied" or relation.is_table:
            raise
        return str(error)
    errors = [text for kind, text in verdict if kind.lower() == "error"]
    return "; ".join(errors) or None


def _definition(server: Server, connection: Connection, database: str, name: str) -> str | None:
    try:
        rows = ask(server, connection, f"SHOW CREATE TABLE {quoted(database)}.{quoted(name)}")
    except QueryFailed:
        return None
    return str(rows[0][1]) if rows else None
