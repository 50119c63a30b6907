# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restored database reaches beyond itself: in a copy that is switched off where it can be, and named.

A copy is a database under another name than that of the backup, or on another server. Its subscriptions name the
slots of the original at the publisher: dropped, they would take these along, and enabled the original's stream.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ....connection.server import Server
from ....errors import QueryFailed
from ..quoting import identifier, literal
from ..system_identifier import SYSTEM_IDENTIFIER_KEY, system_identifier
from .database import execute

_SUBSCRIPTIONS = """
    SELECT subname, subslotname, subenabled FROM pg_catalog.pg_subscription
     WHERE subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) ORDER BY 1"""
_FOREIGN_SERVERS = """
    SELECT DISTINCT srvname FROM pg_catalog.pg_user_mappings ORDER BY 1"""
_DBLINK = "SELECT extname FROM pg_catalog.pg_extension WHERE extname = 'dblink'"
_HAS_CRON = "SELECT 1 FROM pg_catalog.pg_extension WHERE extname = 'pg_cron' AND to_regclass('cron.job') IS NOT NULL"
_CRON_JOBS = "SELECT jobid, command FROM cron.job WHERE active ORDER BY 1"
_SHOWN = 60  # characters of a command


def is_copy(server: Server, final_name: str, manifest: Mapping[str, Any]) -> bool:
    """Tell whether the database is beside its original; where the servers are not known, its name decides."""
    return final_name != manifest.get("database") or is_source(server, manifest) is False


def is_source(server: Server, manifest: Mapping[str, Any]) -> bool | None:
    """Tell whether the backup is of this server, or of one that it was copied from; None where that is not known."""
    source = (manifest.get("engine_details") or {}).get(SYSTEM_IDENTIFIER_KEY)
    here = system_identifier(server.value)
    return None if source is None or here is None else str(source) == here


def quiet(server: Server, name: str) -> list[str]:
    """Switch off what a copy would do elsewhere; returns what that is, each with the statement that undoes it."""
    warnings: list[str] = []
    for look in (_subscriptions, _cron_jobs, _foreign_servers):
        try:
            warnings += look(server, name)
        except QueryFailed as error:
            warnings.append(f"database {name!r}: what it reaches beyond itself could not be switched off: {error}")
    return warnings


def drop_subscriptions(server: Server, name: str) -> None:
    """Drop the subscriptions of a database that is to go, without a word to their publishers."""
    for row in server.rows(_SUBSCRIPTIONS, database=name):
        _detach(server, name, row)
        execute(server, f"DROP SUBSCRIPTION {identifier(row.subname)}", database=name)


def _detach(server: Server, name: str, row: Any) -> None:
    subscription = identifier(row.subname)
    if row.subenabled:
        execute(server, f"ALTER SUBSCRIPTION {subscription} DISABLE", database=name)
    if row.subslotname is not None:
        execute(server, f"ALTER SUBSCRIPTION {subscription} SET (slot_name = NONE)", database=name)


def _subscriptions(server: Server, name: str) -> Iterator[str]:
    for row in server.rows(_SUBSCRIPTIONS, database=name):
        _detach(server, name, row)
        subscription = identifier(row.subname)
        slot = f"ALTER SUBSCRIPTION {subscription} SET (slot_name = {literal(row.subslotname)}); " * bool(
            row.subslotname
        )
        yield (
            f"subscription {row.subname} is disabled and has no slot, so that this copy takes nothing from the "
            f"original's publisher; to switch it on: {slot}ALTER SUBSCRIPTION {subscription} ENABLE;"
        )


def _cron_jobs(server: Server, name: str) -> Iterator[str]:
    if not server.rows(_HAS_CRON, database=name):
        return
    for row in server.rows(_CRON_JOBS, database=name):
        execute(server, f"UPDATE cron.job SET active = false WHERE jobid = {int(row.jobid)}", database=name)  # noqa: S608
        undo = f"UPDATE cron.job SET active = true WHERE jobid = {row.jobid};"  # noqa: S608  for people
        yield f"job {row.jobid} of pg_cron ({row.command[:_SHOWN]}) is not active in this copy; to switch it on: {undo}"


def _foreign_servers(server: Server, name: str) -> Iterator[str]:
    names = [row.srvname for row in server.rows(_FOREIGN_SERVERS, database=name)]
    if names:
        drops = " ".join(f"ALTER SERVER {identifier(one)} OPTIONS (...);" for one in names)
        yield (
            f"foreign servers with user mappings lead where those of the original lead: {', '.join(names)}; point them "
            f"elsewhere before this copy is used: {drops}"
        )
    if server.rows(_DBLINK, database=name):
        yield "the extension dblink is in this copy: what calls it reaches what the original reaches"
