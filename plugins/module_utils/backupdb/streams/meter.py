# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far reading is: bytes that have passed out of those that are known, told now and then in a line."""

from __future__ import annotations

import threading
import time
from typing import Callable

from ..system.text import progress_text

Report = Callable[[str], None]
_EVERY = 2.0  # seconds


class Meter:
    """Counts for several threads. `report` is called with a line of progress now and then, None for nobody."""

    def __init__(self, report: Report | None) -> None:
        self._report = report
        self._guard = threading.Lock()
        self._began = self._told = time.monotonic()
        self._title = ""
        self._expected = 0
        self._passed = 0

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens, so that finding out what to expect is worth its time."""
        return self._report is not None

    def expect(self, size: int) -> None:
        """Add to the bytes that are known to come."""
        self._expected += size

    def begin(self, title: str) -> None:
        """Say what is being worked on from now on."""
        self._title = title
        self._tell()

    def count(self, size: int) -> None:
        """Count bytes that have passed."""
        with self._guard:
            self._passed += size
            due = time.monotonic() - self._told >= _EVERY
            if due:
                self._told = time.monotonic()
        if due:
            self._tell()

    def text(self) -> str:
        """Say it in a line: "orders: 42 %, 1.2 GiB of 2.9 GiB, 80.0 MiB/s, about 22.0 s left"."""
        return f"{self._title}: {progress_text(self._passed, self._expected, time.monotonic() - self._began)}"

    def _tell(self) -> None:
        if self._report is not None:
            self._report(self.text())
