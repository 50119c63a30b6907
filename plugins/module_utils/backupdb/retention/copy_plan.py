# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backups of one database are kept in a copy. Nothing here reads or removes anything.

Whoever takes over a host has its key, and can add backups that claim any time. So the clock of the store counts, and
the order in which backups arrived there: backups come one after the other. What cannot have been made when it says
takes no place of a true backup. It is kept and named, and the policy is applied to the others as though it were not
there, which never lets one of them go that would be kept otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Callable

from ..repository.arrivals import Arrived
from ..system.text import human_duration, human_size, iso
from . import decide
from .decide import KEEP, REMOVE, Candidate, Decision
from .policy import RetentionPolicy

# Amazon's stores refuse a host whose clock differs by more; so no true backup claims a time that far ahead.
CLOCK_TOLERANCE = timedelta(minutes=15)
NOT_COUNTED = "it does not count and takes no other's place"


@dataclass(frozen=True)
class CopyDecisions:
    """What is decided: `decisions` newest first, `uncounted` the reasons by id of what does not count.

    `locked` has until when the store itself keeps those that would go, by id.
    """

    decisions: Sequence[Decision]
    uncounted: Mapping[str, str]
    locked: Mapping[str, datetime]


def plan(
    policy: RetentionPolicy,
    candidates: Iterable[Candidate],
    arrivals: Mapping[str, Arrived],
    *,
    now: datetime,
    locked_until: Callable[[str], datetime | None],
    proven_here: Collection[str] = (),
) -> CopyDecisions:
    """Decide for each backup of one database in a copy; `arrivals` are by id.

    Whoever can add backups can add records of drills too. So of `proven_here`, the ids of those that have a proof which
    did not come from the store, the newest one stays beside the newest proven one.

    `locked_until` is asked only for those that no rule keeps: until when the store keeps one, None when it does not.
    Raises `RetentionRefused` as `decide.plan` does, but only because of backups that count, and what `locked_until`
    raises.
    """
    everything = list(candidates)
    uncounted = dict(_uncounted(everything, arrivals))
    counted = [candidate for candidate in everything if candidate.backup_id not in uncounted]
    decided = {entry.backup_id: entry for entry in decide.plan(policy, counted, now=now)}
    own = next((entry.backup_id for entry in decided.values() if entry.backup_id in proven_here), None)
    if own is not None and decided[own].action == REMOVE:
        decided[own] = Decision(own, KEEP, "newest proven by a drill of this host")
    locked = {}
    for backup_id, entry in decided.items():
        until = locked_until(backup_id) if entry.action == REMOVE else None
        if until is not None and until > now:
            locked[backup_id] = until
            decided[backup_id] = Decision(backup_id, KEEP, f"locked until {iso(until)} by the store")
    for backup_id, reason in uncounted.items():
        decided[backup_id] = Decision(backup_id, KEEP, reason)
    ordered = sorted(everything, key=lambda candidate: (candidate.time, candidate.backup_id), reverse=True)
    return CopyDecisions([decided[candidate.backup_id] for candidate in ordered], uncounted, locked)


def lock_warnings(
    where: str,
    locked: Iterable[datetime],
    locked_bytes: int,
    *,
    lock_seconds: float | None,
    drill_every: float | None,
) -> list[str]:
    """Say where the lock of a store does not fit: it outlives the policy, or ends before the next drill.

    `locked` has until when the backups stay that no rule keeps, `locked_bytes` what they take. `lock_seconds` is how
    long the store keeps a backup and `drill_every` how often there are drills; None for what is not known.
    """
    warnings = []
    moments = list(locked)
    if moments:
        warnings.append(
            f"{where}: {len(moments)} backups that no rule keeps, {human_size(locked_bytes)}, stay until the store "
            f"unlocks them, the last one {iso(max(moments))}: the lock outlives the retention, and that takes space"
        )
    if lock_seconds is not None and drill_every is not None and lock_seconds < drill_every:
        warnings.append(
            f"{where}: the store locks a backup for {human_duration(lock_seconds)}, and drills come every "
            f"{human_duration(drill_every)}: good backups could be removed before a drill shows that newer ones are "
            "bad; lock for longer, or drill more often"
        )
    return warnings


def _uncounted(candidates: Sequence[Candidate], arrivals: Mapping[str, Arrived]) -> Iterator[tuple[str, str]]:
    """Name what cannot have been made when it says, walking through the arrivals as they came."""
    arrived = []
    for candidate in candidates:
        moment = arrivals.get(candidate.backup_id, Arrived(None)).time
        if moment is None:
            yield candidate.backup_id, f"the store does not say when it arrived: {NOT_COUNTED}"
        elif candidate.time - moment > CLOCK_TOLERANCE:
            yield candidate.backup_id, f"dated {iso(candidate.time)}, but it arrived {iso(moment)}: {NOT_COUNTED}"
        else:
            arrived.append((moment, candidate.time, candidate.backup_id))
    # What arrived at the same moment, as far as the store's clock tells, came in its own order.
    newest: tuple[datetime, datetime, str] | None = None
    for moment, time, backup_id in sorted(arrived):
        if newest is not None and newest[1] > time:
            yield (
                backup_id,
                f"arrived {iso(moment)}, after {newest[2]}, which is newer, had arrived: {NOT_COUNTED}",
            )
        else:
            newest = (moment, time, backup_id)
