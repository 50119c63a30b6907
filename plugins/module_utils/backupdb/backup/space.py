# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The free space of a repository, shared out among the backups of one run.

A forecast is no more than that: a backup is refused only when there is no room for the least that it can take. A disk
that fills all the same fails that backup, and no other one that is stored. But two dumps at once are not begun where
there is likely room for one: the second waits for the end of the first, and then sees what is free.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Callable

from ..errors import Interrupted, NotEnoughSpace
from ..repository.local import free_bytes, require_room_for_files
from ..system.text import human_size
from .forecast import LEAST, Forecast

_FILES = 6  # of one backup at least, with its folders
_WAIT = 0.5  # seconds


class Space:
    """What is free on the filesystem of a repository, and what backups under way are likely to take of it."""

    def __init__(self, root: Path, cancel: threading.Event) -> None:
        self._root = root
        self._cancel = cancel
        self._promised = 0
        self._changed = threading.Condition()

    def require(self, forecast: Forecast | None, *, taken: int = 0) -> None:
        """Raise `NotEnoughSpace`, with the numbers, where there is no room for the least that a backup can take.

        `taken` bytes of what is free are for others.
        """
        require_room_for_files(self._root, _FILES)
        free = max(0, free_bytes(self._root) - taken)
        least = LEAST if forecast is None else forecast.least
        if least <= free:
            return
        others = f" after the backups before it take at least {human_size(taken)}" if taken else ""
        figures = "" if forecast is None else f" ({forecast.text})"
        raise NotEnoughSpace(
            f"at least {human_size(least)} are needed and {human_size(free)} are free in {self._root}{others}{figures};"
            " free space or move the repository"
        )

    @contextmanager
    def promise(self, forecast: Forecast | None, waiting: Callable[[bool], None]) -> Iterator[None]:
        """Keep what a backup will likely take for the block, and raise as `require` does.

        While others are under way and there is likely no room for one more, wait for their end; `waiting` is told when
        that begins and ends. Raises `Interrupted` when the run is stopped meanwhile.
        """
        likely = LEAST if forecast is None else forecast.likely
        with self._changed:
            while self._promised and likely > free_bytes(self._root) - self._promised:
                waiting(True)
                if self._cancel.is_set():
                    raise Interrupted("stopped while it waited for space that other backups of the run may take")
                self._changed.wait(_WAIT)
            waiting(False)
            self.require(forecast)
            self._promised += likely
        try:
            yield
        finally:
            with self._changed:
                self._promised -= likely
                self._changed.notify_all()


def shortage(forecasts: Sequence[Forecast | None], free: int | None, where: str) -> str | None:
    """Say that the backups of a plan will likely not fit together, though each may; None where they do."""
    known = [forecast for forecast in forecasts if forecast is not None]
    likely = sum(forecast.likely for forecast in known)
    if free is None or likely <= free:
        return None
    least, most = (human_size(sum(getattr(forecast, name) for forecast in known)) for name in ("least", "most"))
    guessed = sum(forecast.confidence == "low" for forecast in known)
    basis = f"{guessed} of {len(known)} forecasts are guesses" if guessed else "the forecasts are from earlier backups"
    return (
        f"{human_size(free)} are free in {where}, and the backups will likely take {human_size(likely)} (between"
        f" {least} and {most}; {basis}), so the disk may become full; free space or move the repository"
    )
