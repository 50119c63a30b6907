# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pg_restore says on stderr: which object failed, and why, without the text of its statement.

A statement may hold a password (CREATE USER MAPPING), a context line a row of the user's: neither is kept.

With several connections several processes write at once. Each message is whole, with its line breaks, but the words in
front of it ("pg_restore: error: ") may be another's. So messages are known by their own words, and an object by the
statement that belongs to the message rather than by what was named before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .toc import Entry

_ENTRY = re.compile(r"from TOC entry (\d+); \d+ \d+ ")
_REFUSED = re.compile(
    r'(?:could not execute query: |(?=COPY failed for table "))((?:COPY .*)?(?:ERROR|FATAL|PANIC): .*)$'
)
_PSQL = re.compile(r"^psql:[^:]*:\d+: (?:ERROR|FATAL|error): +(.*)$")
# Of the client itself; what it tells of its progress has no business after "error:".
_CLIENT = re.compile(
    r"^(?:pg_restore: |error: )*(?<=error: )"
    r"(?!error: |pg_restore: |(?:launching|finished|processing|skipping|creating|entering|from) )(.*)$"
)
_COMMAND = re.compile(r"^Command was: (.*)$")
_HINT = re.compile(r"^HINT: +(.*)$")
_IGNORED = re.compile(r"warning: errors ignored on restore: (\d+)$")
# Before the first object pg_restore sets what its own version knows; an older server needs none of it.
_UNKNOWN_SETTING = "unrecognized configuration parameter"
_MOST = 1000  # named; of more there is the number


class Complaints:
    """Collects the errors of one client while it runs with `--verbose`, without which it does not name the object.

    `hear` is called with each line of its stderr.
    """

    def __init__(self, entries: Mapping[int, Entry], *, jobs: int = 1) -> None:
        self._counted = 1 if jobs == 1 else 2  # in parallel pg_restore counts each error twice
        self._entries = entries
        self._by_command: dict[str, list[Entry]] = {}
        for entry in entries.values():
            self._by_command.setdefault(entry.definition.partition("\n")[0], []).append(entry)
        self._entry: Entry | None = None
        self._harmless = 0
        self._errors: list[tuple[Entry | None, str]] = []
        self._open = False  # the lines that follow belong to the last error
        self.ignored: int | None = None  # how many errors pg_restore says it has passed over

    def hear(self, line: str) -> None:
        """Take in one line."""
        entry = _ENTRY.search(line)
        error = _REFUSED.search(line) or _PSQL.match(line) or _CLIENT.match(line)
        hint = _HINT.match(line)
        command = _COMMAND.match(line)
        ignored = _IGNORED.search(line)
        if error:
            self._add(error.group(1))
        elif entry:
            self._entry = self._entries.get(int(entry.group(1)))
            self._open = False
        elif ignored:
            self.ignored = int(ignored.group(1))
        elif hint and self._open:
            named, words = self._errors[-1]
            self._errors[-1] = (named, f"{words} (hint: {hint.group(1)})")
        elif command and self._open:
            named, words = self._errors[-1]
            self._errors[-1] = (self._made_by(command.group(1), named), words)
            self._open = False

    def all(self) -> list[str]:
        """Return the errors; the last one counts those that are not named."""
        missed = max(0, (self.ignored or 0) // self._counted - self._harmless - len(self._errors))
        return [
            *(f"{entry.shown()}: {words}" if entry else words for entry, words in self._errors),
            *([f"{missed} more errors that are not named here"] if missed else []),
        ]

    def _add(self, words: str) -> None:
        self._open = False
        if self._entry is None and _UNKNOWN_SETTING in words:
            self._harmless += 1
        elif len(self._errors) < _MOST:
            self._errors.append((self._entry, words))
            self._open = True

    def _made_by(self, command: str, named: Entry | None) -> Entry | None:
        if named is not None and named.definition.startswith(command):
            return named
        found = self._by_command.get(command, [])
        return found[0] if len(found) == 1 else named
