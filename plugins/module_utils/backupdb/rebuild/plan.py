# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking before a rebuild: what would be restored into which server, and what stands in the way of it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from ..accounts.restore import restore_accounts
from ..age.recipients import Identity
from ..connection.instance import Instance
from ..engines.interface import Engine
from ..engines.registry import find_engine, open_engine
from ..engines.values import DumpOptions, RestoreOptions
from ..errors import BackupDbError, Interrupted, RequirementMissing, StoreUnavailable
from ..repository.catalogue import StoredBackup
from ..repository.find import BackupSelector
from ..restore.compare import compare_restored, inspect
from ..restore.plan import RestorePlan, make_plan
from ..restore.request import RestoreRequest, Safety
from ..system.parallel import error_of
from ..system.text import human_size
from .coverage import DatabaseCoverage, InstanceCoverage
from .predict import predict
from .request import RebuildRequest
from .work import BLOCKED, DROPPED, NO_BACKUP, PLANNED, PRESENT, AccountsWork, DatabaseWork, InstanceWork

_SHOWN = 5
_ENDS_ALL = (RequirementMissing, Interrupted, StoreUnavailable)


def plan_instance(
    request: RebuildRequest, coverage: InstanceCoverage, identities: Sequence[Identity], cancel: threading.Event
) -> InstanceWork:
    """Look at an instance's backups and its server; what is wrong with them becomes an obstacle, and is not raised.

    Raises `RequirementMissing`, `Interrupted` and `StoreUnavailable`, which are about more than this instance.
    """
    accounts = coverage.accounts
    work = InstanceWork(
        coverage=coverage,
        server=request.servers.get(coverage.name),
        accounts=AccountsWork(accounts.backup, accounts.document, list(accounts.passed_over)),
        databases=[_database(one, request) for one in coverage.databases],
        warnings=list(coverage.warnings),
    )
    if work.server is None:
        work.obstacles.append("no server is given for it; name one in servers")
    else:
        try:
            with open_engine(work.server, cancel) as engine:
                _look(request, work, work.server, engine, identities)
        except _ENDS_ALL:
            raise
        except (BackupDbError, OSError) as error:
            work.obstacles.append(str(error_of(error)))
    if work.obstacles:
        for database in work.databases:
            if database.status == PLANNED:
                database.status = BLOCKED
                database.reasons.append("its server cannot be used")
    return work


def restore_request(
    request: RebuildRequest,
    server: Instance,
    database: DatabaseWork,
    accounts_to_come: frozenset[str] = frozenset(),
) -> RestoreRequest:
    """Make the request for one database under its own name; one that is there is replaced only if it is empty."""
    target = database.target or database.name
    return RestoreRequest(
        instance=server,
        wanted=BackupSelector(host=request.host, instance=server.id, database=database.name),
        options=RestoreOptions(accounts_to_come=accounts_to_come, load_with_own_rights=request.load_with_own_rights),
        repository=request.repository,
        keys=request.keys,
        target=target,
        replace=database.replaces_empty,
        confirm=target if database.replaces_empty else None,
        safety=Safety(wanted=False),  # what is replaced is empty
        accept_errors=request.accept_errors,
        keep_replaced=False,
        signed_by=request.signed_by,
        copy=request.copy,
    )


def _database(coverage: DatabaseCoverage, request: RebuildRequest) -> DatabaseWork:
    backup = coverage.chosen.backup
    work = DatabaseWork(coverage, backup, passed_over=list(coverage.chosen.passed_over))
    if backup is None:
        work.status = NO_BACKUP
        why = "; ".join(work.passed_over[:_SHOWN])
        work.reasons.append(f"no backup of it can be used: {why}" if why else "there is no backup of it")
        return work
    work.prediction = predict(backup, coverage.folder, request.rate)
    engine = find_engine(str(backup.manifest["engine"]))
    work.needs = engine.needed_databases(backup.manifest) if engine is not None else frozenset()
    if coverage.dropped is not None and not request.dropped:
        work.status = DROPPED
        work.reasons.append(f"{coverage.dropped}; set dropped to bring it back all the same")
    return work


def _look(
    request: RebuildRequest, work: InstanceWork, server: Instance, engine: Engine, identities: Sequence[Identity]
) -> None:
    facts = engine.facts
    work.server_engine, work.server_version = facts.vendor, facts.version
    coming = _plan_accounts(work, engine)
    needed, free = 0, None
    for database in work.databases:
        if database.status != PLANNED or database.backup is None:
            continue
        try:
            plan = _plan_database(request, server, database, database.backup, engine, identities, coming)
        except _ENDS_ALL:
            raise
        except Exception as error:  # noqa: BLE001  such as a manifest that somebody made up; the others are looked at
            database.status = BLOCKED
            database.reasons.append(str(error_of(error)))
            continue
        if database.status == PLANNED:
            needed += plan.needed_bytes or 0
            free = plan.free_bytes if free is None else free
    if free is not None and needed > free:
        work.shortage = (
            f"all databases together need about {human_size(needed)}, and {human_size(free)} are free where the server "
            "keeps its data"
        )


def _plan_accounts(work: InstanceWork, engine: Engine) -> frozenset[str]:
    """Plan the accounts, and return the names of those that will be there."""
    accounts = work.accounts
    if accounts.document is None:
        return frozenset()
    try:
        accounts.outcome = restore_accounts(engine, accounts.document, check_mode=True).to_dict()
    except _ENDS_ALL:
        raise
    except Exception as error:  # noqa: BLE001  the databases are worth looking at all the same
        accounts.errors.append(str(error_of(error)))
        return frozenset()
    return frozenset(entry["account"] for entry in accounts.outcome["accounts"] if entry["action"] != "failed")


def _plan_database(
    request: RebuildRequest,
    server: Instance,
    database: DatabaseWork,
    backup: StoredBackup,
    engine: Engine,
    identities: Sequence[Identity],
    coming: frozenset[str],
) -> RestorePlan:
    plan = make_plan(restore_request(request, server, database, coming), backup, identities, engine)
    database.target = plan.target
    if plan.exists:
        found = _found(engine, plan.target, backup.manifest)
        if found is None:
            database.replaces_empty = True
            plan = make_plan(restore_request(request, server, database, coming), backup, identities, engine)
        else:
            database.status, reason = found
            database.reasons.append(reason)
            return plan
    database.warnings += plan.warnings
    if plan.refusals:
        database.status = BLOCKED
        database.reasons += plan.refusals
    return plan


def _found(engine: Engine, name: str, manifest: Mapping[str, Any]) -> tuple[str, str] | None:
    """Say what a database is that is there already: status and reason, None for one that can be replaced.

    That is one in which nothing is, unless nothing is in the backup either and its properties are there.
    """
    client = engine.usable_dump_client(DumpOptions())
    details = inspect(engine, client, name, DumpOptions())
    made = {kind for kind, count in details.inventory.items() if count > engine.EMPTY_INVENTORY.get(kind, 0)}
    empty = not made and details.inventory_trusted
    if empty and dict(details.properties) != (manifest.get("properties") or {}):
        return None
    comparison = compare_restored(engine, client, name, manifest, RestoreOptions())
    if comparison.equal:
        return PRESENT, "it is there already, with the objects and rows of the backup"
    if empty:
        return None
    lines = [*comparison.inventory, *comparison.row_counts]
    more = f" and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return BLOCKED, (
        f"a database of this name is there, and is not what the backup holds ({'; '.join(lines[:_SHOWN])}{more}): drop "
        "it if it is of no use, such as the rest of a rebuild that was killed, or restore this one under another name"
    )
