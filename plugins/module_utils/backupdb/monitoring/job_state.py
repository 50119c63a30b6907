# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a job: its definition, how it went, and when it runs next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ..jobs.definition import Job
from ..jobs.record import read_record
from ..repository.copy_source import copy_home
from ..repository.last_copy import read_last
from ..system.text import parse_duration, parse_iso
from .next_run import NOT_SCHEDULED, NextRun, next_elapse, next_runs

GRACE = timedelta(hours=6)  # after which alerts say that a job did not end when it should have


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
    waits_until: datetime | None = None  # its first run need not have ended before; None: it is not waited for

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
    states = [JobState(job, read_record(job.state_dir, job.name) or {}, coming[job.name]) for job in jobs]
    return tuple(replace(state, waits_until=_waits_until(state, now)) for state in states)


def _waits_until(state: JobState, now: datetime) -> datetime | None:
    """Return by when the first run since a job was defined should have ended; None when it has, or nothing starts it.

    Where systemd does not say when that run is, as with cron, it counts as a backup does: the job was defined then.
    """
    defined, finished = state.job.defined, state.moment("finished")
    if defined is None or state.next_run == NOT_SCHEDULED or (finished is not None and finished >= defined):
        return None
    defined = min(defined, now)
    first = next_elapse(state.job.on_calendar, after=defined) if state.job.on_calendar else None
    return defined + timedelta(seconds=parse_duration(state.job.max_age)) if first is None else first + GRACE
