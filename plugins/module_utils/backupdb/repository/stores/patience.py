# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trying again while a store is busy or away, as long as the user allows, and reading on where a reader broke off."""

from __future__ import annotations

import random
import threading
import time
from contextlib import suppress
from typing import Callable, TypeVar

from ...errors import Interrupted, StoreError, StoreUnavailable
from ...system.text import human_duration
from .interface import Reader, Store, StoredObject

T = TypeVar("T")
_FIRST_WAIT = 0.5  # seconds
_LONGEST_WAIT = 30.0  # seconds


class Patience:
    """How long a store may be away, in seconds from the first failure on, before the work is given up."""

    def __init__(self, seconds: float, cancel: threading.Event | None = None) -> None:
        self.seconds = seconds
        self._cancel = cancel or threading.Event()

    def call(self, work: Callable[[], T]) -> T:
        """Do the work, again when the store is unavailable; raises the last error when the time has passed."""
        give_up: float | None = None
        wait = _FIRST_WAIT
        while True:
            self.check()
            try:
                return work()
            except StoreUnavailable as error:
                now = time.monotonic()
                give_up = give_up if give_up is not None else now + self.seconds
                pause = wait * random.uniform(0.5, 1.0)  # noqa: S311  many hosts must not come back at the same moment
                if now + pause > give_up:
                    raise StoreUnavailable(
                        f"{error}; tried again for {human_duration(self.seconds)}, the next run goes on from here"
                    ) from error
                wait = min(2 * wait, _LONGEST_WAIT)
                self._cancel.wait(pause)

    def pause(self, seconds: float) -> None:
        """Wait; raises `Interrupted` when the work was asked to stop."""
        self._cancel.wait(seconds)
        self.check()

    def check(self) -> None:
        """Raise `Interrupted` when the work was asked to stop."""
        if self._cancel.is_set():
            raise Interrupted("the copying was asked to stop; the next run goes on from here")


class SteadyReader:
    """Reads a file to its end, beginning again at the byte where a connection broke."""

    def __init__(self, store: Store, wanted: StoredObject, patience: Patience) -> None:
        self._store = store
        self._wanted = wanted
        self._patience = patience
        self._position = 0
        self._reader: Reader | None = None

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes, none at the end; raises `StoreError`."""
        block = self._patience.call(lambda: self._read(size))
        self._position += len(block)
        return block

    def close(self) -> None:
        """End it."""
        if self._reader is not None:
            with suppress(StoreError):
                self._reader.close()
            self._reader = None

    def _read(self, size: int) -> bytes:
        if self._position >= self._wanted.size:
            return b""
        try:
            if self._reader is None:
                self._reader = self._store.open(self._wanted, self._position)
            block = self._reader.read(min(size, self._wanted.size - self._position))
            if not block:
                raise StoreUnavailable(
                    f"{self._store.where(self._wanted.name)} ended at byte {self._position} of {self._wanted.size}"
                )
        except StoreError:
            self.close()
            raise
        return block
