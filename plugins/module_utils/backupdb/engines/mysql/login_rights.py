# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rights a backup login of MySQL or MariaDB needs, which it lacks, and which it has beyond that.

The rights are those that the check before each backup asks for, on the whole instance: databases to come included.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..interface import ServerFacts
from ..login_interface import Need, Step, Surplus, WantedLogin
from .family import Family, quoted
from .grants import ALL, NAME, UNQUOTED_TEXT, Grants

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
_ROLES = re.compile(rf"^GRANT (?P<what>{NAME}(?:@{NAME})?(?:, ?{NAME}(?:@{NAME})?)*) TO ", re.DOTALL)
_COLUMNS = re.compile(r"\((?:`(?:[^`]|``)*`|[^)`])*\)")
_TEXTS = re.compile(r"'(?:[^'\\]|''|\\.)*'|`(?:[^`]|``)*`", re.DOTALL)


def needed_rights(facts: ServerFacts, family: Family, wanted: WantedLogin) -> list[str]:
    """List the rights on `*.*` in the order of GRANT. Routines are seen with SELECT on everything."""
    writes_binary_log = facts.settings.get("log_bin") in (1, "ON")
    return [
        "SELECT",
        "SHOW VIEW",
        *(["TRIGGER"] if wanted.triggers else []),
        *(["EVENT"] if wanted.events else []),
        "SHOW DATABASES",
        "PROCESS",
        *([family.lock_right(facts.version_number).grant] if wanted.read_lock else []),
        *([family.coordinates_right(facts.version_number).grant] if writes_binary_log else []),
    ]


def needs_of(grants: Grants, needed: Sequence[str], account: str) -> list[Need]:
    """Say what is missing, with the statements that give it; `account` is quoted."""
    missing = [right for right in needed if not grants.has_global(right)]
    needs = []
    if missing:
        named = f"{', '.join(missing)} ON *.*"
        needs.append(Need(named.replace(" ON ", " on "), (Step(f"GRANT {named} TO {account};"),)))
    for entry in grants.entries:  # rights that were taken back for one database (MySQL's partial revokes)
        revoked = sorted(set(needed) & entry.rights) if entry.revoked else []
        if revoked:
            grant = f"GRANT {', '.join(revoked)} ON {quoted(entry.database)}.* TO {account};"
            needs.append(Need(f"{', '.join(revoked)} on database {entry.database}", (Step(grant),)))
    return needs


def surplus_of(lines: Iterable[str], needed: Sequence[str], account: str, *, mysql: bool = False) -> list[Surplus]:
    """Read SHOW GRANTS for what is beyond the needed rights; the same rights on less than everything are not."""
    found = [surplus for line in lines for surplus in _of_line(line, needed, account)]
    if mysql:
        found = [_flushed(surplus) if surplus.what == _OPTION_ON_ALL else surplus for surplus in found]
    return list(dict.fromkeys(found))  # MySQL has two lines for *.*


def _flushed(surplus: Surplus) -> Surplus:
    """Have MySQL read its tables again: in its memory, dynamic rights keep a GRANT OPTION that was taken away."""
    return replace(surplus, steps=(*surplus.steps, Step("FLUSH PRIVILEGES;")))


def _of_line(line: str, needed: Sequence[str], account: str) -> list[Surplus]:
    on = _ON.match(line)
    if on is not None:
        return _of_grant(on["rights"], on["object"], _TEXTS.sub("", on["rest"]), needed, account)
    proxy = _PROXY.match(line)
    if proxy is not None:
        return [Surplus(proxy["what"], True, (Step(f"REVOKE {proxy['what']} FROM {account};"),))]
    roles = _ROLES.match(line)
    if roles is not None:
        # What a role may do is not looked at: it may be given more at any time.
        return [Surplus(f"membership in {roles['what']}", True, (Step(f"REVOKE {roles['what']} FROM {account};"),))]
    return []


def _of_grant(text: str, place: str, rest: str, needed: Sequence[str], account: str) -> list[Surplus]:
    found = []
    if "GRANT OPTION" in rest:
        step = Step(f"REVOKE GRANT OPTION ON {place} FROM {account};")
        found.append(Surplus(f"GRANT OPTION on {place}", True, (step,)))
    rights = {right.strip().upper() for right in _COLUMNS.sub("", text).split(",")}
    if rights & {ALL, "ALL"}:
        again = (Step(f"GRANT {', '.join(needed)} ON *.* TO {account};"),) if place == "*.*" else ()
        return [*found, Surplus(f"{ALL} on {place}", True, (Step(f"REVOKE {ALL} ON {place} FROM {account};"), *again))]
    extra = sorted(rights - set(needed) - {_NONE})
    if extra:
        named = ", ".join(extra)
        step = Step(f"REVOKE {named if place == '*.*' else text} ON {place} FROM {account};")
        found.append(Surplus(f"{named} on {place}", not set(extra) <= _ONLY_READING, (step,)))
    return found
