# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a hook is, and what came of one."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

BEFORE, AFTER, ON_FAILURE = "before", "after", "on_failure"
MOMENTS = (BEFORE, AFTER, ON_FAILURE)
RUN, DATABASE = "run", "database"
SCOPES = (RUN, DATABASE)
ON_ERROR = ("fail", "warn")


@dataclass(frozen=True)
class Hook:
    """A command, as a list of words, or one SQL statement. `timeout` is in seconds.

    What goes wrong with a `required` one counts; with another it is a warning.
    """

    when: str
    per: str
    command: tuple[str, ...]
    sql: str | None
    databases: tuple[str, ...]
    timeout: float
    required: bool

    @property
    def title(self) -> str:
        """Name it without its arguments, which may be secret."""
        return Path(self.command[0]).name if self.command else "SQL statement"

    def is_for(self, when: str, database: str | None) -> bool:
        """Tell whether it is for this moment of a run (None) or of one of its databases."""
        if self.when != when or (self.per == DATABASE) != (database is not None):
            return False
        return database is None or any(fnmatchcase(database, pattern) for pattern in self.databases)


@dataclass(frozen=True)
class HookResult:
    """What came of one hook. `error` is None when it did its work; `output` is what a command said, shortened."""

    hook: Hook
    database: str | None
    seconds: float
    output: str
    error: str | None

    @property
    def where(self) -> str:
        """Say which hook it was."""
        of_database = f" database {self.database!r}" if self.database is not None else " the run"
        moment = f"on failure of{of_database}" if self.hook.when == ON_FAILURE else f"{self.hook.when}{of_database}"
        return f"hook {self.hook.title} {moment}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "when": self.hook.when,
            "per": self.hook.per,
            "database": self.database,
            "title": self.hook.title,
            "status": "ok" if self.error is None else "failed",
            "required": self.hook.required,
            "duration": round(self.seconds, 3),
            "output": self.output,
            "error": self.error,
        }
