# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a job over its instances: back up, copy, prune, drill. One that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Callable

from ..backup import run as backup
from ..copying import run as copying
from ..copying.meter import EVERY
from ..copying.plan import CopyRequest
from ..copying.run import CopyRun
from ..credentials.secrets import Secrets
from ..drill import run as drill
from ..drill.request import OLDEST_UNPROVEN
from ..drill.told import lines as lines_of_drills
from ..errors import BackupDbError, BackupNotFound, LockBusy
from ..outcome import Outcome
from ..retention import prune
from ..retention.decide import policy_from
from ..retention.unsent import UnsentRule, rules_of
from ..system.parallel import result_of
from .definition import Job, backup_request, copies_of, copy_of, drill_request

Report = Callable[[str], None]
_KEPT = ("complete", "partial", "skipped")  # statuses of a database that has a backup of this run or a fresh one


def back_up(
    options: Mapping[str, Any], secrets: Secrets, run_id: str, *, begin_until: float | None = None
) -> dict[str, Any]:
    """Back up one instance and return the result of the run, also of one that could not begin.

    From `begin_until` on, in seconds since 1970, no further database is begun.
    """
    done = result_of(lambda: backup.run(replace(backup_request(options, secrets, run_id), begin_until=begin_until)))
    if done.error is not None:
        result = {**not_begun(options, str(done.error), run_id), **failure(done.error)}
    else:
        result = done.value or {}
    return {**result, "repository": options["repository"]}


def not_begun(options: Mapping[str, Any], reason: str, run_id: str) -> dict[str, Any]:
    """Return the result of a backup that never began."""
    about = {key: options[key] for key in ("instance", "host", "repository")}
    facts = {"run_id": run_id, **about, "databases": [], "accounts": None}
    return Outcome("failed", False, f"instance {options['instance']}: {reason}", facts=facts).to_dict()


def failure(error: BackupDbError) -> dict[str, Any]:
    """Return what a result has of an error that ended the work."""
    return {"status": "busy" if isinstance(error, LockBusy) else "failed", "error_kind": type(error).__name__}


def has_backups(result: Mapping[str, Any]) -> bool:
    """Return whether a run left something that was backed up, or had nothing to: only then is it safe to prune."""
    everything = [*result["databases"], *([result["accounts"]] if result["accounts"] else [])]
    return result["status"] in ("ok", "partial") or any(entry["status"] in _KEPT for entry in everything)


def copy_backups(
    job: Job,
    secrets: Secrets,
    *,
    check_mode: bool = False,
    report: Report = lambda _line: None,
    report_every: float = EVERY,
) -> dict[str, Any]:
    """Send what is missing in the copies of a job, and return the result of that, also when it could not begin.

    `report` is told every `report_every` seconds how far it is.
    """
    instances = [(str(entry["host"]), str(entry["instance"])) for entry in job.backups]
    repositories = dict.fromkeys(str(entry["repository"]) for entry in job.backups)

    def work() -> dict[str, Any]:
        copies = copies_of(job, secrets)
        request = [CopyRequest(repository, instances) for repository in repositories]
        wanted = CopyRun(request, copies, job.state_dir, report_every)
        return copying.run(wanted, check_mode=check_mode, report=report)

    done = result_of(work)
    if done.error is None:
        return done.value or {}
    facts = {"lines": [str(done.error)], "copies": []}
    return {**Outcome("failed", False, str(done.error), facts=facts).to_dict(), **failure(done.error)}


def prune_backups(
    retention: Mapping[str, Any],
    backups: Sequence[Mapping[str, Any]],
    run_id: str | None,
    *,
    stopped: Sequence[str] = (),
    check_mode: bool = False,
    copies: Sequence[UnsentRule] = (),
) -> dict[str, Any]:
    """Prune the instances of these backups, one after the other, and return one result of all.

    What one of `copies` has not yet stays. How much may stay is said of all instances together; where it is more,
    nothing is removed.
    """

    def requested(entry: Mapping[str, Any], copies: Sequence[UnsentRule]) -> prune.PruneRequest:
        return prune.PruneRequest(
            repository=entry["repository"],
            policy=policy_from(retention),
            host=entry["host"],
            instance=entry["instance"],
            run_id=run_id,
            copies=tuple(copies),
        )

    refused = result_of(lambda: prune.check_unsent([requested(entry, copies) for entry in backups])).error
    if refused is not None:
        lines = [str(refused)]
        facts = {"run_id": run_id, "databases": [], "removed": 0, "kept": 0, "freed_bytes": 0, "lines": lines}
        outcome = Outcome("failed", False, str(refused), facts={**facts, "problems": lines})
        return {**outcome.to_dict(), **failure(refused)}
    checked = [replace(rule, keep_unsent_max=None) for rule in copies]
    results = _each(backups, lambda entry: prune.run(requested(entry, checked), check_mode=check_mode), stopped)
    return combined_prunes(results, run_id)


def combined_prunes(results: Sequence[Mapping[str, Any]], run_id: str | None) -> dict[str, Any]:
    """Make one result of those of several prunes; its status is the worst one."""
    return _combined(
        results, ("databases", "lines", "problems", "warnings"), ("removed", "kept", "freed_bytes"), run_id=run_id
    )


def unsent_rules(job: Job) -> list[UnsentRule]:
    """Return the copies of a job that must have a backup before it is removed here."""
    return rules_of(job.copies, job.state_dir)


def prove(job: Job, options: Mapping[str, Any], secrets: Secrets, *, stopped: Sequence[str] = ()) -> dict[str, Any]:
    """Drill what a job's backups have made, one instance after the other, and return one result of all."""

    def one(entry: Mapping[str, Any]) -> dict[str, Any]:
        try:
            copy = None if options["from_copy"] is None else copy_of(job, options["from_copy"], secrets)
            return drill.run(drill_request(options, entry, secrets, copy))
        except BackupNotFound as error:
            if options["select"] != OLDEST_UNPROVEN:
                raise
            message = f"instance {entry['instance']}: every backup is proven, or there is none: {error}"
            facts = {"select": options["select"], "lines": [message], "drills": [], "proven": 0, "seconds": 0.0}
            return Outcome("ok", False, message, facts=facts).to_dict()

    results = _each(job.backups, one, stopped)
    together = _combined(results, ("lines", "drills", "warnings"), ("proven", "seconds"), select=options["select"])
    others = [line for result in results if not result.get("drills") for line in result["lines"]]
    return {**together, "lines": [*lines_of_drills(together.get("drills", ())), *others]}  # one table of all


def _each(
    backups: Sequence[Mapping[str, Any]], work: Callable[[Mapping[str, Any]], dict[str, Any]], stopped: Sequence[str]
) -> list[dict[str, Any]]:
    """Do the work for one instance after the other, until something is in `stopped`; an error is a result."""
    results = []
    for entry in backups:
        if stopped:
            break
        done = result_of(partial(work, entry))
        if done.error is not None:
            message = f"instance {entry['instance']}: {done.error}"
            results.append({"changed": False, "message": message, "lines": [message], **failure(done.error)})
        else:
            results.append(done.value or {})
    return results


def _combined(
    results: Sequence[Mapping[str, Any]], lists: Sequence[str], sums: Sequence[str], **more: Any
) -> dict[str, Any]:
    """Make one result of those of several instances; its status is the worst one. One alone stays as it is."""
    if len(results) == 1 and "error_kind" not in results[0]:
        return dict(results[0])
    together: dict[str, Any] = {key: [item for result in results for item in result.get(key, ())] for key in lists}
    warnings = together.pop("warnings", [])
    return Outcome(
        status=worst([result["status"] for result in results]),
        changed=any(result["changed"] for result in results),
        message="; ".join(result["message"] for result in results),
        warnings=warnings,
        facts={**together, **{key: sum(result.get(key, 0) for result in results) for key in sums}, **more},
    ).to_dict()


def worst(statuses: Sequence[str]) -> str:
    """Return failed, partial, busy, planned or ok: work that another run does right now makes the whole partial."""
    if "failed" in statuses:
        return "failed"
    if statuses and all(status == "busy" for status in statuses):
        return "busy"
    if {"partial", "busy"} & set(statuses):
        return "partial"
    return "planned" if "planned" in statuses else "ok"
