# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a job: its definition, how it went, and when it runs next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..jobs.definition import Job
from ..jobs.record import read_record
from ..repository.last_copy import read_last
from ..repository.place import copy_home
from ..system.text import parse_iso
from .next_run import NextRun, next_runs


@dataclass(frozen=True)
class CopyResult:
    """How the last copying into a copy of a job ended: when, and what went wrong, None where nothing did."""

    name: str
    finished: datetime
    error: str | None


@dataclass(frozen=True)
class JobState:
    """A job with what is remembered of its last run; an empty record: it has not run here."""

    job: Job
    record: Mapping[str, Any]
    next_run: NextRun

    @property
    def status(self) -> str | None:
        """How its last run ended: ok, partial, failed or busy; None when it has not run."""
        status = self.record.get("status")
        return status if isinstance(status, str) else None

    def moment(self, key: str) -> datetime | None:
        """Return a moment of its record, such as `finished` or `last_success`; None when there is none."""
        try:
            return parse_iso(self.record[key])
        except (KeyError, ValueError, AttributeError):
            return None

    @property
    def duration(self) -> float | None:
        """Seconds that its last run took."""
        duration = self.record.get("duration")
        return float(duration) if isinstance(duration, (int, float)) else None

    @property
    def copy_results(self) -> list[CopyResult]:
        """How the last copying into each of its copies ended, as far as that is remembered."""
        remembered = [(copy.name, read_last(copy_home(self.job.state_dir, copy.name))) for copy in self.job.copies]
        return [CopyResult(name, last.time, last.error) for name, last in remembered if last is not None]


def job_states(jobs: Sequence[Job], now: datetime) -> tuple[JobState, ...]:
    """Return what is known of jobs; what is not remembered, or not known to the host's scheduler, is not known."""
    coming = next_runs({job.name: job.on_calendar for job in jobs}, now=now)
    return tuple(JobState(job, read_record(job.state_dir, job.name) or {}, coming[job.name]) for job in jobs)
