# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of the backups on one host, summed up, and of copying them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.text import (
    human_duration,
    human_size,
    one_line,
)

from .summaries import Called, Done, Result

BACKUP = "vya.backupdb.database_backup"
COPY = "vya.backupdb.backup_copy"
WARNINGS_SHOWN = 5  # of one backup; all of them are in its manifest

# From good to bad: a whole is as bad as its worst part.
_STATUSES = ("ok", "unknown", "partial", "unreachable", "failed")
_BACKUP_STATUSES = ("complete", "partial", "failed", "skipped")
_AS_ABOVE = "(as above)"
_NOT_BAD = ("ok", "unknown")
_UNKNOWN = "unknown until the host is prepared"


def backup_summary(done: Done) -> dict[str, Any]:
    """Sum up the calls of database_backup, one for each instance, and of backup_copy.

    `status` is `ok`, `partial`, `failed`, `unreachable`, or in check mode on a host that a run would prepare first
    `unknown`, unless something fails for certain. `message` is a sentence; `lines` are for people, `instances`
    have each backup, `copying` what came of the copies, and `warnings` what the runs warned about.
    """
    runs, copied = done.of(BACKUP), _copying([one.result for one in done.of(COPY)])
    told = [*(line for one in runs for line in one.result.get("warnings") or ()), *copied.pop("warnings", ())]
    warnings = list(dict.fromkeys(told))  # some concern the host and come from each instance
    instances = [_instance(one) for one in runs]
    if instances:
        statuses = [*(instance["status"] for instance in instances), *(["partial"] if _is_behind(copied) else [])]
        status = max(statuses, key=_STATUSES.index)
        message = _message(instances)
        message += f" Not all is copied: {copied['message']}" if _is_behind(copied) else ""
        lines = [line for instance in instances for line in _lines(instance)]
        lines += copied.get("lines", ())
        lines = list(map(one_line, [*lines, *(f"warning: {warning}" for warning in warnings)]))
    else:
        status = "unreachable" if done.last.get("unreachable") else "failed"
        message = f"No backup was made: {done.error or done.last.get('msg') or 'there is no instance'}"
        lines = [message]
    return {
        "status": status,
        "message": message,
        "lines": lines,
        "instances": instances,
        "copying": copied,
        "warnings": warnings,
    }


def backup_complaints(summary: Mapping[str, Any]) -> list[str]:
    """Return what is not well on a host, a line for each instance, and one for its copies."""
    instances = [entry for entry in summary.get("instances", ()) if entry["status"] not in _NOT_BAD]
    told = [f"{entry['id']} {entry['status']}: {entry['message']}" for entry in instances]
    if _is_behind(summary.get("copying") or {}):
        told.append(f"copying {summary['copying']['status']}: {summary['copying']['message']}")
    return told or [f"{summary['status']}: {summary['message']}"]


def _message(instances: Sequence[Mapping[str, Any]]) -> str:
    bad = [f"{instance['id']} {instance['status']}" for instance in instances if instance["status"] not in _NOT_BAD]
    planned = any(instance["planned"] for instance in instances)
    if bad:
        return f"Not all {'would be' if planned else 'is'} backed up: {', '.join(bad)}."
    if any(instance["status"] == "unknown" for instance in instances):
        return f"What a run would do is {_UNKNOWN}."
    return f"Every instance {'would be' if planned else 'is'} backed up."


def _copying(results: Sequence[Result]) -> dict[str, Any]:
    """What came of the copies; nothing where none was tried."""
    if not results:
        return {}
    result = results[-1]
    message = str(result.get("message") or result.get("msg") or "nothing was copied")
    status = "unreachable" if result.get("unreachable") else result.get("status", "failed")
    return {
        "status": status,
        "message": message,
        "lines": list(result.get("lines") or [f"copying {status}: {message}"]),
        "copies": list(result.get("copies", ())),
        "warnings": list(result.get("warnings", ())),
    }


def _is_behind(copied: Mapping[str, Any]) -> bool:
    """Tell whether a required copy does not have everything."""
    return bool(copied) and copied["status"] not in ("ok", "planned")


def _instance(call: Called) -> dict[str, Any]:
    result = call.result
    unprepared = bool(result.get("unprepared"))
    if result.get("unreachable"):
        status = "unreachable"
    elif result.get("failed"):
        status = "partial" if result.get("status") == "partial" else "failed"
    else:
        status = "unknown" if unprepared else "ok"
    message = result.get("message") or result.get("msg") or ""
    backups = [*result.get("databases", ()), *filter(None, [result.get("accounts")])]
    told = list(map(_backup, backups))
    if status == "unknown":
        message = f"{_UNKNOWN}: {message}"
        # What fails only because the host is not prepared.
        told = [
            {**backup, "status": "unknown" if backup["status"] == "failed" else backup["status"]} for backup in told
        ]
    return {
        "id": result.get("instance") or call.item,
        "status": status,
        "message": message,
        "planned": unprepared or any(backup.get("status") == "planned" or "plan" in backup for backup in backups),
        "engine": result.get("engine"),
        "server_version": result.get("server_version"),
        "duration": result.get("duration"),
        "plain_bytes": result.get("plain_bytes"),
        "stored_bytes": result.get("stored_bytes"),
        "backups": told,
    }


def _backup(backup: Mapping[str, Any]) -> dict[str, Any]:
    reasons = [backup.get("error"), backup.get("reason"), *backup.get("missing", ())]
    plan = backup.get("plan", {})
    if backup.get("status") == "planned" and plan.get("forecast_bytes") is not None:
        guess = {"low": "a guess", "high": "by its last backup"}.get(plan.get("forecast_confidence", ""))
        reasons.append(f"needs about {human_size(plan['forecast_bytes'])}{f' ({guess})' if guess else ''}")
    kept = {key: backup.get(key) for key in ("name", "status", "path", "plain_bytes", "stored_bytes", "duration")}
    kept["without"] = backup.get("without") or ""
    kept["warnings"] = list(backup.get("warnings", ()))
    return {**kept, "why": "; ".join(str(reason) for reason in reasons if reason)}


def _lines(instance: Mapping[str, Any]) -> list[str]:
    backups = instance["backups"]
    lines = [f"{instance['id']}: {instance['status']}{_outcome(instance)}"]
    widest = max((len(str(backup["name"])) for backup in backups), default=0)
    said = ""
    for backup in backups:
        columns = [f"{backup['status']:<8}", f"{backup['name']:<{widest}}"]
        if backup["path"]:
            size, duration = human_size(backup["stored_bytes"] or 0), human_duration(backup["duration"] or 0)
            columns += [f"{size:>10}", f"{duration:>8}"]
        why = _AS_ABOVE if len(backup["why"]) > len(_AS_ABOVE) and backup["why"] == said else backup["why"]
        said = backup["why"]
        columns += [text for text in (backup["without"], backup["path"], why) if text]
        lines.append("  " + "  ".join(columns).rstrip())
        lines += [f"    warning: {warning}" for warning in backup["warnings"][:WARNINGS_SHOWN]]
    return lines


def _outcome(instance: Mapping[str, Any]) -> str:
    counts = Counter(backup["status"] for backup in instance["backups"])
    if not counts or instance["status"] == "unknown":
        message, named = instance["message"], f"instance {instance['id']} ("
        # Most messages begin with what the line already says.
        return f" ({message[len(named) :]}" if message.startswith(named) else f": {message}"
    # Not the message: it repeats what is wrong with each backup, and each one has its own line.
    server = f" ({instance['engine']} {instance['server_version']})"
    if instance["planned"]:
        made = counts["planned"] + counts["partial"]
        told = [f"{made} of {len(instance['backups'])} backups would be made"]
        told += [f"{counts[status]} would be {status}" for status in ("partial", "skipped") if counts[status]]
        told += [f"{counts['failed']} would fail"] if counts["failed"] else []
        return f"{server}: {', '.join(told)}"
    told = [f"{counts[status]} {status}" for status in _BACKUP_STATUSES if counts[status]]
    filtered = sum(bool(backup["without"]) for backup in instance["backups"])
    told += [f"{filtered} of them without something that is left out on purpose"] if filtered else []
    size, duration = human_size(instance["stored_bytes"] or 0), human_duration(instance["duration"] or 0)
    return f"{server}: {', '.join(told)}; {size} stored in {duration}"
