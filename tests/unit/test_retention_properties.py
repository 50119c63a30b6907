# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold for any policy and any backups, in any time zone: looked for where one would not think of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo, available_timezones

import pytest
from backupdb.retention.decide import KEEP, Candidate, RetentionPolicy, plan
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.unmeasured

NOW = datetime(2028, 3, 5, 12, tzinfo=timezone.utc)
COUNTS = ("keep_last", "keep_hourly", "keep_daily", "keep_weekly", "keep_monthly", "keep_yearly")
ZONES = st.sampled_from(sorted(available_timezones() - {"localtime"}))
# Days on which something odd happens: leap days, ends of years, clocks set forward and back in both hemispheres.
ODD_DAYS = [
    datetime(2028, 2, 29, tzinfo=timezone.utc),
    datetime(2024, 2, 29, tzinfo=timezone.utc),
    datetime(2026, 12, 31, tzinfo=timezone.utc),
    datetime(2026, 3, 29, tzinfo=timezone.utc),
    datetime(2026, 10, 25, tzinfo=timezone.utc),
    datetime(2026, 4, 4, tzinfo=timezone.utc),
    datetime(2026, 11, 1, tzinfo=timezone.utc),
    datetime(2006, 10, 29, tzinfo=timezone.utc),  # in St. John's the day before began again
    datetime(2011, 12, 30, tzinfo=timezone.utc),  # a day that never was in Apia
]
NEAR = st.integers(min_value=-3 * 24 * 60, max_value=3 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))
MOMENTS = st.one_of(
    st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2028, 3, 5)).map(
        lambda moment: moment.replace(tzinfo=timezone.utc)
    ),
    st.builds(lambda day, offset: day + offset, st.sampled_from(ODD_DAYS), NEAR),
)


@st.composite
def candidates(draw: st.DrawFn) -> list[Candidate]:
    moments = draw(st.lists(MOMENTS, max_size=25))
    moments += [draw(st.sampled_from(moments))] if moments and draw(st.booleans()) else []  # two of one moment
    flags = st.tuples(st.booleans(), st.booleans(), st.sampled_from([None, None, None, "", "kept by hand"]))
    return [
        Candidate(f"{number:04}", moment, complete=complete, proven=proven, pinned=pinned)
        for number, moment in enumerate(moments)
        for complete, proven, pinned in [draw(flags)]
    ]


POLICIES = st.builds(
    RetentionPolicy,
    **{name: st.integers(min_value=0, max_value=6) for name in COUNTS},
    keep_within=st.none() | st.integers(min_value=1, max_value=400 * 86400),
    keep_min=st.integers(min_value=1, max_value=4),
    time_zone=ZONES,
)


def kept(policy: RetentionPolicy, backups: Sequence[Candidate]) -> set[str]:
    return {entry.backup_id for entry in plan(policy, backups, now=NOW) if entry.action == KEEP}


def newest(backups: Sequence[Candidate]) -> str:
    return max(backups, key=lambda backup: (backup.time, backup.backup_id)).backup_id


@given(policy=POLICIES, backups=candidates())
def test_the_newest_complete_proven_and_pinned_always_stay(policy: RetentionPolicy, backups: list[Candidate]) -> None:
    stay = kept(policy, backups)
    for group in (
        backups,
        [backup for backup in backups if backup.complete],
        [backup for backup in backups if backup.proven],
    ):
        assert not group or newest(group) in stay
    assert {backup.backup_id for backup in backups if backup.pinned is not None} <= stay
    assert len(stay) >= min(policy.keep_min, len(backups))


@given(
    policy=POLICIES,
    backups=candidates(),
    more=st.dictionaries(st.sampled_from([*COUNTS, "keep_min"]), st.integers(min_value=0, max_value=6)),
    longer=st.none() | st.integers(min_value=1, max_value=400 * 86400),
)
def test_a_looser_policy_keeps_all_that_a_stricter_one_keeps(
    policy: RetentionPolicy, backups: list[Candidate], more: dict[str, int], longer: int | None
) -> None:
    looser = replace(policy, **{name: getattr(policy, name) + count for name, count in more.items()})
    if longer is not None:
        looser = replace(looser, keep_within=(policy.keep_within or 0) + longer)
    assert kept(policy, backups) <= kept(looser, backups)


@given(policy=POLICIES, backups=candidates(), data=st.data())
def test_the_order_in_which_backups_are_listed_does_not_matter(
    policy: RetentionPolicy, backups: list[Candidate], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(backups))
    assert plan(policy, backups, now=NOW) == plan(policy, shuffled, now=NOW)


@given(policy=POLICIES, backups=candidates())
def test_what_was_kept_is_kept_again(policy: RetentionPolicy, backups: list[Candidate]) -> None:
    stay = kept(policy, backups)
    assert kept(policy, [backup for backup in backups if backup.backup_id in stay]) == stay


@given(policy=POLICIES, backups=candidates(), pinned=st.integers(min_value=0, max_value=24))
def test_a_pin_lets_nothing_else_go(policy: RetentionPolicy, backups: list[Candidate], pinned: int) -> None:
    changed = [replace(backup, pinned="") if number == pinned else backup for number, backup in enumerate(backups)]
    assert kept(policy, backups) <= kept(policy, changed)


@given(zone=ZONES, count=st.integers(min_value=1, max_value=6), backups=candidates())
def test_each_slot_keeps_exactly_its_newest_backup_in_any_zone(zone: str, count: int, backups: list[Candidate]) -> None:
    ordered = sorted(backups, key=lambda backup: (backup.time, backup.backup_id), reverse=True)
    days: dict[object, str] = {}
    for backup in ordered:
        days.setdefault(backup.time.astimezone(ZoneInfo(zone)).date(), backup.backup_id)
    decisions = plan(RetentionPolicy(keep_daily=count, time_zone=zone), backups, now=NOW)
    assert [entry.backup_id for entry in decisions if "keep_daily" in entry.reason] == list(days.values())[:count]


@given(zone=ZONES, start=MOMENTS, steps=st.lists(st.integers(min_value=1, max_value=180), min_size=1, max_size=40))
def test_an_hour_is_never_longer_than_an_hour_and_a_day_never_longer_than_a_long_one(
    zone: str, start: datetime, steps: list[int]
) -> None:
    backups = [Candidate("0000", start)]
    for number, minutes in enumerate(steps, 1):
        backups.append(Candidate(f"{number:04}", backups[-1].time + timedelta(minutes=minutes)))
    now = backups[-1].time
    for rule, longest in (("keep_hourly", 60), ("keep_daily", 49 * 60)):
        policy = RetentionPolicy(**{rule: 1000}, time_zone=zone)  # type: ignore[arg-type]
        stay = [entry.action == KEEP for entry in plan(policy, backups, now=now)][::-1]
        # Between a backup that goes and the next one that stays there is no more than the length of the slot.
        for number, backup in enumerate(backups):
            following = next(entry for entry, keep in zip(backups[number:], stay[number:]) if keep)
            assert following.time - backup.time < timedelta(minutes=longest)


@settings(max_examples=40)
@given(
    policy=POLICIES, start=MOMENTS, steps=st.lists(st.integers(min_value=1, max_value=4000), min_size=1, max_size=30)
)
def test_pruning_after_every_backup_keeps_what_pruning_once_at_the_end_keeps(
    policy: RetentionPolicy, start: datetime, steps: list[int]
) -> None:
    policy = replace(policy, time_zone="UTC")
    backups = [Candidate("0000", start)]
    for number, minutes in enumerate(steps, 1):
        backups.append(Candidate(f"{number:04}", backups[-1].time + timedelta(minutes=minutes)))
    now = backups[-1].time
    there: list[Candidate] = []
    for backup in backups:
        there.append(backup)
        stay = {entry.backup_id for entry in plan(policy, there, now=now) if entry.action == KEEP}
        there = [entry for entry in there if entry.backup_id in stay]
    at_once = {entry.backup_id for entry in plan(policy, backups, now=now) if entry.action == KEEP}
    assert {backup.backup_id for backup in there} == at_once
