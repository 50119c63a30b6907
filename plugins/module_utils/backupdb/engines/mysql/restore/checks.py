# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the way of a restore, found before anything is made: by the manifest and the target server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ....connection.server import Server
from ....errors import QueryFailed
from ...values import DEGRADED, FATAL, MissingPrivilege, RestoreOptions, RestoreProblems, ServerFacts
from ..catalogue import accounts
from ..facts import variable
from ..family import MysqlFamily
from ..grants import Grants, escaped_pattern
from ..privileges import read_grants
from ..statements import DENIED_CODES, quoted, quoted_account, version_number
from .feed import mapped_definer

_MOST_PACKET = 1 << 30  # the highest that max_allowed_packet can be
_PACKET_MARGIN = 1 << 16  # bytes of a statement in addition to its longest line
_PACKET_STEP = 1 << 20

# Since 11.5 the end of a current row of a system-versioned table is in 2106; before, it was in 2038, and a dump with
# history says so: the server would take every current row for one that ends in 2038, and SELECT would not show it.
_ENDS_IN_2106 = (11, 5)

_ON = (1, "1", "ON")
# With one of these a login sets such checks aside for its own session.
_MAY_SET_RESTRICTED = ("SESSION_VARIABLES_ADMIN", "SYSTEM_VARIABLES_ADMIN", "SUPER")
_ROUTINES = ("functions", "procedures", "packages", "package_bodies")

# A right on the database, and the kinds of the inventory that need it; none: always needed.
_RIGHTS: Sequence[tuple[str, Sequence[str]]] = (
    ("CREATE", ()),
    ("DROP", ()),
    ("ALTER", ()),
    ("INDEX", ()),
    ("REFERENCES", ()),
    ("INSERT", ()),
    ("SELECT", ()),
    ("CREATE VIEW", ("views",)),
    ("SHOW VIEW", ("views",)),
    ("CREATE ROUTINE", _ROUTINES),
    ("ALTER ROUTINE", _ROUTINES),
    ("EXECUTE", _ROUTINES),
    ("TRIGGER", ("triggers",)),
    ("EVENT", ("events",)),
)
_OF_ADMINISTRATORS = ("SUPER", "SYSTEM_USER")
_WITHOUT_DEFINERS = "; definer_policy map or drop does without"
_RIGHTS_FOR_ROWS = ("INSERT", "ALTER", "SELECT")


def find_problems(
    engine: MysqlFamily, manifest: Mapping[str, Any], target: str, options: RestoreOptions
) -> RestoreProblems:
    """Return refusals, each with its remedy, missing rights and warnings."""
    server, facts = engine.server, engine.facts
    grants = read_grants(engine)
    login = str(server.value("SELECT CURRENT_USER()"))
    with server.connect() as connection:
        known = _with_those_to_come(accounts(server, connection), options)
        needs_keys = variable(server, connection, "sql_require_primary_key") in _ON
    wanted = _definers(manifest, options)
    refusals = [
        *_packet_refusals(facts, manifest, options),
        *_collation_refusals(server, manifest, options),
        *_history_refusals(facts, manifest, options),
        *_name_refusals(facts, target),
        *_trust_refusals(engine, manifest, options, grants),
        *_definer_refusals(wanted, known),
        *(_trigger_refusals(server, target) if options.data_only else ()),
    ]
    missing = [
        *_missing_on_target(grants, login, manifest, target, options),
        *_missing_for_definers(engine, grants, login, wanted),
    ]
    if known is None and wanted:
        missing.append(_missing("SELECT", "`mysql`.`user`", login, DEGRADED, "whether definers exist is not checked"))
    warnings = [
        *_setting_warnings(facts, manifest),
        *_definer_warnings(manifest, options),
        *_outside_warnings(server, manifest, options),
    ]
    may_set = any(grants.has_global(right) for right in _MAY_SET_RESTRICTED)
    if needs_keys and not may_set and not options.data_only:
        warnings.append("sql_require_primary_key is ON here: a table without a primary key is refused by the server")
    return RestoreProblems(refusals, missing, warnings)


def _packet_refusals(facts: ServerFacts, manifest: Mapping[str, Any], options: RestoreOptions) -> Iterator[str]:
    longest = max((int(entry.get("longest_statement_bytes") or 0) for entry in manifest["archives"]), default=0)
    allowed = facts.settings.get("max_allowed_packet")
    if options.schema_only or allowed is None or longest + _PACKET_MARGIN <= int(allowed):
        return
    needed = min(_MOST_PACKET, -(-(longest + _PACKET_MARGIN) // _PACKET_STEP) * _PACKET_STEP)
    if longest >= _MOST_PACKET:
        yield f"the longest statement has {longest} bytes, and no server accepts more than {_MOST_PACKET} at once"
    elif needed > int(allowed):
        yield (
            f"the longest statement has {longest} bytes, and this server accepts {allowed} at once;"
            f" run: SET GLOBAL max_allowed_packet = {needed};"
        )


def _collation_refusals(server: Server, manifest: Mapping[str, Any], options: RestoreOptions) -> Iterator[str]:
    properties = manifest.get("properties") or {}
    if options.data_only:
        return
    for word, listing in (
        ("character_set", "SELECT COUNT(*) FROM information_schema.character_sets WHERE character_set_name = :name"),
        ("collation", "SELECT COUNT(*) FROM information_schema.collations WHERE collation_name = :name"),
    ):
        name = properties.get(word)
        if name and not _known(server, listing, str(name)):
            yield (
                f"the database has the {word.replace('_', ' ')} {name}, which this server does not know;"
                " restore to a server of the version of the source or newer"
            )


def _history_refusals(facts: ServerFacts, manifest: Mapping[str, Any], options: RestoreOptions) -> Iterator[str]:
    count = (manifest.get("inventory") or {}).get("system_versioned_tables") or 0
    with_history = any("--dump-history" in (archive.get("argv") or ()) for archive in manifest["archives"])
    if not count or not with_history or options.schema_only or options.tables:
        return
    source = str(manifest["server"]["version"])
    if version_number(source)[:2] < _ENDS_IN_2106 <= facts.version_number[:2]:
        yield (
            f"the backup has {count} system-versioned tables of {facts.vendor} {source}, where current rows end in"
            f" 2038, and {facts.version} would take them for history; restore to a server older than 11.5"
            " and upgrade it, or name the other tables with the option tables"
        )


def _known(server: Server, listing: str, name: str) -> bool:
    """Tell whether a collation is there; MariaDB lists one that several character sets share under its ending."""
    if server.value(listing, {"name": name}):
        return True
    return bool(server.value(listing, {"name": name.partition("_")[2]}))


def _name_refusals(facts: ServerFacts, target: str) -> Iterator[str]:
    if str(facts.settings.get("lower_case_table_names", 0)) == "1" and target != target.lower():
        yield (
            f"this server writes every name in lower case (lower_case_table_names = 1), so {target!r} cannot be made;"
            f" choose the target {target.lower()!r}"
        )


def _trust_refusals(
    engine: MysqlFamily, manifest: Mapping[str, Any], options: RestoreOptions, grants: Grants
) -> Iterator[str]:
    settings = engine.facts.settings
    if settings.get("log_bin") not in _ON or settings.get("log_bin_trust_function_creators") in _ON:
        return
    kinds = [kind for kind in ("functions", "triggers") if _has(manifest, kind, options)]
    if kinds and not any(grants.has_global(right) for right in engine.TRUSTED_CREATORS):
        yield (
            f"the server writes a binary log and lets only logins with {' or '.join(engine.TRUSTED_CREATORS)} make"
            f" {' and '.join(kinds)}; run: SET GLOBAL log_bin_trust_function_creators = 1;"
        )


def _definers(manifest: Mapping[str, Any], options: RestoreOptions) -> list[str]:
    """Return the definers that the restored objects will have, as far as the manifest names them."""
    if options.data_only or options.definer_policy == "drop":
        return []
    named = (manifest.get("engine_details") or {}).get("definers") or ()
    mapped = {mapped_definer(str(definer), options) for definer in named}
    return sorted(definer for definer in mapped if definer is not None)


def _with_those_to_come(known: frozenset[str] | None, options: RestoreOptions) -> frozenset[str] | None:
    """Add the accounts that will be there by then, a role with nothing after the @."""
    if known is None:
        return None
    return known | {name if "@" in name else f"{name}@" for name in options.accounts_to_come}


def _definer_refusals(wanted: Sequence[str], known: frozenset[str] | None) -> Iterator[str]:
    dead = [definer for definer in wanted if known is not None and definer not in known]
    if dead:
        yield (
            f"views and programs have definers that are no accounts of this server ({', '.join(dead)}) and would fail"
            " when used; restore the accounts first, or set definer_policy to map or drop"
        )


def _trigger_refusals(server: Server, target: str) -> Iterator[str]:
    rows = server.rows(
        "SELECT trigger_name FROM information_schema.triggers WHERE event_object_schema = :name"
        " AND CAST(event_object_schema AS BINARY) = CAST(:name AS BINARY) ORDER BY trigger_name",
        {"name": target},
    )
    if rows:
        names = ", ".join(str(row[0]) for row in rows)
        yield f"triggers of {target!r} would fire for every row that is loaded ({names}); drop them and make them after"


def _missing_on_target(
    grants: Grants, login: str, manifest: Mapping[str, Any], target: str, options: RestoreOptions
) -> Iterator[MissingPrivilege]:
    place = f"{quoted(escaped_pattern(target, literal=grants.literal))}.*"
    for right, kinds in _RIGHTS:
        if options.data_only and right not in _RIGHTS_FOR_ROWS:
            continue
        needed = not kinds or any(_has(manifest, kind, options) for kind in kinds)
        if needed and not grants.has_on_database(right, target):
            yield _missing(right, place, login, FATAL, "the restore would stop", database=target)


def _missing_for_definers(
    engine: MysqlFamily, grants: Grants, login: str, wanted: Sequence[str]
) -> Iterator[MissingPrivilege]:
    others = [definer for definer in wanted if definer != login]
    right = engine.definer_right()
    if others and not grants.has_right(right):
        effect = f"views and programs cannot be made in the name of {', '.join(others)}{_WITHOUT_DEFINERS}"
        yield _missing(right.grant, "*.*", login, FATAL, effect)
    if others and engine.PROTECTED_ACCOUNTS is not None and not grants.has_global("SYSTEM_USER"):
        yield from _missing_for_protected(engine.server, login, others, engine.PROTECTED_ACCOUNTS)


def _missing_for_protected(
    server: Server, login: str, others: Sequence[str], listing: str
) -> Iterator[MissingPrivilege]:
    try:
        holders = {str(row[0]) for row in server.rows(listing)}
    except QueryFailed as error:
        if error.code in DENIED_CODES:
            effect = "whether a definer has SYSTEM_USER, which this login then needs too, is not checked"
            yield _missing("SELECT", "`mysql`.`global_grants`", login, DEGRADED, effect)
        return  # else a version without such rights
    protected = [definer for definer in others if definer in holders]
    if protected:
        effect = (
            f"views and programs cannot be made in the name of {', '.join(protected)}, who have it{_WITHOUT_DEFINERS}"
        )
        yield _missing("SYSTEM_USER", "*.*", login, FATAL, effect)


def _missing(
    right: str, place: str, login: str, severity: str, effect: str, *, database: str | None = None
) -> MissingPrivilege:
    # Who has one of these is an administrator, and no login of backups should become one.
    grant = "" if right in _OF_ADMINISTRATORS else f"GRANT {right} ON {place} TO {quoted_account(login)};"
    return MissingPrivilege(f"{right} ON {place}", severity, effect, grant, database)


def _has(manifest: Mapping[str, Any], kind: str, options: RestoreOptions) -> bool:
    """Tell whether something of this kind is to be restored; without an inventory there may be."""
    if options.data_only or (options.tables and kind in ("events", *_ROUTINES)):
        return False
    inventory = manifest.get("inventory") or {}
    return not inventory or bool(inventory.get(kind))


def _setting_warnings(facts: ServerFacts, manifest: Mapping[str, Any]) -> Iterator[str]:
    source = manifest.get("server") or {}
    theirs, ours = source.get("settings") or {}, facts.settings
    version = str(source.get("version") or "")
    if version_number(version)[:2] > facts.version_number[:2]:
        yield f"the backup is of version {version}, this server is {facts.version}: it may not know all objects"
    for name, effect in (
        ("lower_case_table_names", "names in views and programs may not be found as they are written"),
        ("innodb_page_size", "wide rows may not fit"),
    ):
        if name in theirs and name in ours and str(theirs[name]) != str(ours[name]):
            yield f"{name} was {theirs[name]} and is {ours[name]} here: {effect}"
    absent = sorted(set(theirs.get("plugins") or ()) - set(ours.get("plugins") or ()))
    if absent:
        yield f"plugins of the source that this server does not have: {', '.join(absent)}"
    if facts.role == "replica":
        yield "this server is a replica, or read-only: what is restored here is not on its source"


def _outside_warnings(server: Server, manifest: Mapping[str, Any], options: RestoreOptions) -> Iterator[str]:
    outside = (manifest.get("engine_details") or {}).get("outside") or ()
    if not outside or options.data_only:
        return
    there = {str(row[0]) for row in server.rows("SELECT schema_name FROM information_schema.schemata")}
    absent = sorted({str(one["database"]) for one in outside} - there)
    if absent:
        yield (
            f"views or defaults name databases that are not here: {', '.join(absent)}; restore those first, or"
            " views will be left out, with the statements that make them later, and tables be refused"
        )


def _definer_warnings(manifest: Mapping[str, Any], options: RestoreOptions) -> Iterator[str]:
    programs = ("views", "triggers", "events", *_ROUTINES)
    if options.definer_policy == "drop" and any(_has(manifest, kind, options) for kind in programs):
        yield "views and programs will work in the name of this login, with its rights (definer_policy is drop)"
