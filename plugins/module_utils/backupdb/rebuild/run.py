# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rebuild: look at the backups and at the servers; then accounts, databases side by side, and rights on objects.

What one database does not survive is told, and the others go on. A second run finds what is there and does the rest.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Callable

from ..accounts.restore import restore_accounts
from ..archives.keys import load_identities
from ..connection.instance import Instance
from ..engines.registry import open_engine
from ..errors import StoreUnavailable
from ..repository.best_place import open_places
from ..repository.find import SelectedBackup
from ..repository.place import Place, open_place
from ..repository.problems import Problems
from ..restore.run import restore_found
from ..system.parallel import error_of, result_of
from ..system.stopping import stop_signals
from ..system.text import human_duration, iso
from . import result as rebuild_result
from .choose import UNUSABLE, Chooser
from .coverage import look
from .order import Piece, carry_out
from .plan import plan_instance, restore_request
from .request import RebuildRequest
from .work import FAILED, NOT_BEGUN, PLANNED, RESTORED, THERE, WITH_ERRORS, DatabaseWork, InstanceWork

Report = Callable[[str], None]
_UNUSABLE = (*(kind.__name__ for kind in UNUSABLE), "StoreError", "StoreRefused")


def _silent(_line: str) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class _Rebuild:
    """What the steps share."""

    request: RebuildRequest
    chooser: Chooser
    instances: Sequence[InstanceWork]
    cancel: threading.Event
    report: Report


def run(request: RebuildRequest, *, check_mode: bool = False, report: Report = _silent) -> dict[str, Any]:
    """Bring the host back and return the result as plain values; without `confirm`, or in check mode, only the plan.

    `report` gets a line for each step that ends. Raises `BackupDbError` when the backups cannot be looked at. Once the
    work has begun it always returns; `status` is ok, partial (what could not be brought back is named) or failed.
    """
    began = time.monotonic()
    identities = load_identities(request.keys)
    cancel = threading.Event()
    problems = Problems()
    with (
        stop_signals(cancel) as received,
        _places(request, cancel) as (places, left_out),
    ):
        problems.lines += [*left_out, *(line for place in places for line in place.problems)]
        chooser = Chooser(places, identities, request.signed_by, request.at, problems)
        instances = [plan_instance(request, one, identities, cancel) for one in look(request, chooser)]
        about = rebuild_result.About(request, chooser.where, instances, problems.lines)
        if check_mode or request.confirm is None:
            return rebuild_result.of_plan(about, check_mode=check_mode)
        before = rebuild_result.predicted_seconds(about)
        _bring_back(_Rebuild(request, chooser, instances, cancel, report))
    stopped = [f"stopped by {name}; run it again to go on" for name in received]
    return rebuild_result.of_run(about, stopped, predicted=before, seconds=time.monotonic() - began)


@contextmanager
def _places(request: RebuildRequest, cancel: threading.Event) -> Iterator[tuple[Sequence[Place], Sequence[str]]]:
    """Open where the backups are; returns what could not be opened too."""
    with ExitStack() as opened:
        if request.copies:
            best = open_places(request.repository, request.copies, host=request.host, cancel=cancel)
            yield opened.enter_context(best)
        else:
            one = open_place(request.repository, request.copy, host=request.host, cancel=cancel)
            yield [opened.enter_context(one)], ()


def _bring_back(rebuild: _Rebuild) -> None:
    usable = [one for one in rebuild.instances if one.server_version is not None]
    for instance in usable:
        _restore_accounts(rebuild, instance, None)
    by_key = {(instance.name, one.name): (instance, one) for instance in usable for one in instance.databases}

    def work(piece: Piece) -> None:
        instance, database = by_key[piece.key]
        _restore_database(rebuild, instance, database)

    pieces = [piece for instance in usable for piece in instance.pieces()]
    carry_out(pieces, work, at_once=rebuild.request.jobs, cancel=rebuild.cancel)
    for _instance, database in by_key.values():
        if database.status == PLANNED:
            database.status = NOT_BEGUN
            database.reasons.append("the rebuild was stopped before it was its turn")
    for instance in usable:
        there = {one.target or one.name for one in instance.databases if one.status in THERE}
        if there:
            _restore_accounts(rebuild, instance, there)


def _restore_accounts(rebuild: _Rebuild, instance: InstanceWork, object_grants_for: set[str] | None) -> None:
    """Restore the accounts, or once the databases are there their rights on what is in these."""
    accounts, server = instance.accounts, instance.server
    if accounts.document is None or server is None or rebuild.cancel.is_set():
        return
    try:
        with open_engine(server, rebuild.cancel) as engine:
            outcome = restore_accounts(engine, accounts.document, object_grants_for=object_grants_for).to_dict()
    except Exception as fault:  # noqa: BLE001  the databases are worth trying all the same
        accounts.errors.append(str(error_of(fault)))
        rebuild.report(f"{instance.name}: accounts: {accounts.errors[-1]}")
        return
    if accounts.outcome is not None and object_grants_for is not None:
        accounts.errors += accounts.outcome["errors"]
    accounts.outcome = outcome
    accounts.changed = accounts.changed or outcome["changed"]
    accounts.created += [entry["account"] for entry in outcome["accounts"] if entry["action"] == "created"]
    what = "accounts" if object_grants_for is None else "rights on objects"
    rebuild.report(f"{instance.name}: {what}: {outcome['message']}")


def _restore_database(rebuild: _Rebuild, instance: InstanceWork, database: DatabaseWork) -> None:
    """Restore one database; when its backup turns out to be damaged, from the one before. Never raises."""
    began = time.monotonic()
    server = instance.server
    if server is None:
        return
    try:
        while not _restored(rebuild, server, database):
            pass
    except Exception as fault:  # noqa: BLE001  the others go on
        database.status = FAILED
        database.reasons.append(str(error_of(fault)))
    database.seconds = round(time.monotonic() - began, 3)
    origin = f"from {database.backup.folder.name}" if database.backup else ""
    said = "; ".join(database.reasons) or origin
    rebuild.report(
        f"{instance.name}: {database.name!r} {database.status} in {human_duration(database.seconds)}: {said}"
    )


def _restored(rebuild: _Rebuild, server: Instance, database: DatabaseWork) -> bool:
    """Try the backup in use; False when it is of no use and an older one has taken its place."""
    backup = database.backup
    if backup is None:
        return True
    request = restore_request(rebuild.request, server, database)
    ended = result_of(partial(restore_found, request, SelectedBackup(backup, ()), rebuild.cancel))
    result = ended.value or {}
    kind = type(ended.error).__name__ if ended.error is not None else result.get("error_kind")
    message = str(ended.error or result.get("message"))
    several = len(rebuild.chooser.places) > 1
    if kind in _UNUSABLE or (several and kind == StoreUnavailable.__name__):
        older = rebuild.chooser.newest(database.coverage.folder, before=backup)
        if older.backup is not None:
            if older.backup.folder.name != backup.folder.name:  # else it is the same one, from elsewhere
                database.passed_over += [message, *older.passed_over]
            database.backup = older.backup
            rebuild.report(
                f"{server.id}: {database.name!r}: the backup of {iso(backup.time)} is of no use, the one of "
                f"{iso(older.backup.time)} in {older.backup.where} takes its place: {message}"
            )
            return False
    database.result = result
    database.warnings += [line for line in result.get("warnings", ()) if line not in database.warnings]
    database.status = result.get("status", FAILED)
    if database.status not in (RESTORED, WITH_ERRORS):
        database.status = FAILED
        database.reasons.append(message)
    return True
