# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a job may not run: times of the week by the host's clock, such as `mon-fri 08:00-18:00` or `22:00-02:00`.

The day is that on which such a time begins, so that it may go on past midnight. What the clock shows counts, whatever
is changed about it: in the hour that is repeated in autumn, both count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..errors import InvalidOption

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FORM = re.compile(r"(?:([a-z,-]{3,60})\s{1,9})?([0-2]\d):([0-5]\d)-([0-2]\d):([0-5]\d)")
_MINUTES = 24 * 60  # of a day
_LOOKAHEAD = 8 * _MINUTES  # each time comes within a week; clocks that change add an hour


@dataclass(frozen=True)
class ClosedTime:
    """A time of the week, from the minute of a day `begin` to `end`, on the day after where that is not later."""

    text: str
    days: frozenset[int]  # 0 is Monday
    begin: int
    end: int

    def has(self, moment: datetime) -> bool:
        """Tell whether a time of the host's clock lies within it."""
        day, minute = moment.weekday(), moment.hour * 60 + moment.minute
        if self.begin < self.end:
            return day in self.days and self.begin <= minute < self.end
        return (day in self.days and minute >= self.begin) or ((day - 1) % 7 in self.days and minute < self.end)


def closed_times_from(entries: Any, where: str) -> tuple[ClosedTime, ...]:
    """Read a list of such times; raises `InvalidOption`, which says which one is wrong."""
    if not isinstance(entries, list):
        raise InvalidOption(f"{where} is not a list of times, such as ['mon-fri 08:00-18:00']")
    return tuple(_closed_time(entry, f"{where}[{number}]") for number, entry in enumerate(entries))


def closed_now(times: Sequence[ClosedTime], now: float) -> ClosedTime | None:
    """Return the time within which a moment (seconds since 1970) lies, or None."""
    moment = datetime.fromtimestamp(now)
    return next((time for time in times if time.has(moment)), None)


def next_closed(times: Sequence[ClosedTime], now: float) -> tuple[float, ClosedTime] | None:
    """Return when the next of these times begins, in seconds since 1970, and which one that is; None without any.

    Every minute ahead is looked at, so that clocks that change need no rules of their own.
    """
    if not times:
        return None
    minute = now - now % 60
    for ahead in range(1, _LOOKAHEAD):
        found = closed_now(times, minute + ahead * 60)
        if found is not None:
            return minute + ahead * 60, found
    return None


def _closed_time(entry: Any, where: str) -> ClosedTime:
    match = _FORM.fullmatch(entry.strip().lower()) if isinstance(entry, str) else None
    if match is None:
        raise InvalidOption(
            f"{where}: {entry!r} is not written as 08:00-18:00, or with days as mon-fri,sun 08:00-18:00"
        )
    begin = _minute(match[2], match[3])
    end = _minute(match[4], match[5])
    if begin >= _MINUTES or end > _MINUTES or begin == end:
        raise InvalidOption(f"{where}: {entry!r} must begin before 24:00 and end, by then, at another time")
    return ClosedTime(entry.strip(), frozenset(_days(match[1], where)), begin, end)


def _minute(hours: str, minutes: str) -> int:
    return int(hours) * 60 + int(minutes)


def _days(text: str | None, where: str) -> Iterator[int]:
    for piece in (text or "mon-sun").split(","):
        first, _dash, last = piece.partition("-")
        if first not in _DAYS or (last or first) not in _DAYS:
            raise InvalidOption(f"{where}: {piece!r} is not one of {', '.join(_DAYS)}, or two of them as mon-fri")
        begin, end = _DAYS.index(first), _DAYS.index(last or first)
        yield from (day % 7 for day in range(begin, end + 1 if end >= begin else end + 8))
