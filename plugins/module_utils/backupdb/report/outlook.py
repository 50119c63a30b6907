# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a retention policy will do: what it keeps, and how much it frees by when, if backups go on as they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from ..errors import RetentionRefused
from ..repository.problems import Problems
from ..retention.decide import REMOVE, Candidate, plan
from ..retention.plan import candidate_of
from ..retention.policy import COUNTS, DURATIONS, RetentionPolicy
from ..system.text import human_duration, iso
from .history import Stored

HORIZONS = (0, 7, 30)  # days from now
_MOST_TO_COME = 400  # backups


def outlook(
    history: Sequence[Stored], policy: RetentionPolicy | None, now: datetime, *, retired: bool
) -> dict[str, Any] | None:
    """Return what the policy means for a database; None where there is none, and everything stays.

    `freed_bytes` has the bytes of today's backups that are gone after 0, 7 and 30 days.
    """
    if policy is None or not history:
        return None
    doubts = Problems()
    known = {one.backup.folder.name: (candidate_of(one.backup, doubts), one) for one in history}
    candidates = [candidate for candidate, _one in known.values()]
    coming = [] if retired else _to_come(candidates, now)
    freed: list[int] = []
    kept = list(known)
    try:
        for days in HORIZONS:
            then = now + timedelta(days=days)
            there = [*candidates, *(one for one in coming if one.time <= then)]
            decisions = plan(policy, there, now=then, retired=retired or days > 0)
            gone = {entry.backup_id for entry in decisions if entry.action == REMOVE}
            freed.append(
                sum(one.backup.manifest["stored_bytes"] for key, (_place, one) in known.items() if key in gone)
            )
            if days == 0:
                kept = [key for key in known if key not in gone]
    except RetentionRefused as error:
        return {"policy": words(policy), "refused": str(error), "keeps": len(known), "oldest": None, "freed_bytes": []}
    return {
        "policy": words(policy),
        "refused": doubts.lines[0] if doubts.lines else None,
        "keeps": len(kept),
        "oldest": iso(min(known[key][0].time for key in kept)),
        "freed_bytes": freed,
    }


def words(policy: RetentionPolicy) -> str:
    """Write a policy for people: "keep_daily 14, keep_weekly 8"."""
    values: Mapping[str, Any] = asdict(policy)
    told = [f"{name} {values[name]}" for name in COUNTS if values[name]]
    told += [f"{name} {human_duration(values[name])}" for name in DURATIONS if values[name]]
    return ", ".join(told) or f"keep_min {policy.keep_min}"


def _to_come(candidates: Sequence[Candidate], now: datetime) -> list[Candidate]:
    """Return the backups that are made until the last horizon, as far apart as the newest ones are."""
    times = sorted((one.time for one in candidates), reverse=True)[:15]
    gaps = [(later - earlier).total_seconds() for later, earlier in zip(times, times[1:])]
    if not gaps:
        return []
    gap = timedelta(seconds=max(median(gaps), 60.0))
    end = now + timedelta(days=HORIZONS[-1])
    found: list[Candidate] = []
    moment = times[0] + gap
    while moment <= end and len(found) < _MOST_TO_COME:
        if moment > now:
            found.append(Candidate(f"to come {len(found)}", moment))
        moment += gap
    return found
