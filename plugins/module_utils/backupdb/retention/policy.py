# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many backups of a database are kept: the policy as a value, and its way from options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timezone, tzinfo
from typing import Any

from ..errors import InvalidOption
from ..system.options import Option
from ..system.text import parse_duration

COUNTS = ("keep_last", "keep_hourly", "keep_daily", "keep_weekly", "keep_monthly", "keep_yearly")
DURATIONS = ("keep_within", "max_age")
# None of them has a default, so that one can tell what was said.
OPTIONS: Mapping[str, Option] = {
    **dict.fromkeys(COUNTS, Option("int")),
    **dict.fromkeys(DURATIONS, Option()),
    "keep_min": Option("int"),
    "time_zone": Option(),
}


@dataclass(frozen=True)
class RetentionPolicy:
    """Rules, each of which keeps backups by itself; 0 or None is off.

    `keep_last` counts backups; `keep_hourly` to `keep_yearly` count the hours, days, ISO weeks, months and years that
    have one, in `time_zone`, and keep the newest of each. `keep_within` is seconds before the newest backup. Whatever
    the rules say, the newest `keep_min` stay. `max_age` is seconds: a newest backup older than that stops removal.
    Raises `InvalidOption`.
    """

    keep_last: int = 0
    keep_hourly: int = 0
    keep_daily: int = 0
    keep_weekly: int = 0
    keep_monthly: int = 0
    keep_yearly: int = 0
    keep_within: float | None = None
    keep_min: int = 1
    max_age: float | None = None
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        for name in COUNTS:
            _check_number(name, getattr(self, name), 0)
        _check_number("keep_min", self.keep_min, 1)
        self.zone()

    def zone(self) -> tzinfo:
        """Return the time zone in which hours, days, weeks, months and years begin."""
        if self.time_zone == "UTC":
            return timezone.utc  # also where the host has no time zones
        from zoneinfo import ZoneInfo

        try:
            return ZoneInfo(self.time_zone)
        except (KeyError, ValueError, OSError, TypeError) as error:
            raise InvalidOption(
                f"option time_zone: {self.time_zone!r} is not known on this host; write a name such as UTC or "
                "Europe/Berlin, or install the package tzdata"
            ) from error


def policy_from(options: Mapping[str, Any] | None) -> RetentionPolicy:
    """Make a policy of options, of which any may be missing or None; durations are text, such as 14d.

    Raises `InvalidOption`, also for options that would remove everything but what is always kept, unless keep_last or
    keep_min says how many that should be.
    """
    given = {name: value for name, value in (options or {}).items() if value is not None}
    for name in given:
        if name not in OPTIONS:
            raise InvalidOption(f"option {name} of the retention is not known; there are {', '.join(OPTIONS)}")
    durations = {name: _seconds(name, given[name]) for name in DURATIONS if name in given}
    policy = RetentionPolicy(**{**given, **durations})
    if not ("keep_min" in given or policy.keep_within or any(getattr(policy, name) for name in COUNTS)):
        raise InvalidOption(
            "this retention keeps nothing but the newest backups; say with keep_last, keep_daily or another "
            "rule what else stays, or with keep_min that this is meant"
        )
    return policy


def _check_number(name: str, value: Any, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidOption(f"option {name}: {value!r} is not a whole number")
    if value < least:
        raise InvalidOption(f"option {name}: {value} is too small; use {least} or more")


def _seconds(name: str, value: Any) -> float:
    try:
        seconds = parse_duration(value)
    except InvalidOption as error:
        raise InvalidOption(f"option {name}: {error}") from error
    if seconds <= 0:
        raise InvalidOption(f"option {name}: {value!r} is no time at all; leave the option out to switch it off")
    return seconds
