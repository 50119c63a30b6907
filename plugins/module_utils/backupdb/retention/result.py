# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a prune as plain values, with the plan as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..outcome import Outcome, diff_of
from ..repository.left_out import with_without, without
from ..repository.problems import Problems
from ..system.text import counted, human_size, iso
from .decide import KEEP, REMOVE
from .plan import DatabasePlan

_SHOWN = 3


def of(
    plans: Sequence[DatabasePlan],
    *,
    run_id: str,
    check_mode: bool,
    problems: Problems,
    busy: Sequence[str],
    stopped: Sequence[str],
    where: str,
    facts: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Put together the result of a prune, or of its plan; `facts` are what this kind of prune tells beside."""
    databases = [_database(plan, check_mode) for plan in plans]
    removed, kept, freed = (sum(entry[key] for entry in databases) for key in ("removed", "kept", "freed_bytes"))
    faults = [*problems.damaged.values(), *busy, *stopped]
    for plan in plans:
        faults += [f"{plan.where()}: {text}" for text in (plan.refused, plan.error) if text is not None]
    warnings = problems.beside_damaged()
    for plan in plans:
        warnings += [*plan.warnings, *(f"finished removing {path}" for path in plan.unfinished if not check_mode)]
    return Outcome(
        status="planned" if check_mode else _status(plans, faults, busy),
        changed=removed > 0 or any(plan.unfinished for plan in plans),
        message=_message(plans, removed, kept, freed, faults, check_mode, where),
        warnings=list(dict.fromkeys(warnings)),
        diff=diff_of(list(_table(plans, (KEEP, REMOVE))), list(_table(plans, (KEEP,)))),
        facts={
            "run_id": run_id,
            "databases": databases,
            "removed": removed,
            "kept": kept,
            "freed_bytes": freed,
            "lines": list(_table(plans, (KEEP, REMOVE))),
            "problems": faults,
            **(facts or {}),
        },
    ).to_dict()


def _database(plan: DatabasePlan, check_mode: bool) -> dict[str, Any]:
    gone = {backup.folder.name for backup in plan.to_remove()} if check_mode else set(plan.removed)
    return {
        "host": plan.host,
        "instance": plan.instance,
        "database": None if plan.kind == "accounts" else plan.name,
        "kind": plan.kind,
        "decisions": [
            {
                "backup_id": entry.backup_id,
                "path": plan.path_of(entry.backup_id),
                "started": iso(plan.backups[entry.backup_id].time),
                "status": plan.backups[entry.backup_id].manifest["status"],
                "without": without(plan.backups[entry.backup_id].manifest),
                "stored_bytes": plan.backups[entry.backup_id].manifest["stored_bytes"],
                "action": entry.action,
                "reason": entry.reason,
            }
            for entry in plan.decisions
        ],
        "refused": plan.refused,
        "error": plan.error,
        "removed": len(gone),
        "kept": len(plan.backups) - len(gone),
        "freed_bytes": sum(plan.backups[backup_id].manifest["stored_bytes"] for backup_id in gone),
    }


def _status(plans: Sequence[DatabasePlan], faults: Sequence[str], busy: Sequence[str]) -> str:
    if not faults:
        return "ok"
    if any(plan.refused is None and plan.error is None for plan in plans):
        return "partial"
    return "busy" if len(busy) == len(faults) else "failed"


def _message(
    plans: Sequence[DatabasePlan],
    removed: int,
    kept: int,
    freed: int,
    faults: Sequence[str],
    check_mode: bool,
    where: str,
) -> str:
    if not plans and not faults:
        return f"there is nothing to prune in {where}: it has no backups of what was asked for"
    would = "would be " if check_mode else ""
    backups = counted(removed + kept, "backup")
    text = f"{removed} of {backups} {would}removed, {kept} kept, {human_size(freed)} {would}freed"
    more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    return text + (f". {'; '.join(faults[:_SHOWN])}{more}" if faults else "")


def _table(plans: Sequence[DatabasePlan], actions: Sequence[str]) -> Iterator[str]:
    """Yield a line per backup, those of a database below its name."""
    for plan in plans:
        yield plan.where() + (f": refused: {plan.refused}" if plan.refused else "")
        for entry in plan.decisions:
            if entry.action in actions:
                manifest = plan.backups[entry.backup_id].manifest
                size = human_size(manifest["stored_bytes"])
                reason = with_without(entry.reason, manifest, "{} ({})")
                yield f"  {entry.backup_id}  {manifest['status']:8}  {size:>10}  {entry.action:6}  {reason}"
        if REMOVE in actions:
            yield from (f"  {path.name}  left by a removal that did not end" for path in plan.unfinished)
