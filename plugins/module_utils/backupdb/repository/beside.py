# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is noted beside the manifests of many backups, drills and pins, with each folder listed once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from . import pins
from .drill_records import newest_of, waiting_records
from .pins import Pin, read_pin
from .problems import Problems


class Notes(NamedTuple):
    """The newest drill of a backup, and its pin; None where there is none."""

    drill: Mapping[str, Any] | None
    pin: Pin | None


class NotesReader:
    """Reads the notes of one backup after the other; what cannot be read is in `problems`.

    With `sealed_only` the records of drills that wait for root do not count.
    """

    def __init__(self, problems: Problems, *, sealed_only: bool = False) -> None:
        self._problems = problems
        self._sealed_only = sealed_only
        self._waiting: dict[Path, Mapping[str, Sequence[str]]] = {}  # by database folder

    def read(self, folder: Path) -> Notes:
        """Read what is noted of the backup in `folder`."""
        try:
            names = os.listdir(folder)  # noqa: PTH208  names, not paths
        except OSError as error:
            self._problems.add(f"{folder} cannot be listed: {error.strerror}")
            return Notes(None, read_pin(folder, self._problems))
        drill = newest_of(folder, names, self._waiting_for(folder), self._problems)
        return Notes(drill, read_pin(folder, self._problems) if pins.FILE in names else None)

    def _waiting_for(self, folder: Path) -> Sequence[str]:
        if self._sealed_only:
            return ()
        if folder.parent not in self._waiting:
            self._waiting[folder.parent] = waiting_records(folder.parent)
        return self._waiting[folder.parent].get(folder.name, ())
