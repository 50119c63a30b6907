# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL: what goes with a table that is left out, what is warned of, and what others need not do for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from backupdb.backup import run as backup
from backupdb.engines.postgresql.restore.toc import read_contents
from backupdb.restore import run as restore
from support.drills import drilled
from support.library import back_up, entry_of, instance_of, plain, request_for, stored_backups
from support.postgresql_dumps import new_database
from support.restores import restore_request, restored
from support.servers import PrivateServer

NAME = "filtered"
COUNTED = {"row_counts": True, "fingerprints": True}
# All that can hang on a table hangs on those that are left out below: what is counted must not count it.
SCHEMA = """
    CREATE TABLE kept (id serial PRIMARY KEY, word text);
    INSERT INTO kept (word) SELECT 'w' || n FROM generate_series(1, 20) n;
    CREATE TABLE "by Day" (day date, n int) PARTITION BY RANGE (day);
    CREATE TABLE day_1 PARTITION OF "by Day" FOR VALUES FROM ('2026-01-01') TO ('2026-01-02');
    CREATE TABLE day_2 PARTITION OF "by Day" FOR VALUES FROM ('2026-01-02') TO ('2026-01-03') PARTITION BY LIST (n);
    CREATE TABLE day_2_a PARTITION OF day_2 DEFAULT;
    INSERT INTO "by Day" SELECT '2026-01-01'::date + n % 2, n FROM generate_series(1, 10) n;
    CREATE TABLE elder (id bigserial UNIQUE, word text CHECK (word <> ''));
    CREATE TABLE heir (more int DEFAULT 3) INHERITS (elder);
    INSERT INTO heir (word) VALUES ('x'), ('y');
    CREATE TABLE numbered (n int GENERATED ALWAYS AS IDENTITY, word text);
    INSERT INTO numbered (word) VALUES ('a'), ('b');
    CREATE TABLE borrows (n bigint DEFAULT nextval('elder_id_seq'));
    INSERT INTO borrows DEFAULT VALUES;
    CREATE INDEX ON elder (word);
    CREATE STATISTICS elder_words (ndistinct) ON id, word FROM elder;
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER touched BEFORE UPDATE ON elder FOR EACH ROW EXECUTE FUNCTION touch();
    CREATE RULE ruled AS ON DELETE TO elder DO INSTEAD NOTHING;
    ALTER TABLE numbered ENABLE ROW LEVEL SECURITY;
    CREATE POLICY everybody ON numbered USING (true);
    COMMENT ON TABLE elder IS 'left out';
    COMMENT ON COLUMN elder.word IS 'left out';
    COMMENT ON TRIGGER touched ON elder IS 'left out';
    COMMENT ON INDEX elder_word_idx IS 'left out';
    GRANT SELECT ON elder, "by Day" TO PUBLIC;
    GRANT UPDATE (word) ON elder TO PUBLIC;
    CREATE PUBLICATION news FOR TABLE elder, kept;
    CREATE TABLE owner_of_keys (id int PRIMARY KEY);
    INSERT INTO owner_of_keys VALUES (1);
    CREATE TABLE refers (id int PRIMARY KEY, other int CONSTRAINT to_owner REFERENCES owner_of_keys);
    INSERT INTO refers VALUES (1, 1);
    CREATE SCHEMA audit;
    CREATE TYPE audit.kind AS ENUM ('a', 'b');
    CREATE TABLE audit.log (id bigserial PRIMARY KEY, kind audit.kind, at date) PARTITION BY RANGE (id);
    CREATE TABLE audit.log_1 PARTITION OF audit.log DEFAULT;
    CREATE FUNCTION audit.latest() RETURNS date LANGUAGE sql AS 'SELECT max(at) FROM audit.log';
    CREATE VIEW audit.recent AS SELECT * FROM audit.log;
    COMMENT ON SCHEMA audit IS 'left out';
    COMMENT ON TYPE audit.kind IS 'left out';
    ALTER DEFAULT PRIVILEGES IN SCHEMA audit GRANT SELECT ON TABLES TO PUBLIC;
    CREATE MATERIALIZED VIEW words AS SELECT word FROM kept;
    CREATE SEQUENCE free START 7;
"""
TABLES = """
    SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     ORDER BY 1"""


@pytest.fixture(scope="module")
def server(postgres15: PrivateServer) -> Iterator[PrivateServer]:
    with new_database(postgres15, NAME):
        postgres15.run_sql_script(SCHEMA, database=NAME)
        yield postgres15


@pytest.fixture
def back(server: PrivateServer) -> Iterator[str]:
    yield "back"
    server.sql("DROP DATABASE IF EXISTS back")


def names(server: PrivateServer, database: str) -> set[str]:
    return {name for (name,) in server.sql(TABLES, database=database)}


def left_out(result: dict[str, Any], kind: str = "tables") -> list[str]:
    found: list[str] = entry_of(result, NAME)["filters"]["left_out"][kind]["names"]
    return sorted(found)


@pytest.mark.parametrize("jobs", [1, 3])
def test_whatever_hangs_on_a_table_goes_with_it(
    server: PrivateServer, repository: Path, work_dir: Path, back: str, jobs: int
) -> None:
    result = back_up(
        server,
        repository,
        databases=[NAME],
        jobs=jobs,
        exclude_tables=("by Day", f"{NAME}.public.elder", "numbered", "other_database.*.*"),
        exclude_schemas=("aud*",),
        exclude_table_data=("refers", "words"),
        **COUNTED,
    )
    assert entry_of(result, NAME)["status"] == "complete", result["message"]
    gone = ["elder", "heir", "numbered", "numbered_n_seq", "day_1", "day_2", "day_2_a"]
    audit = ["log", "log_1", "log_id_seq", "recent"]
    expected = ['public."by Day"', *(f"public.{one}" for one in gone), *(f"audit.{one}" for one in audit)]
    assert left_out(result) == sorted(expected)
    assert left_out(result, "table_data") == ["public.refers", "public.words"]
    assert left_out(result, "schemas") == ["audit"]
    assert entry_of(result, NAME)["without"] == "without 12 tables and the rows of 2 tables and 1 schema"
    assert entry_of(result, NAME)["warnings"] == []
    restored(server, repository, NAME, target=back)
    assert names(server, back) == names(server, NAME) - set(expected)
    assert server.sql("SELECT count(*) FROM kept", database=back) == [(20,)]
    assert server.sql("SELECT count(*) FROM refers", database=back) == [(0,)]
    assert server.sql("SELECT relispopulated FROM pg_class WHERE relname = 'words'", database=back) == [(False,)]
    # The sequence of a table that is left out stays for the table that uses it.
    assert server.sql("INSERT INTO borrows DEFAULT VALUES RETURNING n", database=back) == [(4,)]
    if jobs > 1:
        drill = drilled(repository, work_dir=str(work_dir))
        assert (drill["verdict"], drill["differences"]) == ("equal", [])


def test_one_partition_is_left_out_or_included_alone(
    server: PrivateServer, repository: Path, work_dir: Path, back: str
) -> None:
    result = back_up(server, repository, databases=[NAME], include_tables=("kept", "day_?"), exclude_tables=("day_1",))
    assert {'public."by Day"', "public.day_2", "public.day_2_a", "public.kept"} & set(left_out(result)) == set()
    assert {"public.day_1", "public.borrows", "audit.log", "audit.recent", "public.words"} <= set(left_out(result))
    assert "public.free" not in left_out(result)
    restored(server, repository, NAME, target=back)
    assert server.sql('SELECT count(*) FROM "by Day"', database=back) == [(5,)]
    assert server.sql("SELECT nextval('free')", database=back) == [(7,)]
    assert drilled(repository, work_dir=str(work_dir))["verdict"] == "equal"


def test_what_needs_something_left_out_is_told_beforehand_and_by_the_restore(
    server: PrivateServer, repository: Path, back: str
) -> None:
    filters = {"exclude_tables": ("kept",), "exclude_table_data": ("owner_of_keys",)}
    for check_mode in (True, False):
        request = request_for(instance_of(server), repository, databases=[NAME], row_counts=True, **filters)
        result = backup.run(request, check_mode=check_mode)
        told = "\n".join([*result["warnings"], *entry_of(result, NAME)["warnings"]])
        assert "materialized view public.words needs" in told and "table public.kept" in told
        assert "to_owner of public.refers to public.owner_of_keys" in told
        assert entry_of(result, NAME)["without"] == "without 2 tables and the rows of 1 table"
    done = restore.run(restore_request(server, repository, NAME, target=back, accept_errors=True))
    assert done["status"] == "restored_with_errors"
    errors = "\n".join(done["errors"])
    assert "to_owner" in errors and "public.words" in errors, errors


def test_a_table_that_is_locked_or_may_not_be_read_stands_in_nobodys_way(
    server: PrivateServer, repository: Path
) -> None:
    server.sql("CREATE ROLE few LOGIN PASSWORD 'few'")
    server.sql(
        "GRANT SELECT ON kept, borrows TO few; GRANT SELECT ON kept_id_seq, elder_id_seq, free TO few", database=NAME
    )
    wanted = {"databases": [NAME], "accounts": False, "db_lock_timeout": 1.0}
    instance = instance_of(server, user="few", password="few")
    with closing(server.connect(database=NAME)) as holder:
        holder.cursor().execute("BEGIN; LOCK TABLE refers, audit.log IN ACCESS EXCLUSIVE MODE")
        refused = backup.run(request_for(instance, repository, **wanted))
        done = backup.run(request_for(instance, repository, include_tables=("kept", "borrows"), **wanted))
    server.sql("DROP OWNED BY few; DROP ROLE few", database=NAME)
    assert refused["status"] == "failed"
    assert (done["status"], entry_of(done, NAME)["status"]) == ("ok", "complete"), done["message"]


def test_an_include_that_names_another_database_says_nothing_of_this_one(
    server: PrivateServer, repository: Path
) -> None:
    with new_database(server, "other"):
        server.sql("CREATE TABLE t (n int)", database="other")
        server.sql("CREATE TABLE u (n int)", database="other")
        result = back_up(server, repository, databases=[NAME, "other"], include_tables=("other.public.t",))
    assert left_out(result) == []
    assert entry_of(result, "other")["filters"]["left_out"]["tables"] == {"count": 1, "names": ["public.u"]}
    assert stored_backups(repository, NAME)[0].manifest["filters"]["include_tables"] == ["other.public.t"]


def test_rows_of_an_extension_are_left_out_and_the_extension_is_not(server: PrivateServer, repository: Path) -> None:
    register = "UPDATE pg_extension SET extconfig = ARRAY['conf'::regclass::oid], extcondition = ARRAY['']"
    with new_database(server, "extended"):
        server.run_sql_script(
            f"""CREATE EXTENSION hstore; CREATE SCHEMA s; CREATE TABLE s.t (h public.hstore); CREATE TABLE conf (n int);
                INSERT INTO conf VALUES (1); ALTER EXTENSION hstore ADD TABLE conf;
                SET allow_system_table_mods = on; {register} WHERE extname = 'hstore';""",
            database="extended",
        )
        for filters in ({}, {"exclude_tables": ("conf",)}, {"exclude_schemas": ("public",)}):
            done = back_up(server, repository, databases=["extended"], **filters)
            found = entry_of(done, "extended")
            assert found["status"] == "partial", found["error"]  # somebody added the table to the extension
            entries = read_contents(iter([plain(found["path"])]), "data")[0].entries
            rows = {entry.tag for entry in entries if entry.kind == "TABLE DATA"}
            assert rows == ({"t"} if filters else {"t", "conf"})
            if filters:
                assert found["filters"]["left_out"]["table_data"]["names"] == ["public.conf"]
                assert found["filters"]["left_out"]["tables"]["names"] == []
            assert [line for line in found["warnings"] if "needs" in line] == []
