# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The story of copying: look at each copy, find what is missing, send it oldest first, and say what came of it.

One copy that fails does not stop the others, and one backup that cannot be sent stops only those behind it where the
store itself is the reason. Local backups are never touched.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import (
    ArchiveDamaged,
    BackupDbError,
    InvalidOption,
    LockBusy,
    ManifestDamaged,
    RepositoryError,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
)
from ..repository import layout, local
from ..repository.copy_source import copy_home
from ..repository.files import storage_errors
from ..repository.last_copy import LastCopy, write_last
from ..repository.lock import readers_lock
from ..repository.problems import Problems
from ..repository.shadow import Shadow, make_folders
from ..repository.stores.interface import NO, Store
from ..repository.stores.notes import FileNotes
from ..repository.stores.patience import Patience
from ..repository.stores.registry import open_store
from ..repository.stores.settings import CopySettings
from ..retention.wanted import policy_of
from ..system.files import is_gone, open_regular
from ..system.locking import try_lock
from ..system.parallel import error_of, result_of
from ..system.stopping import stop_signals
from ..system.text import human_duration, utc_now
from ..verify.one_backup import manifest_problem
from . import result as copy_result
from .meter import EVERY, ByteMeter, Report
from .plan import CopyRequest, MissingBackup, missing_in
from .result import CopyOutcome

_LOOK_AGAIN = 0.5  # seconds between looks whether another run has ended
_ARRIVALS_STAY = timedelta(days=2)
_TOO_MANY = 5  # backups that cannot be sent; the reason is then hardly theirs


@dataclass(frozen=True)
class CopyRun:
    """Which backups go to which copies; `state_dir` keeps what is known of each copy between runs.

    `report_every` is how many seconds are between two lines of progress.
    """

    requests: Sequence[CopyRequest]
    copies: Sequence[CopySettings]
    state_dir: str
    report_every: float = EVERY

    def hosts(self) -> list[str]:
        """Return the folders of the hosts that are concerned: hundreds of others may have backups in the same copy."""
        if any(not request.instances for request in self.requests):
            return [""]
        return sorted({layout.encode_name(host) for request in self.requests for host, _instance in request.instances})

    def instances(self) -> list[str]:
        """Return the folders, host/instance, that are concerned and that the repository has."""
        folders = (
            folder
            for request in self.requests
            for host, instance in request.instances or ((None, None),)
            for folder in local.instance_folders(Path(request.repository), host, instance)
        )
        return sorted({"/".join(folder.parts[-2:]) for folder in folders})


def run(wanted: CopyRun, *, check_mode: bool = False, report: Report | None = None) -> dict[str, Any]:
    """Copy what is missing and return what came of each copy; in check mode what would be sent, and the rights.

    `status` is ok, planned, partial (something is missing in a copy that is required) or failed (nothing was done).
    """
    cancel = threading.Event()
    tell = report or _nobody
    outcomes = []
    with stop_signals(cancel) as received:
        for settings in wanted.copies:
            if cancel.is_set():
                break
            outcomes.append(_one(wanted, settings, cancel, tell, check_mode=check_mode))
    return copy_result.of(outcomes, check_mode=check_mode, stopped=[f"stopped by {name}" for name in received])


def _nobody(_line: str) -> None:
    """Nobody wants to know."""


def _one(
    wanted: CopyRun, settings: CopySettings, cancel: threading.Event, report: Report, *, check_mode: bool
) -> CopyOutcome:
    """Do one copy; whatever goes wrong is in the outcome."""
    outcome = CopyOutcome(settings)
    began = time.monotonic()
    home = copy_home(wanted.state_dir, settings.name)
    try:
        _refuse_repositories(settings, wanted.requests)
        patience = Patience(settings.patience, cancel)
        make_folders(home)
        wait = None if check_mode else patience
        with alone(home, wait), closing(open_store(settings, patience, FileNotes(home / "uploads.json"))) as store:
            outcome.where = store.where()
            if check_mode:
                outcome.rights = store.rights()
                outcome.policy = store.policy()
            shadow = Shadow(home)
            _refresh(shadow, store, patience, wanted, outcome)
            problems = Problems()
            missing = missing_in(shadow, wanted.requests, problems, policy=policy_of(settings), shadow=shadow.root)
            outcome.warnings += problems.lines
            outcome.missing = [(one.place, one.size) for one in missing]
            outcome.requests = sum(store.requests_for(upload.size) for one in missing for upload in one.files)
            if not check_mode:
                expected = sum(one.size for one in missing)
                rate = settings.bandwidth
                meter = ByteMeter(expected=expected, rate=rate, report=report, cancel=cancel, every=wanted.report_every)
                _send_all(store, shadow, missing, outcome, meter)
                _clear(store, shadow, wanted, outcome)
    except Exception as fault:  # noqa: BLE001  other copies must not suffer
        outcome.error = error_of(fault)
    outcome.seconds = time.monotonic() - began
    if not check_mode and not isinstance(outcome.error, LockBusy):
        _remember(home, outcome)
    return outcome


def _refuse_repositories(settings: CopySettings, requests: Sequence[CopyRequest]) -> None:
    """Raise `InvalidOption` for a copy in a repository, or around one: it would be its own copy."""
    if settings.type != "local":
        return
    there = Path(settings.place["path"]).resolve()
    for request in requests:
        repository = Path(request.repository).resolve()
        if repository == there or there in repository.parents or repository in there.parents:
            raise InvalidOption(
                f"copy {settings.name}: {there} and the repository {repository} lie in each other; a copy needs a "
                "place of its own, best on another disk"
            )


def _refresh(shadow: Shadow, store: Store, patience: Patience, wanted: CopyRun, outcome: CopyOutcome) -> None:
    """Look at what is there of the hosts concerned; a key that may only write cannot, and goes by what was sent."""
    try:
        outcome.warnings += shadow.refresh(store, patience, under=wanted.hosts())
    except StoreRefused:
        rights = outcome.rights or store.rights()
        if not any(right.name == "list" and right.known == NO for right in rights):
            raise
        outcome.listed = False  # as it is with a key that may only write, which is what a host should have
    else:
        outcome.listed = True


def _send_all(
    store: Store,
    shadow: Shadow,
    missing: Sequence[MissingBackup],
    outcome: CopyOutcome,
    meter: ByteMeter,
) -> None:
    settings = outcome.settings
    try:
        for number, one in enumerate(missing, start=1):
            meter.what = f"copy {settings.name}: backup {number} of {len(missing)} ({one.place})"
            try:
                if _send(store, one, meter):
                    shadow.add(one.place, one.backup.folder, stored_bytes=one.size)
                    outcome.sent.append(one.place)
            except (StoreFull, StoreRefused, StoreUnavailable):
                raise
            except (ArchiveDamaged, RepositoryError) as error:
                # It may be this one only, as when it has rotted here or something else is there by its name.
                outcome.refused.append(str(error))
                if len(outcome.refused) >= _TOO_MANY:
                    return
    finally:
        outcome.bytes = meter.sent
        shadow.save()  # once: what is known of all hosts' backups may be large


def _send(store: Store, one: MissingBackup, meter: ByteMeter) -> bool:
    """Send one backup; returns False for one that a prune has removed meanwhile."""
    with readers_lock(one.backup.instance_folder):
        if is_gone(one.backup.folder):
            return False
        problem = manifest_problem(one.backup)
        if problem is not None:
            raise ManifestDamaged(f"{problem}; it was not sent: verify the repository, and make a new backup")
        arrival = store.arrival(one.place, meter)
        for upload in one.files:
            before = meter.sent
            arrival.put(upload)
            meter.skip(upload.size - (meter.sent - before))
        arrival.finish()
    return True


def _clear(store: Store, shadow: Shadow, wanted: CopyRun, outcome: CopyOutcome) -> None:
    """Remove what broken off copies of this host have left, which nobody goes on with and nothing else removes.

    By the store's clock, which shows in what arrived last: what was written long before that is not on its way.
    """
    times = [arrived.time for arrived in shadow.arrivals.of.values() if arrived.time is not None]
    before = min(max(times), utc_now()) - _ARRIVALS_STAY if times else datetime.min.replace(tzinfo=timezone.utc)
    going_on = {place for place, _size in outcome.missing}
    for under in wanted.instances():
        cleared = result_of(partial(store.clear_arrivals, under, going_on, before))
        outcome.cleared += cleared.value or ()
        if isinstance(cleared.error, StoreRefused):
            return  # a key that may not remove: whoever prunes there sees to it
        if cleared.error is not None:
            outcome.warnings.append(f"what broken off copies have left is not removed: {cleared.error}")
            return


@contextmanager
def alone(home: Path, patience: Patience | None = None) -> Iterator[None]:
    """One process at a time works on a copy: the next one waits as long as its patience says, or not at all.

    Raises `LockBusy`, and `Interrupted` when it is asked to stop while it waits.
    """
    path = home / "lock"
    with storage_errors(path, "locking"):
        descriptor = open_regular(path, os.O_RDWR | os.O_CREAT)
    try:
        give_up = time.monotonic() + (0 if patience is None else patience.seconds)
        with storage_errors(path, "locking"):
            while not try_lock(descriptor):
                if patience is None or time.monotonic() >= give_up:
                    waited = "" if patience is None else f" after {human_duration(patience.seconds)} still"
                    raise LockBusy(
                        f"another run is copying there{waited} (it holds {path}); the next run sends the rest"
                    )
                patience.pause(min(_LOOK_AGAIN, max(0.0, give_up - time.monotonic())))
        yield
    finally:
        os.close(descriptor)


def _remember(home: Path, outcome: CopyOutcome) -> None:
    try:
        write_last(home, LastCopy(utc_now(), outcome.error_text(), len(outcome.still_missing())))
    except BackupDbError as error:
        outcome.warnings.append(f"how the copying ended could not be remembered: {error}")
