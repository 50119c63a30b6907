# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows that come back in another partition of the same table, as an enum's hash is another one in each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from backupdb.restore import run as restore
from support.drills import drilled
from support.library import back_up
from support.postgresql_dumps import new_database
from support.restores import restore_request
from support.servers import PrivateServer

SCHEMA = """
    CREATE TYPE colour AS ENUM ('red', 'green', 'blue', 'black', 'white');
    CREATE TABLE "by Colour" (c colour, word text) PARTITION BY HASH (c);
    CREATE TABLE first_third PARTITION OF "by Colour" FOR VALUES WITH (MODULUS 3, REMAINDER 0);
    CREATE TABLE "second Third" PARTITION OF "by Colour" FOR VALUES WITH (MODULUS 3, REMAINDER 1);
    CREATE TABLE last_third PARTITION OF "by Colour" FOR VALUES WITH (MODULUS 3, REMAINDER 2) PARTITION BY RANGE (word);
    CREATE TABLE below PARTITION OF last_third DEFAULT;
    INSERT INTO "by Colour" SELECT c, c || n::text FROM unnest(enum_range(NULL::colour)) c, generate_series(1, 20) n;
    CREATE TABLE plain AS SELECT g AS id FROM generate_series(1, 50) g;
"""
NAME = "coloured"
SHARES = 'SELECT tableoid::regclass::text, count(*) FROM public."by Colour" GROUP BY 1'


@pytest.fixture(scope="module")
def coloured(postgres15: PrivateServer) -> Iterator[PrivateServer]:
    with new_database(postgres15, NAME):
        postgres15.run_sql_script(SCHEMA, database=NAME)
        yield postgres15


@pytest.mark.parametrize("jobs", [1, 3])
def test_it_is_equal_wherever_the_rows_are(
    coloured: PrivateServer, repository: Path, work_dir: Path, jobs: int
) -> None:
    result = back_up(coloured, repository, databases=[NAME], jobs=jobs, row_counts=True, fingerprints=True)
    assert result["status"] == "ok", result
    drill = drilled(repository, work_dir=str(work_dir))
    assert (drill["verdict"], drill["differences"]) == ("equal", [])
    shares = {tuple(sorted(coloured.sql(SHARES, database=NAME)))}
    for number in range(4):  # by chance the rows may come back where they were
        target = f"{NAME}_{number}"
        done = restore.run(restore_request(coloured, repository, NAME, target=target))
        try:
            assert (done["status"], done["row_count_difference"]) == ("restored", [])
            shares.add(tuple(sorted(coloured.sql(SHARES, database=target))))
        finally:
            coloured.sql(f"DROP DATABASE {target}")
        if len(shares) > 1:
            break
    assert len(shares) > 1, "the rows were never shared out in another way, so nothing was shown"
