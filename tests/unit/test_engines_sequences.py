# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fingerprints of sequences that move while they are dumped."""

from __future__ import annotations

import pytest
from backupdb.engines.sequences import changed_sequences, matches_range


def test_only_sequences_that_moved_get_two_values() -> None:
    before = {"sequence a": "7:true", "sequence b": "1:false", "sequence gone": "3:true"}
    after = {"sequence a": "9:true", "sequence b": "1:false", "sequence new": "1:true"}
    assert changed_sequences(before, after) == {"sequence a": "7:true..9:true"}


@pytest.mark.parametrize(
    ("expected", "found", "outcome"),
    [
        ("7:true", "7:true", True),
        ("7:true", "8:true", False),
        ("7:true", None, False),
        ("7:true..9:true", "7:true", True),
        ("7:true..9:true", "9:true", True),
        ("7:true..9:true", "10:true", False),
        ("7:true..9:true", None, False),
        ("-1:true..-5:true", "-3:true", True),
        ("-1:true..-5:true", "3:true", False),
        ("sequence:1001:0..sequence:3001:0", "sequence:2001:0", True),
        ("sequence:1001:0..sequence:3001:0", "sequence:4001:0", False),
        ("500:12345", "500:12346", False),
    ],
)
def test_a_value_fits_when_it_is_the_one_or_between_the_two(expected: str, found: str | None, outcome: bool) -> None:
    assert matches_range(expected, found) is outcome
