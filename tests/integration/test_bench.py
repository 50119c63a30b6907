# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`tools/bench` at toy size, so that it still works on the day on which somebody wants to know.

Its times mean nothing here.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from support.ansible import ROOT
from support.library import LIBRARY


@pytest.mark.parametrize(
    ("scenario", "engine", "contenders"),
    [
        ("one-database", "postgres15", 6),
        ("restore", "mariadb", 3),
        ("many-tables", "mariadb", 5),
        ("small-databases", "postgres15", 2),
    ],
)
def test_a_benchmark_compares_what_it_says(scenario: str, engine: str, contenders: int) -> None:
    rows = measured(scenario, "--engine", engine, "--mib", "1", "--count", "3", "--hosts", "2")
    assert len(rows) == contenders, rows
    assert all(row.count(" s ") == 2 and " MiB |" in row for row in rows)


def test_plays_are_measured_on_the_controller_and_on_their_hosts() -> None:
    rows = measured("play", "--hosts", "2")
    assert [row.split(" | ")[0] for row in rows] == [
        "| ours, backup",
        "| ours, status",
        "| ours, jobs without a play",
        "| two calls of ping",
    ]
    cells = [row.split(" | ") for row in rows]
    assert [row[6] for row in cells] == ["1", "1", "", "2"]  # calls of a module
    assert all(" s" in cell for row in (cells[0], cells[1], cells[3]) for cell in row[1:6])


def test_a_catalogue_is_measured_beside_that_of_another_checkout() -> None:
    rows = measured("catalogue", "--count", "40", "--beside", str(ROOT))
    assert [row.split(" | ")[0] for row in rows] == [
        "| list --json",
        "| list",
        "| list --host db00 --json",
        "| status --json",
        "| prune --check",
        "| prune",
    ]
    assert all(row.count(" s (least ") == 3 and " MiB |" in row for row in rows)


def test_the_stages_of_a_dump_are_measured_one_by_one() -> None:
    rows = measured("stages", "--engine", "mariadb", "--mib", "1")
    assert len(rows) == 11, rows
    assert all(row.endswith(" s |") for row in rows[1:])


def measured(*words: str) -> list[str]:
    """The rows of the table that one round of a benchmark prints."""
    places = (LIBRARY, ROOT / "tests", ROOT / "tools" / "lib")
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words, "--rounds", "1"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places))},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return [
        line for line in done.stdout.splitlines() if line.startswith("| ") and not line.startswith(("|  |", "| ---"))
    ]
