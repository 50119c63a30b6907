# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run: one pass over one instance. Connect, look, plan, lock, dump, publish, report.

A database that fails does not stop the others; whatever fails, nothing of it is published and earlier backups stay
as they are. Check mode takes the same steps up to the first byte that would be written, and tells how each would end.
"""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path
from typing import Any, Callable

from ..archives.envelope import Envelope
from ..engines.interface import Engine
from ..engines.registry import open_engine, require_driver
from ..engines.values import Client
from ..hooks.run import Hooks, look_at_hooks
from ..repository import last_run, local
from ..repository.lock import check_lock, run_lock
from ..signatures.keys import SigningKey, read_signing_key
from ..streams.pipeline import Limiter
from ..system.memory import keep_memory_small
from ..system.run_id import run_id_or_new
from ..system.stopping import stop_signals
from ..system.text import utc_now
from . import result
from .gate import Gate
from .one_database import RunContext
from .plan import make_plan
from .progress import Progress, progress_of
from .rehearsal import Stage, rehearse
from .request import BackupRequest
from .space import Space
from .survey import Survey, survey
from .workers import carry_out, retry_failed, tasks_of


def check(request: BackupRequest) -> None:
    """Find out what needs no server: raises for a bad recipient or key, and `RequirementMissing` for a library."""
    Envelope(request.compression, request.encryption).check()
    _signing_key(request)
    require_driver(request.instance)


def run(
    request: BackupRequest, *, check_mode: bool = False, report: Callable[[Progress], None] | None = None
) -> dict[str, Any]:
    """Back up an instance and return the result as plain values; in check mode what would come of it, and no byte more.

    `report` is told twice a second how far the dumps are, in the thread of the caller.

    Raises `BackupDbError` when the run cannot begin. Once it has begun it always returns, and its `status` tells:
    `ok`, `partial` (all is published, something named is missing) or `failed` (something is not published). In check
    mode it is `planned`, `partial` or `failed`, and what would keep the run from beginning is in the result as well.
    """
    began, started = time.monotonic(), utc_now()
    keep_memory_small()
    run_id = run_id_or_new(request.run_id)
    envelope = Envelope(request.compression, request.encryption)
    envelope.check()
    signing_key = _signing_key(request)
    gate = Gate(only_looking=check_mode)
    root: Path | None = None
    with gate.passing():
        root = local.open_repository(request.repository)
    cancel = threading.Event()
    with stop_signals(cancel) as received, open_engine(request.instance, cancel) as engine:
        found = survey(engine, request.selection, request.dump)
        client: Client | None = None
        with gate.passing():
            client = found.usable_client(request.instance.where())
        if check_mode or client is None or root is None:  # the last two are for the type checker: the gate has raised
            return _check(request, run_id, engine, found, root, gate)
        folder = local.make_instance_folder(root, request.host, request.instance.id)
        with run_lock(folder, run_id=run_id, timeout=request.repository_lock_timeout, cancel=cancel):
            leftovers = local.remove_leftovers(folder)
            limiter = Limiter(request.bandwidth_limit)
            hooks = Hooks(request.hooks, engine, _told_to_hooks(request, run_id, found), cancel)
            context = RunContext(
                run_id, request.host, folder, engine, client, request.dump, envelope, limiter, signing_key, hooks
            )
            work = partial(_make_backups, request, context, found, root, cancel, report, began)
            seen, done = hooks.around(work, lambda made: result.told_to_hooks(made[1]))
            warnings = [f"removed {path}, left by a run that did not end well" for path in leftovers]
            warnings += [f"stopped by {name}" for name in received]
            done = result.with_hooks(done, hooks, warnings=warnings)
            done["warnings"] += last_run.write(
                folder,
                done,
                started=started,
                finished=utc_now(),
                present=[database.name for database in seen.databases],
                faults={skipped.name: skipped.reason for skipped in seen.skipped if skipped.fault},
                skipped={skipped.name: skipped.reason for skipped in seen.skipped if not skipped.fault},
            )
    return done


def _make_backups(
    request: BackupRequest,
    context: RunContext,
    found: Survey,
    root: Path,
    cancel: threading.Event,
    report: Callable[[Progress], None] | None,
    began: float,
) -> tuple[Survey, dict[str, Any]]:
    """Make all backups; returns what they were planned by, and the result without what comes after them."""
    if context.hooks.results:  # a hook that ran before may have made or removed databases
        found = survey(context.engine, request.selection, request.dump)
    plan = make_plan(request, found, context.folder, context.run_id, empty_bytes=context.engine.EMPTY_BYTES)
    tasks = tasks_of(plan, context, Space(root, cancel))
    free = _free(root)  # before anything is written
    tell = (lambda: None) if report is None else lambda: report(progress_of(tasks, context.limiter.passed))
    carry_out(tasks, request, cancel, tell)
    retry_failed(tasks, request, cancel, tell)
    return found, result.of_run(plan, tasks, free=free, seconds=time.monotonic() - began)


def _told_to_hooks(request: BackupRequest, run_id: str, found: Survey) -> dict[str, str]:
    return {
        "RUN_ID": run_id,
        "HOST": request.host,
        "INSTANCE": request.instance.id,
        "ENGINE": found.facts.vendor,
        "REPOSITORY": request.repository,
    }


def _signing_key(request: BackupRequest) -> SigningKey | None:
    return None if request.signing_key is None else read_signing_key(request.signing_key)


def _check(
    request: BackupRequest, run_id: str, engine: Engine, found: Survey, root: Path | None, gate: Gate
) -> dict[str, Any]:
    """Return what a run would do, and what would become of each backup."""
    warnings: list[str] = []
    folder = None if root is None else local.instance_path(root, request.host, request.instance.id)
    if root is not None and folder is not None:
        with gate.passing():
            local.check_instance_folder(root, request.host, request.instance.id)
            owner = check_lock(folder, timeout=request.repository_lock_timeout)
            warnings += [f"a run is in progress, whose end would be waited for: {owner}"] if owner else []
    with gate.passing():
        warnings += look_at_hooks(request.hooks)
    plan = make_plan(request, found, folder, run_id, empty_bytes=engine.EMPTY_BYTES)
    foreseen = rehearse(plan, Stage(engine, found.client, root, folder, gate.faults))
    return result.of_plan(plan, foreseen, gate.faults, warnings=warnings, free=_free(root))


def _free(root: Path | None) -> int | None:
    space = None if root is None else local.space_of(root)
    return None if space is None else space[0]
