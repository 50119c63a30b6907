# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for the server's disk once, at the end of a load, and not after each of its statements.

pg_restore commits every statement, and each commit waits until the disk, and standbys where there are any, have it:
milliseconds, several times for every table. A load that did not reach its end is dropped whatever the disk has of it.

Source: PostgreSQL manual, "Asynchronous Commit". What is committed is written in one order, so whoever waits for a
later commit has waited for all before it.
"""

from __future__ import annotations

from collections.abc import Mapping

from ....connection.server import Server

UNSYNCED: Mapping[str, str] = {"synchronous_commit": "off"}  # anybody may set it for a session
# Something that is committed and changes nothing. One that writes nothing would not be waited for.
_WRITE = "SELECT pg_catalog.pg_logical_emit_message(true, 'vya.backupdb', '')"
_MAY_WRITE = """
    SELECT bool_and(has_function_privilege(p.oid, 'EXECUTE')) FROM pg_catalog.pg_proc p
      JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
     WHERE n.nspname = 'pg_catalog' AND p.proname = 'pg_logical_emit_message'"""


def can_write_out(server: Server) -> bool:
    """Tell whether the login may do what `write_out` does; everybody may, unless somebody took it away."""
    return bool(server.value(_MAY_WRITE))


def write_out(server: Server) -> None:
    """Return when the disk has everything that was committed so far, as surely as the server's own settings want it."""
    server.value(_WRITE)
