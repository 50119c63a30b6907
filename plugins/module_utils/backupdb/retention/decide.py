# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backups of one database are kept, and why. Nothing here reads or removes anything.

Every rule names backups that stay; what no rule names goes. Rules do not know of each other, so a larger number in
any of them never lets a backup go that a smaller one keeps. Times count back from the newest backup, never from now:
when backups stop, so does removing them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone, tzinfo
from typing import Callable

from ..errors import RetentionRefused
from ..repository.catalogue import CLOCK_TOLERANCE
from ..system.text import human_duration, iso
from .policy import RetentionPolicy, policy_from

__all__ = ["KEEP", "REMOVE", "Candidate", "Decision", "RetentionPolicy", "plan", "policy_from"]

KEEP = "keep"
REMOVE = "remove"
_NO_RULE = "no rule keeps it"
_EARLIEST = datetime(2000, 1, 1, tzinfo=timezone.utc)  # clocks that lost their battery begin in 1970 or 1980


@dataclass(frozen=True)
class Candidate:
    """What the policy has to know of a backup. `time` is aware; `pinned` is the reason of its pin, None without one."""

    backup_id: str
    time: datetime
    complete: bool = True
    proven: bool = False
    whole: bool = True  # nothing is left out of it on purpose
    pinned: str | None = None


@dataclass(frozen=True)
class Decision:
    """The decision about a backup: `action` is `keep` or `remove`, `reason` says why in words."""

    backup_id: str
    action: str
    reason: str


def plan(
    policy: RetentionPolicy, candidates: Iterable[Candidate], *, now: datetime, retired: bool = False
) -> list[Decision]:
    """Decide for each backup of one database, newest first, whatever order they come in.

    A `retired` database is one that its server no longer has: that its backups have stopped is no wonder then.
    Raises `RetentionRefused` when the newest backup is older than the policy's `max_age`, or when one is dated in the
    future or before 2000, so that a clock is or was wrong; nothing may be removed then.
    """
    ordered = sorted(candidates, key=lambda candidate: (candidate.time, candidate.backup_id), reverse=True)
    if not ordered:
        return []
    _refuse_wrong_clock(ordered, now)
    if not retired:
        _refuse_stopped(ordered[0], policy.max_age, now)
    reasons: dict[str, list[str]] = {}
    for backup_id, reason in [*_floor(policy, ordered), *_rules(policy, ordered)]:
        reasons.setdefault(backup_id, []).append(reason)
    return [_decision(candidate, reasons.get(candidate.backup_id)) for candidate in ordered]


def _refuse_wrong_clock(ordered: Sequence[Candidate], now: datetime) -> None:
    wrong = [candidate for candidate in ordered if candidate.time - now > CLOCK_TOLERANCE or candidate.time < _EARLIEST]
    if wrong:
        raise RetentionRefused(
            f"{len(wrong)} of its backups have impossible dates, such as {wrong[0].backup_id} (here it is {iso(now)}), "
            "so a clock is or was wrong and ages mean nothing; set the clock right, and move these backups away or "
            "wait until their time has passed"
        )


def _refuse_stopped(newest: Candidate, max_age: float | None, now: datetime) -> None:
    age = (now - newest.time).total_seconds()
    if max_age is not None and age > max_age:
        raise RetentionRefused(
            f"its newest backup, {newest.backup_id}, is {human_duration(age)} old and max_age is "
            f"{human_duration(max_age)}: backups seem to have stopped, so what there is stays; look at the last runs"
        )


def _floor(policy: RetentionPolicy, ordered: Sequence[Candidate]) -> Iterator[tuple[str, str]]:
    """Name what stays under any policy."""
    for candidate in ordered[: max(1, policy.keep_min)]:
        yield candidate.backup_id, "newest" if candidate is ordered[0] else f"keep_min {policy.keep_min}"
    for wanted, reason in (("complete", "newest complete"), ("proven", "newest proven")):
        newest = next((candidate for candidate in ordered if getattr(candidate, wanted)), None)
        if newest is not None:
            yield newest.backup_id, reason
    wholes = [candidate for candidate in ordered if candidate.whole]
    if wholes and not ordered[0].whole:  # what leaves something out stands for nothing that has it
        yield next((one for one in wholes if one.complete), wholes[0]).backup_id, "newest with nothing left out"
    for candidate in ordered:
        if candidate.pinned is not None:
            yield candidate.backup_id, f"pinned: {candidate.pinned}" if candidate.pinned else "pinned"


def _rules(policy: RetentionPolicy, ordered: Sequence[Candidate]) -> Iterator[tuple[str, str]]:
    for candidate in ordered[: policy.keep_last]:
        yield candidate.backup_id, f"keep_last {policy.keep_last}"
    if policy.keep_within is not None:
        for candidate in ordered:
            if (ordered[0].time - candidate.time).total_seconds() <= policy.keep_within:
                yield candidate.backup_id, f"keep_within {human_duration(policy.keep_within)}"
    zone = policy.zone()
    for name, count, slot in (
        ("keep_hourly", policy.keep_hourly, _hour),
        ("keep_daily", policy.keep_daily, _day),
        ("keep_weekly", policy.keep_weekly, _week),
        ("keep_monthly", policy.keep_monthly, _month),
        ("keep_yearly", policy.keep_yearly, _year),
    ):
        yield from _newest_of_each(ordered, name, count, slot, zone)


def _newest_of_each(
    ordered: Sequence[Candidate], name: str, count: int, slot: Callable[[datetime], str], zone: tzinfo
) -> Iterator[tuple[str, str]]:
    """Name the newest backup in each of the newest `count` slots that have one.

    One that leaves something out does not take the place of the newest in its slot that does not: both stay.
    """
    seen: dict[str, bool] = {}  # whether the slot has one of everything
    for candidate in ordered:
        label = slot(candidate.time.astimezone(zone))
        if label in seen:
            if candidate.whole and not seen[label]:
                seen[label] = True
                yield candidate.backup_id, f"{name} {label}, with nothing left out"
        elif len(seen) == count:
            return
        else:
            seen[label] = candidate.whole
            yield candidate.backup_id, f"{name} {label}"


def _hour(local: datetime) -> str:
    # With the offset from UTC: when clocks are set back, the same hour comes twice, and both are hours.
    return f"{local:%Y-%m-%dT%H%z}"


def _day(local: datetime) -> str:
    return f"{local:%Y-%m-%d}"


def _week(local: datetime) -> str:
    year, week, _day_of_week = local.isocalendar()
    return f"{year:04}-W{week:02}"


def _month(local: datetime) -> str:
    return f"{local:%Y-%m}"


def _year(local: datetime) -> str:
    return f"{local:%Y}"


def _decision(candidate: Candidate, reasons: Sequence[str] | None) -> Decision:
    if reasons is None:
        return Decision(candidate.backup_id, REMOVE, _NO_RULE)
    return Decision(candidate.backup_id, KEEP, ", ".join(reasons))
