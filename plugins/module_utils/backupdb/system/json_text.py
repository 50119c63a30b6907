# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON that somebody else may have written: only values that later code can count, compare, encode and write again."""

from __future__ import annotations

import json
import math
import re
from typing import Any

LARGEST_COUNT = (1 << 63) - 1
_LONGEST_NUMBER = 40  # characters; the largest that we write have 20 digits
_DIGITS_AS_0 = bytes(ord("0") if chr(byte) in "0123456789" else ord(" ") for byte in range(256))
_LONG_NUMBER = b"0" * _LONGEST_NUMBER
_MAY_BE_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def read_json(content: bytes) -> Any:
    """Read JSON in UTF-8; raises ValueError, and nothing else, for what is not.

    Refused too: numbers that are not finite or of more than 40 characters, nesting beyond what the interpreter takes,
    and half surrogate pairs, but for those that stand for bytes of names that are no UTF-8 (U+DC80 to U+DCFF).
    """
    try:
        # Hardly any document has a long number, and asking a function about each one takes as long as all the rest.
        decoder = _CAREFUL if _LONG_NUMBER in content.translate(_DIGITS_AS_0) else _DECODER
        value = decoder.decode(content.decode("utf-8"))
        if _MAY_BE_SURROGATE.search(content):
            json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogateescape")
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value


def count(value: Any) -> int:
    """Return a number of bytes or things; raises ValueError for anything else, `true` and numbers below 0 too."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST_COUNT:
        raise ValueError(f"{str(value)[:50]!r} is no count")
    return value


def seconds(value: Any) -> float:
    """Return a duration; raises ValueError for anything but a number of seconds that a clock can have counted."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) < 1e12:
        raise ValueError(f"{str(value)[:50]!r} is no duration")
    return float(value)


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError(f"a number of {len(text)} characters")
    return int(text)


def _finite(text: str) -> float:
    number = float(text) if len(text) <= _LONGEST_NUMBER else math.inf
    if not math.isfinite(number):
        raise ValueError(f"{text[:_LONGEST_NUMBER]} is no number that can be kept")
    return number


def _refused(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_refused)
_CAREFUL = json.JSONDecoder(parse_int=_integer, parse_float=_finite, parse_constant=_refused)
