# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sessions of a server; never what they are asking.

The texts of others' statements must not be touched. Lists cut them in the middle of a character, which no driver can
decode; and MySQL's information_schema, whose texts are in utf8mb3, refuses to be read at all (3854) while any session
runs a statement with a character beyond it, such as an emoji, whichever columns are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import QueryFailed
from .family import MysqlFamily
from .statements import ask

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


@dataclass(frozen=True)
class Session:
    """One session; `seconds` is for how long it has been in its present state, `command` what kind that is."""

    id: int
    user: str
    database: str | None
    command: str
    seconds: int


def sessions_of(engine: MysqlFamily, connection: Connection) -> list[Session]:
    """Return all sessions that the login may see, its own among them; raises `QueryFailed`."""
    refusal: QueryFailed | None = None
    for statement in engine.SESSION_LISTS:
        try:
            rows = ask(engine.server, connection, statement)
        except QueryFailed as error:
            refusal = error
            continue
        if rows:  # the one that asks is there, or the list is switched off
            return [_session(row) for row in rows]
    raise refusal or QueryFailed(f"{engine.server.instance.where()}: the server shows no sessions, not even this one")


def _session(row: Any) -> Session:
    session, user, database, command, seconds = row
    return Session(int(session), str(user), database, str(command), int(seconds or 0))
