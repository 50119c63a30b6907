# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run: one pass over one instance. Connect, look, plan, lock, dump, publish, report.

A database that fails does not stop the others; whatever fails, nothing of it is published and earlier backups stay
as they are. Check mode makes the same plan and returns it.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any, Callable

from ..archives.envelope import Envelope
from ..engines.registry import open_engine, require_driver
from ..errors import RepositoryError
from ..hooks.one_hook import unusable
from ..hooks.run import Hooks
from ..repository import last_run, local
from ..repository.lock import lock_owner, run_lock
from ..signatures.keys import SigningKey, read_signing_key
from ..streams.pipeline import Limiter
from ..system.run_id import run_id_or_new
from ..system.stopping import stop_signals
from ..system.text import utc_now
from . import result
from .forecast import Space
from .one_database import RunContext
from .plan import make_plan
from .progress import Progress, progress_of
from .request import BackupRequest
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
    """Back up an instance and return the result as plain values; in check mode the plan, and nothing is written.

    `report` is told twice a second how far the dumps are, in the thread of the caller.

    Raises `BackupDbError` when the run cannot begin. Once it has begun it always returns, and its `status` tells:
    `ok`, `partial` (all is published, something named is missing) or `failed` (something is not published).
    """
    began, started = time.monotonic(), utc_now()
    run_id = run_id_or_new(request.run_id)
    envelope = Envelope(request.compression, request.encryption)
    envelope.check()
    signing_key = _signing_key(request)
    root = None if check_mode else local.open_repository(request.repository)
    cancel = threading.Event()
    with stop_signals(cancel) as received, open_engine(request.instance, cancel) as engine:
        found = survey(engine, request.selection, request.dump)
        if root is None:
            return _check(request, run_id, found)
        client = found.usable_client(request.instance.where())
        folder = local.make_instance_folder(root, request.host, request.instance.id)
        with run_lock(folder, run_id=run_id, timeout=request.repository_lock_timeout, cancel=cancel):
            leftovers = local.remove_leftovers(folder)
            limiter = Limiter(request.bandwidth_limit)
            hooks = Hooks(request.hooks, engine, _told_to_hooks(request, run_id, found), cancel)
            context = RunContext(
                run_id, request.host, folder, engine, client, request.dump, envelope, limiter, signing_key, hooks
            )

            def make_backups() -> dict[str, Any]:
                nonlocal found
                if hooks.results:  # a hook that ran before may have made or removed databases
                    found = survey(engine, request.selection, request.dump)
                plan = make_plan(request, found, folder, run_id)
                tasks = tasks_of(plan, context, Space(root))
                tell = (lambda: None) if report is None else lambda: report(progress_of(tasks, limiter.passed))
                carry_out(tasks, request, cancel, tell)
                retry_failed(tasks, request, cancel, tell)
                warnings = [*(f"removed {path}, left by a run that did not end well" for path in leftovers)]
                warnings += [f"stopped by {name}" for name in received]
                return result.of_run(plan, tasks, warnings=warnings, seconds=time.monotonic() - began)

            done = result.with_hooks(hooks.around(make_backups, result.told_to_hooks), hooks)
            done["warnings"] += last_run.write(
                folder,
                done,
                started=started,
                finished=utc_now(),
                present=[database.name for database in found.databases],
                faults={skipped.name: skipped.reason for skipped in found.skipped if skipped.fault},
            )
    return done


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


def _check(request: BackupRequest, run_id: str, found: Survey) -> dict[str, Any]:
    """Return the plan. What a first run of the play would bring, a repository or a client, is a warning here."""
    warnings: list[str] = []
    free: int | None = None
    folder = local.instance_path(Path(request.repository), request.host, request.instance.id)
    try:
        free = local.free_bytes(local.open_repository(request.repository))
    except RepositoryError as error:
        warnings.append(str(error))
    plan = make_plan(request, found, folder if free is not None else None, run_id)
    owner = lock_owner(folder)
    if owner:
        warnings.append(f"a run is in progress: {owner}")
    warnings += [f"hook {hook.when} {hook.per}: {reason}" for hook in request.hooks if (reason := unusable(hook))]
    if found.client is None:
        warnings.append(f"no usable dump client on this host; install {found.package_hint}")
    return result.of_plan(plan, warnings=warnings, free=free)
