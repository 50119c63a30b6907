# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the coordinator sees of one database: before the snapshot (slow looks, no lock held) and in it.

The coordinator is our own session: its snapshot is opened under the same lock as those of the dump clients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import QueryFailed
from ..filters import Filters
from .catalogue import (
    Broken,
    Programs,
    Relation,
    accounts,
    definers,
    definitions,
    find_broken,
    programs,
    properties,
    relations,
)
from .facts import fresh_statistics, variable
from .family import MysqlFamily
from .outside import find_outside
from .scope import EVERYTHING, Scope, read_scope
from .statements import ask, first_answer

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_SESSION = (
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SET SESSION wait_timeout = 2147483",
)


@dataclass(frozen=True)
class Preflight:
    """What was found beforehand. `dead_definers` with what is theirs; None where accounts cannot be read."""

    broken: Sequence[Broken]
    definitions: Mapping[str, str]  # table -> digest of its columns
    definers: Sequence[str]
    dead_definers: Mapping[str, Sequence[str]] | None
    outside: Sequence[Mapping[str, Any]] = ()  # what views and defaults name in other databases


@dataclass(frozen=True)
class Observation:
    """What the snapshot has in it; `found` is without the broken ones, and without what is left out on purpose."""

    found: Sequence[Relation]
    programs: Programs
    coordinates: Mapping[str, Any]
    properties: Mapping[str, Any]
    scope: Scope = EVERYTHING


def prepare_session(engine: MysqlFamily, connection: Connection, *, lock_timeout: float) -> None:
    """Make the session live as long as the dump, whatever timeouts the server has for others.

    `lock_timeout` in seconds is for a table that another session has locked.
    """
    server = engine.server
    ask(server, connection, f"SET SESSION lock_wait_timeout = {max(1, int(lock_timeout))}")
    for statement in _SESSION:
        ask(server, connection, statement)
    for statement in engine.SESSION_SETTINGS:
        try:
            ask(server, connection, statement)
        except QueryFailed:
            continue  # this version has no such limit
    fresh_statistics(server, connection)


def inspect_before(engine: MysqlFamily, connection: Connection, database: str, filters: Filters) -> Preflight:
    """Find what cannot be dumped or will not work after a restore; what is left out on purpose is not looked at."""
    server = engine.server
    found = relations(server, connection, database)
    scope = read_scope(server, connection, database, found, filters)
    theirs = _kept(definers(server, connection, database), scope)
    known = accounts(server, connection)
    dead = None if known is None else {one: objects for one, objects in theirs.items() if one not in known}
    return Preflight(
        broken=find_broken(server, connection, database, scope.kept(found)),
        definitions=definitions(server, connection, database),
        definers=sorted(theirs),
        dead_definers=dead,
        outside=find_outside(server, connection, database, engine.SYSTEM_DATABASES),
    )


def _kept(theirs: Mapping[str, list[str]], scope: Scope) -> dict[str, list[str]]:
    kept = {account: [one for one in objects if scope.keeps(*one.split(" ", 1))] for account, objects in theirs.items()}
    return {account: objects for account, objects in kept.items() if objects}


def observe(
    engine: MysqlFamily, connection: Connection, database: str, preflight: Preflight, filters: Filters
) -> Observation:
    """Open the coordinator's own snapshot and read what is in it."""
    server = engine.server
    ask(server, connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT")
    broken = {one.name for one in preflight.broken}
    found = relations(server, connection, database)
    scope = read_scope(server, connection, database, found, filters)
    written = programs(server, connection, database)
    return Observation(
        found=[one for one in scope.kept(found) if one.name not in broken],
        programs=Programs({one: digest for one, digest in written.digests.items() if scope.keeps(*one)}),
        coordinates=coordinates(engine, connection),
        properties=properties(server, connection, database),
        scope=scope,
    )


def coordinates(engine: MysqlFamily, connection: Connection) -> dict[str, Any]:
    """Read binary log file and position, GTID and what a replica has applied; what cannot be read is left out."""
    server = engine.server
    seen: dict[str, Any] = {}
    gtid = variable(server, connection, engine.GTID_VARIABLE)
    if gtid:
        seen["gtid"] = str(gtid)
    try:
        for row in first_answer(server, connection, engine.BINLOG_STATUS):
            seen["binlog_file"], seen["binlog_position"] = str(row["File"]), int(row["Position"])
    except QueryFailed:
        pass  # the missing right is among the warnings already
    try:
        replication = [_replica_position(row) for row in first_answer(server, connection, engine.REPLICA_STATUS)]
    except QueryFailed:
        replication = []
    if replication:
        seen["replica_of"] = replication
    return seen


def _replica_position(row: Mapping[str, Any]) -> dict[str, Any]:
    names = {
        "host": ("Source_Host", "Master_Host"),
        "binlog_file": ("Relay_Source_Log_File", "Relay_Master_Log_File"),
        "binlog_position": ("Exec_Source_Log_Pos", "Exec_Master_Log_Pos"),
        "channel": ("Channel_Name", "Connection_name"),
    }
    return {ours: row[theirs] for ours, candidates in names.items() for theirs in candidates if row.get(theirs)}
