# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which programs of a restored database name the original database, and would work there.

Bodies are stored as their authors wrote them. The name is looked for in front of a dot, in any quotes, also within
strings (statements that are put together at run time), but not in comments.
"""

from __future__ import annotations

import re

from ....connection.server import Server
from ..statements import ask, own_session, quoted

_COMMENTS = re.compile(
    r"('(?:[^'\\]|\\.|'')*(?:'|\Z)|\"(?:[^\"\\]|\\.|\"\")*(?:\"|\Z)|`(?:[^`]|``)*(?:`|\Z))"
    r"|/\*(?!M?!).*?(?:\*/|\Z)|--\s[^\n]*|#[^\n]*",
    re.DOTALL,
)

# Kind, name and body of everything that has one.
_PROGRAMS = (
    "SELECT LOWER(routine_type), routine_name, routine_definition FROM information_schema.routines"
    " WHERE routine_schema = :database AND CAST(routine_schema AS BINARY) = CAST(:database AS BINARY)",
    "SELECT 'trigger', trigger_name, action_statement FROM information_schema.triggers"
    " WHERE event_object_schema = :database AND CAST(event_object_schema AS BINARY) = CAST(:database AS BINARY)",
    "SELECT 'event', event_name, event_definition FROM information_schema.events"
    " WHERE event_schema = :database AND CAST(event_schema AS BINARY) = CAST(:database AS BINARY)",
)
_VIEWS = (
    "SELECT table_name FROM information_schema.views"
    " WHERE table_schema = :database AND CAST(table_schema AS BINARY) = CAST(:database AS BINARY)"
)


def qualified_references(server: Server, name: str, original: str) -> list[str]:
    """Name the triggers, routines, events and views in database `name` that name the database `original`."""
    found = []
    with own_session(server) as connection:
        for statement in _PROGRAMS:
            for kind, program, body in ask(server, connection, statement, database=name):
                if body is not None and mentions(str(body), original):
                    found.append(f"{kind} {program}")
        # SHOW CREATE leaves out the database that the session is in; information_schema never does.
        ask(server, connection, f"USE {quoted(name)}")
        for (view,) in ask(server, connection, _VIEWS, database=name):
            definition = str(ask(server, connection, f"SHOW CREATE VIEW {quoted(str(view))}")[0][1])
            if mentions(definition, original):
                found.append(f"view {view}")
    return sorted(found)


def mentions(body: str, database: str) -> bool:
    """Tell whether the text names the database in front of a dot."""
    forms = [f"`{re.escape(database.replace('`', '``'))}`", '"' + re.escape(database.replace('"', '""')) + '"']
    if re.fullmatch(r"[\w$]+", database):
        forms.append(re.escape(database))
    named = re.compile(rf"(?<![\w$.`\"])(?:{'|'.join(forms)})\s*\.\s*[`\"\w$]", re.IGNORECASE)
    return named.search(_COMMENTS.sub(lambda found: found[1] or " ", body)) is not None
