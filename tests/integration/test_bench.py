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
        ("play", "postgres15", 4),
    ],
)
def test_a_benchmark_compares_what_it_says(scenario: str, engine: str, contenders: int) -> None:
    words = ["--engine", engine, "--mib", "1", "--count", "3", "--hosts", "2", "--rounds", "1"]
    places = (LIBRARY, ROOT / "tests", ROOT / "tools" / "lib")
    done = subprocess.run(
        [sys.executable, "-m", "bench", scenario, *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places))},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    rows = [
        line for line in done.stdout.splitlines() if line.startswith("| ") and not line.startswith(("|  |", "| ---"))
    ]
    assert len(rows) == contenders, done.stdout
    assert all(row.count(" s ") == 2 and " MiB |" in row for row in rows)
