# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several things at once, in threads that never hold up the end of the process."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Generic, TypeVar

from ..errors import BackupDbError, SystemRefused

T = TypeVar("T")


@dataclass(frozen=True)
class TaskResult(Generic[T]):
    """How one task ended: with a value, or with an error."""

    value: T | None = None
    error: BackupDbError | None = None


def result_of(function: Callable[[], T]) -> TaskResult[T]:
    """Call a function that must not disturb others; what is not a `BackupDbError` becomes one, with its place."""
    try:
        return TaskResult(value=function())
    except Exception as error:  # noqa: BLE001  what the others have done must still be told
        return TaskResult(error=error_of(error))


def error_of(error: Exception) -> BackupDbError:
    """Return an error as one of ours: a refusal of the system in its words, a fault of the program with its place."""
    if isinstance(error, BackupDbError):
        return error
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return SystemRefused(f"the operating system refused: {error.strerror or error}{where}")
    place = traceback.extract_tb(error.__traceback__)[-1]
    return BackupDbError(
        f"internal fault at {Path(place.filename).name}:{place.lineno}, please report it: "
        f"{type(error).__name__}: {error}"
    )


class Tasks(Generic[T]):
    """Runs functions in their order, at most `at_once` at a time, each from beginning to end in one thread.

    A function that raises does not disturb the others. What is not a `BackupDbError` becomes one; where it is a fault
    of ours, its text says where it happened. The threads are daemons: a task stuck in a system call cannot keep the
    process alive.
    """

    def __init__(self, functions: Sequence[Callable[[], T]], *, at_once: int, name: str) -> None:
        self._functions = list(functions)
        self._results: list[TaskResult[T] | None] = [None] * len(self._functions)
        self._next = 0
        self._guard = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True)
            for number in range(min(at_once, len(self._functions)))
        ]
        for thread in self._threads:
            thread.start()

    def ended(self) -> int:
        """Return how many functions have come to their end, well or badly."""
        return sum(result is not None for result in self._results)

    def wait(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds; tell whether all have ended. Signal handlers run meanwhile."""
        for thread in self._threads:
            thread.join(timeout / len(self._threads))
        return not any(thread.is_alive() for thread in self._threads)

    def results(self) -> list[TaskResult[T] | None]:
        """Return the results so far, in the order of the functions; None for one that has not ended."""
        return list(self._results)

    def _work(self) -> None:
        while True:
            with self._guard:
                position = self._next
                self._next += 1
            if position >= len(self._functions):
                return
            self._results[position] = result_of(self._functions[position])
