# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asked to stop: SIGTERM, SIGINT or SIGHUP become a flag that every long step looks at."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Callable

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_POLL = 0.25  # seconds
_LEAVE = 2.0  # seconds
# Who receives a signal, the innermost last: a run within a job stops, and so does the job.
_listeners: list[tuple[threading.Event, list[str]]] = []


@contextmanager
def stop_signals(cancel: threading.Event) -> Iterator[list[str]]:
    """Set `cancel` when a signal asks us to stop; give the list of the signals' names that came.

    Blocks may lie within each other; a signal is then for all of them, also for one that is entered after it came.
    Outside the main thread nothing is installed: signals are then the caller's affair.
    """
    received: list[str] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def stop(number: int, _frame: Any) -> None:
        for event, names in _listeners:
            names.append(signal.Signals(number).name)
            event.set()

    if any(names for _cancel, names in _listeners):
        cancel.set()
    _listeners.append((cancel, received))
    previous = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield received
    finally:
        _listeners.pop()
        for number, handler in previous.items():
            signal.signal(number, handler)


def stop_at(moment: float | None, reason: str) -> AbstractContextManager[object]:
    """Ask whoever listens to `stop_signals` to stop, as a signal would, when the clock reaches `moment` in the block.

    `moment` is in seconds since 1970, None for never; `reason` stands where the name of a signal would.
    """

    def look() -> bool:
        late = moment is not None and time.time() >= moment
        if late:
            for event, names in list(_listeners):
                if reason not in names:  # of another block for the same moment
                    names.append(reason)
                event.set()
        return late

    return nullcontext() if look() or moment is None else polling(look, name="clock")


@contextmanager
def repeating(action: Callable[[], None], *, while_set: threading.Event) -> Iterator[None]:
    """Call `action` again and again in a thread, from the moment the event is set until the block is left.

    It ends what a server is doing for us: once is not enough, as between two statements there is nothing to end.
    An action that waits for a server that no longer answers is left behind.
    """

    def act() -> bool:
        if while_set.is_set():
            action()
        return False

    with polling(act, name="stopper", patience=_LEAVE):
        yield


@contextmanager
def polling(look: Callable[[], bool], *, name: str, patience: float | None = None) -> Iterator[None]:
    """Call `look` four times a second in a thread of this name, until it returns True or the block is left.

    A call that is still at work when the block is left is waited for, at most `patience` seconds (None: to its end).
    """
    done = threading.Event()

    def poll() -> None:
        while not done.wait(_POLL):
            if look():
                return

    thread = threading.Thread(target=poll, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(patience)
