# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a job over its instances: back up, prune, drill. An instance that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import backup, drill
from ..credentials.secrets import Secrets
from ..errors import BackupDbError, LockBusy
from .definition import backup_request, drill_request

_KEPT = ("complete", "partial", "skipped")  # statuses of a database that has a backup of this run or a fresh one


def back_up(options: Mapping[str, Any], secrets: Secrets, run_id: str) -> dict[str, Any]:
    """Back up one instance and return the result of the run, also of one that could not begin."""
    try:
        result = backup.run(backup_request(options, secrets, run_id))
    except BackupDbError as error:
        result = {**not_begun(options, str(error), run_id), **failure(error)}
    return {**result, "repository": options["repository"]}


def not_begun(options: Mapping[str, Any], reason: str, run_id: str) -> dict[str, Any]:
    """Return the result of a backup that never began."""
    return {
        "run_id": run_id,
        "instance": options["instance"],
        "host": options["host"],
        "repository": options["repository"],
        "status": "failed",
        "changed": False,
        "message": f"instance {options['instance']}: {reason}",
        "databases": [],
        "accounts": None,
        "warnings": [],
    }


def failure(error: BackupDbError) -> dict[str, Any]:
    """Return what a result has of an error that ended the work."""
    return {"status": "busy" if isinstance(error, LockBusy) else "failed", "error_kind": type(error).__name__}


def has_backups(result: Mapping[str, Any]) -> bool:
    """Tell whether a run left something that was backed up, or had nothing to: only then is it safe to prune."""
    everything = [*result["databases"], *([result["accounts"]] if result["accounts"] else [])]
    return result["status"] in ("ok", "partial") or any(entry["status"] in _KEPT for entry in everything)


def prove(
    options: Mapping[str, Any], backups: Sequence[Mapping[str, Any]], secrets: Secrets, stopped: Any
) -> dict[str, Any]:
    """Drill what the job's backups have made, one instance after the other, and return one result of all."""
    results = []
    for entry in backups:
        if stopped():
            break
        try:
            results.append(drill.run(drill_request(options, entry, secrets)))
        except BackupDbError as error:
            results.append({**_no_drill(f"instance {entry['instance']}: {error}"), **failure(error)})
    return combined(results, lists=("lines", "drills", "warnings"), sums=("proven", "seconds"))


def combined(results: Sequence[Mapping[str, Any]], *, lists: Sequence[str], sums: Sequence[str]) -> dict[str, Any]:
    """Make one result of those of several instances; its status is the worst one."""
    statuses = [result["status"] for result in results]
    return {
        "status": worst(statuses),
        "changed": any(result["changed"] for result in results),
        "message": "; ".join(result["message"] for result in results),
        **{key: [item for result in results for item in result.get(key, ())] for key in lists},
        **{key: sum(result.get(key, 0) for result in results) for key in sums},
    }


def worst(statuses: Sequence[str]) -> str:
    """Return failed, partial, busy or ok: work that another run does right now makes the whole partial."""
    if "failed" in statuses:
        return "failed"
    if statuses and all(status == "busy" for status in statuses):
        return "busy"
    return "partial" if {"partial", "busy"} & set(statuses) else "ok"


def _no_drill(message: str) -> dict[str, Any]:
    return {"changed": False, "message": message, "lines": [message], "drills": [], "warnings": []}
