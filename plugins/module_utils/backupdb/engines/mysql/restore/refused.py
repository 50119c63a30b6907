# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server refused while the client went on: one line for each table, with how often, in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Callable

# "ERROR 1062 (23000) at line 12: Duplicate entry ...": MariaDB's client writes the statement itself before it.
ERROR = re.compile(r"^ERROR (?P<code>\d+) \(\w+\)(?: at line (?P<line>\d+))?: (?P<message>.*)")
LOST_CODES = ("2006", "2013")
_KEPT = 10_000  # errors; of more than that only the number is known


class Refused:
    """Collects a client's errors from its lines of stderr; true when there are any."""

    def __init__(self) -> None:
        self.lost = False  # the connection broke: nothing that came after it was even tried
        self._kept: list[tuple[int, str]] = []
        self._more = 0

    def __bool__(self) -> bool:
        return bool(self._kept)

    def watch(self, line: str) -> None:
        """Take a line of stderr."""
        found = ERROR.match(line)
        if found is None:
            return
        self.lost = self.lost or found["code"] in LOST_CODES
        if len(self._kept) < _KEPT:
            self._kept.append((int(found["line"] or 0), f"{found['message']} (error {found['code']})"))
        else:
            self._more += 1

    def lines(self, where: Callable[[int], str]) -> list[str]:
        """Return the first error of each place; `where` names the object at a line of the client's input."""
        places: dict[str, list[str]] = {}
        for line, message in self._kept:
            places.setdefault(where(line), []).append(message)
        told = [
            f"{place}: the server refused: {messages[0]}" + (f", and {len(messages) - 1} more" if messages[1:] else "")
            for place, messages in places.items()
        ]
        return [*told, f"{self._more} more errors"] if self._more else told
