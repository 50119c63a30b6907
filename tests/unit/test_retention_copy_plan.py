# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stays in a copy: decided by the store's clock and the order of arrival, whatever backups claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone

import pytest
from backupdb.errors import RetentionRefused
from backupdb.repository.arrivals import Arrived
from backupdb.retention import copy_plan, decide
from backupdb.retention.copy_plan import CLOCK_TOLERANCE, CopyDecisions, lock_warnings
from backupdb.retention.decide import KEEP, REMOVE, Candidate
from backupdb.retention.policy import RetentionPolicy
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
DAILY = RetentionPolicy(keep_daily=3)


def never(backup_id: str) -> datetime | None:
    return None


def nightly(count: int) -> tuple[list[Candidate], dict[str, Arrived]]:
    """Backups of the last nights, the newest first, each of which arrived an hour later."""
    candidates = [Candidate(f"night-{number}", NOW - number * DAY - 2 * HOUR) for number in range(count)]
    return candidates, {one.backup_id: Arrived(one.time + HOUR) for one in candidates}


def decided(
    candidates: Sequence[Candidate], arrivals: Mapping[str, Arrived], policy: RetentionPolicy = DAILY
) -> CopyDecisions:
    return copy_plan.plan(policy, candidates, arrivals, now=NOW, locked_until=never)


def kept(found: CopyDecisions) -> list[str]:
    return [entry.backup_id for entry in found.decisions if entry.action == KEEP]


def test_what_came_in_its_order_is_decided_as_in_a_repository() -> None:
    candidates, arrivals = nightly(6)
    found = decided(candidates, arrivals)
    assert found.decisions == decide.plan(DAILY, candidates, now=NOW)
    assert (dict(found.uncounted), dict(found.locked)) == ({}, {})


def test_a_backup_that_claims_an_old_time_takes_no_place_and_stays() -> None:
    candidates, arrivals = nightly(6)
    forged = [Candidate(f"forged-{number}", one.time - timedelta(minutes=1)) for number, one in enumerate(candidates)]
    late = {one.backup_id: Arrived(NOW - timedelta(minutes=5)) for one in forged}
    found = decided([*forged, *candidates], {**arrivals, **late})
    true = [entry for entry in found.decisions if entry.backup_id.startswith("night")]
    assert true == decide.plan(DAILY, candidates, now=NOW)
    assert set(found.uncounted) == {one.backup_id for one in forged} <= set(kept(found))
    assert "arrived 2026-11-24T11:55:00Z, after night-0, which is newer, had arrived" in found.uncounted["forged-3"]


def test_a_backup_from_the_future_never_counts_and_makes_no_later_one_late() -> None:
    candidates, arrivals = nightly(6)
    future = Candidate("future", NOW + 400 * DAY)
    arrivals["future"] = Arrived(NOW - 3 * DAY)
    found = decided([future, *candidates], arrivals)
    assert list(found.uncounted) == ["future"]
    assert "dated 2027" in found.uncounted["future"] and "arrived 2026-11-21" in found.uncounted["future"]
    assert kept(found) == ["future", "night-0", "night-1", "night-2"]


def test_a_clock_that_is_a_little_off_is_no_reason_and_one_that_is_far_off_is() -> None:
    candidates, arrivals = nightly(4)
    newest = candidates[0]
    arrivals[newest.backup_id] = Arrived(newest.time - CLOCK_TOLERANCE)
    assert not decided(candidates, arrivals).uncounted
    arrivals[newest.backup_id] = Arrived(newest.time - CLOCK_TOLERANCE - timedelta(seconds=1))
    assert list(decided(candidates, arrivals).uncounted) == [newest.backup_id]


def test_what_arrived_in_the_same_second_came_in_its_own_order() -> None:
    candidates, _arrivals = nightly(5)
    together = {one.backup_id: Arrived(NOW - HOUR) for one in candidates}
    assert not decided(candidates, together).uncounted


def test_without_a_time_of_arrival_nothing_counts_and_nothing_goes() -> None:
    candidates, _arrivals = nightly(5)
    found = decided(candidates, {})
    assert len(kept(found)) == 5
    assert "does not say when it arrived" in found.uncounted["night-3"]


def test_what_the_store_locks_stays_until_then_and_is_no_error() -> None:
    candidates, arrivals = nightly(6)
    asked = []

    def locked(backup_id: str) -> datetime | None:
        asked.append(backup_id)
        return {"night-4": NOW + 9 * DAY, "night-5": NOW - DAY}.get(backup_id)

    found = copy_plan.plan(DAILY, candidates, arrivals, now=NOW, locked_until=locked)
    assert [(entry.action, entry.reason) for entry in found.decisions[3:]] == [
        (REMOVE, "no rule keeps it"),
        (KEEP, "locked until 2026-12-03T12:00:00Z by the store"),
        (REMOVE, "no rule keeps it"),
    ]
    assert (sorted(asked), dict(found.locked)) == (["night-3", "night-4", "night-5"], {"night-4": NOW + 9 * DAY})


def test_a_forged_record_of_a_drill_takes_nothing_from_what_this_host_has_proven() -> None:
    candidates, arrivals = nightly(8)
    candidates[6] = Candidate("night-6", candidates[6].time, proven=True)
    candidates[4] = Candidate("night-4", candidates[4].time, proven=True)  # by a record from the store
    found = copy_plan.plan(DAILY, candidates, arrivals, now=NOW, locked_until=never, proven_here={"night-6"})
    reasons = {entry.backup_id: entry.reason for entry in found.decisions if entry.action == KEEP}
    assert reasons["night-4"] == "newest proven"
    assert reasons["night-6"] == "newest proven by a drill of this host"
    assert "night-5" not in reasons and "night-7" not in reasons


def test_backups_that_have_stopped_are_seen_whatever_somebody_adds() -> None:
    candidates, arrivals = nightly(6)
    old = [Candidate(one.backup_id, one.time - 9 * DAY) for one in candidates]
    arrivals = {one.backup_id: Arrived(one.time + HOUR) for one in old}
    future = Candidate("future", NOW + DAY)
    policy = RetentionPolicy(keep_daily=2, max_age=2 * 86400)
    with pytest.raises(RetentionRefused, match="seem to have stopped"):
        decided([future, *old], {**arrivals, "future": Arrived(NOW)}, policy)


HOURS = st.integers(0, 24 * 30)


@given(
    true=st.lists(HOURS, min_size=1, max_size=12, unique=True),
    # How long ago each came, and how far from that it claims to be, at most what is allowed ahead.
    forged=st.lists(st.tuples(st.integers(0, 24 * 10), st.integers(-24 * 60, 24 * 60)), max_size=12),
    daily=st.integers(1, 10),
    monthly=st.integers(0, 3),
)
def test_nothing_that_claims_another_time_has_a_true_one_removed(
    true: list[int], forged: list[tuple[int, int]], daily: int, monthly: int
) -> None:
    policy = RetentionPolicy(keep_daily=daily, keep_monthly=monthly)
    begin = NOW - 50 * DAY
    candidates = [Candidate(f"true-{hour}", begin + hour * HOUR) for hour in true]
    arrivals = {one.backup_id: Arrived(one.time + timedelta(minutes=10)) for one in candidates}
    newest = max(one.time for one in candidates)
    false = [
        Candidate(f"forged-{number}", arrived + claim * HOUR)
        for number, (ago, claim) in enumerate(forged)
        for arrived in [NOW - ago * HOUR]
        # Those that claim a time after all true ones and before their own arrival cannot be told from true ones.
        if arrived + claim * HOUR < newest or claim * HOUR > CLOCK_TOLERANCE
    ]
    came = {f"forged-{number}": Arrived(NOW - ago * HOUR) for number, (ago, _claim) in enumerate(forged)}
    alone = {entry.backup_id for entry in decide.plan(policy, candidates, now=NOW) if entry.action == KEEP}
    found = decided([*candidates, *false], {**arrivals, **came}, policy)
    assert alone <= set(kept(found))
    assert {one.backup_id for one in false} <= set(kept(found))
    assert {one.backup_id for one in false} == set(found.uncounted)


def test_a_lock_that_does_not_fit_is_told() -> None:
    assert lock_warnings("copy x", [], 0, lock_seconds=None, drill_every=86400) == []
    assert lock_warnings("copy x", [], 0, lock_seconds=9 * 86400, drill_every=7 * 86400) == []
    (short,) = lock_warnings("copy x", [], 0, lock_seconds=7 * 86400, drill_every=30 * 86400)
    assert "locks a backup for 7 d 0 h" in short and "every 30 d 0 h" in short and "drill more often" in short
    (long,) = lock_warnings("copy x", [NOW, NOW + DAY], 3 << 20, lock_seconds=None, drill_every=None)
    assert "2 backups that no rule keeps, 3.0 MiB" in long and "2026-11-25" in long
