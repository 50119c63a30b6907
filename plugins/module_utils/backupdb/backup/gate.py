# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be there before a run begins: a run ends at the first thing that lacks, its check finds them all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import BackupDbError, Interrupted
from ..system.parallel import error_of


class Gate:
    """Lets nobody through; or, where it is only for looking, everybody, and keeps in `faults` what stood in the way."""

    def __init__(self, *, only_looking: bool) -> None:
        self._only_looking = only_looking
        self.faults: list[BackupDbError] = []

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Take one step: what it raises is raised, or noted."""
        try:
            yield
        except Interrupted:
            raise
        except (BackupDbError, OSError) as fault:
            if not self._only_looking:
                raise
            self.faults.append(error_of(fault))
