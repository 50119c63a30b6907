# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far long work is, in one line of the terminal that is written over; nothing where nobody watches."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Callable, TextIO

from ..system.table import one_line

Report = Callable[[str], None]
_COLUMNS = 80  # where the terminal does not say how many it has


@contextmanager
def live_line() -> Iterator[Report | None]:
    """Lend what shows a line on standard error; None where that is no terminal. At the end the line is gone."""
    if not sys.stderr.isatty():
        yield None
        return
    line = _Line(sys.stderr)
    try:
        yield line.show
    finally:
        line.show("")


class _Line:
    """One line, of which no more is used than what a terminal of any kind understands: a carriage return."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = 0  # characters

    def show(self, text: str) -> None:
        """Write the text over the one before, cut where the line would break."""
        try:
            columns = os.get_terminal_size(self._stream.fileno()).columns or _COLUMNS
        except OSError:
            columns = _COLUMNS
        cut = one_line(text)[: columns - 1]
        self._stream.write(f"\r{cut.ljust(self._shown)}" + ("" if cut else "\r"))
        self._stream.flush()
        self._shown = len(cut)
