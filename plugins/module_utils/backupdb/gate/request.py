# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gate is asked, as frozen values; made once at the edge (a module, the command line)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..backup.request import Selection
from ..connection.instance import Instance
from ..errors import InvalidOption
from ..jobs.definition import Job
from ..repository.stores.settings import CopySettings


@dataclass(frozen=True)
class GateRequest:
    """May something begin that needs backups of one instance? Times in seconds.

    Databases are those of `selection` that the server has; without `ask_server`, those that its newest run or a job
    backs up. `max_age` None: as old as their jobs allow. `copies` are looked at besides those of `jobs`, by what
    `state_dir` knows of them; `required_copies` names those that must have a backup, None: those that are required.
    """

    instance: Instance
    host: str
    selection: Selection
    repository: str | None = None
    jobs: Sequence[Job] = ()
    max_age: float | None = None
    proven: bool = False
    proven_max_age: float | None = None
    copies: Sequence[CopySettings] = ()
    state_dir: str = ""
    required_copies: Sequence[str] | None = None
    ask_server: bool = True

    def __post_init__(self) -> None:
        if self.repository is None and not self.jobs:
            raise InvalidOption(
                "there is nothing to look at: name the repository, or a config_dir that has definitions of jobs"
            )
        if self.proven_max_age is not None and not self.proven:
            raise InvalidOption("proven_max_age says how old a proven backup may be; set proven as well")

    def jobs_with_limit(self) -> list[Job]:
        """Return the jobs with the age that this gate allows in place of their own, in copies too."""
        if self.max_age is None:
            return list(self.jobs)
        return [
            replace(job, max_age=f"{self.max_age:.3f}s", copies=[self.with_limit(copy) for copy in job.copies])
            for job in self.jobs
        ]

    def with_limit(self, copy: CopySettings) -> CopySettings:
        """Return a copy with the age that this gate allows in place of its own."""
        return copy if self.max_age is None else replace(copy, max_age=None)

    def demands(self, copy: str, *, required: bool) -> bool:
        """Tell whether a copy of this name must have a fresh backup."""
        return required if self.required_copies is None else copy in self.required_copies
