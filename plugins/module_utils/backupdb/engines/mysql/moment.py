# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the coordinator sees of one database: before the moment (slow looks, no lock held) and at the moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import QueryFailed
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
from .family import Family, ask, first_answer

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from ...connection.server import Server

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


@dataclass(frozen=True)
class Moment:
    """What was there when the moment began; `found` is without the broken ones."""

    found: Sequence[Relation]
    programs: Programs
    coordinates: Mapping[str, Any]
    properties: Mapping[str, Any]


def prepare_session(server: Server, connection: Connection, family: Family, *, lock_timeout: float) -> None:
    """Make the session live as long as the dump, whatever timeouts the server has for others.

    `lock_timeout` in seconds is for a table that another session has locked.
    """
    ask(server, connection, f"SET SESSION lock_wait_timeout = {max(1, int(lock_timeout))}")
    for statement in _SESSION:
        ask(server, connection, statement)
    for statement in family.session_settings:
        try:
            ask(server, connection, statement)
        except QueryFailed:
            continue  # this version has no such limit
    fresh_statistics(server, connection)


def look_before(server: Server, connection: Connection, database: str) -> Preflight:
    """Find what cannot be dumped or will not work after a restore."""
    found = relations(server, connection, database)
    theirs = definers(server, connection, database)
    known = accounts(server, connection)
    dead = None if known is None else {one: objects for one, objects in theirs.items() if one not in known}
    return Preflight(
        broken=find_broken(server, connection, database, found),
        definitions=definitions(server, connection, database),
        definers=sorted(theirs),
        dead_definers=dead,
    )


def see(server: Server, connection: Connection, database: str, preflight: Preflight, family: Family) -> Moment:
    """Open the coordinator's own snapshot and read what belongs to the moment."""
    ask(server, connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT")
    left_out = {broken.name for broken in preflight.broken}
    return Moment(
        found=[one for one in relations(server, connection, database) if one.name not in left_out],
        programs=programs(server, connection, database),
        coordinates=coordinates(server, connection, family),
        properties=properties(server, connection, database),
    )


def coordinates(server: Server, connection: Connection, family: Family) -> dict[str, Any]:
    """Read binary log file and position, GTID and what a replica has applied; what is not to be had is left out."""
    seen: dict[str, Any] = {}
    gtid = variable(server, connection, family.gtid_variable)
    if gtid:
        seen["gtid"] = str(gtid)
    try:
        for row in first_answer(server, connection, family.binlog_status):
            seen["binlog_file"], seen["binlog_position"] = str(row["File"]), int(row["Position"])
    except QueryFailed:
        pass  # the missing right is among the warnings already
    try:
        replication = [_replica_position(row) for row in first_answer(server, connection, family.replica_status)]
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
