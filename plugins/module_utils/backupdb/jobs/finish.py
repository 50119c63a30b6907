# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a job's run: it is remembered, and whoever wants to know is told. Neither can fail what was backed up."""

from __future__ import annotations

from typing import Any, Callable

from ..credentials.secrets import Secrets
from ..errors import BackupDbError
from .definition import Job
from .record import write_record


def tell_start(job: Job, secrets: Secrets, run_id: str) -> list[dict[str, Any]]:
    """Tell those who want to know that the job has begun; returns what became of each notification."""
    return []


def finish(job: Job, secrets: Secrets, result: dict[str, Any], report: Callable[..., None]) -> dict[str, Any]:
    """Remember a result and tell it; returns it with what became of that."""
    warnings = list(result["warnings"])
    result = {**result, "warnings": warnings}
    try:
        write_record(job.state_dir, result)
    except BackupDbError as error:
        warnings.append(f"the result of the job could not be remembered: {error}")
    for warning in warnings:
        report(warning, priority="warning", run_id=result["run_id"])
    return result
