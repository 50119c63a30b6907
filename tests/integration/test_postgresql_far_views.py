# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Materialized views that read other servers: a copy and a drill do not fill them, and say so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from backupdb.restore import run as restore
from support.drills import drilled
from support.library import back_up
from support.postgresql_dumps import new_database
from support.restores import restore_request
from support.servers import PrivatePostgres

NAME = "reading_far"
FILLED = "SELECT relname FROM pg_class WHERE relkind = 'm' AND relispopulated ORDER BY 1"
# Directly, through a view, through another materialized view, through a partition, by inheritance, by dblink.
FAR = ["direct", "of_far", "partitioned", "inherited", "by_dblink"]


def schema(private: PrivatePostgres) -> str:
    where = f"host '{private.login['login_host']}', port '{private.login['login_port']}', dbname 'far'"
    return f"""
        CREATE EXTENSION postgres_fdw;
        CREATE EXTENSION dblink;
        CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS ({where});
        CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (user 'postgres', password '{private.password}');
        CREATE FOREIGN TABLE f (a int) SERVER far OPTIONS (table_name 't');
        CREATE VIEW v AS SELECT a + 1 AS b FROM f;
        CREATE MATERIALIZED VIEW direct AS SELECT * FROM v;
        CREATE UNIQUE INDEX ON direct (b);
        CREATE MATERIALIZED VIEW of_far AS SELECT * FROM direct;
        CREATE TABLE t AS SELECT g AS a FROM generate_series(1, 7) g;
        CREATE MATERIALIZED VIEW near AS SELECT * FROM t;
        CREATE TABLE p (a int) PARTITION BY LIST (a);
        CREATE FOREIGN TABLE p_far PARTITION OF p DEFAULT SERVER far OPTIONS (table_name 't');
        CREATE MATERIALIZED VIEW partitioned AS SELECT * FROM p;
        CREATE TABLE i (a int);
        CREATE FOREIGN TABLE i_far () INHERITS (i) SERVER far OPTIONS (table_name 't');
        CREATE MATERIALIZED VIEW inherited AS SELECT * FROM i;
        CREATE MATERIALIZED VIEW by_dblink AS SELECT * FROM dblink('far', 'SELECT a FROM t') AS x (a int);
    """


@pytest.fixture(scope="module")
def private(postgres15: PrivatePostgres) -> Iterator[PrivatePostgres]:
    with new_database(postgres15, "far"), new_database(postgres15, NAME):
        postgres15.sql("CREATE TABLE t AS SELECT generate_series(1, 5) AS a", database="far")
        postgres15.run_sql_script(schema(postgres15), database=NAME)
        yield postgres15


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_copy_and_a_drill_fill_none_of_them_and_the_original_s_place_all(
    private: PrivatePostgres, repository: Path, work_dir: Path, jobs: int
) -> None:
    assert back_up(private, repository, databases=[NAME], jobs=jobs)["status"] == "ok"
    copied = restore.run(restore_request(private, repository, NAME, target="reading_copy"))
    try:
        assert copied["status"] == "restored", copied
        assert private.sql(FILLED, database="reading_copy") == [("near",)]
        (told,) = [line for line in copied["warnings"] if "were not filled" in line]
        assert all(f"REFRESH MATERIALIZED VIEW public.{name};" in told for name in FAR)
    finally:
        private.sql("DROP DATABASE IF EXISTS reading_copy")
    drill = drilled(repository, work_dir=str(work_dir))
    assert (drill["verdict"], drill["differences"]) == ("equal", [])
    told = {line["what"]: line["why"] for line in drill["not_compared"] if line["what"].startswith("MATERIALIZED")}
    assert sorted(told) == sorted(f"MATERIALIZED VIEW DATA public.{name}" for name in FAR)
    assert "public.p_far" in told["MATERIALIZED VIEW DATA public.partitioned"]
    asked = restore.run(restore_request(private, repository, NAME, target="reading_copy", enable_events=True))
    try:
        assert asked["status"] == "restored", asked
        filled = [name for (name,) in private.sql(FILLED, database="reading_copy")]
        assert filled == sorted(["near", *FAR])
    finally:
        private.sql("DROP DATABASE IF EXISTS reading_copy")
