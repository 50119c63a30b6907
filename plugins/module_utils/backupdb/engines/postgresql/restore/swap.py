# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Putting a restored database in the place of another: two renames in one transaction.

RENAME locks the database against new sessions and waits (5 seconds) until the last one has left. While it waits, the
sessions are ended from beside. So nothing is ever committed but the finished swap: whatever fails, even a power cut,
leaves the old database under its name and open. (Closing it first by ALLOW_CONNECTIONS false would not.)
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

from ....connection.server import Server
from ....errors import BackupDbError, ConnectionFailed, QueryFailed, RestoreFailed, RestoreRefused, RestoreUnknown
from ....system.stopping import repeating
from ....system.text import utc_now
from ...side_names import REPLACED
from ..quoting import identifier
from .database import execute, maintenance_database

_ASKED_AFTER = (0.0, 1.0, 3.0, 6.0)  # seconds; a server that crashed is back by then, if it comes back by itself
_MOST_BYTES = 63  # of a name (NAMEDATALEN - 1)
_STANDING = """
    SELECT 'prepared transaction ' || gid || ' (COMMIT PREPARED or ROLLBACK PREPARED it)'
      FROM pg_catalog.pg_prepared_xacts WHERE database = :target OR database = :scratch
    UNION ALL
    SELECT 'replication slot ' || slot_name || ' (drop it with pg_drop_replication_slot)'
      FROM pg_catalog.pg_replication_slots WHERE database = :target
    UNION ALL
    SELECT 'subscription ' || subname || ' (DROP SUBSCRIPTION it)'
      FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid WHERE d.datname = :target
     ORDER BY 1"""
_PRESENT = "SELECT datname FROM pg_catalog.pg_database WHERE datname = :scratch OR datname = :target"
_LIVES = "SELECT 1 FROM pg_catalog.pg_stat_activity WHERE pid = :process"
_NAMES = "SELECT datname FROM pg_catalog.pg_database"
_END_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
     WHERE datname IN (:scratch, :target) AND pid <> pg_backend_pid()"""


def swap_databases(server: Server, scratch: str, target: str) -> str:
    """Rename `target` away and `scratch` to `target`; return the name under which the old one is kept.

    Raises `RestoreRefused` for what stands in the way, `RestoreFailed` when it was tried in vain. Then both databases
    are as they were. Raises `RestoreUnknown` when the answer was lost and the server cannot be asked what it did.
    """
    names = {"scratch": scratch, "target": target}
    where = f"{server.instance.where()}, database {target!r}"
    missing = {scratch, target} - {name for (name,) in server.rows(_PRESENT, names)}
    if missing:
        raise RestoreRefused(f"{where}: cannot be replaced: there is no database {', '.join(sorted(missing))}")
    standing = swap_blockers(server, scratch, target)
    if standing:
        raise RestoreRefused(f"{server.instance.where()}: {'; '.join(standing)}")
    kept = kept_name(target, f"{utc_now():%Y%m%dT%H%M%SZ}")
    maintenance = maintenance_database(server, scratch, target)
    for name in (scratch, target):
        server.forget(name)

    def end_sessions() -> None:
        with suppress(BackupDbError):  # one that may not be ended makes RENAME fail, with the server's own words
            server.rows(_END_SESSIONS, names, database=maintenance)

    always = threading.Event()
    always.set()
    process = 0
    try:
        with server.connect(maintenance, autocommit=False) as pooled, repeating(end_sessions, while_set=always):
            connection = pooled.execution_options(no_parameters=True)
            driver: Any = connection.connection.dbapi_connection
            process = driver.get_backend_pid()
            for old, new in ((target, kept), (scratch, target)):
                connection.exec_driver_sql(f"ALTER DATABASE {identifier(old)} RENAME TO {identifier(new)}").close()
            connection.commit()
    except BackupDbError as error:
        lost = isinstance(error, ConnectionFailed)  # else the server has said no, and undone everything
        if not lost or not _is_done(server, scratch, target, kept, process, error):
            raise RestoreFailed(
                f"{where}: could not be replaced: {error}; it is in place as it was, and the restored one is the "
                f"database {scratch!r}"
            ) from error
    for name in (scratch, target):
        server.forget(name)
    return kept


def rename_database(server: Server, old: str, new: str) -> None:
    """Give a database a name that is free, and end the sessions in it; raises `RestoreFailed`."""
    maintenance = maintenance_database(server, old, new)
    server.forget(old)
    server.rows(_END_SESSIONS, {"scratch": old, "target": old}, database=maintenance)
    try:
        execute(server, f"ALTER DATABASE {identifier(old)} RENAME TO {identifier(new)}", database=maintenance)
    except QueryFailed as error:
        raise RestoreFailed(f"{server.instance.where()}, database {old!r}: cannot become {new!r}: {error}") from error
    server.forget(new)


def _is_done(server: Server, scratch: str, target: str, kept: str, process: int, error: BackupDbError) -> bool:
    """Tell by the names that are there whether the renames were committed; the answer to COMMIT may have been lost.

    `process` is the server's for the session that renamed: while it lives it may still commit.
    """
    maintenance = maintenance_database(server, scratch, target)
    names: set[str] | None = None
    for delay in _ASKED_AFTER:
        server.cancel.wait(delay)
        try:
            if server.rows(_LIVES, {"process": process}, database=maintenance):
                continue
            names = {name for (name,) in server.rows(_NAMES, database=maintenance)}
            break
        except BackupDbError:
            continue
    if names is not None and {kept, target} <= names and scratch not in names:
        return True
    if names is not None and {scratch, target} <= names:
        return False
    raise RestoreUnknown(
        f"{server.instance.where()}: it is not known whether {target!r} was replaced: {error}. Either it is as it "
        f"was and the restored one is {scratch!r}, or it is the restored one and the one before it is {kept!r}; look "
        "at the names in pg_database"
    ) from error


def swap_blockers(server: Server, scratch: str, target: str) -> list[str]:
    """Name in one line what would hold the database or be torn from it; no line when there is nothing."""
    standing = [what for (what,) in server.rows(_STANDING, {"scratch": scratch, "target": target})]
    return [f"database {target!r} cannot be replaced while it has {', '.join(standing)}"] if standing else []


def kept_name(target: str, stamp: str) -> str:
    """Return the name for the old database: the target's, cut where it would be too long, and the time."""
    ending = f"_{REPLACED}_{stamp}"
    room = _MOST_BYTES - len(ending)
    return target.encode("utf-8")[:room].decode("utf-8", "ignore") + ending
