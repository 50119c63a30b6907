# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

from ..repository.catalogue import StoredBackup
from .one_database import Done


@dataclass
class Task:
    """One thing that a run makes: a database's backup, or the accounts'."""

    name: str | None  # None is the accounts
    work: Callable[[], Done]
    last: StoredBackup | None = None  # the backup before this one
    began: float | None = None  # by time.monotonic(), as `ended`
    ended: float | None = None

    @property
    def seconds(self) -> float:
        """How long it took; 0 for one that has not ended."""
        return self.ended - self.began if self.began is not None and self.ended is not None else 0.0
