# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results as plain values: what modules return and the command line prints. Nothing in them is secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..system.parallel import Outcome
from ..system.text import human_duration, human_size
from .one_database import Done
from .request import BackupRequest
from .survey import Survey
from .task import Task

if TYPE_CHECKING:
    from ..repository.catalogue import StoredBackup
    from .previous import Past

ACCOUNTS = "@accounts"  # what the accounts' backup is called where databases are named beside it
_ARCHIVE_KEYS = ("name", "part", "format", "plain_bytes", "stored_bytes", "sha256")  # the manifest has the rest
_NOT_STOPPED = "did not stop in time and was left behind; the next run clears what it wrote"


def entry(name: str | None, status: str, *, reason: str | None = None) -> dict[str, Any]:
    """Return the result of one database (None: the accounts) for which nothing was written."""
    return {
        "name": ACCOUNTS if name is None else name,
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
        "error": None,
        "reason": reason,
    }


def of_run(
    request: BackupRequest,
    *,
    run_id: str,
    found: Survey,
    tasks: Sequence[Task],
    fresh: Mapping[str | None, str],
    outcomes: Sequence[Outcome[Done] | None],
    warnings: Sequence[str],
    gone: Sequence[str],
    new: Sequence[str],
    seconds: float,
) -> dict[str, Any]:
    """Put together the result of a run."""
    entries = {name: entry(name, "skipped", reason=reason) for name, reason in fresh.items()}
    entries.update({task.name: _of_task(task, outcome) for task, outcome in zip(tasks, outcomes)})
    databases = [entries[database.name] for database in found.selected]
    accounts = entries.get(None)
    everything = [*databases, *([accounts] if accounts else [])]
    stored = sum(item["stored_bytes"] for item in everything)
    plain = sum(item["plain_bytes"] for item in everything)
    return {
        **_head(request, run_id, found),
        "status": _status(everything, found),
        "changed": any(item["path"] for item in everything),
        "message": _message(request, everything, found, stored, seconds),
        "databases": databases,
        "accounts": accounts,
        "warnings": [*warnings, *_gone_warnings(gone), *_fault_warnings(found), *_notable_warnings(found)],
        "gone": list(gone),
        "new": list(new),
        "plain_bytes": plain,
        "stored_bytes": stored,
        "duration": round(seconds, 3),
        "rate": round(plain / seconds) if seconds > 0 else 0,
        "diff": {
            "before": "".join(f"{_title(task.name)}: {_last_text(task.last)}\n" for task in tasks),
            "after": "".join(f"{item['name']}: {_stored_text(item)}\n" for item in everything if not item["reason"]),
        },
    }


def of_plan(
    request: BackupRequest,
    *,
    run_id: str,
    found: Survey,
    entries: Sequence[dict[str, Any]],
    accounts: dict[str, Any] | None,
    warnings: Sequence[str],
    gone: Sequence[str],
    new: Sequence[str],
    past: Past,
) -> dict[str, Any]:
    """Put together the plan of a run in the same form."""
    everything = [*entries, *([accounts] if accounts else [])]
    planned = [item for item in everything if item["status"] == "planned"]
    names = {ACCOUNTS: None, **{database.name: database.name for database in found.selected}}
    return {
        **_head(request, run_id, found),
        "status": "planned",
        "changed": bool(planned),
        "message": f"{request.instance.where()}: {len(planned)} of {len(everything)} backups would be made",
        "databases": list(entries),
        "accounts": accounts,
        "warnings": [*warnings, *_gone_warnings(gone), *_fault_warnings(found), *_notable_warnings(found)],
        "gone": list(gone),
        "new": list(new),
        "plain_bytes": 0,
        "stored_bytes": 0,
        "duration": 0.0,
        "rate": 0,
        "diff": {
            "before": "".join(
                f"{item['name']}: {_last_text(past.newest.get(names[item['name']]))}\n" for item in planned
            ),
            "after": "".join(f"{item['name']}: a new backup by run {run_id[:8]}\n" for item in planned),
        },
    }


def _head(request: BackupRequest, run_id: str, found: Survey) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "instance": request.instance.id,
        "host": request.host,
        "engine": found.facts.vendor,
        "server_version": found.facts.version,
        "skipped": [{"name": skipped.name, "reason": skipped.reason} for skipped in found.skipped],
        "missing_privileges": [asdict(missing) for missing in found.missing],
    }


def _of_task(task: Task, outcome: Outcome[Done] | None) -> dict[str, Any]:
    done = outcome.value if outcome is not None else None
    if done is None:
        failed = entry(task.name, "failed")
        failed["error"] = str(outcome.error) if outcome is not None and outcome.error is not None else _NOT_STOPPED
        failed["duration"] = round(task.seconds, 3)
        return failed
    manifest = done.manifest
    plain: int = manifest["plain_bytes"]
    return {
        **entry(task.name, manifest["status"]),
        "path": str(done.published.folder),
        "archives": [{key: archive[key] for key in _ARCHIVE_KEYS} for archive in manifest["archives"]],
        "plain_bytes": plain,
        "stored_bytes": manifest["stored_bytes"],
        "sha256": done.published.manifest_sha256,
        "duration": round(task.seconds, 3),
        "rate": round(plain / task.seconds) if task.seconds > 0 else 0,
        "warnings": manifest["warnings"],
        "missing": manifest["missing"],
    }


def _status(everything: Sequence[Mapping[str, Any]], found: Survey) -> str:
    statuses = {item["status"] for item in everything}
    if "failed" in statuses or any(skipped.fault for skipped in found.skipped):
        return "failed"
    return "partial" if "partial" in statuses else "ok"


def _message(
    request: BackupRequest, everything: Sequence[Mapping[str, Any]], found: Survey, stored: int, seconds: float
) -> str:
    counts = {
        status: sum(item["status"] == status for item in everything)
        for status in ("complete", "partial", "failed", "skipped")
    }
    text = ", ".join(f"{count} {status}" for status, count in counts.items() if count) or "nothing to back up"
    message = f"{request.instance.where()}: {text}; {human_size(stored)} stored in {human_duration(seconds)}"
    problems = [f"{item['name']}: {item['error']}" for item in everything if item["error"]]
    problems += [f"{item['name']}: missing {'; '.join(item['missing'])}" for item in everything if item["missing"]]
    problems += _fault_warnings(found)
    return ". ".join([message, *problems])


def _fault_warnings(found: Survey) -> list[str]:
    return [f"{skipped.name!r} is not backed up: {skipped.reason}" for skipped in found.skipped if skipped.fault]


def _notable_warnings(found: Survey) -> list[str]:
    return [f"{skipped.name!r} is left out: {skipped.reason}" for skipped in found.skipped if skipped.notable]


def _gone_warnings(gone: Sequence[str]) -> list[str]:
    return [
        f"database {name!r} was in the last run and is no longer on the server; its backups are kept" for name in gone
    ]


def _title(name: str | None) -> str:
    return ACCOUNTS if name is None else name


def _last_text(last: StoredBackup | None) -> str:
    if last is None:
        return "no backup"
    return f"{last.folder.name}, {last.manifest['status']}, {human_size(last.manifest['stored_bytes'])}"


def _stored_text(item: Mapping[str, Any]) -> str:
    if not item["path"]:
        return "failed, earlier backups are kept"
    return f"{item['path'].rsplit('/', 1)[-1]}, {item['status']}, {human_size(item['stored_bytes'])}"
