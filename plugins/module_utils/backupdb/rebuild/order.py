# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order databases come back: the largest first, each after those that it needs, several at once."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..system.parallel import Tasks

_POLL = 0.5  # seconds


@dataclass(frozen=True)
class Piece:
    """A piece of work: its key, what it needs to have ended before, and its predicted seconds."""

    key: tuple[str, str]  # instance, database
    needs: frozenset[tuple[str, str]]
    seconds: float


class Order:
    """Gives out pieces one by one. Where they need each other in a circle, the largest of them goes first."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._waiting = sorted(pieces, key=lambda piece: (-piece.seconds, piece.key))
        self._running: set[tuple[str, str]] = set()

    def take(self) -> Piece | None:
        """Return the next piece, None when there is none now."""
        unfinished = {piece.key for piece in self._waiting} | self._running
        ready = (piece for piece in self._waiting if not (piece.needs - {piece.key}) & unfinished)
        piece = next(ready, None)
        if piece is None and self._waiting and not self._running:
            piece = self._waiting[0]
        if piece is not None:
            self._waiting.remove(piece)
            self._running.add(piece.key)
        return piece

    def end(self, piece: Piece) -> None:
        """Note that a piece has come to its end."""
        self._running.discard(piece.key)

    def is_empty(self) -> bool:
        """Tell whether nothing is left to begin."""
        return not self._waiting


def predicted(pieces: Sequence[Piece], at_once: int) -> float:
    """Return how many seconds all of it takes with so many at once."""
    order = Order(pieces)
    running: list[tuple[float, tuple[str, str], Piece]] = []
    now = 0.0
    while True:
        while len(running) < at_once:
            piece = order.take()
            if piece is None:
                break
            heapq.heappush(running, (now + piece.seconds, piece.key, piece))
        if not running:
            return now
        now, _key, ended = heapq.heappop(running)
        order.end(ended)


def carry_out(pieces: Sequence[Piece], work: Callable[[Piece], None], *, at_once: int, cancel: threading.Event) -> None:
    """Do the work of all pieces, in threads; none is begun any more once `cancel` is set. `work` never raises."""
    order = Order(pieces)
    changed = threading.Condition()

    def next_piece() -> Piece | None:
        with changed:
            while not cancel.is_set() and not order.is_empty():
                piece = order.take()
                if piece is not None:
                    return piece
                changed.wait(_POLL)
        return None

    def worker() -> None:
        while (piece := next_piece()) is not None:
            try:
                work(piece)
            finally:
                with changed:
                    order.end(piece)
                    changed.notify_all()

    tasks = Tasks([worker] * min(at_once, max(1, len(pieces))), at_once=at_once, name="rebuild")
    while not tasks.wait(_POLL):
        pass
