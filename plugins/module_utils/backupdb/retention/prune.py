# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The prune: remove the backups that a policy does not keep, one instance after the other.

It holds an instance alone while it reads, decides and removes, so neither a run nor a reader meets a backup that
goes. A database whose backups are in doubt keeps all of them and stops no other.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import BackupDbError, InvalidOption, LockBusy, RepositoryError
from ..repository import local
from ..repository.files import storage_errors
from ..repository.lock import removal_lock
from ..repository.problems import Problems
from ..repository.removal import left_text, remove_files, take_name, unfinished_removals
from ..repository.sealed import ROOT, is_of_root, is_sealed
from ..system.files import is_folder
from ..system.parallel import error_of, result_of
from ..system.run_id import run_id_or_new
from ..system.stopping import stop_signals
from ..system.text import utc_now
from . import result as prune_result
from .decide import RetentionPolicy
from .plan import DatabasePlan, plan_instance
from .unsent import UnsentRule, refuse_too_much, unsent_warnings

_SHOWN = 3


@dataclass(frozen=True)
class PruneRequest:
    """What to prune by which policy. Without `host` and `instance` it is the whole repository; these are exact names.

    `databases` are names or patterns, `@accounts` for the accounts. `acknowledge_gone` are names or patterns of
    databases that may shrink to what is always kept when their server no longer has them.
    `repository_lock_timeout` is seconds to wait for whoever uses an instance's backups. What one of `copies` has not
    yet stays.
    """

    repository: str
    policy: RetentionPolicy
    host: str | None = None
    instance: str | None = None
    databases: tuple[str, ...] = ("*",)
    acknowledge_gone: tuple[str, ...] = ()
    repository_lock_timeout: float = 0.0
    run_id: str | None = None
    copies: tuple[UnsentRule, ...] = ()

    def __post_init__(self) -> None:
        if not Path(self.repository).is_absolute():
            raise InvalidOption(f"repository {self.repository!r} must be an absolute path")


def run(request: PruneRequest, *, check_mode: bool = False) -> dict[str, Any]:
    """Prune and return what was decided for each backup, as plain values; in check mode nothing is removed.

    `status` is `ok`, `planned`, `partial` (something could not be pruned), `failed` (nothing could) or `busy` (only
    because of others who use it). Raises `RepositoryError` where there is no repository that can be used, and
    `RetentionRefused`, with nothing removed, where more waits for a copy than may.
    """
    run_id = run_id_or_new(request.run_id)
    root = Path(request.repository)
    if not check_mode:
        local.open_repository(request.repository)
    elif not is_folder(root):
        raise RepositoryError(f"repository {root} is not there, or is no folder; mount it, or check the path")
    sealed = is_sealed(root)
    if sealed and not check_mode and os.geteuid() != ROOT:
        raise RepositoryError(f"repository {root} is sealed, so that only root removes backups; let root prune it")
    check_unsent([request])
    problems = Problems()
    plans: list[DatabasePlan] = []
    busy: list[str] = []
    cancel = threading.Event()
    with stop_signals(cancel) as received:
        with storage_errors(root, "reading the repository"):
            folders = local.instance_folders(root, request.host, request.instance)
        for folder in folders:
            if cancel.is_set():
                break
            if sealed and not (is_of_root(folder.parent) and is_of_root(folder)):
                problems.add_unsealed(folder)
                continue
            try:
                plans += _instance(folder, request, run_id, cancel, problems, sealed=sealed, check_mode=check_mode)
            except LockBusy as error:
                busy.append(str(error))
            except (BackupDbError, OSError) as error:
                problems.add_damaged(folder, str(error_of(error)))
    problems.lines += unsent_warnings(_waiting(plans))
    stopped = [f"stopped by {name}" for name in received]
    return prune_result.of(
        plans,
        run_id=run_id,
        check_mode=check_mode,
        problems=problems,
        busy=busy,
        stopped=stopped,
        where=request.repository,
    )


def check_unsent(requests: Sequence[PruneRequest]) -> None:
    """Raise `RetentionRefused` when more waits for a copy than may, over all that these requests would prune.

    It only looks, without a lock. What cannot be looked at is told when it is pruned.
    """
    rules = {rule.name: rule for request in requests for rule in request.copies if rule.keep_unsent_max is not None}
    if not rules:
        return
    plans: list[DatabasePlan] = []
    for request in requests:
        root = Path(request.repository)
        with suppress(BackupDbError, OSError):
            sealed = is_sealed(root)
            for folder in local.instance_folders(root, request.host, request.instance):
                if not sealed or (is_of_root(folder.parent) and is_of_root(folder)):
                    plans += result_of(partial(_planned, folder, request, Problems(), sealed=sealed)).value or ()
    refuse_too_much(rules.values(), _waiting(plans))


def _waiting(plans: Sequence[DatabasePlan]) -> dict[str, list[int]]:
    """Return the sizes of the backups that stay for a copy, by its name."""
    waiting: dict[str, list[int]] = {}
    for plan in plans:
        for copy, backup_ids in plan.unsent.items():
            sizes = [plan.backups[backup_id].manifest["stored_bytes"] for backup_id in backup_ids]
            waiting.setdefault(copy, []).extend(sizes)
    return waiting


def _instance(
    folder: Path,
    request: PruneRequest,
    run_id: str,
    cancel: threading.Event,
    problems: Problems,
    *,
    sealed: bool,
    check_mode: bool,
) -> Sequence[DatabasePlan]:
    if check_mode:
        return _planned(folder, request, problems, sealed=sealed)
    with removal_lock(folder, run_id=run_id, timeout=request.repository_lock_timeout, cancel=cancel):
        plans = _planned(folder, request, problems, sealed=sealed)
        for plan in plans:
            _carry_out(plan, cancel)
    return plans


def _planned(folder: Path, request: PruneRequest, problems: Problems, *, sealed: bool) -> list[DatabasePlan]:
    return plan_instance(
        folder,
        request.policy,
        databases=request.databases,
        acknowledged=request.acknowledge_gone,
        sealed=sealed,
        now=utc_now(),
        problems=problems,
        copies=request.copies,
    )


def _carry_out(plan: DatabasePlan, cancel: threading.Event) -> None:
    """Remove what is to go, oldest first. One that cannot be removed is noted and stops no other.

    All lose their names before the files of the first are removed: the disk has to confirm them once, not each one.
    """
    faults = remove_files(plan.folder, plan.unfinished, cancel)
    removing = []
    for backup in plan.to_remove():
        if cancel.is_set():
            break
        taken = result_of(partial(take_name, backup.folder))
        if taken.value is None:
            faults.append(str(taken.error))
        else:
            plan.removed.append(backup.folder.name)
            removing.append(taken.value)
    faults += remove_files(plan.folder, removing, cancel)
    left = unfinished_removals(plan.folder) if cancel.is_set() else ()
    if left:
        plan.warnings.append(f"{plan.where()}: {left_text(left)}")
    faults = list(dict.fromkeys(faults))
    more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    plan.error = "; ".join(faults[:_SHOWN]) + more or None
