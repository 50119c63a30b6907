# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sequences that move while a database is dumped: no snapshot holds them, so the dump has a value from in between.

A sequence's fingerprint holds its value as a number somewhere and other things that don't change with use. One that
moved is written "EARLIER..LATER".
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_BETWEEN = ".."
_NUMBER = re.compile(r"-?\d+")


def changed_sequences(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """Return the fingerprints of those sequences whose value changed between two looks."""
    return {
        name: f"{earlier}{_BETWEEN}{after[name]}"
        for name, earlier in before.items()
        if name in after and after[name] != earlier
    }


def matches_range(expected: str, found: str | None) -> bool:
    """Tell whether a fingerprint is the expected one, or that of a sequence between the two that are expected.

    >>> matches_range("7:true..9:true", "8:true"), matches_range("7:true..9:true", "10:true")
    (True, False)
    """
    if found is None or _BETWEEN not in expected:
        return found == expected
    earlier, later = (_value(text) for text in expected.split(_BETWEEN))
    # One that counts down, or began again after its end, has the later value below the earlier one.
    return min(earlier, later) <= _value(found) <= max(earlier, later)


def _value(fingerprint: str) -> int:
    match = _NUMBER.search(fingerprint)
    return int(match.group()) if match else 0
