# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rights a backup login of MySQL or MariaDB needs, which it lacks, and which it has in excess.

The rights are those that the check before each backup asks for, on the whole instance: databases to come included.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..login_interface import ExcessPrivilege, RequiredPrivilege, Step, WantedLogin
from .family import MysqlFamily
from .grants import ALL, LISTED_NAME, NAME, UNQUOTED_TEXT, Grants
from .statements import quoted
from .view_functions import Function, execute_on

# Rights with which nothing can be changed but what the server keeps in memory.
_ONLY_READING = frozenset(
    {
        "BACKUP_ADMIN",
        "BINLOG MONITOR",
        "FLUSH_STATUS",
        "FLUSH_TABLES",
        "LOCK TABLES",
        "PROCESS",
        "REPLICA MONITOR",
        "REPLICATION CLIENT",
        "SELECT",
        "SHOW CREATE ROUTINE",
        "SHOW DATABASES",
        "SHOW VIEW",
        "SHOW_ROUTINE",
        "SLAVE MONITOR",
    }
)
_NONE = "USAGE"
_OPTION_ON_ALL = "GRANT OPTION on *.*"

_ON = re.compile(
    rf"^GRANT (?P<rights>{UNQUOTED_TEXT}) ON "
    rf"(?P<object>(?:(?:TABLE|FUNCTION|PROCEDURE|PACKAGE BODY|PACKAGE|LIBRARY) )?{NAME}\.{NAME}) TO (?P<rest>.*)$",
    re.DOTALL,
)
_PROXY = re.compile(rf"^GRANT (?P<what>PROXY ON {NAME}(?:@{NAME})?) TO ", re.DOTALL)
_ROLES = re.compile(
    rf"^GRANT (?P<what>{LISTED_NAME}(?:@{LISTED_NAME})?(?:, ?{LISTED_NAME}(?:@{LISTED_NAME})?)*) TO ", re.DOTALL
)
_COLUMNS = re.compile(r"\((?:`(?:[^`]|``)*`(?!`)|[^)`])*\)")
_TEXTS = re.compile(r"'(?:[^'\\]|''|\\.)*'|`(?:[^`]|``)*`", re.DOTALL)


def needed_rights(engine: MysqlFamily, wanted: WantedLogin) -> list[str]:
    """List the rights on `*.*` in the order of GRANT. Routines are seen with SELECT on everything."""
    writes_binary_log = engine.facts.settings.get("log_bin") in (1, "ON")
    return [
        "SELECT",
        "SHOW VIEW",
        *(["TRIGGER"] if wanted.triggers else []),
        *(["EVENT"] if wanted.events else []),
        "SHOW DATABASES",
        "PROCESS",
        *([engine.lock_right().grant] if wanted.read_lock else []),
        *([engine.coordinates_right().grant] if writes_binary_log else []),
    ]


def missing_rights(grants: Grants, needed: Sequence[str], account: str) -> list[RequiredPrivilege]:
    """Say what is missing, with the statements that give it; `account` is quoted."""
    missing = [right for right in needed if not grants.has_global(right)]
    lacking = []
    if missing:
        named = f"{', '.join(missing)} ON *.*"
        lacking.append(RequiredPrivilege(named.replace(" ON ", " on "), (Step(f"GRANT {named} TO {account};"),)))
    for entry in grants.entries:  # rights that were taken back for one database (MySQL's partial revokes)
        revoked = sorted(set(needed) & entry.rights) if entry.revoked else []
        if revoked:
            grant = f"GRANT {', '.join(revoked)} ON {quoted(entry.database)}.* TO {account};"
            lacking.append(RequiredPrivilege(f"{', '.join(revoked)} on database {entry.database}", (Step(grant),)))
    return lacking


def missing_functions(grants: Grants, functions: Sequence[Function], account: str) -> list[RequiredPrivilege]:
    """Say which functions that views call the login may not execute; a server may hide those views from it."""
    return [
        RequiredPrivilege(
            f"EXECUTE on function {function[0]}.{function[1]}", (Step(f"GRANT {execute_on(function)} TO {account};"),)
        )
        for function in functions
        if not grants.has_on_function("EXECUTE", *function)
    ]


def excess_rights(
    lines: Iterable[str], needed: Sequence[str], account: str, *, flush_grant_option: bool = False
) -> list[ExcessPrivilege]:
    """Read SHOW GRANTS for what is beyond the needed rights; the same rights on less than everything are not.

    `flush_grant_option`: see `MysqlFamily.KEEPS_GRANT_OPTION_IN_MEMORY`.
    """
    found = [excess for line in lines for excess in _of_line(line, needed, account)]
    if flush_grant_option:
        found = [_flushed(excess) if excess.what == _OPTION_ON_ALL else excess for excess in found]
    return list(dict.fromkeys(found))  # MySQL has two lines for *.*


def _flushed(excess: ExcessPrivilege) -> ExcessPrivilege:
    """Have the server read its tables of grants again as well."""
    return replace(excess, steps=(*excess.steps, Step("FLUSH PRIVILEGES;")))


def _of_line(line: str, needed: Sequence[str], account: str) -> list[ExcessPrivilege]:
    on = _ON.match(line)
    if on is not None:
        return _of_grant(on["rights"], on["object"], _TEXTS.sub("", on["rest"]), needed, account)
    proxy = _PROXY.match(line)
    if proxy is not None:
        return [ExcessPrivilege(proxy["what"], True, (Step(f"REVOKE {proxy['what']} FROM {account};"),))]
    roles = _ROLES.match(line)
    if roles is not None:
        # What a role may do is not looked at: it may be given more at any time.
        return [
            ExcessPrivilege(f"membership in {roles['what']}", True, (Step(f"REVOKE {roles['what']} FROM {account};"),))
        ]
    return []


def _of_grant(text: str, place: str, rest: str, needed: Sequence[str], account: str) -> list[ExcessPrivilege]:
    found = []
    if "GRANT OPTION" in rest:
        step = Step(f"REVOKE GRANT OPTION ON {place} FROM {account};")
        found.append(ExcessPrivilege(f"GRANT OPTION on {place}", True, (step,)))
    rights = {right.strip().upper() for right in _COLUMNS.sub("", text).split(",")}
    if rights & {ALL, "ALL"}:
        again = (Step(f"GRANT {', '.join(needed)} ON *.* TO {account};"),) if place == "*.*" else ()
        return [
            *found,
            ExcessPrivilege(f"{ALL} on {place}", True, (Step(f"REVOKE {ALL} ON {place} FROM {account};"), *again)),
        ]
    extra = sorted(rights - set(needed) - {_NONE})
    if extra:
        named = ", ".join(extra)
        step = Step(f"REVOKE {named if place == '*.*' else text} ON {place} FROM {account};")
        found.append(ExcessPrivilege(f"{named} on {place}", not set(extra) <= _ONLY_READING, (step,)))
    return found
