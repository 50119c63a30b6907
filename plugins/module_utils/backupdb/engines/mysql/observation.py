# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the coordinator sees of one database: before the snapshot (slow looks, no lock held), in it, and while it is
being dumped, which keeps nobody waiting.

The coordinator is our own session: where there is a lock, its snapshot is opened under the same as those of the dump
clients.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import QueryFailed
from ..filters import Filters
from .catalogue import (
    Broken,
    Programs,
    Relation,
    accounts,
    definers_of_views,
    definitions,
    find_broken,
    programs,
    properties,
    relations,
)
from .facts import variable
from .family import MysqlFamily
from .outside import find_outside
from .scope import EVERYTHING, Scope, read_scope
from .sizes import TableSizes, table_sizes
from .statements import ask, first_answer

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


@dataclass(frozen=True)
class Preflight:
    """What was found beforehand."""

    found: Sequence[Relation]  # all of them
    scope: Scope
    broken: Sequence[Broken]
    definitions: Mapping[str, str]  # table -> digest of its columns
    sizes: TableSizes


@dataclass(frozen=True)
class Observation:
    """What the snapshot has in it; `found` is without the broken ones, and without what is left out on purpose."""

    found: Sequence[Relation]
    programs: Programs
    coordinates: Mapping[str, Any]
    properties: Mapping[str, Any]
    has_views: bool  # also such as cannot be dumped, or are left out on purpose
    scope: Scope = EVERYTHING


@dataclass(frozen=True)
class Surroundings:
    """What the database needs of the server. `dead_definers` with what is theirs; None where accounts are not shown."""

    definers: Sequence[str]
    dead_definers: Mapping[str, Sequence[str]] | None
    outside: Sequence[Mapping[str, Any]] = ()  # what views and defaults name in other databases


def prepare_session(engine: MysqlFamily, connection: Connection, *, lock_timeout: float) -> None:
    """Make the session live as long as the dump, whatever timeouts the server has for others.

    `lock_timeout` in seconds is for a table that another session has locked. The session is in REPEATABLE READ from its
    beginning on (`PyMysql.TRANSACTIONS`), without which a consistent snapshot would be none.
    """
    ours = [f"lock_wait_timeout = {max(1, int(lock_timeout))}", "wait_timeout = 2147483"]
    try:
        _set(engine, connection, [*ours, *engine.SESSION_SETTINGS])
    except QueryFailed:
        _set(engine, connection, ours)
        for setting in engine.SESSION_SETTINGS:
            with suppress(QueryFailed):  # this version has no such limit
                _set(engine, connection, [setting])


def _set(engine: MysqlFamily, connection: Connection, settings: Iterable[str]) -> None:
    ask(engine.server, connection, f"SET SESSION {', '.join(settings)}")


def inspect_before(engine: MysqlFamily, connection: Connection, database: str, filters: Filters) -> Preflight:
    """Find what cannot be dumped or will not work after a restore; what is left out on purpose is not looked at."""
    server = engine.server
    sizes = table_sizes(server, connection, database)
    found = relations(server, connection, database, sizes)
    scope = read_scope(server, connection, database, found, filters)
    return Preflight(
        found=found,
        scope=scope,
        broken=find_broken(server, connection, database, scope.kept(found)),
        definitions=definitions(server, connection, database),
        sizes=sizes,
    )


def observe(
    engine: MysqlFamily, connection: Connection, database: str, preflight: Preflight, filters: Filters, *, locked: bool
) -> Observation:
    """Read what is there, under the lock in a snapshot of the coordinator's own, with the coordinates of it.

    Without the lock no transaction stays open: it would keep others from changing the tables that were looked at.
    """
    server = engine.server
    ask(server, connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT" if locked else "COMMIT")
    broken = {one.name for one in preflight.broken}
    found, scope = preflight.found, preflight.scope
    if locked:  # it may have been waited for
        found = relations(server, connection, database, preflight.sizes)
        scope = read_scope(server, connection, database, found, filters)
    written = programs(server, connection, database)
    return Observation(
        found=[one for one in scope.kept(found) if one.name not in broken],
        programs=Programs(
            {one: digest for one, digest in written.digests.items() if scope.keeps(*one)},
            {one: definer for one, definer in written.definers.items() if scope.keeps(*one)},
        ),
        coordinates=coordinates(engine, connection) if locked else {},
        properties=properties(server, connection, database),
        has_views=any(one.type == "VIEW" for one in found),
        scope=scope,
    )


def look_around(engine: MysqlFamily, connection: Connection, database: str, seen: Observation) -> Surroundings:
    """Find what will not work after a restore unless it is there; what is left out on purpose is not looked at."""
    server = engine.server
    of_views = definers_of_views(server, connection, database) if seen.has_views else {}
    kept = {one: definer for one, definer in of_views.items() if seen.scope.keeps(*one)}
    theirs: dict[str, list[str]] = {}
    for (kind, name), definer in {**kept, **seen.programs.definers}.items():
        theirs.setdefault(definer if "@" in definer else f"{definer}@", []).append(f"{kind} {name}")
    known = accounts(server, connection) if theirs else frozenset()
    return Surroundings(
        definers=sorted(theirs),
        dead_definers=None if known is None else {one: what for one, what in theirs.items() if one not in known},
        outside=find_outside(server, connection, database, engine.SYSTEM_DATABASES, views=seen.has_views),
    )


def coordinates(engine: MysqlFamily, connection: Connection) -> dict[str, Any]:
    """Read binary log file and position, GTID and what a replica has applied; what cannot be read is left out.

    Only a server that was a replica when the run began is asked for what it has applied: an answer is many columns.
    """
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
    if engine.facts.role != "replica":
        return seen
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
