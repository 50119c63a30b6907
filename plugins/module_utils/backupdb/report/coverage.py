# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which of a few classes a database is: the state that `monitoring` gave it, and beside it what drills have shown.

No class contradicts the status. What it calls ok is proven, fresh or disproved here, by the drills.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..monitoring.freshness import FAILED, GONE, LATE, LEFT_OUT, NONE, OK, PARTIAL, WAITING
from ..repository.drill_records import PROVING


@dataclass(frozen=True)
class Coverage:
    """A class: its name, the sign that stands for it beside its colour, and what it means."""

    name: str
    sign: str
    meaning: str


NO_BACKUP = Coverage("no backup", "✕", "expected, and there is no backup")
DISPROVED = Coverage("drill failed", "✕", "the last drill could not restore it, or found it different")
STALE = Coverage("stale", "!", "the newest backup is older than allowed")
ATTEMPT_FAILED = Coverage("failed", "!", "the newest attempt failed; the backup before it is still young enough")
INCOMPLETE = Coverage("partial", "!", "something that is named is missing in the newest backup")
FRESH = Coverage("fresh", "○", "young enough and complete; no drill has shown that it comes back")
NEW = Coverage("new", "+", "its first backup is still to come, or just came")
PROVEN = Coverage("proven", "✓", "young enough and complete; a drill has restored a backup of it and found it equal")
VANISHED = Coverage("vanished", "·", "no longer on its server; its backups are kept")
EXCLUDED = Coverage("excluded", "·", "no run takes it; the rule is named")
# Worst first.
CLASSES = (NO_BACKUP, DISPROVED, STALE, ATTEMPT_FAILED, INCOMPLETE, FRESH, NEW, PROVEN, VANISHED, EXCLUDED)
NOT_RESTORABLE = (NO_BACKUP, DISPROVED)
NOT_EXPECTED = (VANISHED, EXCLUDED)

_OF_STATE = {
    NONE: NO_BACKUP,
    LATE: STALE,
    FAILED: ATTEMPT_FAILED,
    PARTIAL: INCOMPLETE,
    WAITING: NEW,
    GONE: VANISHED,
    LEFT_OUT: EXCLUDED,
}


def coverage_of(database: Mapping[str, Any], *, is_new: bool = False) -> Coverage:
    """Return the class of a database of a facts document; `is_new` when the newest run saw it for the first time."""
    state, drill = database["state"], database["drill"]
    is_disproved = drill is not None and drill["verdict"] not in PROVING
    if is_disproved and state not in (NONE, GONE, LEFT_OUT, WAITING):
        return DISPROVED
    if state != OK:
        return _OF_STATE[state]
    if database["proven"] is not None:
        return PROVEN
    return NEW if is_new else FRESH
