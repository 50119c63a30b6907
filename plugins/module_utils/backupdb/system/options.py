# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading single options: text, such as `12h`, `50M` or `7d`, and numbers become values here, or are refused by name.

Every mapping of options has all of its kind, with their defaults filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Callable, TypeVar

from ..errors import InvalidOption
from .text import parse_duration, parse_moment, parse_size

T = TypeVar("T")


def moment_from(options: Mapping[str, Any], name: str) -> datetime | None:
    """Read an option that is a time; raises `InvalidOption` which names it."""
    return _read(options, name, parse_moment)


def duration_from(options: Mapping[str, Any], name: str) -> float | None:
    """Read an option that is a duration, in seconds; raises `InvalidOption` which names it."""
    return _read(options, name, parse_duration)


def size_from(options: Mapping[str, Any], name: str) -> int | None:
    """Read an option that is a size, in bytes; raises `InvalidOption` which names it."""
    return _read(options, name, parse_size)


def at_least(options: Mapping[str, Any], name: str, least: int) -> int:
    """Read an option that is a number; raises `InvalidOption` for one below `least`."""
    value: int = options[name]
    if value < least:
        raise InvalidOption(f"option {name}: {value} is too small; use {least} or more")
    return value


def _read(options: Mapping[str, Any], name: str, parse: Callable[[Any], T]) -> T | None:
    if options[name] is None:
        return None
    try:
        return parse(options[name])
    except InvalidOption as error:
        raise InvalidOption(f"option {name}: {error}") from error
