# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is unusual in a newest backup: rules tried on seeded histories, where nothing may alarm that is usual."""

from __future__ import annotations

import random
from typing import Any

import pytest
from backupdb.report.anomalies import LEAST, anomalies
from support.reported import point, series

MIB = 1 << 20
SEEDS = range(40)


def noisy(seed: int, *, days: int = 20, daily: float = 1.0, start: float = 400.0, noise: float = 0.04) -> list[int]:
    """Sizes in MiB, oldest first, that grow by a factor a day, with noise."""
    chance = random.Random(seed)  # noqa: S311  the same numbers each time
    return [max(1, round(start * daily**day * chance.uniform(1 - noise, 1 + noise))) for day in range(days)]


def found(history: list[dict[str, Any]], *emptied: str) -> list[str]:
    return [anomaly.what for anomaly in anomalies(history, emptied)]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("daily", [0.99, 1.0, 1.01, 1.05, 1.15, 1.3])
def test_what_changes_a_little_every_day_is_never_unusual(seed: int, daily: float) -> None:
    assert found(series(noisy(seed, daily=daily))) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_database_of_half_its_size_is_unusual(seed: int) -> None:
    sizes = noisy(seed)
    (size, rows) = anomalies(series([*sizes[:-1], sizes[-1] // 2]))
    assert (size.what, rows.what) == ("size", "rows")
    assert "of the median of 14: " in size.text
    assert size.text.startswith(("shrank to 0.4", "shrank to 0.5"))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_jump_is_unusual(seed: int) -> None:
    sizes = noisy(seed)
    assert found(series([*sizes[:-1], sizes[-1] * 4])) == ["size"]
    assert found(series([*sizes[:-1], sizes[-1] * 2])) == []


def test_what_is_unusual_says_against_what() -> None:
    (anomaly,) = anomalies(series([400] * 19 + [1640]))
    assert anomaly.text == "grew 4.1x against the median of 14: 1.6 GiB, usually 400.0 MiB"


@pytest.mark.parametrize("seed", SEEDS)
def test_content_that_no_longer_compresses_is_unusual(seed: int) -> None:
    sizes = noisy(seed)
    (anomaly,) = anomalies(series(sizes, stored_bytes=round(sizes[-1] * MIB * 0.99)))
    assert anomaly.what == "compressibility"
    assert "packed to 99% of its size, where the median of 14 is 20%" in anomaly.text


def test_rows_that_were_cut_are_unusual_also_where_the_size_stays() -> None:
    (anomaly,) = anomalies(series([400] * 20, rows=1000))
    assert anomaly.text == "1,000 rows, where the median of 14 is 3,495,253"
    assert found(series([400] * 20), "public.orders") == ["tables"]


def test_objects_that_vanish_are_unusual() -> None:
    assert found(series([400] * 20, objects=60)) == ["objects"]
    assert found(series([400] * 20, objects=80)) == []


@pytest.mark.parametrize(
    "history",
    [
        [],
        series([400] * LEAST),
        series([400] * LEAST, plain_bytes=1),
        [point(hours, size) for hours, size in ((5, 1000), *((day, 10_000) for day in range(30, 200, 24)))],
        series([400] * 20, filters="exclude_tables: 'log'", plain_bytes=10 * MIB, rows=10, objects=4),
        series([400] * 20, complete=False, plain_bytes=MIB),
        series([400] * 20, compression="none", stored_bytes=400 * MIB),
        [{**one, "rows": None, "objects": None} for one in series([400] * 20)],
    ],
    ids=["none", "too few", "still too few", "small", "other filters", "partial", "not compressed", "nothing counted"],
)
def test_where_there_is_nothing_to_compare_with_nothing_is_unusual(history: list[dict[str, Any]]) -> None:
    assert found(history) == []


def test_compressibility_that_was_never_there_is_not_missed() -> None:
    photos = [{**one, "stored_bytes": one["plain_bytes"]} for one in series([400] * 20)]
    assert found(photos) == []
