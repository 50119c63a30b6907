# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a restore, and its result as plain values: what modules return. Nothing in it is secret."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ..errors import BackupDbError
from ..outcome import Outcome, diff_of
from ..repository.left_out import with_without, without
from ..system.text import human_duration, human_size
from .compare import Comparison
from .plan import RestorePlan
from .request import RestoreRequest

_SHOWN = 10


@dataclass
class RestoreState:
    """What has happened so far. `half_made` is the database to drop if the rest fails."""

    signature: Mapping[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    comparison: Comparison = field(default_factory=Comparison)
    seconds: dict[str, float] = field(default_factory=dict)
    safety_backup: str | None = None
    kept_as: str | None = None
    masked_by: list[str] = field(default_factory=list)  # scripts that ran
    half_made: str | None = None
    in_place: str = ""  # what is on the server now, as a clause
    changed: bool = False
    error: BackupDbError | None = None

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the seconds of the block to those of the step, whatever way it ends."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[step] = round(self.seconds.get(step, 0.0) + time.monotonic() - began, 3)

    def add_in_place(self, clause: str) -> None:
        """Say one more thing about what is on the server."""
        self.in_place = f"{self.in_place}; {clause}" if self.in_place else clause

    def is_clean(self) -> bool:
        """Tell whether everything succeeded and was found again."""
        return not self.errors and self.comparison.equal

    def faults(self) -> str:
        """Say what did not succeed, or is not as in the backup."""
        lines = [
            *self.errors,
            *(f"differs: {line}" for line in (*self.comparison.inventory, *self.comparison.row_counts)),
        ]
        more = f" (and {len(lines) - _SHOWN} more)" if len(lines) > _SHOWN else ""
        return "; ".join(lines[:_SHOWN]) + more


def of_plan(request: RestoreRequest, plan: RestorePlan, state: RestoreState) -> dict[str, Any]:
    """Put together the result of check mode; refused is failed, as the real run would be."""
    refused = bool(plan.refusals)
    what = f"{plan.backup.database!r} would be restored as {plan.target!r} from {plan.backup.folder.name}"
    what = with_without(what, plan.backup.manifest)
    message = f"would be refused: {'; '.join(plan.refusals)}" if refused else what
    return Outcome(
        status="failed" if refused else "planned",
        changed=not refused,
        message=f"{request.instance.where()}: {message}",
        warnings=state.warnings,
        diff=_diff(plan, "would be " if not refused else None),
        facts={**_facts(request, plan, state), "seconds": {}},
    ).to_dict()


def of_run(request: RestoreRequest, plan: RestorePlan, state: RestoreState, *, seconds: float) -> dict[str, Any]:
    """Put together the result of a run."""
    status = _status(request, state)
    error_kind = type(state.error).__name__ if state.error is not None else None
    took = {**state.seconds, "total": round(seconds, 3)}
    return Outcome(
        status=status,
        changed=state.changed,
        message=f"{request.instance.where()}: {_message(plan, state, status, seconds)}",
        warnings=state.warnings,
        diff=_diff(plan, "" if state.error is None else None),
        facts={**_facts(request, plan, state), "error_kind": error_kind, "seconds": took},
    ).to_dict()


def _facts(request: RestoreRequest, plan: RestorePlan, state: RestoreState) -> dict[str, Any]:
    return {
        "instance": request.instance.id,
        "engine": plan.facts.vendor,
        "server_version": plan.facts.version,
        "database": plan.backup.database,
        "target": plan.target,
        "backup_id": plan.backup.manifest["backup_id"],
        "path": plan.backup.where,
        "without": without(plan.backup.manifest),
        "signature": dict(state.signature),
        "plan": plan.describe(),
        "inventory_difference": list(state.comparison.inventory),
        "row_count_difference": list(state.comparison.row_counts),
        "not_compared": list(state.comparison.not_compared),
        "errors": list(state.errors),
        "safety_backup": state.safety_backup,
        "kept_as": state.kept_as,
        "masked_by": list(state.masked_by),
    }


def _status(request: RestoreRequest, state: RestoreState) -> str:
    if state.error is not None:
        return "failed"
    if state.is_clean():
        return "restored"
    # A difference that no error explains means that something is lost.
    return "restored_with_errors" if state.errors or request.accept_errors else "failed"


def _message(plan: RestorePlan, state: RestoreState, status: str, seconds: float) -> str:
    what = f"{plan.backup.database!r} from {plan.backup.where}"
    if state.error is not None:
        return f"{what} was not restored: {state.error}. Now {state.in_place or 'nothing is changed'}"
    size = human_size(plan.backup.manifest["plain_bytes"])
    done = f"{what} was restored as {plan.target!r} ({size} in {human_duration(seconds)})"
    if state.masked_by:
        done += f", masked by {', '.join(state.masked_by)}"
    done = with_without(done, plan.backup.manifest, "{}, {} that the backup leaves out")
    if status == "restored":
        return done
    return f"{done}, but not all of it: {state.faults()}. Now {state.in_place}"


def _diff(plan: RestorePlan, would: str | None) -> dict[str, str]:
    before = [f"{plan.target}: {'a database' if plan.exists else 'not there'}"]
    if would is None:
        return diff_of(before, before)
    return diff_of(before, [f"{plan.target}: {would}restored from {plan.backup.folder.name}"])
