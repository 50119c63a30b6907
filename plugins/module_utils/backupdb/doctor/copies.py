# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The copies of a job: whether their stores answer, and which rights the key has, seen without writing anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial

from ..credentials.secrets import Secrets
from ..jobs.definition import Job
from ..repository.stores.interface import NO, UNKNOWN, Right
from ..repository.stores.patience import Patience
from ..repository.stores.registry import open_store
from ..repository.stores.settings import CopySettings
from . import finding
from .finding import Finding, tried

_PATIENCE = 10.0  # seconds; somebody waits for the answer
_SHOULD_BE = ("versions", "own disk")


def look_at_copies(job: Job, secrets: Secrets) -> Iterator[Finding]:
    """Yield what is found of each copy."""
    for copy in job.copies:
        yield from tried("copy", partial(_look, copy, secrets), copy.name)


def _look(settings: CopySettings, secrets: Secrets) -> Iterator[Finding]:
    copy = settings.opened_by(secrets.copy(settings.name))
    patience = Patience(min(copy.patience, _PATIENCE))
    with closing(open_store(copy, patience)) as store:
        rights = store.rights()
        yield Finding("copy", finding.OK, f"{store.where()} answers", subject=copy.name)
        yield rights_finding(copy.name, rights)


def rights_finding(name: str, rights: Sequence[Right]) -> Finding:
    """Judge the rights of a key: it must be able to write, and the store should keep what is overwritten."""
    what = ", ".join(f"{right.name} {right.known}" for right in rights)
    lacking = {right.name: right.detail for right in rights if right.known == NO}
    if "write" in lacking:
        return Finding("copy rights", finding.FAILED, what, lacking["write"] or "give the key the right to write", name)
    for right in _SHOULD_BE:
        if right in lacking:
            return Finding("copy rights", finding.WARNING, what, lacking[right] or None, name)
    unknown = any(right.known == UNKNOWN for right in rights)
    return Finding("copy rights", finding.UNKNOWN if unknown else finding.OK, what, subject=name)
