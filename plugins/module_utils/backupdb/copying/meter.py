# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of all bytes that go out: progress in lines, a limit of bandwidth, and the wish to stop."""

from __future__ import annotations

import threading
import time
from typing import Callable

from ..errors import Interrupted
from ..system.text import progress_text

EVERY = 10.0  # seconds between two lines of progress, where somebody keeps them
_LONGEST_WAIT = 0.5  # seconds; a wish to stop is heard in between

Report = Callable[[str], None]


class ByteMeter:
    """Counts for several threads. `expected` is how many bytes there are to send, `rate` the limit in bytes a second.

    `report` is called with a line of progress every so many seconds.
    """

    def __init__(
        self, *, expected: int, rate: int | None, report: Report, cancel: threading.Event, every: float = EVERY
    ) -> None:
        self.sent = 0
        self.began = time.monotonic()
        self._expected = expected
        self._rate = rate
        self._report = report
        self._cancel = cancel
        self._guard = threading.Lock()
        self._every = every
        self._due = self.began + every
        self.what = ""

    def count(self, size: int) -> None:
        """Count bytes that are handed over; waits for the limit. Raises `Interrupted` when the work is to stop."""
        with self._guard:
            self.sent += size
            now = time.monotonic()
            line = self._line(now) if now >= self._due else None
            wait = self.sent / self._rate - (now - self.began) if self._rate else 0.0
        if line is not None:
            self._report(line)
        while wait > 0 and not self._cancel.is_set():
            pause = min(wait, _LONGEST_WAIT)
            self._cancel.wait(pause)
            wait -= pause
        if self._cancel.is_set():
            raise Interrupted("the copying was asked to stop; the next run goes on from here")

    def skip(self, size: int) -> None:
        """Take bytes out of what is expected, as they were there already; fewer than none were sent more than once."""
        with self._guard:
            self._expected -= size

    def _line(self, now: float) -> str:
        self._due = now + self._every
        return f"{self.what}: {progress_text(self.sent, self._expected, now - self.began)}"
