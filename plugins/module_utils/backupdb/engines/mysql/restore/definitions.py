# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the restoring login itself carries out of a stream: definitions of programs and views, and their settings.

Their definers may be others, so a login that is bound to the target cannot make them. A definition is stored and not
run, whatever its body says, so it is the header that must be what it seems: one CREATE of a program or view, in the
target, read by the server as it is read here. Settings are taken whole or not at all.

Sources: MySQL manual "Comments", "CREATE EVENT", "CREATE FUNCTION for Loadable Functions"; MariaDB documentation
"Comment Syntax"; what SHOW CREATE EVENT writes.
"""

from __future__ import annotations

import re
from typing import Protocol

from .headers import BLANK, CREATE, DEFINED, NAME_OF_DATABASE, OPEN, TRIGGER_TABLE, object_kind
from .stream import QUOTED_NAME, unquoted

_COMMENT = re.compile(QUOTED_NAME + rb"|(?P<comment>/\*(?P<maria>M?)!(?P<version>\d*)(?P<after>.?))", re.DOTALL)
_VALUE = rb"(?:@\w+|'[^'\\]*'|\w+)"
_END = rb"\s*(?:\*/)?\s*\Z"
_SETTING = re.compile(
    OPEN + rb"SET\s+(?P<name>character_set_client|character_set_results|collation_connection|sql_mode|time_zone)"
    rb"\s*=\s*(?P<value>" + _VALUE + rb")" + _END,
    re.IGNORECASE,
)
_BEGINS_AS_SETTING = re.compile(
    OPEN + rb"SET\s+(?:character_set_client|character_set_results|collation_connection|sql_mode|time_zone)\s*=",
    re.IGNORECASE,
)
_ALTER_DATABASE = re.compile(
    OPEN + rb"ALTER\s+DATABASE\s+" + NAME_OF_DATABASE + rb"\s+CHARACTER\s+SET\s+\w+\s+COLLATE\s+\w+" + _END,
    re.IGNORECASE,
)
_PARAMETERS = re.compile(BLANK + rb"*\(")
_TIME = rb"(?:'[^'\\]*'|\d+)"
_SCHEDULE = re.compile(
    rb"\s+ON\s+SCHEDULE\s+(?:AT\s+" + _TIME + rb"|EVERY\s+" + _TIME + rb"\s+\w+(?:\s+STARTS\s+" + _TIME + rb")?"
    rb"(?:\s+ENDS\s+" + _TIME + rb")?)\s+ON\s+COMPLETION\s+(?:NOT\s+)?PRESERVE\s+"
    rb"(?:ENABLE|DISABLE(?:\s+ON\s+(?:SLAVE|REPLICA))?)\s",
    re.IGNORECASE,
)


class ReadsComments(Protocol):
    """A server, as far as it runs what stands in comments for certain versions."""

    def runs_comment(self, *, of_mariadb: bool, version: int) -> bool:
        """Tell whether the server runs what stands in `/*!version ... */`, or in `/*M!version ... */`."""


def setting_of(text: bytes) -> tuple[bytes, bool] | None:
    """Return the name of the setting that a program is stored with, and whether it is put back to what it was.

    None for any other statement. Raises ValueError for one that only begins as a setting does.
    """
    found = _SETTING.match(text)
    if found is not None:
        return found["name"].lower(), found["value"].startswith(b"@")
    if _BEGINS_AS_SETTING.match(text):
        raise ValueError("a setting is written as no dump client writes it")
    return None


def is_alteration(text: bytes) -> bool:
    """Tell whether ALTER DATABASE sets its character set and collation, and does nothing else."""
    return _ALTER_DATABASE.match(text) is not None


def objection(text: bytes, database: str, server: ReadsComments) -> str | None:
    """Say what keeps a definition from being carried out by the restoring login; None when nothing does."""
    found = CREATE.match(text)
    if found is None or object_kind(found) not in DEFINED:
        return "it is no definition of a view or program as dump clients write it"
    kind = object_kind(found)
    table = TRIGGER_TABLE.match(text, found.end()) if kind == "trigger" else None
    if kind == "trigger" and table is None:
        return "it names no table as dump clients do"
    if not _is_read_alike(text[: found.start("kind")], server):
        return "it has comments that this server reads in another way"
    for place in (found, table):
        if place is not None and place["schema"] is not None and unquoted(place["schema"]) != database:
            return f"it would be made in the database {unquoted(place['schema'])}"
    if kind in ("function", "procedure") and _PARAMETERS.match(text, found.end()) is None:
        return "it has no list of parameters, as if it were a function of a library"
    if kind == "event" and _SCHEDULE.match(text, found.end()) is None:
        return "its schedule is not written as dump clients write it"
    return None


def _is_read_alike(header: bytes, server: ReadsComments) -> bool:
    """Tell whether the server runs what stands in all the conditional comments before the kind; none come after it."""
    for found in _COMMENT.finditer(header):
        if not found["comment"]:
            continue
        version = found["version"]
        # More digits, or none, are read differently from version to version.
        if len(version) not in (5, 6) or not found["after"].isspace():
            return False
        if not server.runs_comment(of_mariadb=bool(found["maria"]), version=int(version)):
            return False
    return True
