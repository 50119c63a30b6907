# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The prune of a copy: remove there what the policy for it does not keep, as far as this host is the one who removes.

The list of the store must be whole, its clock and its order of arrival decide, and what it locks stays. A database
whose backups are in doubt keeps all of them and stops no other.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import StoreError
from ..repository import layout
from ..repository.files import remove_tree
from ..repository.problems import Problems
from ..repository.stores.interface import Store, StoredObject
from ..system.files import is_there
from ..system.parallel import result_of
from ..system.run_id import run_id_or_new
from ..system.stopping import stop_signals
from ..system.text import human_size, utc_now
from . import result as prune_result
from .copy_catalogue import CopiedFolder, CopyCatalogue, read_catalogue
from .copy_database import CopyDatabasePlan, is_record, locked_until, plan_database, some
from .copy_report import tell, uncounted
from .copy_request import PruneCopyRequest

__all__ = ["ELSEWHERE", "HERE", "STORE", "PruneCopyRequest", "run"]

# How long archives without a manifest are left alone: a copy that was broken off goes on by then, or never.
ORPHANS_STAY = timedelta(days=7)
HERE, ELSEWHERE, STORE = "here", "elsewhere", "store"
_WHO = {
    HERE: "this host removes",
    ELSEWHERE: "this host only plans, since prune is elsewhere: whoever has the right to remove there prunes this copy",
    STORE: "this host only plans, since prune is store: the store removes by rules of its own",
}


def run(store: Store, request: PruneCopyRequest, *, check_mode: bool = False) -> dict[str, Any]:
    """Prune a copy and return what was decided for each backup, as plain values, as `prune.run` does.

    In check mode, and where this host is not the one who removes, it is only a plan; `removes` says who does. Where the
    list of the store is not whole, nothing is removed and `status` is `failed`.
    """
    run_id = run_id_or_new(request.run_id)
    problems = Problems()
    plans: list[CopyDatabasePlan] = []
    orphans: list[CopiedFolder] = []
    catalogue = CopyCatalogue()
    acts = request.copy.prune == HERE and not check_mode
    cancel = threading.Event()
    with stop_signals(cancel) as received:
        try:
            catalogue = read_catalogue(store, request.under())
        except StoreError as error:
            line = f"the list of copy {request.copy.name} is not whole, so nothing is removed: {error}"
            problems.add_damaged(Path(store.where()), line)
        for place, folders in catalogue.folders.items():
            made = None if cancel.is_set() else plan_database(store, request, place, folders, problems)
            if made is not None:
                plans.append(made)
        if request.databases == ("*",):
            orphans = [folder for folder in _orphans(store, request, catalogue, problems) if not cancel.is_set()]
        if acts:
            for plan_of_one in plans:
                _carry_out(store, request, plan_of_one, cancel)
            orphans = [folder for folder in orphans if not cancel.is_set() and _removed(store, folder, problems)]
    tell(store, request, catalogue, plans, problems)
    result = prune_result.of(
        plans,
        run_id=run_id,
        check_mode=not acts,
        problems=problems,
        busy=[],
        stopped=[f"stopped by {name}" for name in received],
        where=store.where(request.under()),
        facts={
            "copy": request.copy.name,
            "removes": _WHO[request.copy.prune],
            "uncounted": uncounted(plans),
            "tampered": [store.where(folder.place) for folder in catalogue.all() if folder.tampered],
            "orphans": [store.where(folder.place) for folder in orphans],
        },
    )
    return _finished(result, request, orphans, check_mode=check_mode)


def _carry_out(store: Store, request: PruneCopyRequest, made: CopyDatabasePlan, cancel: threading.Event) -> None:
    """Remove what is to go, oldest first. One that cannot be removed is noted and stops no other."""

    def remove(backup_id: str) -> None:
        place = f"{made.folder}/{backup_id}"
        objects = [one for one in store.entries(place) if not _stays_locked(store, one)]
        # First here: were it known here and gone there, that would look like somebody else's work.
        if request.shadow is not None:
            remove_tree(request.shadow / place)
        store.remove(place, objects)
        made.removed.append(backup_id)

    faults = []
    for backup in made.to_remove():
        if cancel.is_set():
            break
        error = result_of(partial(remove, backup.folder.name)).error
        if error is not None:
            faults.append(str(error))
    made.error = some(list(dict.fromkeys(faults))) or None
    if request.known is not None and made.removed:
        request.known.forget({f"{made.folder}/{backup_id}" for backup_id in made.removed})


def _stays_locked(store: Store, one: StoredObject) -> bool:
    """Tell whether it is the record of a drill that the store keeps for longer than the backup.

    It is removed later, as what is left of a copy: the lock of a small record must not keep a large backup.
    """
    until = result_of(partial(store.locked_until, one)).value if is_record(one) else None
    return until is not None and until > utc_now()


def _removed(store: Store, folder: CopiedFolder, problems: Problems) -> bool:
    """Remove what is left of a copy that was broken off; returns whether it is gone."""
    error = result_of(lambda: store.remove(folder.place, list(store.entries(folder.place)))).error
    if error is not None:
        problems.add(str(error))
    return error is None


def _finished(
    result: dict[str, Any], request: PruneCopyRequest, orphans: Sequence[CopiedFolder], *, check_mode: bool
) -> dict[str, Any]:
    """Add what is told beside, and who removes."""
    here = request.copy.prune == HERE
    would = "would be " if check_mode or not here else ""
    size = sum(folder.stored_bytes for folder in orphans)
    left = f"; {len(orphans)} broken off copies, {human_size(size)}, {would}removed" if orphans else ""
    who = "" if here else f"; {_WHO[request.copy.prune]}"
    status = result["status"]
    if not here and not check_mode:
        refused = any(entry["refused"] for entry in result["databases"])
        status = "ok" if not result["problems"] else "partial" if refused and result["databases"] else "failed"
    lines = [f"{folder.place}  left by a copy that was broken off" for folder in orphans]
    return {
        **result,
        "lines": [*result["lines"], *lines],
        "status": status,
        "changed": here and (result["changed"] or bool(orphans)),
        "message": f"copy {request.copy.name}: {result['message']}{left}{who}",
    }


def _orphans(
    store: Store, request: PruneCopyRequest, catalogue: CopyCatalogue, problems: Problems
) -> Iterator[CopiedFolder]:
    """Yield what is left of copies that were broken off, once other files have arrived long after them.

    The clock of this host does not matter. Archives whose manifest is known here are no such thing: their manifest was
    removed, and they are all that is left of a backup.
    """
    for folder in catalogue.all():
        if folder.manifest is not None:
            continue
        if request.shadow is not None and is_there(request.shadow / folder.place / layout.MANIFEST_FILE):
            problems.add(
                f"the manifest of {store.where(folder.place)} was removed from the store, which no run of ours does; "
                "what is left of this backup stays, and its manifest is still known on this host"
            )
        elif folder.newest is None or catalogue.newest is None or catalogue.newest - folder.newest <= ORPHANS_STAY:
            continue
        else:
            until = result_of(partial(locked_until, store, folder.place, problems, records=True))
            if until.error is not None:
                problems.add(str(until.error))
            elif until.value is None or until.value <= utc_now():
                yield folder
