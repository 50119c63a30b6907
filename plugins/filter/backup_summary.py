# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that sum up what database_backup returned, for people (lines) and for programs (the same as data)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.text import (
    human_duration,
    human_size,
    one_line,
)

DOCUMENTATION = r"""
name: backup_summary
short_description: Sum up the results of database_backup for one host
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Takes what a loop over M(vya.backupdb.database_backup) registered and makes a short summary of it, free of secrets.
options:
  _input:
    description: The registered variable of the loop, or an empty dictionary when there was none.
    type: dict
    required: true
  error:
    description: Why there was no run, when there was none.
    type: str
    default: ""
  unreachable:
    description: Whether there was no run because the host could not be reached.
    type: bool
    default: false
  copying:
    description: The registered result of M(vya.backupdb.backup_copy), or an empty dictionary when nothing was copied.
    type: dict
    default: {}
  unprepared:
    description:
      - Whether this was check mode on a host that a run would prepare first. What does not fail for certain is
        V(unknown) then, never V(ok).
    type: bool
    default: false
"""

EXAMPLES = r"""
---
- name: Back up two instances
  vya.backupdb.database_backup:
    instance: "{{ my_id }}"
    engine: postgresql
    login_unix_socket: "/run/{{ my_id }}"
    repository: /var/backups/backupdb
    recipients: ["{{ backup_recipient }}"]
  loop: [shop, wiki]
  loop_control:
    loop_var: my_id
  register: my_results
  failed_when: false

- name: Print their summary
  ansible.builtin.debug:
    msg: "{{ (my_results | vya.backupdb.backup_summary).lines }}"
"""

RETURN = r"""
_value:
  description:
    - A dictionary. RV(ignore:status) is V(ok), V(unknown), V(partial), V(failed) or V(unreachable), in check mode how a
      run would end. RV(ignore:message) is one sentence, RV(ignore:lines) a list of lines to print, RV(ignore:instances)
      the instances with their backups, RV(ignore:copying) what came of the copies, and RV(ignore:warnings) what the
      runs warned about.
  type: dict
"""

WARNINGS_SHOWN = 5  # of one backup; all of them are in its manifest

# From good to bad: a whole is as bad as its worst part.
_STATUSES = ("ok", "unknown", "partial", "unreachable", "failed")
_BACKUP_STATUSES = ("complete", "partial", "failed", "skipped")
_AS_ABOVE = "(as above)"
_NOT_BAD = ("ok", "unknown")
_UNKNOWN = "unknown until the host is prepared"


def backup_summary(
    registered: Mapping[str, Any],
    error: str = "",
    unreachable: bool = False,
    copying: Mapping[str, Any] | None = None,
    unprepared: bool = False,
) -> dict[str, Any]:
    """Sum up the results of a loop over instances, and of copying; `error` says why there are none."""
    copied = _copying(copying or {})
    # Ansible collects there what all items of the loop warned about; some of it concerns the host and comes from each.
    warnings = list(dict.fromkeys([*registered.get("warnings", ()), *copied.pop("warnings", ())]))
    results = [result for result in registered.get("results", ()) if not result.get("skipped")]
    instances = [_instance(result, unprepared=unprepared) for result in results]
    if instances:
        statuses = [*(instance["status"] for instance in instances), *(["partial"] if _is_behind(copied) else [])]
        status = max(statuses, key=_STATUSES.index)
        message = _message(instances)
        message += f" Not all is copied: {copied['message']}" if _is_behind(copied) else ""
        lines = [line for instance in instances for line in _lines(instance)]
        lines += copied.get("lines", ())
        lines = list(map(one_line, [*lines, *(f"warning: {warning}" for warning in warnings)]))
    else:
        status = "unreachable" if unreachable else "failed"
        message = f"No backup was made: {error or 'the run was skipped'}"
        lines = [message]
    return {
        "status": status,
        "message": message,
        "lines": lines,
        "instances": instances,
        "copying": copied,
        "warnings": warnings,
    }


def _message(instances: Sequence[Mapping[str, Any]]) -> str:
    bad = [f"{instance['id']} {instance['status']}" for instance in instances if instance["status"] not in _NOT_BAD]
    planned = any(instance["planned"] for instance in instances)
    if bad:
        return f"Not all {'would be' if planned else 'is'} backed up: {', '.join(bad)}."
    if any(instance["status"] == "unknown" for instance in instances):
        return f"What a run would do is {_UNKNOWN}."
    return f"Every instance {'would be' if planned else 'is'} backed up."


def _copying(result: Mapping[str, Any]) -> dict[str, Any]:
    """What came of the copies; nothing where none was tried."""
    if not result or result.get("skipped"):
        return {}
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


def _instance(result: Mapping[str, Any], *, unprepared: bool) -> dict[str, Any]:
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
        "id": result.get("instance") or result.get("__backup_id") or "?",
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
        columns += [text for text in (backup["path"], why) if text]
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
    size, duration = human_size(instance["stored_bytes"] or 0), human_duration(instance["duration"] or 0)
    return f"{server}: {', '.join(told)}; {size} stored in {duration}"


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"backup_summary": backup_summary}
