# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making the backups of a plan, several at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Callable

from ..system.parallel import TaskResult, Tasks
from .one_database import CompletedBackup, RunContext, back_up_accounts, back_up_database, require_rights
from .plan import BackupPlan, PlannedBackup
from .request import BackupRequest
from .space import Space
from .survey import Survey, missing_rights

_WAIT = 0.5  # seconds between looks for a signal
_PATIENCE = 30.0  # seconds that databases get to stop in good order


@dataclass
class Task:
    """One backup in the making."""

    planned: PlannedBackup
    work: Callable[[Callable[[bool], None]], CompletedBackup]  # tells whether it waits for space
    waiting: bool = False
    began: float | None = None  # by time.monotonic(), as `ended`
    ended: float | None = None
    result: TaskResult[CompletedBackup] | None = None  # None: it was left behind

    @property
    def seconds(self) -> float:
        """How long it took; 0 for one that has not ended."""
        return self.ended - self.began if self.began is not None and self.ended is not None else 0.0


def tasks_of(plan: BackupPlan, context: RunContext, space: Space) -> list[Task]:
    """Return what there is to do, in the order of the plan."""
    return [Task(planned, partial(_make, context, planned, plan.found, space)) for planned in plan.to_make]


def carry_out(
    tasks: Sequence[Task], request: BackupRequest, cancel: threading.Event, tell: Callable[[], None]
) -> Sequence[Task]:
    """Do the tasks, `workers` at once, and return them with their results; `tell` is called meanwhile.

    A task that does not heed the order to stop is left behind. So is one that does not end when its own time is up,
    because the server or the disk no longer answers, as soon as the others have ended.
    """
    running = Tasks([partial(_timed, task) for task in tasks], at_once=request.worker_count(), name="worker")
    give_up: float | None = None
    while tasks and not running.wait(_WAIT):
        tell()
        if not cancel.is_set():
            if _stuck(tasks, request):
                break
            continue
        give_up = give_up or time.monotonic() + _PATIENCE
        if time.monotonic() > give_up:
            break
    for task, found in zip(tasks, running.results()):
        task.result = found
    return tasks


def _make(
    context: RunContext, planned: PlannedBackup, found: Survey, space: Space, waiting: Callable[[bool], None]
) -> CompletedBackup:
    if planned.database is None:
        with space.promise(planned.forecast, waiting):
            return back_up_accounts(context)
    database = planned.database
    missing = missing_rights(context.engine, found, database, context.options)
    require_rights(missing)
    with space.promise(planned.forecast, waiting):
        return back_up_database(context, database, missing)


def _timed(task: Task) -> CompletedBackup:
    def waiting(for_space: bool) -> None:
        if task.waiting and not for_space:
            task.began = time.monotonic()  # its own time begins now
        task.waiting = for_space

    task.began = time.monotonic()
    try:
        return task.work(waiting)
    finally:
        task.ended = time.monotonic()


def _stuck(tasks: Sequence[Task], request: BackupRequest) -> bool:
    """Tell whether nothing goes on any more: whatever has begun should have ended long ago."""
    if not request.dump.timeout:
        return False
    late = time.monotonic() - request.dump.timeout - _PATIENCE
    in_progress = [task.began for task in tasks if task.began is not None and task.ended is None and not task.waiting]
    waiting = sum(task.began is None for task in tasks)
    stuck = sum(began < late for began in in_progress)
    return stuck == len(in_progress) and (stuck == request.worker_count() or (stuck > 0 and not waiting))
