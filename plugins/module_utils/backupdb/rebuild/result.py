# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a rebuild as plain values: each database with what became of it, and all that could not come back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..outcome import Outcome
from ..repository.left_out import without
from ..system.text import counted, human_duration, human_size, iso, one_line, were
from .order import predicted
from .request import RebuildRequest
from .work import (
    BLOCKED,
    DROPPED,
    FAILED,
    NO_BACKUP,
    NOT_BEGUN,
    PLANNED,
    PRESENT,
    RESTORED,
    THERE,
    WITH_ERRORS,
    DatabaseWork,
    InstanceWork,
)

_NOT_THERE = (BLOCKED, NO_BACKUP, FAILED, NOT_BEGUN)


@dataclass(frozen=True)
class About:
    """What plan and run tell of."""

    request: RebuildRequest
    where: str
    instances: Sequence[InstanceWork]
    problems: Sequence[str]


def predicted_seconds(about: About) -> float:
    """Return how long all that is planned takes, with as many at once as the request says."""
    return round(predicted([piece for one in about.instances for piece in one.pieces()], about.request.jobs), 1)


def of_plan(about: About, *, check_mode: bool) -> dict[str, Any]:
    """Put together the result of a plan; what could not come back makes it partial or failed, as a run would be."""
    lost = list(_lost(about))
    planned = [database for one in about.instances for database in one.databases if database.status == PLANNED]
    size = sum(int(database.backup.manifest["plain_bytes"]) for database in planned if database.backup is not None)
    seconds = predicted_seconds(about)
    databases = counted(len(planned), "database")
    done = f"{databases} ({human_size(size)}) would be restored in about {human_duration(seconds)}"
    more = "" if check_mode else f"; nothing is changed yet: to begin, confirm must be {about.request.host!r}"
    would = bool(planned) or any(_would_change(one) for one in about.instances)
    return Outcome(
        status=_status(about, lost, good=(PLANNED, *THERE), fine="planned"),
        changed=check_mode and about.request.confirm is not None and would,
        message=f"{_head(about)}: {done}{_also(about, lost)}{more}",
        warnings=list(_warnings(about)),
        facts={**_facts(about, lost), "executed": False, "predicted_seconds": seconds, "seconds": None},
    ).to_dict()


def of_run(about: About, stopped: Sequence[str], *, predicted: float, seconds: float) -> dict[str, Any]:
    """Put together the result of a run."""
    lost = list(_lost(about))
    restored = [
        database for one in about.instances for database in one.databases if database.status in (RESTORED, WITH_ERRORS)
    ]
    size = sum(int(database.backup.manifest["plain_bytes"]) for database in restored if database.backup is not None)
    took = f"{human_duration(seconds)} (predicted {human_duration(predicted)})"
    done = f"{counted(len(restored), 'database')} ({human_size(size)}) {were(len(restored))} restored in {took}"
    changed = bool(restored) or any(one.accounts.changed for one in about.instances)
    return Outcome(
        status=_status(about, lost, good=THERE, fine="ok"),
        changed=changed or any(database.result.get("changed") for one in about.instances for database in one.databases),
        message=f"{_head(about)}: {done}{_also(about, lost)}",
        warnings=[*stopped, *_warnings(about)],
        facts={
            **_facts(about, lost),
            "executed": True,
            "predicted_seconds": predicted,
            "seconds": round(seconds, 3),
        },
    ).to_dict()


def _head(about: About) -> str:
    return f"host {about.request.host!r} from {about.where}"


def _also(about: About, lost: Sequence[str]) -> str:
    there = sum(database.status == PRESENT for one in about.instances for database in one.databases)
    dropped = sum(database.status == DROPPED for one in about.instances for database in one.databases)
    texts = [
        f"; {there} are there already" if there else "",
        f"; {dropped} were dropped before the last run and are left out" if dropped else "",
        f"; {len(lost)} things do not come back, the first: {lost[0]}" if lost else "",
    ]
    return "".join(texts)


def _status(about: About, lost: Sequence[str], *, good: Sequence[str], fine: str) -> str:
    if not lost:
        return fine
    databases = [database for one in about.instances for database in one.databases]
    return "partial" if any(database.status in good for database in databases) else "failed"


def _would_change(instance: InstanceWork) -> bool:
    outcome = instance.accounts.outcome
    return outcome is not None and bool(outcome["changed"])


def _facts(about: About, lost: Sequence[str]) -> dict[str, Any]:
    return {
        "host": about.request.host,
        "source": about.where,
        "rate": about.request.rate,
        "instances": [_instance(one) for one in about.instances],
        "lost": [one_line(line) for line in lost],
        "lines": [line for one in about.instances for line in _lines(one)],
    }


def _instance(work: InstanceWork) -> dict[str, Any]:
    return {
        "instance": work.name,
        "engine": work.coverage.engine,
        "version": work.coverage.version,
        "server": work.server.where() if work.server is not None else None,
        "server_version": work.server_version,
        "obstacles": [*work.obstacles, *([work.shortage] if work.shortage is not None else [])],
        "accounts": _accounts(work),
        "databases": [_database(one) for one in work.databases],
        "not_covered": [{"name": name, "reason": why} for name, why in sorted(work.coverage.not_covered.items())],
    }


def _accounts(work: InstanceWork) -> dict[str, Any]:
    accounts = work.accounts
    outcome = accounts.outcome or {}
    planned = [entry["account"] for entry in outcome.get("accounts", ()) if entry["action"] == "created"]
    return {
        "backup_id": accounts.backup.folder.name if accounts.backup is not None else None,
        "path": accounts.backup.where if accounts.backup is not None else None,
        "created": list(accounts.created) or planned,
        "waiting": list(outcome.get("waiting", ())),
        "differences": list(outcome.get("difference", ())),
        "errors": accounts.failures(),
        "passed_over": list(accounts.passed_over),
    }


def _database(work: DatabaseWork) -> dict[str, Any]:
    backup, prediction = work.backup, work.prediction
    return {
        "name": work.name,
        "status": work.status,
        "reasons": list(work.reasons),
        "backup_id": backup.folder.name if backup is not None else None,
        "path": backup.where if backup is not None else None,
        "time": iso(backup.time) if backup is not None else None,
        "plain_bytes": int(backup.manifest["plain_bytes"]) if backup is not None else 0,
        "stored_bytes": int(backup.manifest["stored_bytes"]) if backup is not None else 0,
        "replaces_empty": work.replaces_empty,
        "predicted_seconds": prediction.seconds if prediction is not None else None,
        "predicted_from": prediction.source if prediction is not None else None,
        "seconds": work.seconds,
        "passed_over": list(work.passed_over),
        "missing": _missing(work),
        "without": without(backup.manifest) if backup is not None else "",
        "differences": _differences(work),
        "errors": list(work.result.get("errors", ())),
    }


def _missing(work: DatabaseWork) -> list[str]:
    return [str(entry) for entry in work.backup.manifest["missing"]] if work.backup is not None else []


def _differences(work: DatabaseWork) -> list[str]:
    return [*work.result.get("inventory_difference", ()), *work.result.get("row_count_difference", ())]


def _lost(about: About) -> Iterator[str]:
    """Name everything that does not come back, or not as it was at the newest backup."""
    for instance in about.instances:
        for line in _lost_of(instance):
            yield f"{instance.name}: {line}"


def _lost_of(instance: InstanceWork) -> Iterator[str]:
    yield from instance.obstacles
    if instance.shortage is not None and any(database.status == PLANNED for database in instance.databases):
        yield instance.shortage
    yield from _lost_accounts(instance)
    for database in instance.databases:
        yield from (f"database {database.name!r}: {line}" for line in _lost_database(database))
    for name, why in sorted(instance.coverage.not_covered.items()):
        yield f"database {name!r} is not covered: {why}"


def _lost_accounts(instance: InstanceWork) -> Iterator[str]:
    accounts = instance.accounts
    if accounts.document is None:
        yield "accounts: no backup of them can be used"
    yield from (f"accounts: passed over: {line}" for line in accounts.passed_over)
    yield from (f"accounts: {line}" for line in accounts.failures())
    outcome = accounts.outcome
    if outcome is not None and outcome["status"] != "planned":
        yield from (f"accounts: differs: {line}" for line in outcome["difference"])
        yield from (f"accounts: {line}" for line in outcome["waiting"])


def _lost_database(database: DatabaseWork) -> Iterator[str]:
    if database.status in _NOT_THERE:
        yield "; ".join(database.reasons)
    if database.status == DROPPED:
        return
    if database.status != NO_BACKUP:
        yield from (f"a newer backup was passed over: {line}" for line in database.passed_over)
    yield from (f"the backup lacks {line}" for line in _missing(database))
    said = without(database.backup.manifest) if database.backup is not None else ""
    if said:
        yield f"the backup was made {said}, as asked"
    if database.status == WITH_ERRORS:
        yield from database.result.get("errors", ())
        yield from (f"differs: {line}" for line in _differences(database))


def _warnings(about: About) -> Iterator[str]:
    yield from about.problems
    for instance in about.instances:
        yield from (f"{instance.name}: {line}" for line in instance.warnings)
        outcome = instance.accounts.outcome
        if outcome is not None:
            # That rights wait for the databases is no news while these are still to come.
            yield from (f"{instance.name}: accounts: {line}" for line in outcome["warnings"] if "wait for" not in line)
        for database in instance.databases:
            yield from (f"{instance.name}: database {database.name!r}: {line}" for line in database.warnings)


def _lines(instance: InstanceWork) -> Iterator[str]:
    """Say in one line each what becomes of the accounts and of every database."""
    accounts = instance.accounts
    if accounts.backup is not None:
        yield f"{instance.name} accounts from {accounts.backup.folder.name}"
    for database in instance.databases:
        yield f"{instance.name} {database.name!r} {_line(database)}"
    for name, why in sorted(instance.coverage.not_covered.items()):
        yield f"{instance.name} {name!r} not covered: {why}"


def _line(database: DatabaseWork) -> str:
    if database.reasons:
        return f"{database.status}: {'; '.join(database.reasons)}"
    if database.backup is None or database.prediction is None:
        return database.status
    size = human_size(int(database.backup.manifest["plain_bytes"]))
    took = human_duration(database.seconds) if database.seconds is not None else ""
    about = f"predicted {human_duration(database.prediction.seconds)} by {database.prediction.source}"
    return f"{database.status} from {database.backup.folder.name}, {size}, {f'{took}, ' if took else ''}{about}"
