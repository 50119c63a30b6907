# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a policy keeps, shown by examples that people would write on a sheet of paper."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from backupdb.errors import InvalidOption, RetentionRefused
from backupdb.retention.decide import KEEP, Candidate, RetentionPolicy, plan, policy_from

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)


def at(*moments: str, **facts: Any) -> list[Candidate]:
    """Backups of these moments (UTC unless they say otherwise), called as their moments are written."""
    candidates = []
    for text in moments:
        moment = datetime.fromisoformat(text)
        candidates.append(Candidate(text, moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc), **facts))
    return candidates


def kept(candidates: Sequence[Candidate], *, now: datetime = NOW, retired: bool = False, **policy: Any) -> list[str]:
    """Which are kept, the newest first."""
    decisions = plan(RetentionPolicy(**policy), candidates, now=now, retired=retired)
    assert len(decisions) == len(candidates)
    return [decision.backup_id for decision in decisions if decision.action == KEEP]


def reasons(candidates: Sequence[Candidate], **policy: Any) -> dict[str, str]:
    return {entry.backup_id: entry.reason for entry in plan(RetentionPolicy(**policy), candidates, now=NOW)}


def daily(count: int, *, end: datetime = NOW - HOUR, step: timedelta = DAY) -> list[Candidate]:
    return [Candidate(f"{number:05}", end - number * step) for number in range(count)]


def test_every_decision_has_its_reasons() -> None:
    backups = [
        *at("2026-11-24T02:00", complete=False),
        *at("2026-11-23T02:00"),
        *at("2026-11-22T02:00", pinned="before the migration"),
        *at("2026-11-21T02:00"),
        *at("2026-11-15T02:00", proven=True),
        *at("2026-11-14T02:00"),
    ]
    assert reasons(backups, keep_last=2, keep_weekly=2) == {
        "2026-11-24T02:00": "newest, keep_last 2, keep_weekly 2026-W48",
        "2026-11-23T02:00": "newest complete, keep_last 2",
        "2026-11-22T02:00": "pinned: before the migration, keep_weekly 2026-W47",
        "2026-11-21T02:00": "no rule keeps it",
        "2026-11-15T02:00": "newest proven",
        "2026-11-14T02:00": "no rule keeps it",
    }


def test_slots_take_the_newest_of_each_day_that_has_one_and_days_without_do_not_count() -> None:
    backups = at("2026-11-24T02:00", "2026-11-24T01:00", "2026-11-20T02:00", "2026-10-01T23:00", "2026-10-01T00:00")
    assert kept(backups, keep_daily=3) == ["2026-11-24T02:00", "2026-11-20T02:00", "2026-10-01T23:00"]


def test_weeks_are_iso_weeks_also_across_the_year() -> None:
    # 2026-12-28 to 2027-01-03 is week 53 of 2026, and 2027-01-04 begins week 1 of 2027.
    backups = at("2027-01-04T00:00", "2027-01-03T23:59", "2027-01-01T00:00", "2026-12-28T00:00", "2026-12-27T23:59")
    now = datetime(2027, 1, 4, 1, tzinfo=timezone.utc)
    assert kept(backups, keep_weekly=9, now=now) == ["2027-01-04T00:00", "2027-01-03T23:59", "2026-12-27T23:59"]
    assert kept(backups, keep_yearly=9, now=now) == ["2027-01-04T00:00", "2026-12-28T00:00"]


def test_a_leap_day_is_a_day_and_belongs_to_february() -> None:
    backups = at("2028-03-01T00:00", "2028-02-29T23:59", "2028-02-29T00:00", "2028-02-28T12:00")
    now = datetime(2028, 3, 1, 1, tzinfo=timezone.utc)
    assert kept(backups, keep_daily=9, now=now) == ["2028-03-01T00:00", "2028-02-29T23:59", "2028-02-28T12:00"]
    assert kept(backups, keep_monthly=9, now=now) == ["2028-03-01T00:00", "2028-02-29T23:59"]
    assert kept(backups, keep_within=86400, now=now) == ["2028-03-01T00:00", "2028-02-29T23:59", "2028-02-29T00:00"]


def test_days_begin_in_the_time_zone_of_the_policy() -> None:
    backups = at("2026-07-02T21:30", "2026-07-01T22:30", "2026-07-01T21:30")
    assert kept(backups, keep_daily=9) == ["2026-07-02T21:30", "2026-07-01T22:30"]
    assert kept(backups, keep_daily=9, time_zone="Europe/Berlin") == ["2026-07-02T21:30", "2026-07-01T21:30"]


def test_the_hour_that_comes_twice_when_clocks_go_back_is_two_hours_and_the_long_day_is_one() -> None:
    # Berlin, 2026-10-25: 02:30 summer time is 00:30 UTC, 02:30 winter time is 01:30 UTC.
    backups = at("2026-10-25T01:30", "2026-10-25T00:30", "2026-10-24T22:30", "2026-10-24T21:30")
    assert len(kept(backups, keep_hourly=9, time_zone="Europe/Berlin")) == 4
    assert kept(backups, keep_daily=9, time_zone="Europe/Berlin") == ["2026-10-25T01:30", "2026-10-24T21:30"]


def test_the_hour_that_never_comes_when_clocks_go_forward_takes_no_slot() -> None:
    # Berlin, 2026-03-29: 01:30 is 00:30 UTC, and an hour later it is 03:30.
    backups = at("2026-03-29T01:30", "2026-03-29T00:30", "2026-03-28T23:30")
    assert len(kept(backups, keep_hourly=3, time_zone="Europe/Berlin")) == 3
    assert kept(backups, keep_hourly=2, time_zone="Europe/Berlin") == ["2026-03-29T01:30", "2026-03-29T00:30"]


def test_two_backups_of_one_second_are_two_backups_whatever_the_order() -> None:
    moment = datetime(2026, 11, 24, 2, tzinfo=timezone.utc)
    names = ["20261124T020000Z-00000001", "20261124T020000Z-ffffffff"]
    for order in (names, names[::-1]):
        backups = [Candidate(name, moment) for name in order]
        assert kept(backups, keep_daily=5) == [names[1]]
        assert kept(backups, keep_last=2) == names[::-1]


def test_the_newest_the_newest_complete_and_the_newest_proven_stay_under_any_policy() -> None:
    backups = [
        *at("2026-11-24T04:00", "2026-11-24T03:00", complete=False),
        *at("2026-11-20T00:00", "2026-11-19T00:00"),
        *at("2026-01-02T00:00", "2026-01-01T00:00", proven=True),
    ]
    assert kept(backups) == ["2026-11-24T04:00", "2026-11-20T00:00", "2026-01-02T00:00"]
    assert kept(backups, keep_min=4)[:4] == [entry.backup_id for entry in backups[:4]]


def test_pinned_backups_stay_with_or_without_a_reason() -> None:
    backups = [*daily(3), *at("2020-01-01T00:00", pinned=""), *at("2019-01-01T00:00", pinned="the audit")]
    assert kept(backups) == ["00000", "2020-01-01T00:00", "2019-01-01T00:00"]


def test_times_count_back_from_the_newest_backup_so_that_nothing_goes_when_backups_stop() -> None:
    backups = daily(10)
    policy = {"keep_within": 3 * 86400, "keep_daily": 2}
    assert (
        kept(backups, **policy) == kept(backups, now=NOW + 1000 * DAY, **policy) == ["00000", "00001", "00002", "00003"]
    )


def test_backups_that_have_stopped_are_refused_and_so_is_a_clock_that_has_jumped_ahead() -> None:
    with pytest.raises(RetentionRefused, match="seem to have stopped"):
        kept(daily(10), keep_last=1, max_age=86400, now=NOW + 2 * DAY)
    assert len(kept(daily(10), keep_last=1, max_age=86400)) == 1


def test_a_retired_database_is_not_refused_for_having_no_new_backups_and_never_empty() -> None:
    assert kept(daily(10), keep_last=2, max_age=86400, now=NOW + 90 * DAY, retired=True) == ["00000", "00001"]


@pytest.mark.parametrize(
    "moment", [NOW + timedelta(minutes=6), datetime(1970, 1, 1, tzinfo=timezone.utc), datetime.max]
)
def test_a_backup_with_an_impossible_date_is_refused(moment: datetime) -> None:
    wrong = Candidate("wrong", moment.replace(tzinfo=timezone.utc))
    for retired in (False, True):
        with pytest.raises(RetentionRefused, match=r"impossible dates, such as wrong.*clock"):
            kept([*daily(3), wrong], keep_last=1, retired=retired)


def test_clocks_of_hosts_may_differ_a_little() -> None:
    assert kept([*daily(3), Candidate("soon", NOW + timedelta(minutes=4))], keep_last=1) == ["soon"]


def test_nothing_is_decided_about_nothing() -> None:
    assert kept([], keep_last=1, max_age=1) == []


@pytest.mark.unmeasured
def test_fifty_thousand_backups_are_decided_within_seconds() -> None:
    backups = daily(50_000, step=timedelta(minutes=15))
    backups = [*backups[1::2], *backups[::-2]]
    began = time.monotonic()
    names = kept(
        backups,
        keep_last=100,
        keep_within=7 * 86400,
        keep_hourly=48,
        keep_daily=30,
        keep_weekly=52,
        keep_monthly=24,
        keep_yearly=10,
        time_zone="America/St_Johns",
    )
    assert time.monotonic() - began < 20
    assert len(names) < 1000


def test_options_become_a_policy() -> None:
    options = {"keep_daily": 7, "keep_within": "36h", "max_age": "2d", "time_zone": "Europe/Berlin", "keep_last": None}
    assert policy_from(options) == RetentionPolicy(
        keep_daily=7, keep_within=36 * 3600, max_age=2 * 86400, time_zone="Europe/Berlin"
    )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "keeps nothing but the newest"),
        (None, "keeps nothing but the newest"),
        ({"max_age": "2d", "time_zone": "UTC"}, "keeps nothing but the newest"),
        ({"keep_daily": 0}, "keeps nothing but the newest"),
        ({"keep_dialy": 7}, "keep_dialy of the retention is not known"),
        ({"keep_daily": -1}, "keep_daily: -1 is too small; use 0 or more"),
        ({"keep_daily": "7"}, "keep_daily: '7' is not a whole number"),
        ({"keep_daily": True}, "keep_daily: True is not a whole number"),
        ({"keep_min": 0}, "keep_min: 0 is too small; use 1 or more"),
        ({"keep_within": "two weeks"}, "option keep_within: 'two weeks' is not a duration"),
        ({"keep_within": "0d"}, "keep_within: '0d' is no time at all"),
        ({"keep_daily": 1, "time_zone": "Europe/Atlantis"}, "time_zone: 'Europe/Atlantis' is not known"),
        ({"keep_daily": 1, "time_zone": "../../etc/passwd"}, "time_zone"),
        ({"keep_daily": 1, "time_zone": "Europe"}, "time_zone"),
        ({"keep_daily": 1, "time_zone": "a\0b"}, "time_zone"),
        ({"keep_daily": 1, "time_zone": 3}, "time_zone"),
    ],
)
def test_a_wrong_option_is_refused_by_its_name(options: Any, text: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        policy_from(options)
    assert text in str(caught.value)


@pytest.mark.parametrize("options", [{"keep_min": 1}, {"keep_last": 1}])
def test_keeping_only_the_newest_must_be_said(options: dict[str, int]) -> None:
    assert len(kept(daily(5), **options)) == 1
    policy_from(options)
