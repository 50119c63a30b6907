# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of backups as plain values: what modules return and the command line prints. Nothing in them is secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..engines.side_names import broken_restores
from ..errors import BackupDbError
from ..hooks.run import Hooks
from ..outcome import Outcome, diff_of
from ..repository.catalogue import StoredBackup
from ..repository.left_out import FILTERS, left_out, with_without, without
from ..repository.subject import ACCOUNTS, Subject
from ..system.text import human_duration, human_size, one_line
from .forecast import Forecast
from .plan import BackupPlan, PlannedBackup
from .rehearsal import Foreseen
from .space import shortage
from .survey import Survey, filter_warnings
from .workers import Task

_ARCHIVE_KEYS = ("name", "part", "format", "plain_bytes", "stored_bytes", "sha256")  # the manifest has the rest
_NOT_STOPPED = "did not stop in time and was left behind; the next run clears what it wrote"
_NOTHING_DONE: Mapping[str, Any] = {"plain_bytes": 0, "stored_bytes": 0, "rate": 0, "duration": 0.0, "hooks": []}
_COUNTED = ("complete", "partial", "failed", "skipped")


def of_run(plan: BackupPlan, tasks: Sequence[Task], *, free: int | None, seconds: float) -> dict[str, Any]:
    """Put together the result of a run, as far as its backups go."""
    entries = {planned.subject: _skipped(planned) for planned in plan.backups if planned.skip_reason is not None}
    entries.update({task.planned.subject: _of_task(task) for task in tasks})
    everything = _in_order(plan, entries)
    stored = sum(item["stored_bytes"] for item in everything)
    plain = sum(item["plain_bytes"] for item in everything)
    sizes = {"plain_bytes": plain, "stored_bytes": stored, "rate": round(plain / seconds) if seconds > 0 else 0}
    return Outcome(
        status=_status(everything, plan.found),
        changed=any(item["path"] for item in everything),
        message=_message(plan, everything, stored, seconds),
        warnings=[*plan.previous.problems, *_space_warnings(plan, free), *_plan_warnings(plan)],
        diff=diff_of(
            [f"{task.planned.subject.title}: {_last_text(task.planned.last)}" for task in tasks],
            [f"{item['name']}: {_stored_text(item)}" for item in everything if not item["reason"]],
        ),
        facts={**_facts(plan, entries), **sizes, "duration": round(seconds, 3)},
    ).to_dict()


def told_to_hooks(done: Mapping[str, Any]) -> dict[str, str]:
    """Return what the hooks after a run are told about it."""
    return {"STATUS": str(done["status"]), "MESSAGE": str(done["message"])}


def with_hooks(done: Mapping[str, Any], hooks: Hooks, *, warnings: Sequence[str]) -> dict[str, Any]:
    """Add what came of the hooks: a required one that failed after the work leaves the run partial at best.

    `warnings` are of the run as a whole.
    """
    failed = hooks.problems(required=True)
    status = "partial" if failed and done["status"] == "ok" else done["status"]
    return {
        **done,
        "status": status,
        "message": one_line(". ".join([done["message"], *failed])),
        "warnings": [*done["warnings"], *map(one_line, [*warnings, *hooks.problems(required=False)])],
        "hooks": [result.to_dict() for result in hooks.results],
    }


def of_plan(
    plan: BackupPlan,
    foreseen: Mapping[Subject, Foreseen],
    faults: Sequence[BackupDbError],
    *,
    warnings: Sequence[str],
    free: int | None,
) -> dict[str, Any]:
    """Put together what a run would do, in the same form.

    `faults` would keep it from beginning; `free` bytes are left in the repository, None where unknown. Where `faults`
    are all there is, the result has the `error_kind` that the run would have.
    """
    entries = {
        planned.subject: _planned(plan, planned, foreseen.get(planned.subject), free) for planned in plan.backups
    }
    everything = _in_order(plan, entries)
    made = [planned for planned in plan.to_make if foreseen[planned.subject].error is None]
    status = "failed" if faults else _status(everything, plan.found)
    texts = list(map(str, faults))
    own = any(item["error"] not in (None, "; ".join(texts)) for item in everything) or _fault_warnings(plan.found)
    kind = {"error_kind": type(faults[0]).__name__} if faults and not own else {}
    return Outcome(
        status="planned" if status == "ok" else status,
        changed=bool(made),
        message=_foreseen_message(plan, everything, texts),
        warnings=[
            *(*plan.previous.problems, *warnings, *_space_warnings(plan, free)),
            *(*_plan_warnings(plan), *filter_warnings(plan.found)),
        ],
        diff=diff_of(
            [f"{planned.subject.title}: {_last_text(planned.last)}" for planned in _databases_first(made)],
            [f"{planned.subject.title}: a new backup by run {plan.run_id[:8]}" for planned in _databases_first(made)],
        ),
        facts={**_facts(plan, entries), **_NOTHING_DONE, **kind},
    ).to_dict()


def not_written(
    subject: Subject, status: str, *, reason: str | None = None, error: str | None = None
) -> dict[str, Any]:
    """Return the result of one backup for which nothing was written."""
    return {
        "name": subject.title,
        "status": status,
        "path": None,
        "archives": [],
        "plain_bytes": 0,
        "stored_bytes": 0,
        "sha256": None,
        "duration": 0.0,
        "rate": 0,
        "warnings": [],
        "missing": [],
        "filters": None,
        "without": "",
        "error": error,
        "reason": reason,
    }


def _skipped(planned: PlannedBackup) -> dict[str, Any]:
    return not_written(planned.subject, "skipped", reason=planned.skip_reason)


def _planned(plan: BackupPlan, planned: PlannedBackup, foreseen: Foreseen | None, free: int | None) -> dict[str, Any]:
    if foreseen is None:
        entry = _skipped(planned)
    else:
        entry = {
            **not_written(planned.subject, foreseen.status, error=foreseen.error),
            "missing": list(foreseen.missing),
            "warnings": list(foreseen.warnings),
        }
    if planned.subject.is_accounts:
        return entry
    client = plan.found.client
    filtered = plan.found.filtered.get(planned.subject.title)
    return {
        **entry,
        **(_left_out({FILTERS: filtered.to_manifest()}) if filtered is not None and foreseen is not None else {}),
        "plan": {
            "client": client.path if client else None,
            "jobs": plan.request.dump.jobs,
            **_forecast_facts(planned.forecast),
            "free_bytes": free,
            "would_skip": foreseen is None,
        },
    }


def _forecast_facts(forecast: Forecast | None) -> dict[str, Any]:
    return {
        "forecast_bytes": forecast.likely if forecast else None,
        "forecast_least_bytes": forecast.least if forecast else None,
        "forecast_most_bytes": forecast.most if forecast else None,
        "forecast_confidence": forecast.confidence if forecast else None,
        "forecast_basis": forecast.basis if forecast else None,
    }


def _of_task(task: Task) -> dict[str, Any]:
    subject, ended = task.planned.subject, task.result
    done = ended.value if ended is not None else None
    again = (
        [] if task.first_error is None else [f"failed at first, and was made in a second attempt: {task.first_error}"]
    )
    if done is None:
        error = str(ended.error) if ended is not None and ended.error is not None else _NOT_STOPPED
        error += "" if task.first_error is None else _also_at_first(task.first_error, error)
        return {**not_written(subject, "failed", error=error), "duration": round(task.seconds, 3)}
    manifest = done.manifest
    plain: int = manifest["plain_bytes"]
    return {
        **not_written(subject, manifest["status"]),
        "path": str(done.published.folder),
        "archives": [{key: archive[key] for key in _ARCHIVE_KEYS} for archive in manifest["archives"]],
        "plain_bytes": plain,
        "stored_bytes": manifest["stored_bytes"],
        "sha256": done.published.manifest_sha256,
        "duration": round(task.seconds, 3),
        "rate": round(plain / task.seconds) if task.seconds > 0 else 0,
        "warnings": [*again, *manifest["warnings"]],
        "missing": manifest["missing"],
        **_left_out(manifest),
    }


def _left_out(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {"filters": left_out(manifest), "without": without(manifest)}


def _also_at_first(first: str, error: str) -> str:
    return " (in both attempts)" if first == error else f" (in the second attempt; in the first: {first})"


def _databases_first(backups: Sequence[PlannedBackup]) -> list[PlannedBackup]:
    return sorted(backups, key=lambda planned: planned.subject.is_accounts)


def _in_order(plan: BackupPlan, entries: Mapping[Subject, dict[str, Any]]) -> list[dict[str, Any]]:
    return [entries[planned.subject] for planned in _databases_first(plan.backups)]


def _facts(plan: BackupPlan, entries: Mapping[Subject, dict[str, Any]]) -> dict[str, Any]:
    request, found = plan.request, plan.found
    return {
        "run_id": plan.run_id,
        "instance": request.instance.id,
        "host": request.host,
        "engine": found.facts.vendor,
        "server_version": found.facts.version,
        "skipped": [{"name": skipped.name, "reason": skipped.reason} for skipped in found.skipped],
        "missing_privileges": [asdict(missing) for missing in found.missing],
        "databases": [entries[planned.subject] for planned in plan.backups if not planned.subject.is_accounts],
        "accounts": entries.get(ACCOUNTS),
        "gone": plan.previous.gone(found),
        "new": plan.previous.new(found),
    }


def _status(everything: Sequence[Mapping[str, Any]], found: Survey) -> str:
    statuses = {item["status"] for item in everything}
    if "failed" in statuses or any(skipped.fault for skipped in found.skipped):
        return "failed"
    return "partial" if "partial" in statuses else "ok"


def _message(plan: BackupPlan, everything: Sequence[Mapping[str, Any]], stored: int, seconds: float) -> str:
    counts = {status: sum(item["status"] == status for item in everything) for status in _COUNTED}
    text = ", ".join(f"{count} {status}" for status, count in counts.items() if count) or "nothing to back up"
    message = f"{plan.request.instance.where()}: {text}; {human_size(stored)} stored in {human_duration(seconds)}"
    return ". ".join([message, *_problems(everything), *_fault_warnings(plan.found)])


def _foreseen_message(plan: BackupPlan, everything: Sequence[Mapping[str, Any]], faults: Sequence[str]) -> str:
    counts = {status: sum(item["status"] == status for item in everything) for status in ("partial", "failed")}
    made = sum(item["status"] in ("planned", "partial") for item in everything)
    message = f"{plan.request.instance.where()}: {made} of {len(everything)} backups would be made"
    message += f", {counts['partial']} of them partial" if counts["partial"] else ""
    message += f", {counts['failed']} would fail" if counts["failed"] else ""
    return ". ".join([message, *faults, *_problems(everything, known="; ".join(faults)), *_fault_warnings(plan.found)])


def _problems(everything: Sequence[Mapping[str, Any]], *, known: str = "") -> list[str]:
    """Say why some fail and what is missing in others; `known` is told already, alone or before what else is wrong."""
    problems = [
        f"{item['name']}: {item['error'].removeprefix(f'{known}; ')}"
        for item in everything
        if item["error"] not in (None, known)
    ]
    problems += [f"{item['name']}: missing {'; '.join(item['missing'])}" for item in everything if item["missing"]]
    problems += [f"{item['name']}: {item['without']}, as asked" for item in everything if item["without"]]
    return problems


def _plan_warnings(plan: BackupPlan) -> list[str]:
    """Tell what a run leaves out, and what is no longer there."""
    found = plan.found
    faults = {skipped.name for skipped in found.skipped if skipped.fault}
    return [
        *(
            f"database {name!r} was in the last run and is no longer on the server; its backups are kept"
            for name in plan.previous.gone(found)
        ),
        *_fault_warnings(found),
        *broken_restores(database.name for database in found.databases),
        *found.unmatched,
        *(
            f"database {name!r} is left out and its backups are kept: {reason}"
            for name, reason in plan.previous.left_out.items()
            if name not in faults
        ),
        *(f"{skipped.name!r} is left out: {skipped.reason}" for skipped in found.skipped if skipped.notable),
    ]


def _fault_warnings(found: Survey) -> list[str]:
    return [f"{skipped.name!r} is not backed up: {skipped.reason}" for skipped in found.skipped if skipped.fault]


def _space_warnings(plan: BackupPlan, free: int | None) -> list[str]:
    warning = shortage([planned.forecast for planned in plan.to_make], free, plan.request.repository)
    return [] if warning is None else [warning]


def _last_text(last: StoredBackup | None) -> str:
    if last is None:
        return "no backup"
    status = with_without(last.manifest["status"], last.manifest)
    return f"{last.folder.name}, {status}, {human_size(last.manifest['stored_bytes'])}"


def _stored_text(item: Mapping[str, Any]) -> str:
    if not item["path"]:
        return "failed, earlier backups are kept"
    status = ", ".join(filter(None, [item["status"], item["without"]]))
    return f"{item['path'].rsplit('/', 1)[-1]}, {status}, {human_size(item['stored_bytes'])}"
