# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times at which a job may not run: across midnight, over the week, and where the clock changes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
from backupdb.errors import InvalidOption
from backupdb.jobs.window import closed_now, closed_times_from, next_closed


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The clock of a host in Berlin, from rules that need no files of time zones."""
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def at(text: str) -> float:
    """A time of the host's clock (2026-11-23 is a Monday)."""
    return datetime.fromisoformat(text).timestamp()


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()


@pytest.mark.parametrize(
    ("entry", "inside", "outside"),
    [
        ("08:00-18:00", ["2026-11-23 08:00", "2026-11-29 17:59"], ["2026-11-23 07:59", "2026-11-23 18:00"]),
        ("mon-fri 08:00-18:00", ["2026-11-27 12:00"], ["2026-11-28 12:00", "2026-11-29 12:00"]),
        ("22:00-02:00", ["2026-11-23 23:00", "2026-11-24 01:59"], ["2026-11-24 02:00", "2026-11-23 21:59"]),
        ("fri 22:00-02:00", ["2026-11-27 22:00", "2026-11-28 01:00"], ["2026-11-27 01:00", "2026-11-28 22:30"]),
        ("sat-mon,wed 00:00-24:00", ["2026-11-28 00:00", "2026-11-23 23:59"], ["2026-11-24 00:00", "2026-11-27 23:59"]),
        ("Sun 10:00-11:00", ["2026-11-29 10:30"], ["2026-11-28 10:30"]),
    ],
)
def test_a_moment_is_inside_or_outside(entry: str, inside: list[str], outside: list[str]) -> None:
    times = closed_times_from([entry], "here")
    assert [text for text in inside if closed_now(times, at(text)) is None] == []
    assert [text for text in outside if closed_now(times, at(text)) is not None] == []


@pytest.mark.parametrize(
    ("now", "begins"),
    [
        ("2026-11-23 07:00:30", "2026-11-23 08:00"),
        ("2026-11-27 19:00", "2026-11-30 08:00"),
        ("2026-11-28 08:00", "2026-11-30 08:00"),
    ],
)
def test_the_next_one_is_found(now: str, begins: str) -> None:
    found = next_closed(closed_times_from(["mon-fri 08:00-18:00"], "here"), at(now))
    assert found is not None
    assert (found[0], found[1].text) == (at(begins), "mon-fri 08:00-18:00")


def test_without_any_nothing_is_closed() -> None:
    assert closed_now((), time.time()) is None
    assert next_closed((), time.time()) is None


def test_in_the_hour_that_is_left_out_it_begins_when_the_clock_has_passed_it() -> None:
    # 2026-03-29: from 01:59 CET (00:59 UTC) to 03:00 CEST (01:00 UTC).
    times = closed_times_from(["02:30-04:00"], "here")
    found = next_closed(times, utc("2026-03-29 00:30"))
    assert found is not None
    assert found[0] == utc("2026-03-29 01:00")
    assert closed_now(times, utc("2026-03-29 01:59")) is not None
    assert closed_now(times, utc("2026-03-29 02:00")) is None


def test_in_the_hour_that_comes_twice_it_is_closed_twice() -> None:
    # 2026-10-25: 02:00 to 03:00 is 00:00 to 01:00 UTC in summer time, and 01:00 to 02:00 UTC in winter time.
    times = closed_times_from(["02:30-02:45"], "here")
    assert [closed_now(times, utc(f"2026-10-25 {hour}:35")) is not None for hour in ("00", "01", "02")] == [
        True,
        True,
        False,
    ]
    found = next_closed(times, utc("2026-10-25 00:50"))
    assert found is not None
    assert found[0] == utc("2026-10-25 01:30")


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "8-18",
        "08:00",
        "08:00-08:00",
        "25:00-26:00",
        "08:00-24:01",
        "mo 08:00-09:00",
        "mon-foo 08:00-09:00",
        8,
        None,
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(entry: Any) -> None:
    with pytest.raises(InvalidOption, match=r"here\[1\]: "):
        closed_times_from(["08:00-09:00", entry], "here")
    with pytest.raises(InvalidOption, match="here is not a list"):
        closed_times_from("08:00-09:00", "here")
