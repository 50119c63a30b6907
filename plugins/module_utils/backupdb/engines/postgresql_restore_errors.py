# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pg_restore says on stderr: which object failed, and why, without the text of its statement.

A statement may hold a password (CREATE USER MAPPING), a context line a row of the user's: neither is kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .postgresql_restore_toc import Entry

_ENTRY = re.compile(r"^pg_restore: from TOC entry (\d+);")
_ERROR = re.compile(r"^pg_restore: error: (?:could not execute query: )?(.*)$")
_OTHER = re.compile(r"^pg_restore: ")
_HINT = re.compile(r"^HINT: +(.*)$")
_IGNORED = re.compile(r"^pg_restore: warning: errors ignored on restore: (\d+)$")
# Before the first object pg_restore sets what its own version knows; an older server needs none of it.
_UNKNOWN_SETTING = "unrecognized configuration parameter"
_PSQL = re.compile(r"^psql:[^:]*:\d+: (ERROR|FATAL|error): +(.*)$")
_MOST = 1000  # named; of more there is the number


class Complaints:
    """Collects the errors of one client while it runs with `--verbose`, without which it does not name the object.

    `hear` is called with each line of its stderr.
    """

    def __init__(self, entries: Mapping[int, Entry], *, jobs: int = 1) -> None:
        self._counted = 1 if jobs == 1 else 2  # in parallel pg_restore counts each error twice
        self._entries = entries
        self._entry: Entry | None = None
        self._open = False  # the last line belonged to an error that may have a hint
        self._harmless = 0
        self.errors: list[str] = []
        self.ignored: int | None = None  # how many errors pg_restore says it has passed over

    def hear(self, line: str) -> None:
        """Take in one line."""
        entry = _ENTRY.match(line)
        error = _ERROR.match(line) or _PSQL.match(line)
        hint = _HINT.match(line)
        ignored = _IGNORED.match(line)
        if entry:
            self._entry = self._entries.get(int(entry.group(1)))
        elif error:
            self._add(error.group(error.lastindex or 1))
        elif hint and self._open and self.errors:
            self.errors[-1] += f" (hint: {hint.group(1)})"
            self._open = False
        elif ignored:
            self.ignored = int(ignored.group(1))
        elif _OTHER.match(line):
            self._open = False

    def all(self) -> list[str]:
        """Return the errors; the last one counts those that are not named."""
        missed = max(0, (self.ignored or 0) // self._counted - self._harmless - len(self.errors))
        return [*self.errors, *([f"{missed} more errors that are not named here"] if missed else [])]

    def _add(self, words: str) -> None:
        self._open = False
        if self._entry is None and _UNKNOWN_SETTING in words:
            self._harmless += 1
        elif len(self.errors) < _MOST:
            self.errors.append(f"{self._entry.shown()}: {words}" if self._entry else words)
            self._open = True
