# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an archive's table of contents says will fail or harm in this server: found before anything is loaded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ....connection.server import Server
from ....errors import RestoreRefused
from ...values import RestoreOptions, ServerFacts
from ..quoting import identifier
from .choice import Chosen, all_entries
from .roles import grantees, mapped_users, new_owner, owners
from .toc import Entry

_LOGIN = "SELECT current_user, rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user"
_ROLES = "SELECT rolname, pg_has_role(oid, CAST(:right AS text)) AS ours FROM pg_catalog.pg_roles"
_SET_OPTION = (16,)  # the version in which being a member no longer means that one may become the role
_ONLY_SUPERUSERS = ("EVENT TRIGGER", "FOREIGN DATA WRAPPER", "ACCESS METHOD", "PROCEDURAL LANGUAGE")
_BODY = re.compile(r"\n +(?:AS |BEGIN ATOMIC|RETURN )")
_SHOWN = 10


def refuse_what_would_fail(
    server: Server, facts: ServerFacts, chosen: Sequence[Chosen], options: RestoreOptions
) -> bool:
    """Raise `RestoreRefused` with everything that is missing; return whether the login is a superuser."""
    entries = all_entries(chosen)
    ((login, superuser),) = server.rows(_LOGIN)
    right = "SET" if facts.version_number >= _SET_OPTION else "MEMBER"
    roles = {row.rolname: row.ours for row in server.rows(_ROLES, {"right": right})}
    wanted = set() if options.owner_policy == "drop" or options.data_only else _new_owners(entries, options)
    refusals = [*_missing(roles, wanted, entries, options)]
    if superuser:
        refusals += _definers(entries, options)
    else:
        refusals += _not_ours(roles, wanted, login)
        refusals += _superusers_only(entries)
    if refusals:
        raise RestoreRefused(f"{server.instance.where()}: nothing was restored: {'; '.join(refusals)}")
    return bool(superuser)


def _new_owners(entries: Iterable[Entry], options: RestoreOptions) -> set[str]:
    owner_map = options.owner_map if options.owner_policy == "map" else {}
    return {new_owner(owner, owner_map) for owner in owners(entries)}


def _missing(
    roles: Iterable[str], new_owners: set[str], entries: Sequence[Entry], options: RestoreOptions
) -> list[str]:
    there = set(roles)
    owner_map = options.owner_map if options.owner_policy == "map" else {}
    refusals = []
    owning = sorted(new_owners - there)
    if owning:
        refusals.append(
            f"roles that own objects do not exist here: {_shortened(owning)}; restore the accounts first, "
            f"create them ({_create(owning)}), or choose owner_policy map or drop"
        )
    granted = sorted({new_owner(role, {**owner_map, "*": role}) for role in grantees(entries)} - there - new_owners)
    if granted:
        refusals.append(
            f"roles that have rights on objects do not exist here: {_shortened(granted)}; restore the accounts first, "
            f"create them ({_create(granted)}), or choose acl_policy drop"
        )
    mapped = sorted(mapped_users(entries) - there)
    if mapped:
        refusals.append(f"roles with user mappings do not exist here: {_shortened(mapped)} ({_create(mapped)})")
    return refusals


def _definers(entries: Iterable[Entry], options: RestoreOptions) -> list[str]:
    """A SECURITY DEFINER function runs with the rights of its owner: here that would be a superuser's."""
    if options.owner_policy != "drop":
        return []
    found = [entry.shown() for entry in entries if is_security_definer(entry)]
    if not found:
        return []
    return [
        f"with owner_policy drop these SECURITY DEFINER functions would run as superuser: {_shortened(found)}; "
        "choose owner_policy map with an owner_map, or log in as a role that is no superuser"
    ]


def is_security_definer(entry: Entry) -> bool:
    """Look for the words in front of the function's body."""
    return entry.kind in ("FUNCTION", "PROCEDURE") and "SECURITY DEFINER" in _BODY.split(entry.definition, 1)[0]


def _not_ours(roles: dict[str, bool], new_owners: set[str], login: str) -> list[str]:
    foreign = sorted(role for role in new_owners if role in roles and not roles[role])
    if not foreign:
        return []
    return [
        f"the login {login} may not give objects to {_shortened(foreign)}; log in as a superuser, or choose "
        "owner_policy map or drop"
    ]


def _superusers_only(entries: Iterable[Entry]) -> list[str]:
    found = [
        entry.shown()
        for entry in entries
        if entry.kind in _ONLY_SUPERUSERS
        or (entry.kind == "PUBLICATION" and " FOR ALL TABLES" in entry.definition)
        or (entry.kind == "FUNCTION" and re.search(r"\n +LANGUAGE (?:c|internal)\b", entry.definition))
    ]
    return [f"only a superuser can restore {_shortened(found)}; log in as one"] if found else []


def _create(roles: Iterable[str]) -> str:
    return " ".join(f"CREATE ROLE {identifier(role)};" for role in list(roles)[:_SHOWN])


def _shortened(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
