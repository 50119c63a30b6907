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
_STATUSES = ("ok", "partial", "unreachable", "failed")
_BACKUP_STATUSES = ("complete", "partial", "failed", "skipped")


def backup_summary(done: Done) -> dict[str, Any]:
    """Sum up the calls of database_backup, one for each instance, and of backup_copy.

    `status` is `ok`, `partial`, `failed` or `unreachable`, `message` a sentence; `lines` are for people, `instances`
    have each backup, `copying` what came of the copies, and `warnings` what the runs warned about.
    """
    runs, copied = done.of(BACKUP), _copying([one.result for one in done.of(COPY)])
    told = [*(line for one in runs for line in one.result.get("warnings") or ()), *copied.pop("warnings", ())]
    warnings = list(dict.fromkeys(map(str, told)))  # some concern the host and come from each instance
    instances = [_instance(one) for one in runs]
    if instances:
        statuses = [*(instance["status"] for instance in instances), *(["partial"] if _is_behind(copied) else [])]
        status = max(statuses, key=_STATUSES.index)
        bad = [f"{instance['id']} {instance['status']}" for instance in instances if instance["status"] != "ok"]
        message = f"Not all is backed up: {', '.join(bad)}." if bad else "Every instance is backed up."
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
    instances = [entry for entry in summary.get("instances", ()) if entry["status"] != "ok"]
    told = [f"{entry['id']} {entry['status']}: {entry['message']}" for entry in instances]
    if _is_behind(summary.get("copying") or {}):
        told.append(f"copying {summary['copying']['status']}: {summary['copying']['message']}")
    return told or [f"{summary['status']}: {summary['message']}"]


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
    if result.get("unreachable"):
        status = "unreachable"
    elif result.get("failed"):
        status = "partial" if result.get("status") == "partial" else "failed"
    else:
        status = "ok"
    message = result.get("message") or result.get("msg") or ""
    if status == "ok" and result.get("status") == "failed":  # check mode on a host that is not prepared yet
        message = f"cannot be looked at before the host is prepared: {message}"
    backups = [*result.get("databases", ()), *filter(None, [result.get("accounts")])]
    return {
        "id": result.get("instance") or call.item,
        "status": status,
        "message": message,
        "engine": result.get("engine"),
        "server_version": result.get("server_version"),
        "duration": result.get("duration"),
        "plain_bytes": result.get("plain_bytes"),
        "stored_bytes": result.get("stored_bytes"),
        "backups": [_backup(backup) for backup in backups],
    }


def _backup(backup: Mapping[str, Any]) -> dict[str, Any]:
    reasons = [backup.get("error"), backup.get("reason"), *backup.get("missing", ())]
    forecast = backup.get("plan", {}).get("forecast_bytes")
    if backup.get("status") == "planned" and forecast is not None:
        reasons.append(f"needs about {human_size(forecast)}")
    kept = {key: backup.get(key) for key in ("name", "status", "path", "plain_bytes", "stored_bytes", "duration")}
    kept["warnings"] = list(backup.get("warnings", ()))
    return {**kept, "why": "; ".join(str(reason) for reason in reasons if reason)}


def _lines(instance: Mapping[str, Any]) -> list[str]:
    backups = instance["backups"]
    lines = [f"{instance['id']}: {instance['status']}{_outcome(instance)}"]
    widest = max((len(str(backup["name"])) for backup in backups), default=0)
    for backup in backups:
        columns = [f"{backup['status']:<8}", f"{backup['name']:<{widest}}"]
        if backup["path"]:
            size, duration = human_size(backup["stored_bytes"] or 0), human_duration(backup["duration"] or 0)
            columns += [f"{size:>10}", f"{duration:>8}"]
        columns += [text for text in (backup["path"], backup["why"]) if text]
        lines.append("  " + "  ".join(columns).rstrip())
        lines += [f"    warning: {warning}" for warning in backup["warnings"][:WARNINGS_SHOWN]]
    return lines


def _outcome(instance: Mapping[str, Any]) -> str:
    counts = Counter(backup["status"] for backup in instance["backups"])
    if not counts or "planned" in counts:
        message, named = instance["message"], f"instance {instance['id']} ("
        # Most messages begin with what the line already says.
        return f" ({message[len(named) :]}" if message.startswith(named) else f": {message}"
    # Not the message: it repeats what is wrong with each backup, and each one has its own line.
    told = ", ".join(f"{counts[status]} {status}" for status in _BACKUP_STATUSES if counts[status])
    size, duration = human_size(instance["stored_bytes"] or 0), human_duration(instance["duration"] or 0)
    return f" ({instance['engine']} {instance['server_version']}): {told}; {size} stored in {duration}"
