# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a prune would do with the backups of one database in a copy: read them, decide, or refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import ManifestDamaged, RepositoryError, RetentionRefused, StoreError, StoreRefused
from ..repository import layout
from ..repository.catalogue import StoredBackup, is_called
from ..repository.drill_records import (
    LARGEST_RECORD,
    drill_file,
    is_drill_file,
    is_own,
    is_proof,
    newest_drill,
    parse_record,
    read_drills,
)
from ..repository.left_out import is_whole
from ..repository.pins import read_pin
from ..repository.problems import Problems
from ..repository.stores.interface import Store, StoredObject
from ..system.files import is_folder
from ..system.text import utc_now
from .copy_catalogue import CopiedFolder, fetch_small, read_copied
from .copy_plan import NOT_COUNTED, plan
from .copy_request import PruneCopyRequest
from .decide import KEEP, Candidate, Decision
from .plan import DatabasePlan

_SHOWN = 3
_LOCKS_UNKNOWN = "the key may not see what the store locks"


@dataclass
class CopyDatabasePlan(DatabasePlan):
    """The plan for one database in a copy: where each backup is, what does not count and what is locked, by id."""

    where_is: dict[str, str] = field(default_factory=dict)
    uncounted: dict[str, str] = field(default_factory=dict)
    locked: dict[str, datetime] = field(default_factory=dict)

    def path_of(self, backup_id: str) -> str:
        """Say where one of its backups is."""
        return self.where_is[backup_id]


def plan_database(
    store: Store, request: PruneCopyRequest, place: str, folders: Sequence[CopiedFolder], problems: Problems
) -> CopyDatabasePlan | None:
    """Plan for one database, None when it was not asked for; what cannot be read now is a reason to remove nothing."""
    arrivals = {folder.backup_id: folder for folder in folders if folder.manifest is not None}
    backups: dict[str, StoredBackup] = {}
    damaged: dict[str, str] = {}
    doubts = Problems()
    for backup_id, folder in arrivals.items():
        try:
            backup = read_copied(store, folder, request.shadow)
        except ManifestDamaged as error:  # read whole, and none of ours
            damaged[backup_id] = str(error)
        except StoreError as error:
            doubts.add(str(error))
        else:
            backups[backup_id] = backup
    true = {backup_id: backup for backup_id, backup in backups.items() if _is_in_place(backup)}
    made = _begun(store, place, backups, true)
    if not is_called(made.name, request.databases):
        return None
    for backup_id, reason in damaged.items():
        problems.add(f"{store.where(f'{place}/{backup_id}')} stays, and does not count: {reason}")
    made.uncounted = {
        backup_id: f"it is not called by what its manifest says: {NOT_COUNTED}"
        for backup_id in backups.keys() - true.keys()
    }
    candidates = [_candidate(store, backup, arrivals[backup_id], request, doubts) for backup_id, backup in true.items()]
    if doubts.lines:
        made.refused = f"not everything here can be read, so nobody can say what may go: {some(doubts.lines)}"
        return made
    try:
        decided = plan(
            request.policy,
            candidates,
            {backup_id: folder.arrived() for backup_id, folder in arrivals.items()},
            now=utc_now(),
            locked_until=lambda backup_id: locked_until(store, f"{place}/{backup_id}", problems),
            proven_here={backup_id for backup_id in true if _proven_here(true[backup_id], arrivals[backup_id])},
        )
    except (RetentionRefused, StoreError) as error:
        made.refused = str(error)
        return made
    made.uncounted.update(decided.uncounted)
    made.locked = dict(decided.locked)
    false = [Decision(backup_id, KEEP, made.uncounted[backup_id]) for backup_id in sorted(backups.keys() - true.keys())]
    made.decisions = [*decided.decisions, *false]
    return made


def _begun(
    store: Store, place: str, backups: Mapping[str, StoredBackup], true: Mapping[str, StoredBackup]
) -> CopyDatabasePlan:
    """Begin a plan that keeps everything; what has no true backup is called as its folders are."""
    host, instance, database = place.split("/")
    known = next(iter(true.values()), None)
    return CopyDatabasePlan(
        folder=Path(place),
        host=known.manifest["host"] if known else host,
        instance=known.manifest["instance"] if known else instance,
        name=known.name if known else database,
        kind="accounts" if database == layout.ACCOUNTS_FOLDER else "database",
        backups=dict(backups),
        decisions=[Decision(backup_id, KEEP, "nothing is removed here now") for backup_id in backups],
        unfinished=(),
        where_is={backup_id: store.where(f"{place}/{backup_id}") for backup_id in backups},
    )


def _is_in_place(backup: StoredBackup) -> bool:
    expected = layout.backup_folder(backup.time, backup.manifest["run_id"])
    return backup.is_in_place() and backup.folder.name == expected


def _candidate(
    store: Store, backup: StoredBackup, copied: CopiedFolder, request: PruneCopyRequest, doubts: Problems
) -> Candidate:
    places = [backup.folder, *(Path(root).joinpath(*backup.place()) for root in request.repositories)]
    pins = [pin for pin in (read_pin(folder, doubts) for folder in places) if pin is not None]
    return Candidate(
        backup_id=backup.folder.name,
        time=backup.time,
        complete=backup.manifest["status"] == "complete",
        whole=is_whole(backup.manifest),
        proven=is_proof(_newest_record(store, backup, copied, doubts)),
        pinned=pins[0].reason if pins else None,
    )


def _newest_record(
    store: Store, backup: StoredBackup, copied: CopiedFolder, doubts: Problems
) -> Mapping[str, Any] | None:
    """Return the newest record of a drill, which may be known here, or in the store alone."""
    known = newest_drill(backup.folder, doubts) if is_folder(backup.folder) else None
    newest = max(copied.drills, default="")
    if not newest or (known is not None and newest <= drill_file(known)):
        return known
    name = f"{copied.place}/{newest}"
    try:
        wanted = store.facts(name)
        return known if wanted is None else parse_record(fetch_small(store, wanted, LARGEST_RECORD), copied.backup_id)
    except (RepositoryError, ValueError) as error:
        doubts.add(f"{store.where(name)} does not count: {error}")
    return None


def _proven_here(backup: StoredBackup, copied: CopiedFolder) -> bool:
    """Return whether a drill of this host proved a backup, by its newest record that is not only the store's."""
    records = read_drills(backup.folder, Problems()) if is_folder(backup.folder) else []
    own = (record for record in records if _is_ours(backup.folder / drill_file(record), copied))
    return is_proof(next(own, None))


def _is_ours(record: Path, copied: CopiedFolder) -> bool:
    """Return whether this host made a record: it is noted, or the store does not have it."""
    return record.name not in copied.drills or is_own(record)


def locked_until(store: Store, place: str, problems: Problems, *, records: bool = False) -> datetime | None:
    """Return until when the store keeps the file of a backup that it keeps longest.

    Records of drills, which came later, count only with `records`: they must not keep a backup for longer. A key that
    may not see that is a problem and no lock: the store does what it does, whatever is planned here.
    """
    if type(store).locked_until is Store.locked_until:
        return None  # a store without locks, so nothing is asked of it
    try:
        wanted = [one for one in store.entries(place) if records or not is_record(one)]
        moments = [store.locked_until(one) for one in wanted]
    except StoreRefused as error:
        if not any(line.startswith(_LOCKS_UNKNOWN) for line in problems.lines):
            problems.add(f"{_LOCKS_UNKNOWN}, so what would be removed may be locked: {error}")
        return None
    return max((moment for moment in moments if moment is not None), default=None)


def is_record(one: StoredObject) -> bool:
    """Return whether a file of a backup is the record of a drill."""
    return is_drill_file(one.name.rpartition("/")[2])


def some(lines: Sequence[str]) -> str:
    """Join the first few of many lines, and say how many more there are."""
    more = f"; and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return "; ".join(lines[:_SHOWN]) + more
