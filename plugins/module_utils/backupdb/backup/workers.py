# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making the backups of a plan, several at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Callable

from ..engines.values import Database
from ..errors import Interrupted, Postponed, PrivilegeMissing, RunTimeout
from ..hooks.values import RUN
from ..repository.left_out import without
from ..system.parallel import TaskResult, Tasks
from ..system.text import clock_time
from .one_database import CompletedBackup, RunContext, back_up_accounts, back_up_database, require_rights
from .plan import BackupPlan, PlannedBackup
from .request import BackupRequest
from .space import Space
from .survey import Survey, missing_rights

_WAIT = 0.5  # seconds between looks for a signal
_PATIENCE = 30.0  # seconds that databases get to stop in good order
_NOT_AGAIN = (Interrupted, Postponed, PrivilegeMissing, RunTimeout)  # what fails for these would only fail again


@dataclass
class Task:
    """One backup in the making."""

    planned: PlannedBackup
    work: Callable[[Callable[[bool], None], Callable[[], None]], CompletedBackup]  # tells that it waits, or has dumped
    waiting: bool = False
    began: float | None = None  # by time.monotonic(), as `ended`
    ended: float | None = None
    result: TaskResult[CompletedBackup] | None = None  # None: it was left behind
    first_error: str | None = None  # of the first attempt, where this is the second

    @property
    def seconds(self) -> float:
        """How long it took; 0 for one that has not ended."""
        return self.ended - self.began if self.began is not None and self.ended is not None else 0.0


class Slots:
    """So many tasks at once as the server is to serve."""

    def __init__(self, count: int, cancel: threading.Event) -> None:
        self._free = threading.Semaphore(count)
        self._cancel = cancel

    @contextmanager
    def taken(self) -> Iterator[Callable[[], None]]:
        """Hold a slot, and lend what gives it back before the end of the block; raises `Interrupted` while waiting."""
        while not self._free.acquire(timeout=_WAIT):
            if self._cancel.is_set():
                raise Interrupted("the run was asked to stop")
        with ExitStack() as slot:
            slot.callback(self._free.release)
            yield slot.close


def tasks_of(plan: BackupPlan, context: RunContext, space: Space) -> list[Task]:
    """Return what there is to do, in the order of the plan."""
    return [
        Task(planned, partial(_make, context, planned, plan.found, space, plan.request.begin_until))
        for planned in plan.to_make
    ]


def carry_out(
    tasks: Sequence[Task], request: BackupRequest, cancel: threading.Event, tell: Callable[[], None]
) -> Sequence[Task]:
    """Do the tasks and return them with their results; `tell` is called meanwhile.

    No more than `workers` of them have to do with the server at once.

    A task that does not heed the order to stop is left behind. So is one that does not end when its own time is up,
    because the server or the disk no longer answers, as soon as the others have ended.
    """
    slots = Slots(request.worker_count(), cancel)
    # What waits for the disk needs no server: the next ones begin meanwhile. Hooks count on one being over before.
    strictly = any(hook.per != RUN for hook in request.hooks)
    at_once = request.worker_count() * (1 if strictly else 2)
    running = Tasks([partial(_timed, task, slots) for task in tasks], at_once=at_once, name="worker")
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


def retry_failed(
    tasks: Sequence[Task], request: BackupRequest, cancel: threading.Event, tell: Callable[[], None]
) -> None:
    """Try once more what failed, after the pause that was asked for: a migration or a restart may be over by then."""
    failed = [task for task in tasks if _failed_for_now(task)]
    if request.retry_after is None or not failed or cancel.wait(request.retry_after):
        return
    for task in failed:
        task.first_error = str(task.result.error) if task.result is not None else None
        task.began = task.ended = task.result = None
    carry_out(failed, request, cancel, tell)


def _failed_for_now(task: Task) -> bool:
    """Tell whether a task ended with an error that may pass by itself; one that was left behind is still at work."""
    error = task.result.error if task.result is not None else None
    return error is not None and not isinstance(error, _NOT_AGAIN)


def _make(
    context: RunContext,
    planned: PlannedBackup,
    found: Survey,
    space: Space,
    begin_until: float | None,
    waiting: Callable[[bool], None],
    dumped: Callable[[], None],
) -> CompletedBackup:
    if begin_until is not None and time.time() >= begin_until:
        raise Postponed(
            f"not begun, because from {clock_time(begin_until)} on none may begin; earlier backups are kept"
        )
    if planned.database is None:
        with space.promise(planned.forecast, waiting):
            return back_up_accounts(context)
    work = partial(_make_database, context, planned, planned.database, found, space, waiting, dumped)
    return context.hooks.around(work, _told_to_hooks, planned.database.name)


def _make_database(
    context: RunContext,
    planned: PlannedBackup,
    database: Database,
    found: Survey,
    space: Space,
    waiting: Callable[[bool], None],
    dumped: Callable[[], None],
) -> CompletedBackup:
    missing = missing_rights(context.engine, found, database, context.options)
    require_rights(missing)
    with space.promise(planned.forecast, waiting):
        return back_up_database(context, database, missing, dumped)


def _told_to_hooks(done: CompletedBackup) -> dict[str, str]:
    said = without(done.manifest)
    return {
        "STATUS": str(done.manifest["status"]),
        "BACKUP": str(done.published.folder),
        **({"WITHOUT": said} if said else {}),
    }


def _timed(task: Task, slots: Slots) -> CompletedBackup:
    def waiting(for_space: bool) -> None:
        if task.waiting and not for_space:
            task.began = time.monotonic()  # its own time begins now
        task.waiting = for_space

    with slots.taken() as give_back:
        task.began = time.monotonic()
        try:
            return task.work(waiting, give_back)
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
    return stuck == len(in_progress) and (stuck >= request.worker_count() or (stuck > 0 and not waiting))
