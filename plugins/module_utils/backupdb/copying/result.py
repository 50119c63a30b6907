# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of copying, as plain values: one entry a copy, and the whole in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import BackupDbError, LockBusy
from ..outcome import Outcome
from ..repository.stores.interface import Right
from ..repository.stores.settings import CopySettings
from ..system.text import counted, human_duration, human_size

_SHOWN = 3


@dataclass
class CopyOutcome:
    """What is known of one copy when its turn is over. `missing` is what was missing before, with its bytes."""

    settings: CopySettings
    where: str = ""
    missing: Sequence[tuple[str, int]] = ()
    sent: list[str] = field(default_factory=list)
    cleared: list[str] = field(default_factory=list)  # what broken off copies had left there
    refused: list[str] = field(default_factory=list)  # backups that could not be sent, and why
    bytes: int = 0  # that went out, also those of what did not arrive
    requests: int = 0
    listed: bool = True  # False: the key may not list, and what is there is known from what this host has sent
    seconds: float = 0.0
    rights: Sequence[Right] = ()
    policy: str | None = None
    error: BackupDbError | None = None
    warnings: list[str] = field(default_factory=list)

    def still_missing(self) -> list[str]:
        """Return the places of the backups that are not there now."""
        return [place for place, _size in self.missing if place not in set(self.sent)]

    def is_whole(self) -> bool:
        """Tell whether everything is there."""
        return self.error is None and not self.refused

    def error_text(self) -> str | None:
        """Say what went wrong; None when nothing did. The name of the copy, with which the errors of some stores begin,
        is said beside.
        """
        begin = f"copy {self.settings.name}: "
        faults = [*([str(self.error)] if self.error is not None else []), *self.refused]
        faults = [fault[len(begin) :] if fault.startswith(begin) else fault for fault in faults]
        more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        return "; ".join(faults[:_SHOWN]) + more if faults else None

    def line(self, *, check_mode: bool) -> str:
        """Say it in one line."""
        name = f"copy {self.settings.name}"
        size = human_size(sum(size for _place, size in self.missing))
        if self.error is not None and not self.sent and not check_mode:
            return f"{name}: {self.error_text()}"
        if check_mode and self.error is not None and not self.missing:
            return f"{name}: {self.error_text()}"
        if check_mode:
            what = f"{counted(len(self.missing), 'backup')} would be sent ({size}, {self.requests} requests)"
            return f"{name}: {what}" + (f"; {self.error_text()}" if self.error_text() else "")
        done = f"{counted(len(self.sent), 'backup')} sent ({human_size(self.bytes)} in {human_duration(self.seconds)})"
        left = len(self.still_missing())
        return (
            f"{name}: {done}"
            + (f", {left} still missing" if left else "")
            + (f"; {self.error_text()}" if self.error_text() else "")
        )

    def values(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "name": self.settings.name,
            "type": self.settings.type,
            "where": self.where,
            "required": self.settings.required,
            "status": "ok" if self.is_whole() else "failed",
            "missing": [{"backup": place, "bytes": size} for place, size in self.missing],
            "sent": list(self.sent),
            "cleared": list(self.cleared),
            "still_missing": len(self.still_missing()),
            "bytes": self.bytes,
            "requests": self.requests,
            "listed": self.listed,
            "seconds": round(self.seconds, 3),
            "rights": [{"right": right.name, "known": right.known, "detail": right.detail} for right in self.rights],
            "policy": self.policy,
            "error": self.error_text(),
            "error_kind": None if self.error is None else type(self.error).__name__,
        }


def of(outcomes: Sequence[CopyOutcome], *, check_mode: bool, stopped: Sequence[str]) -> dict[str, Any]:
    """Make the result of all copies. A copy that is not required and fails is a warning."""
    lines = [outcome.line(check_mode=check_mode) for outcome in outcomes]
    warnings = [line for outcome in outcomes for line in outcome.warnings]
    failed = [outcome for outcome in outcomes if not outcome.is_whole()]
    warnings += [outcome.line(check_mode=check_mode) for outcome in failed if not outcome.settings.required]
    return Outcome(
        status=_status(outcomes, check_mode=check_mode, stopped=bool(stopped)),
        changed=any(outcome.missing if check_mode else outcome.sent for outcome in outcomes),
        message="; ".join([*lines, *stopped]),
        warnings=[*warnings, *stopped],
        facts={"lines": lines, "copies": [outcome.values() for outcome in outcomes]},
    ).to_dict()


def _status(outcomes: Sequence[CopyOutcome], *, check_mode: bool, stopped: bool) -> str:
    missed = [outcome for outcome in outcomes if not outcome.is_whole() and outcome.settings.required]
    if stopped:
        return "failed"
    if missed:
        if all(isinstance(outcome.error, LockBusy) for outcome in missed):
            return "busy"
        return "partial" if len(missed) < len(outcomes) or any(outcome.sent for outcome in outcomes) else "failed"
    return "planned" if check_mode and any(outcome.missing for outcome in outcomes) else "ok"
