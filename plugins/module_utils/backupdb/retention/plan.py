# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a prune would do with the backups of one database: read them, decide, or refuse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from ..errors import RetentionRefused
from ..repository import catalogue, last_run, layout
from ..repository.beside import NotesReader
from ..repository.catalogue import StoredBackup
from ..repository.drill_records import is_proof
from ..repository.left_out import FILTERS, is_whole
from ..repository.problems import Problems
from ..repository.removal import unfinished_removals
from ..repository.sealed import is_of_root
from .decide import KEEP, REMOVE, Candidate, Decision, RetentionPolicy, plan
from .unsent import UnsentRule, unsent_reason

_SHOWN = 3
_TOLD = ("host", "instance", "kind", "database", "backup_id", "run_id", "status", "stored_bytes", FILTERS)


@dataclass
class DatabasePlan:
    """The backups of one database (or of the accounts) and what is decided for each.

    `refused` says why none may be removed now, `error` what went wrong when they were. `unsent` has the ids of backups
    that no rule keeps and that stay because a copy has them not yet, by the name of the copy.
    """

    folder: Path
    host: str
    instance: str
    name: str
    kind: str
    backups: dict[str, StoredBackup]  # by backup id
    decisions: Sequence[Decision]
    unfinished: Sequence[Path]  # what dead removals left
    refused: str | None = None
    error: str | None = None
    warnings: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)  # backup ids
    unsent: dict[str, list[str]] = field(default_factory=dict)

    def to_remove(self) -> list[StoredBackup]:
        """Return the backups that are to go, oldest first."""
        return [self.backups[entry.backup_id] for entry in reversed(self.decisions) if entry.action == REMOVE]

    def where(self) -> str:
        """Name the database for messages."""
        return f"{self.host}/{self.instance}/{self.name}"

    def path_of(self, backup_id: str) -> str:
        """Say where one of its backups is."""
        return str(self.backups[backup_id].folder)


def plan_instance(
    folder: Path,
    policy: RetentionPolicy,
    *,
    databases: Sequence[str],
    acknowledged: Sequence[str],
    sealed: bool,
    now: datetime,
    problems: Problems,
    copies: Sequence[UnsentRule] = (),
) -> list[DatabasePlan]:
    """Plan for the databases of an instance whose names fit; `acknowledged` are names of those gone for good.

    What one of `copies` has not yet stays.
    In a `sealed` repository only what was sealed counts: otherwise whoever can add backups could have others removed.
    """
    present = _present(folder, problems)
    plans = []
    for database_folder in catalogue.database_folders(folder, problems):
        if database_folder.is_symlink():
            problems.add(f"{database_folder} is a link, does not belong in a repository and is left alone")
            continue
        if sealed and not is_of_root(database_folder):
            problems.add_unsealed(database_folder)
            continue
        problems_here = Problems()
        # What is not sealed is not even read: whoever can add backups must not keep root busy with them.
        backups = list(catalogue.backups(database_folder, problems_here, only=is_of_root if sealed else None))
        made = _plan(database_folder, backups, problems_here)
        if not catalogue.is_called(made.name, databases):
            continue
        gone = made.kind == "database" and present is not None and made.name not in present
        if gone:
            made.warnings.append(_gone_text(made, catalogue.is_called(made.name, acknowledged)))
        if gone and catalogue.is_called(made.name, acknowledged):
            _decide(made, replace(RetentionPolicy(), keep_min=policy.keep_min), problems_here, now, retired=True)
        else:
            _decide(made, policy, problems_here, now, retired=gone)
        _keep_unsent(made, copies, now)
        made.backups = {backup_id: _remembered(backup) for backup_id, backup in made.backups.items()}
        plans.append(made)
    return plans


def _plan(folder: Path, backups: Sequence[StoredBackup], problems: Problems) -> DatabasePlan:
    """Begin a plan; what is damaged alone is called as its folders are."""
    known = next((backup for backup in backups if backup.is_in_place()), None)
    return DatabasePlan(
        folder=folder,
        host=known.manifest["host"] if known else folder.parent.parent.name,
        instance=known.manifest["instance"] if known else folder.parent.name,
        name=known.name if known else folder.name,
        kind="accounts" if folder.name == layout.ACCOUNTS_FOLDER else "database",
        backups={backup.folder.name: backup for backup in backups},
        decisions=[Decision(backup.folder.name, KEEP, "nothing is removed here now") for backup in backups],
        unfinished=unfinished_removals(folder),
        warnings=problems.beside_damaged(),
    )


def _decide(made: DatabasePlan, policy: RetentionPolicy, problems: Problems, now: datetime, *, retired: bool) -> None:
    doubts = Problems()
    candidates = [candidate_of(backup, doubts) for backup in made.backups.values()]
    unsure = [*problems.damaged.values(), *_misplaced(made), *doubts.lines]
    if unsure:
        more = f"; and {len(unsure) - _SHOWN} more" if len(unsure) > _SHOWN else ""
        made.refused = (
            "not everything here can be read, so nobody can say what may go; repair it or move it away: "
            f"{'; '.join(unsure[:_SHOWN])}{more}"
        )
        return
    try:
        made.decisions = plan(policy, candidates, now=now, retired=retired)
    except RetentionRefused as error:
        made.refused = str(error)


def _remembered(backup: StoredBackup) -> StoredBackup:
    """Return a backup with what is told of it after the decision: all manifests of a repository are too many."""
    return replace(backup, manifest={key: backup.manifest[key] for key in _TOLD if key in backup.manifest})


def _keep_unsent(made: DatabasePlan, copies: Sequence[UnsentRule], now: datetime) -> None:
    """Keep what a copy has not yet, whatever the policy says."""
    going = made.to_remove()
    if not going or not copies:
        return
    candidates: list[Candidate] = []
    if any(rule.policy is not None for rule in copies):
        candidates = [candidate_of(backup, Problems()) for backup in made.backups.values()]
    for rule in copies:
        unwanted = rule.unwanted(going[0].place()[:3], candidates, now)
        lacking = [backup for backup in going if backup.folder.name not in unwanted and rule.lacks(backup)]
        made.unsent[rule.name] = [backup.folder.name for backup in lacking]
    names: dict[str, list[str]] = {}
    for copy, backup_ids in made.unsent.items():
        for backup_id in backup_ids:
            names.setdefault(backup_id, []).append(copy)
    made.decisions = [
        Decision(entry.backup_id, KEEP, unsent_reason(names[entry.backup_id])) if entry.backup_id in names else entry
        for entry in made.decisions
    ]


def candidate_of(backup: StoredBackup, doubts: Problems) -> Candidate:
    """Return what a policy has to know of a backup; what cannot be read of it is in `doubts`."""
    drill, pin = NotesReader(doubts, sealed_only=True).read(backup.folder)
    return Candidate(
        backup_id=backup.folder.name,
        time=backup.time,
        complete=backup.manifest["status"] == "complete",
        whole=is_whole(backup.manifest),
        proven=is_proof(drill),
        pinned=None if pin is None else pin.reason,
    )


def _misplaced(made: DatabasePlan) -> list[str]:
    lines = []
    for backup in made.backups.values():
        if not backup.is_in_place():
            lines.append(f"{backup.folder} holds the backup {'/'.join(backup.place())}")
        elif backup.folder.name != layout.backup_folder(backup.time, backup.manifest["run_id"]):
            lines.append(f"{backup.folder} is not called by the time and the run in its manifest")
    return lines


def _present(folder: Path, problems: Problems) -> frozenset[str] | None:
    """Return the databases that the server had at the last run; None when nobody knows.

    Only the run's own record can show it: one that merely has no newer backups may have failed ever since.
    """
    record = last_run.read(folder, problems)
    return (record.present or None) if record is not None else None


def _gone_text(made: DatabasePlan, acknowledged: bool) -> str:
    what = (
        "its backups shrink to what is always kept, as acknowledge_gone says"
        if acknowledged
        else "its backups are kept by the policy, and some of them for ever; name it in acknowledge_gone to let them go"
    )
    return f"database {made.where()} is no longer on its server: {what}"
