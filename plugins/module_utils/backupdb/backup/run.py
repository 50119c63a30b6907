# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run: one pass over one instance. Connect, look, select, lock, dump, publish, report.

A database that fails does not stop the others; whatever fails, nothing of it is published and earlier backups stay
as they are.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, Callable

from ..archives.envelope import Envelope
from ..connection.server import Server
from ..engines.interface import Database
from ..engines.registry import open_server, require_driver
from ..repository import last_run, local
from ..repository.lock import run_lock
from ..streams.pipeline import Limiter
from ..system.parallel import Outcome, Tasks
from ..system.run_id import run_id_or_new
from ..system.stopping import stop_signals
from ..system.text import utc_now
from . import plan, result
from .forecast import Space, forecast
from .one_database import Done, Job, back_up_accounts, back_up_database
from .previous import Past, fresh_reason, gone, look_back, new
from .progress import Progress, progress_of
from .request import BackupRequest
from .survey import Survey, survey
from .task import Task

_WAIT = 0.5  # seconds between looks for a signal
_PATIENCE = 30.0  # seconds that databases get to stop in good order


def check(request: BackupRequest) -> None:
    """Find out what needs no server: raises for a bad recipient, and `RequirementMissing` for a missing library."""
    Envelope(request.compression, request.encryption).check()
    require_driver(request.instance)


def run(
    request: BackupRequest, *, check_mode: bool = False, report: Callable[[Progress], None] | None = None
) -> dict[str, Any]:
    """Back up an instance and return the result as plain values; in check mode the plan, and nothing is written.

    `report` is told twice a second how far the dumps are, in the thread of the caller.

    Raises `BackupDbError` when the run cannot begin. Once it has begun it always returns, and its `status` tells:
    `ok`, `partial` (all is published, something named is missing) or `failed` (something is not published).
    """
    began, started = time.monotonic(), utc_now()
    run_id = run_id_or_new(request.run_id)
    envelope = Envelope(request.compression, request.encryption)
    envelope.check()
    if check_mode:
        return plan.make(request, run_id)
    root = local.open_repository(request.repository)
    cancel = threading.Event()
    with stop_signals(cancel) as received, open_server(request.instance, cancel) as (engine, server):
        found = survey(engine, server, request.selection, request.dump)
        client = found.usable_client(request.instance.where())
        folder = local.make_instance_folder(root, request.host, request.instance.id)
        with run_lock(folder, run_id=run_id, timeout=request.repository_lock_timeout, cancel=cancel):
            leftovers = local.remove_leftovers(folder)
            past = look_back(folder, found)
            job = Job(
                run_id=run_id,
                host=request.host,
                folder=folder,
                engine=engine,
                server=server,
                facts=found.facts,
                client=client,
                options=request.dump,
                envelope=envelope,
                limiter=Limiter(request.bandwidth_limit),
            )
            tasks, fresh = _tasks(request, job, found, past, Space(root))
            tell = partial(_tell, report, tasks, job.limiter)
            outcomes = _carry_out(tasks, request, server, tell)
            done = result.of_run(
                request,
                run_id=run_id,
                found=found,
                tasks=tasks,
                fresh=fresh,
                outcomes=outcomes,
                warnings=[
                    *past.problems,
                    *(f"removed {path}, left by a run that did not end well" for path in leftovers),
                    *(f"stopped by {name}" for name in received),
                ],
                gone=gone(past, found),
                new=new(past, found),
                seconds=time.monotonic() - began,
            )
            done["warnings"] += last_run.write(
                folder,
                done,
                started=started,
                finished=utc_now(),
                present=[database.name for database in found.databases],
                faults={skipped.name: skipped.reason for skipped in found.skipped if skipped.fault},
            )
    return done


def _tasks(
    request: BackupRequest, job: Job, found: Survey, past: Past, space: Space
) -> tuple[list[Task], dict[str | None, str]]:
    """Return what there is to do, accounts first, and what is fresh enough with the reason."""
    tasks: list[Task] = []
    fresh: dict[str | None, str] = {}
    wanted: list[Database | None] = [*([None] if request.accounts else []), *found.selected]
    for database in wanted:
        name = database.name if database is not None else None
        last = past.newest.get(name)
        reason = fresh_reason(request, last)
        if reason is not None:
            fresh[name] = reason
        elif database is None:
            tasks.append(Task(None, partial(back_up_accounts, job), last))
        else:
            work = partial(_within_space, job, database, found, space, forecast(database, last))
            tasks.append(Task(name, work, last))
    return tasks, fresh


def _within_space(job: Job, database: Database, found: Survey, space: Space, needed: int | None) -> Done:
    with space.promise(needed):
        return back_up_database(job, database, found.missing_for(database))


def _tell(report: Callable[[Progress], None] | None, tasks: Sequence[Task], limiter: Limiter) -> None:
    if report is not None:
        report(progress_of(tasks, limiter.passed))


def _carry_out(
    tasks: Sequence[Task], request: BackupRequest, server: Server, tell: Callable[[], None]
) -> list[Outcome[Done] | None]:
    """Do the tasks, `workers` at once. A task that does not heed the order to stop is left behind: None.

    So is one that does not end when its own time is up, because the server or the disk no longer answers, as soon as
    the others have ended.
    """

    def timed(task: Task) -> Done:
        task.began = time.monotonic()
        try:
            return task.work()
        finally:
            task.ended = time.monotonic()

    running = Tasks([partial(timed, task) for task in tasks], at_once=request.worker_count(), name="worker")
    give_up: float | None = None
    while tasks and not running.wait(_WAIT):
        tell()
        if not server.cancel.is_set():
            if _stuck(tasks, request):
                break
            continue
        give_up = give_up or time.monotonic() + _PATIENCE
        if time.monotonic() > give_up:
            break
    return running.outcomes()


def _stuck(tasks: Sequence[Task], request: BackupRequest) -> bool:
    """Tell whether nothing goes on any more: whatever has begun should have ended long ago."""
    if not request.dump.timeout:
        return False
    late = time.monotonic() - request.dump.timeout - _PATIENCE
    under_way = [task.began for task in tasks if task.began is not None and task.ended is None]
    waiting = sum(task.began is None for task in tasks)
    stuck = sum(began < late for began in under_way)
    return stuck == len(under_way) and (stuck == request.worker_count() or (stuck > 0 and not waiting))
