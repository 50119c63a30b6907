# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB: what comes out of a backup is restored by the engine itself and is the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from backupdb.engines import mariadb as engine
from support.mysql_dumps import (
    Opened,
    dump,
    execute,
    new_database,
    opened,
    without_times,
)
from support.mysql_restores import restored

TORTURE = Path(__file__).parents[1] / "support" / "schemas" / "mariadb_torture.sql"
ALL_COUNTS = {"row_counts": True, "fingerprints": True}


@pytest.fixture(scope="module")
def torture(mariadb: Any) -> Iterator[str]:
    with new_database(mariadb, "torture", "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci COMMENT 'it''s'") as name:
        mariadb.run_sql_script(TORTURE, database=name)
        yield name


@pytest.fixture
def where(mariadb: Any) -> Iterator[Opened]:
    with opened(engine, mariadb) as here:
        yield here


def lines(parts: Mapping[str, bytes]) -> list[bytes]:
    return sorted(line for part in parts.values() for line in without_times(part).split(b"\n"))


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_database_with_one_of_everything_comes_back_beside_its_original(
    where: Opened, torture: str, jobs: int
) -> None:
    first = dump(where, torture, jobs=jobs, **ALL_COUNTS)
    with restored(where, torture, first, "beside", jobs=jobs) as report:
        assert (report.errors, report.warnings) == ([], [])
        second = dump(where, "beside", jobs=jobs, **ALL_COUNTS)
    assert second.details.inventory == first.details.inventory
    assert second.details.row_counts == first.details.row_counts
    assert second.details.fingerprints == first.details.fingerprints
    assert second.details.properties == first.details.properties
    # A column's default always names the database of its sequence.
    own = {name: part.replace(b"`beside`.`numbers`", b"`torture`.`numbers`") for name, part in second.parts.items()}
    assert lines(own) == lines(first.parts)
