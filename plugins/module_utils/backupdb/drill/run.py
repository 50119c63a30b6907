# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drill run: restore backups into throw-away servers, compare, write a record beside each manifest, report.

One bad backup, or one that this host cannot drill, does not stop the others. A record is written for every verdict,
good or bad; of what says nothing about the backup only the attempt is noted, so that others get their turn.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, Callable

from ..age.stream import Identity
from ..archives.keys import load_identities
from ..archives.opening import require_fitting_keys
from ..engines.workplace import User, server_user, work_dir_of
from ..errors import (
    BackupDbError,
    BackupNotFound,
    Interrupted,
    NotEnoughSpace,
    RepositoryError,
    RequirementMissing,
    StoreRefused,
)
from ..outcome import Outcome
from ..repository.catalogue import StoredBackup
from ..repository.drill_records import forget_attempt, is_proof, note_attempt, note_own, write_drill
from ..repository.lock import readers_lock
from ..repository.place import Place, open_place
from ..repository.problems import Problems
from ..streams.meter import Meter
from ..streams.pipeline import Limits
from ..system.parallel import result_of
from ..system.stopping import stop_signals
from ..system.text import counted, human_duration, iso, utc_now, were
from .one_backup import OF_THIS_HOST, drill_one, failed
from .request import DrillRequest, choose
from .restore import DrillContext, drill_support_for
from .told import lines, summary

_NEXT_RECORD = 1.1  # seconds
_READS = 2  # each archive is loaded, and read again to be compared


def check(request: DrillRequest) -> None:
    """Find out what can be told without a backup: raises for keys that cannot be used, and `RequirementMissing`."""
    load_identities(request.keys)


def run(
    request: DrillRequest, *, check_mode: bool = False, report: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """Drill the chosen backups and return what became of each; in check mode which ones, and by which server program.

    `report` is told now and then, in a line, how far they are.

    Raises `BackupNotFound` when there is nothing to drill, `WrongKey` when the keys open none of them, `Interrupted`
    when it was asked to stop before the first verdict, and what looking into the repository, keys and options raises.
    """
    problems = Problems()
    identities = load_identities(request.keys)
    user = server_user(request.run_as)
    work_dir_of(request.work_dir)
    with _place(request) as place:
        for line_of_copy in place.problems if place is not None else ():
            problems.add(line_of_copy)
        chosen = choose(request, place, problems)
        if not chosen:
            where = place.where if place is not None else ", ".join(request.paths)
            if place is not None and place.allowance(Problems()) is not None and problems.lines:
                raise BackupNotFound(f"nothing is drilled in {where}: {problems.lines[-1]}")
            raise BackupNotFound(
                f"there is nothing to drill in {where}: no backup of a database is what select and the filters want; "
                "widen them, or look with backup_info at what there is"
            )
        require_fitting_keys(chosen, identities)
        if check_mode:
            return _plan(request, chosen, problems)
        return _drill_all(request, chosen, identities, user, problems, Meter(report))


def _place(request: DrillRequest) -> AbstractContextManager[Place | None]:
    if request.paths:
        return nullcontext()
    wanted = request.wanted
    return open_place(request.repository, request.copy, host=wanted.host, instance=wanted.instance, can_wait=True)


def _drill_all(
    request: DrillRequest,
    chosen: list[StoredBackup],
    identities: Sequence[Identity],
    user: User,
    problems: Problems,
    meter: Meter,
) -> dict[str, Any]:
    meter.expect(_READS * sum(backup.manifest["plain_bytes"] for backup in chosen))
    began = time.monotonic()
    entries: list[dict[str, Any]] = []
    warnings = list(problems.lines)
    cancel = threading.Event()
    lacking: list[RequirementMissing] = []
    with stop_signals(cancel) as received:
        for number, backup in enumerate(chosen, 1):
            _note_attempt(backup)
            meter.begin(f"{backup.database} ({number} of {len(chosen)})")
            drilled = result_of(partial(_drill, request, backup, identities, user, cancel, warnings, meter))
            if isinstance(drilled.error, Interrupted) and cancel.is_set():
                if not entries:
                    raise drilled.error
                break
            if isinstance(drilled.error, RequirementMissing):
                lacking.append(drilled.error)
            record = drilled.value or failed(backup, drilled.error or BackupDbError("it ended without a verdict"))
            kept = _stored(backup, record, warnings)
            shared = None if kept is None else _shared(backup, kept, warnings)
            path = None if kept is None else str(kept)
            entries.append({**record, "path": backup.where, "record": path, "record_in_copy": shared})
    if lacking and len(lacking) == len(entries):
        raise lacking[0]  # nothing was done, so that all of it may be tried where the library is
    left = len(chosen) - len(entries)
    warnings += [f"stopped by {name}; {counted(left, 'drill')} {were(left)} not done" for name in received]
    return _result(request, entries, warnings, len(chosen), problems.damaged, time.monotonic() - began)


def _drill(
    request: DrillRequest,
    backup: StoredBackup,
    identities: Sequence[Identity],
    user: User,
    cancel: threading.Event,
    warnings: list[str],
    meter: Meter,
) -> dict[str, Any]:
    with _limits(request, cancel) as limits:
        context = DrillContext(
            backup=backup,
            identities=identities,
            limits=limits,
            work_dir=request.work_dir,
            user=user,
            jobs=request.jobs,
            hidden=[
                Path(path).absolute()
                for path in (request.repository, request.keys.identity_file, *request.paths)
                if path
            ],
            signed_by=request.signed_by,
            count=meter.count,
        )
        with readers_lock(backup.instance_folder) as unlocked:
            warnings += unlocked
            return drill_one(context)


@contextmanager
def _limits(request: DrillRequest, cancel: threading.Event) -> Iterator[Limits]:
    limits = Limits.within(request.timeout, cancel)
    with limits.watched():
        yield limits


def _stored(backup: StoredBackup, record: dict[str, Any], warnings: list[str]) -> Path | None:
    if record["error_kind"] in OF_THIS_HOST:
        _note_attempt(backup, record["error"])
        return None
    try:
        path = write_drill(backup.folder, record)
    except (RepositoryError, NotEnoughSpace):
        time.sleep(_NEXT_RECORD)  # records are named by the second, and the last drill may have ended in this one
        record["finished"] = iso(utc_now().replace(microsecond=0))
        try:
            path = write_drill(backup.folder, record)
        except (RepositoryError, NotEnoughSpace) as error:
            warnings.append(f"the record of the drill could not be kept, so the backup counts as not proven: {error}")
            return None
    forget_attempt(backup.folder)
    return path


def _shared(backup: StoredBackup, record: Path, warnings: list[str]) -> str | None:
    """Put the record of a drill from a copy into the copy, for other hosts; returns where it is then.

    A key that may not write there, and a vault that was sealed, are as they should be: the record stays here.
    """
    if backup.copied is None:
        return None
    try:
        note_own(record)
        return backup.copied.add(record)
    except StoreRefused:
        return None
    except (RepositoryError, NotEnoughSpace) as error:
        warnings.append(f"the record of the drill is kept on this host alone: {error}")
        return None


def _note_attempt(backup: StoredBackup, error: str | None = None) -> None:
    """Note that the backup was tried; one that lies by itself has no place for that, and nobody chooses it."""
    if backup.is_in_place():
        note_attempt(backup.folder, utc_now(), error)


def _result(
    request: DrillRequest,
    entries: list[dict[str, Any]],
    warnings: list[str],
    chosen: int,
    damaged: Mapping[Path, str],
    seconds: float,
) -> dict[str, Any]:
    good = sum(is_proof(entry) for entry in entries)
    unread = [] if not request.paths else list(damaged.values())  # others were not asked for by name
    return Outcome(
        status="ok" if good == chosen and not unread else "failed",
        changed=any(entry["record"] for entry in entries),
        message=f"{'; '.join([summary(entries), *unread])} ({human_duration(seconds)})",
        warnings=warnings,
        facts={
            "select": None if request.paths else request.select,
            "lines": lines(entries),
            "drills": entries,
            "proven": good,
            "seconds": round(seconds, 3),
        },
    ).to_dict()


def _plan(request: DrillRequest, chosen: list[StoredBackup], problems: Problems) -> dict[str, Any]:
    entries = []
    for backup in chosen:
        try:
            program, problem = drill_support_for(backup.manifest).program(backup.manifest), None
        except BackupDbError as error:
            program, problem = None, str(error)
        entries.append(
            {
                "path": backup.where,
                "backup_id": backup.manifest["backup_id"],
                "host": backup.manifest["host"],
                "instance": backup.manifest["instance"],
                "database": backup.database,
                "verdict": "planned",
                "program": program,
                "error": problem,
            }
        )
    return Outcome(
        status="planned",
        changed=True,
        message=f"{counted(len(entries), 'backup')} would be drilled",
        warnings=[*problems.lines, *(entry["error"] for entry in entries if entry["error"])],
        facts={
            "select": None if request.paths else request.select,
            "drills": entries,
            "proven": 0,
            "seconds": 0.0,
        },
    ).to_dict()
