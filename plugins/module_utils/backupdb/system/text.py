# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times and sizes as people write and read them."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta, timezone
from typing import Any

from ..errors import InvalidOption

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_BYTES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


_LONGEST = 1e11  # seconds; more than three thousand years
_LARGEST = float(1 << 63)  # bytes
_SHOWN = 60  # characters


def parse_duration(text: str | float) -> float:
    """Read "90", "90s", "15m", "12h", "2d" or "1w" as seconds."""
    match = re.fullmatch(r"\s*([0-9]{1,30}(?:\.[0-9]{1,30})?)\s*([smhdw]?)\s*", str(text).lower())
    if match is None:
        raise InvalidOption(f"{text!r} is not a duration; write a number with s, m, h, d or w, such as 90s or 12h")
    seconds = float(match.group(1)) * _SECONDS[match.group(2)]
    if seconds > _LONGEST:
        raise InvalidOption(f"{_cut(text)} is longer than any duration that can be reckoned with")
    return seconds


def parse_size(text: str | int) -> int:
    """Read "1048576", "512K", "50M", "1.5G" as bytes (powers of 1024; "MB" and "MiB" mean the same as "M")."""
    match = re.fullmatch(r"\s*([0-9]{1,30}(?:\.[0-9]{1,30})?)\s*([kmgt]?)(?:i?b)?\s*", str(text).lower())
    if match is None:
        raise InvalidOption(f"{text!r} is not a size; write a number of bytes or one with K, M, G or T, such as 50M")
    size = float(match.group(1)) * _BYTES[match.group(2)]
    if size > _LARGEST:
        raise InvalidOption(f"{_cut(text)} is more than any filesystem holds")
    return int(size)


def _cut(text: object) -> str:
    return repr(str(text)[:_SHOWN])


def parse_moment(text: str) -> datetime:
    """Read a time: "2026-11-24T05:06:07Z", "2026-11-24 05:06", "2026-11-24", "20261124T050607Z", or "7d" (ago).

    Without a time zone it is UTC, a date alone is its first second, and a duration counts back from now.
    """
    if not text.strip()[-1:].isdigit():  # without its unit a duration may be a mistyped date
        try:
            return utc_now() - timedelta(seconds=parse_duration(text))
        except (InvalidOption, OverflowError):
            pass
    compact = re.fullmatch(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)Z)?", text.strip())
    if compact:
        written = "{}-{}-{}T{}:{}:{}+00:00".format(*compact.groups("00"))
    else:
        written = text.strip().replace("Z", "+00:00")
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise InvalidOption(
            f"{text!r} is not a moment; write 2026-11-24T05:06:07Z, 2026-11-24, or how long ago, such as 7d"
        ) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)


def human_size(count: float) -> str:
    """Write bytes for people: 1536 is "1.5 KiB"."""
    for unit in _UNITS:
        if count < 1024 or unit == _UNITS[-1]:
            break
        count /= 1024
    return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"


def human_duration(seconds: float) -> str:
    """Write seconds for people: 0.43 is "0.4 s", 3725 is "1 h 2 min"."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def progress_text(done: float, expected: float, seconds: float) -> str:
    """Say how far work with `done` of `expected` bytes is after so many seconds, and how long the rest may take."""
    rate = done / seconds if seconds > 0 else 0.0
    percent = min(100 * done / expected, 100) if expected else 100.0
    text = f"{percent:.0f} %, {human_size(done)} of {human_size(max(expected, done))}, {human_size(rate)}/s"
    return f"{text}, about {human_duration((expected - done) / rate)} left" if 0 < done < expected and rate else text


def human_age(seconds: float) -> str:
    """Write an age in one unit, for a column of ages: 43 is "43 s", 95000 is "26 h"; less than nothing is nothing."""
    seconds = int(max(0.0, seconds))
    for unit, size, until in (("s", 1, 60), ("min", 60, 3600), ("h", 3600, 48 * 3600)):
        if seconds < until:
            return f"{seconds // size} {unit}"
    return f"{seconds // 86400} d"


def counted(count: int, noun: str) -> str:
    """Write how many there are: "1 backup", "2 backups"."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def were(count: int) -> str:
    """Return the verb that goes with so many: 1 was, 2 were."""
    return "was" if count == 1 else "were"


def utc_now() -> datetime:
    """Return the present time, aware, in UTC."""
    return datetime.now(timezone.utc)


def clock_time(moment: float) -> str:
    """Write a moment (seconds since 1970) as the clock of this host shows it, for people."""
    return datetime.fromtimestamp(moment).strftime("%a %H:%M")


def iso(moment: datetime) -> str:
    """Write a time as in manifests: 2026-11-24T05:06:07Z (with microseconds where there are any)."""
    return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def parse_iso(text: str) -> datetime:
    """Read what `iso` wrote, as a time in UTC with which can be reckoned; raises ValueError for all else."""
    if not isinstance(text, str):
        raise ValueError("it is no text")
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError(f"{text[:50]!r} has no time zone")
    if not is_reckonable(moment):
        raise ValueError(f"{text[:50]!r} is no time at which there were backups")
    return moment.astimezone(timezone.utc)


def is_reckonable(moment: datetime) -> bool:
    """Return whether days can be added and taken away, in any time zone; the first and last years are none of ours."""
    return 1970 <= moment.year <= 9000


def printable(value: Any) -> Any:
    """Return the value with every text fit for JSON in UTF-8: bytes that are not text become `\\xNN`."""
    if isinstance(value, str):
        if value.isascii():
            return value
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {printable(key): printable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [printable(item) for item in value]
    return value


def one_line(text: str) -> str:
    """Return the text without line breaks, control and formatting characters, and without what is not UTF-8."""
    return text if text.isprintable() else "".join(_plain(character) for character in text)


def _plain(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Cc", "Zl", "Zp"):
        return " "
    return "?" if category in ("Cf", "Cs", "Cn", "Co") else character
