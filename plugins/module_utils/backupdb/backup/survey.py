# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at an instance before anything is done: who it is, what it holds, what is missing to back it up.

The run, the plan of check mode and the enumeration module all start from the same survey.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..engines.filters import INCLUDE_TABLES, Filtered, has_wildcard, nothing_matches
from ..engines.interface import Engine, no_usable_client
from ..engines.values import Client, Database, DumpOptions, MissingPrivilege, ServerFacts
from ..errors import BackupDbError, ClientMissing, Interrupted
from .request import Selection
from .selection import Skipped, select


@dataclass(frozen=True)
class Survey:
    """What was found; nothing was changed to find it."""

    facts: ServerFacts
    latency: float  # seconds for one round trip
    databases: Sequence[Database]
    selected: Sequence[Database]
    skipped: Sequence[Skipped]
    missing: Sequence[MissingPrivilege]
    clients: Sequence[Client]
    client: Client | None
    package_hint: str
    unexamined: Mapping[str, str]  # selected databases whose rights could not be looked at, and why
    filtered: Mapping[str, Filtered]  # what filters leave out, by database; empty without filters
    unmatched: Sequence[str]  # patterns of filters that mean nothing in any of the databases, one line each

    def missing_for(self, database: Database) -> list[MissingPrivilege]:
        """Return the missing privileges that concern one database."""
        return [entry for entry in self.missing if entry.database in (None, database.name)]

    def usable_client(self, where: str) -> Client:
        """Return the dump client; raises `ClientMissing`, which names the package and says why others won't do."""
        if self.client is not None:
            return self.client
        raise ClientMissing(f"{where}: {no_usable_client(self.facts, self.clients, 'dump', self.package_hint)}")


def survey(engine: Engine, selection: Selection, options: DumpOptions) -> Survey:
    """Look at the instance; raises what connecting, asking and selecting raise."""
    engine.check_filters(options.filters)
    facts, server = engine.facts, engine.server
    began = time.monotonic()
    server.value("SELECT 1")
    latency = time.monotonic() - began
    databases = engine.databases()
    selected, skipped = select(databases, selection, where=server.instance.where())
    clients = engine.dump_clients(options)
    missing, unexamined = _examine(engine, selected, options)
    filtered = _filter(engine, selected, options, unexamined)
    absent, unmatched = _unmatched(filtered, selection, options) if len(filtered) == len(selected) else ([], [])
    return Survey(
        facts=facts,
        latency=latency,
        databases=databases,
        selected=[_without(database, filtered.get(database.name)) for database in selected],
        skipped=[*skipped, *absent],
        missing=missing,
        clients=clients,
        client=next((client for client in clients if client.usable), None),
        package_hint=engine.package_hint(),
        unexamined=unexamined,
        filtered=filtered,
        unmatched=unmatched,
    )


def _filter(
    engine: Engine, databases: Sequence[Database], options: DumpOptions, unexamined: dict[str, str]
) -> dict[str, Filtered]:
    """Find what the filters leave out of each database; one that cannot be looked into is added to the unexamined."""
    filtered: dict[str, Filtered] = {}
    for database in databases if options.filters else ():
        try:
            filtered[database.name] = engine.filtered(database, options.filters)
        except Interrupted:
            raise
        except BackupDbError as error:
            unexamined.setdefault(database.name, str(error))
    return filtered


def _without(database: Database, filtered: Filtered | None) -> Database:
    """Return the database as big as it is without what is left out, for every forecast of what its backup takes."""
    if filtered is None or database.size_bytes is None:
        return database
    return replace(database, size_bytes=max(0, database.size_bytes - filtered.size))


def _unmatched(
    filtered: Mapping[str, Filtered], selection: Selection, options: DumpOptions
) -> tuple[list[Skipped], list[str]]:
    """Name the patterns that mean nothing in any database: what was to be included is a fault, as with `databases`.

    One that excludes is a warning: more is in the backup than was asked for, and nothing is lost.
    """
    matched = {pattern for found in filtered.values() for pattern in found.matched}
    there = sorted({name for found in filtered.values() for name in found.there})
    absent: list[Skipped] = []
    unmatched: list[str] = []
    for pattern in options.filters.patterns() if filtered else ():
        if pattern in matched:
            continue
        line = nothing_matches(pattern, there)
        if pattern.option != INCLUDE_TABLES or (selection.allow_empty and has_wildcard(pattern.entry)):
            unmatched.append(line)
        else:
            absent.append(Skipped(f"table {pattern.entry}", line, fault=True))
    return absent, unmatched


def _examine(
    engine: Engine, databases: Sequence[Database], options: DumpOptions
) -> tuple[list[MissingPrivilege], dict[str, str]]:
    """Find the missing privileges; a database that cannot be looked into is named with the reason, and stops no other.

    Raises what asking raises when it is the server that no longer answers.
    """
    try:
        return engine.missing_privileges(databases, options), {}
    except Interrupted:
        raise
    except BackupDbError:
        engine.server.value("SELECT 1")
    missing: dict[MissingPrivilege, None] = {}  # each names again what the whole instance lacks
    unexamined: dict[str, str] = {}
    for database in databases:
        try:
            missing.update(dict.fromkeys(engine.missing_privileges([database], options)))
        except Interrupted:
            raise
        except BackupDbError as error:
            unexamined[database.name] = str(error)
    return list(missing), unexamined


def missing_rights(
    engine: Engine, found: Survey, database: Database, options: DumpOptions
) -> Sequence[MissingPrivilege]:
    """Return the missing privileges that concern one database; raises what looking into it raises.

    One that could not be looked into is looked at again: it may be well by now. If not, this tells why it fails.
    """
    if database.name in found.unexamined:
        return engine.missing_privileges([database], options)
    return found.missing_for(database)


def filter_warnings(found: Survey) -> list[str]:
    """Warn of what could not come back because of what is left out; a run has it among the warnings of each backup."""
    return [f"{name!r}: {line}" for name, filtered in found.filtered.items() for line in filtered.warnings]


def privilege_text(entry: MissingPrivilege) -> str:
    """Say in one line what is missing, what that costs, and the statement that mends it."""
    return f"{entry.privilege} is missing ({entry.effect}); run as administrator: {entry.grant.rstrip(';')}"
