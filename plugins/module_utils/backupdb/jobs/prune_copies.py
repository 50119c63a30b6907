# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step of a job that prunes its copies: each by its own policy, and only where this host is the one who removes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ..copying import prune as copies
from ..credentials.secrets import Secrets
from ..errors import InvalidOption
from ..repository.copy_source import CopySource
from ..repository.stores.settings import CopySettings
from ..retention import prune_copy
from ..retention.copy_request import PruneCopyRequest
from ..retention.policy import RetentionPolicy
from ..retention.wanted import policy_of
from ..system.parallel import result_of
from ..system.text import parse_duration
from . import steps
from .definition import Job


def prunes_copies(job: Job) -> bool:
    """Return whether a run of the job removes something from a copy."""
    return bool(_pruned_here(job))


def prune_copies(
    job: Job,
    secrets: Secrets,
    backups: Sequence[Mapping[str, Any]],
    run_id: str | None,
    *,
    stopped: Sequence[str] = (),
) -> dict[str, Any]:
    """Prune what these backups have in the copies that this host prunes, and return one result of all."""
    results = []
    for copy in _pruned_here(job):
        if not stopped:
            results.append(prune_one(job, copy.name, secrets, backups, run_id))
    return steps.combined_prunes(results, run_id)


def prune_one(
    job: Job,
    name: str,
    secrets: Secrets,
    backups: Sequence[Mapping[str, Any]],
    run_id: str | None,
    *,
    check_mode: bool = False,
) -> dict[str, Any]:
    """Prune what these backups have in one copy, or plan that where others remove, and return one result of all."""
    copy = next((copy for copy in job.copies if copy.name == name), None)
    if copy is None:
        known = ", ".join(copy.name for copy in job.copies) or "none"
        raise InvalidOption(f"job {job.name} has no copy {name!r}; it has: {known}")
    policy = policy_of(copy)
    if policy is None:
        raise InvalidOption(f"copy {name} of job {job.name} has no retention, so nothing is removed from it")
    done = result_of(partial(_prune, job, copy, policy, secrets, backups, run_id, check_mode=check_mode))
    if done.error is None:
        return done.value or {}
    message = f"copy {name}: {done.error}"
    failed = {"changed": False, "message": message, "lines": [message], **steps.failure(done.error)}
    return steps.combined_prunes([failed], run_id)


def _prune(
    job: Job,
    copy: CopySettings,
    policy: RetentionPolicy,
    secrets: Secrets,
    backups: Sequence[Mapping[str, Any]],
    run_id: str | None,
    *,
    check_mode: bool,
) -> dict[str, Any]:
    settings = copy.opened_by(secrets.copy(copy.name))
    requests = [
        PruneCopyRequest(
            copy=settings,
            policy=policy,
            repositories=(str(entry["repository"]),),
            host=str(entry["host"]),
            instance=str(entry["instance"]),
            drill_every=None if job.drill is None else parse_duration(job.drill["every"]),
            run_id=run_id,
        )
        for entry in backups
    ]
    results = copies.prune(CopySource(settings, job.state_dir), requests, check_mode=check_mode)
    return steps.combined_prunes(results, run_id)


def _pruned_here(job: Job) -> list[CopySettings]:
    return [copy for copy in job.copies if copy.prune == prune_copy.HERE and copy.retention is not None]
