# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The restore: one backup of a database into one server. Find, look, refuse or make, load, compare, put in place.

What fails leaves an existing database as it was for as long as that is possible, and always says what is in place.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable

from ..archives.keys import load_identities
from ..backup.request import BackupRequest, Selection
from ..backup.run import run as back_up
from ..engines.registry import open_engine, require_driver
from ..engines.values import DumpOptions
from ..errors import BackupDbError, ConnectionFailed, RestoreFailed, RestoreRefused, RestoreUnknown
from ..repository.best_place import find_best
from ..repository.find import SelectedBackup
from ..repository.lock import readers_lock
from ..repository.place import find_in_place
from ..signatures.check import check_backup
from ..streams.compression import Compression
from ..streams.meter import Meter
from ..streams.pipeline import Limits
from ..system.acting_as import files_of_owner
from ..system.parallel import error_of
from ..system.stopping import stop_signals
from . import result as restore_result
from .compare import compare_restored
from .masking import mask, masked_backup, request_for_masked
from .plan import RestorePlan, make_plan
from .request import RestoreRequest
from .result import RestoreState
from .safety import safety_encryption
from .work import Work


def check(request: RestoreRequest) -> None:
    """Find out what needs no server: raises for keys that cannot be used, and `RequirementMissing` for a library."""
    load_identities(request.keys)
    require_driver(request.instance)


def run(
    request: RestoreRequest, *, check_mode: bool = False, report: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """Restore one database and return the result as plain values; in check mode the plan, and nothing is changed.

    `report` is told now and then, in a line, how far the loading is.

    Raises `BackupDbError` when the restore cannot begin; nothing was changed then. Once it has begun it always
    returns, and its `status` tells: `restored`, `restored_with_errors` (it is there, something named is not), or
    `failed`.
    """
    cancel = threading.Event()
    with (
        stop_signals(cancel) as received,
        _found(request, cancel) as found,
    ):
        return restore_found(request, found, cancel, check_mode=check_mode, received=received, report=report)


def _found(request: RestoreRequest, cancel: threading.Event) -> AbstractContextManager[SelectedBackup]:
    if request.copies:
        return find_best(request.repository, request.copies, request.wanted, cancel)
    return find_in_place(request.repository, request.copy, request.wanted, cancel)


def restore_found(
    request: RestoreRequest,
    found: SelectedBackup,
    cancel: threading.Event,
    *,
    check_mode: bool = False,
    received: Sequence[str] = (),
    report: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Do the same with a backup that was found already, for a caller who looks after signals and sets `cancel`.

    `received` are the names of the signals that came, by the time the work ends.
    """
    began = time.monotonic()
    identities = load_identities(request.keys)
    with (
        readers_lock(None if check_mode else found.backup.instance_folder) as unlocked,
        nullcontext(check_backup(found.backup, request.signed_by, cancel)) as signature,
        open_engine(request.instance, cancel) as engine,
    ):
        plan = make_plan(request, found.backup, identities, engine)
        state = RestoreState(signature=signature, warnings=[*found.warnings, *unlocked, *plan.warnings])
        if check_mode:
            return restore_result.of_plan(request, plan, state)
        client, inspection_client = plan.usable_clients()
        limits = Limits.within(request.options.timeout, cancel)
        meter = _meter_of(plan, report, swaps=engine.SWAPS)
        with limits.watched():
            work = Work(
                request=request,
                plan=replace(plan, sources=[source.counted(meter.count) for source in plan.sources]),
                meter=meter,
                engine=engine.using(engine.server.stopped_by(limits.abort)),
                cleaning=engine.using(engine.server.stopped_by(threading.Event())),
                client=client,
                inspection_client=inspection_client,
                limits=limits,
                state=state,
            )
            _carry_out(work)
        state.warnings += [f"stopped by {name}" for name in received]
    return restore_result.of_run(request, plan, state, seconds=time.monotonic() - began)


def _meter_of(plan: RestorePlan, report: Callable[[str], None] | None, *, swaps: bool) -> Meter:
    """Make the meter of all that will be read: where databases cannot be renamed, it is loaded a second time."""
    meter = Meter(report)
    loads = 2 if plan.scratch is not None and not swaps else 1
    meter.expect(loads * sum(source.plain_bytes for source in plan.sources))
    return meter


def _carry_out(work: Work) -> None:
    """Do the work; what goes wrong is in the state, and what was half made is gone."""
    state = work.state
    try:
        if work.plan.safety_backup:
            state.safety_backup = _back_up_existing(work)
        if work.request.options.data_only:
            _load_into_existing(work)
        elif work.plan.scratch is None:
            _make(work, work.plan.target)
            state.in_place = f"{work.plan.target!r} is there"
        else:
            _replace(work, work.plan.scratch)
    except Exception as error:  # noqa: BLE001  what is in place now must be told, whatever it is
        state.error = error_of(error)
    finally:
        _clear_up(work)


def _back_up_existing(work: Work) -> str:
    """Back up the database that would be changed; raises `RestoreFailed` unless the backup is whole."""
    request, target = work.request, work.plan.target
    safety = BackupRequest(
        instance=request.safety_instance(),
        selection=Selection(include=(target,), exclude=_others(work)),
        dump=DumpOptions(timeout=request.options.timeout),
        encryption=safety_encryption(request),
        compression=Compression(),
        repository=str(request.safety_repository()),
        host=request.safety.host,
        accounts=False,
    )
    # Root restores into a repository of the backup user too: its jobs must be able to read and remove what is made.
    with files_of_owner(Path(safety.repository)):
        result = back_up(safety)
    if result["status"] != "ok":
        raise RestoreFailed(
            f"the safety backup of {target!r} is not whole: {result['message']}. Mend that, or set safety_backup to "
            "false to go without"
        )
    return str(result["databases"][0]["path"])


def _others(work: Work) -> tuple[str, ...]:
    """Name the databases that the target's name, taken as a pattern, would match as well."""
    databases = work.engine.databases()
    return tuple(one.name for one in databases if one.name != work.plan.target)


def _load_into_existing(work: Work) -> None:
    target = work.plan.target
    work.state.in_place = f"rows may have been loaded into {target!r}{_safety_text(work)}"
    work.state.changed = True
    _load(work, target)
    _compare(work, target)
    work.state.in_place = f"the rows are in {target!r}"


def _make(work: Work, name: str) -> None:
    """Make a database under a name that was free, whole and compared."""
    _create(work, name)
    _load(work, name)
    _refuse_references(work, name)
    work.state.warnings += work.engine.finish_database(name, work.plan.backup.manifest, work.options)
    _compare(work, name)
    work.state.half_made = None


def _create(work: Work, name: str) -> None:
    work.limits.check()
    try:
        work.state.warnings += work.engine.create_database(name, work.plan.backup.manifest, work.options)
    except ConnectionFailed:
        work.state.add_in_place(f"the server may have made an empty database {name!r}: if it is there, drop it")
        raise
    work.state.half_made = name
    work.state.changed = True


def _load(work: Work, name: str) -> None:
    work.meter.begin(f"{work.plan.backup.database} is loaded as {name}")
    with work.state.timed("decrypt_and_load"):
        report = work.engine.load(
            work.client,
            name,
            work.plan.sources,
            work.plan.backup.manifest,
            work.options,
            work.limits,
        )
    work.state.errors = list(report.errors)
    work.state.warnings += report.warnings


def _compare(work: Work, name: str) -> None:
    work.meter.begin(f"{name} is compared")
    with work.state.timed("compare"):
        work.state.comparison = compare_restored(
            work.engine,
            work.inspection_client,
            name,
            work.plan.backup.manifest,
            work.request.options,
        )


def _refuse_references(work: Work, name: str) -> None:
    """Beside its original, what names the original's database would write into that one."""
    original = str(work.plan.backup.database)
    if work.plan.target == original:
        return
    found = work.engine.qualified_references(name, original)
    if not found:
        return
    text = f"the bodies of {', '.join(found)} name the database {original!r} and would work there"
    if not work.request.options.allow_qualified_references:
        raise RestoreRefused(f"{text}; set allow_qualified_references if that is right, or restore as {original!r}")
    work.state.warnings.append(text)


def _replace(work: Work, scratch: str) -> None:
    """Make it whole beside the existing database, and only then let it take its place."""
    target, state = work.plan.target, work.state
    state.in_place = f"{target!r} is as it was" if work.plan.exists else ""
    _make(work, scratch)
    state.half_made = scratch
    if not state.is_clean() and not work.request.accept_errors:
        raise RestoreFailed(f"{scratch!r} did not take the place of {target!r}, because {state.faults()}")
    if work.request.masking:
        with state.timed("mask"):
            mask(work, scratch)
    if work.engine.SWAPS:
        _swap(work, scratch) if work.plan.exists else _rename(work, scratch)
    elif work.request.masking:
        _load_masked(work, scratch)
    else:
        _load_again(work, scratch)


def _swap(work: Work, scratch: str) -> None:
    target, state = work.plan.target, work.state
    try:
        kept = work.engine.swap(scratch, target)
    except RestoreUnknown:
        state.half_made = None  # it may be the database that is in place by now
        state.in_place = f"whether {target!r} is the restored database or the one before it is not known"
        raise
    state.half_made = None
    state.in_place = f"{target!r} is the restored database, the one before it is {kept!r}"
    state.kept_as = kept
    if not work.request.keep_replaced:
        work.engine.drop_database(kept)
        state.kept_as = None
        state.in_place = f"{target!r} is the restored database"


def _rename(work: Work, scratch: str) -> None:
    work.engine.rename_database(scratch, work.plan.target)
    work.state.half_made = None
    work.state.in_place = f"{work.plan.target!r} is there"


def _load_masked(work: Work, scratch: str) -> None:
    """Where databases cannot be renamed: the masked one is backed up, and that is loaded under the real name."""
    state = work.state
    errors, comparison = state.errors, state.comparison
    with masked_backup(work, scratch) as (backup, sources):
        plan = replace(work.plan, backup=backup, sources=[source.counted(work.meter.count) for source in sources])
        _load_again(replace(work, plan=plan, request=request_for_masked(work.request)), scratch)
    if state.comparison.equal:  # with what was masked; that of the backup itself is what is told
        state.comparison = comparison
    state.errors = [*errors, *state.errors]


def _load_again(work: Work, scratch: str) -> None:
    """Where databases cannot be renamed: what was proven under the scratch name is loaded under the real one."""
    target, state = work.plan.target, work.state
    work.limits.check()
    state.half_made = None
    state.kept_as = scratch
    same = f"the same restore, loaded and compared, is in {scratch!r}{_safety_text(work)}"
    if work.plan.exists:
        state.in_place = f"{target!r} may have lost tables, as it could not be dropped as a whole; {same}"
        work.engine.drop_database(target)
    state.in_place = f"{target!r} is not there, or not known to be whole; {same}"
    _make(work, target)
    state.in_place = f"{target!r} is the restored database"
    if state.is_clean() or work.request.accept_errors:
        work.engine.drop_database(scratch)
        state.kept_as = None


def _safety_text(work: Work) -> str:
    path = work.state.safety_backup
    return f"; what was there before is in the safety backup {path}" if path else ""


def _clear_up(work: Work) -> None:
    """Drop the database that was half made, unless it is wanted for looking at."""
    state, name = work.state, work.state.half_made
    if name is None:
        return
    if work.request.keep_failed:
        state.add_in_place(f"{name!r} is left for you to look at; drop it afterwards")
        return
    with _tried(state, f"{name!r} is half made and could not be dropped; drop it yourself"):
        work.cleaning.drop_database(name)
        state.half_made = None
        if not state.in_place:
            state.in_place = "nothing of it is left on the server"
            state.changed = False


@contextmanager
def _tried(state: RestoreState, otherwise: str) -> Iterator[None]:
    try:
        yield
    except (BackupDbError, OSError) as error:
        state.add_in_place(otherwise)
        state.warnings.append(f"{otherwise}: {error}")
