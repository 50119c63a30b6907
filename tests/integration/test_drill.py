# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drills of good backups: they come out equal, say what they compared, and leave nothing behind but a record."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from backupdb.backup import run as backup
from backupdb.engines.postgresql import private_server as private_postgresql
from backupdb.errors import BackupNotFound, InvalidOption, RestoreRefused, WrongKey
from backupdb.repository.catalogue import Filter
from backupdb.repository.drill_records import proven
from backupdb.restore.request import Safety
from support import mysql_dumps, postgresql_dumps
from support.binaries import embedded_postgres
from support.drills import drill_all, drilled, writing
from support.library import KEYS, SCHEMAS, back_up, entry_of, instance_of, request_for
from support.restores import restored

CLAUSE = "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
# What pg_dump lists by the numbers that the server gave to the operators and functions.
OPERATOR_CLASS = """
    CREATE TYPE pair AS (a int, b int);
    CREATE FUNCTION pair_lt(pair, pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.a < $2.a';
    CREATE FUNCTION pair_le(pair, pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.a <= $2.a';
    CREATE FUNCTION pair_eq(pair, pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.a = $2.a';
    CREATE FUNCTION pair_ge(pair, pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.a >= $2.a';
    CREATE FUNCTION pair_gt(pair, pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.a > $2.a';
    CREATE FUNCTION pair_cmp(pair, pair) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1.a - $2.a';
    CREATE OPERATOR >> (LEFTARG = pair, RIGHTARG = pair, FUNCTION = pair_gt, COMMUTATOR = <<);
    CREATE OPERATOR >>= (LEFTARG = pair, RIGHTARG = pair, FUNCTION = pair_ge, COMMUTATOR = <<=);
    CREATE OPERATOR == (LEFTARG = pair, RIGHTARG = pair, FUNCTION = pair_eq, COMMUTATOR = ==);
    CREATE OPERATOR <<= (LEFTARG = pair, RIGHTARG = pair, FUNCTION = pair_le, COMMUTATOR = >>=);
    CREATE OPERATOR << (LEFTARG = pair, RIGHTARG = pair, FUNCTION = pair_lt, COMMUTATOR = >>);
    CREATE OPERATOR CLASS pair_ops FOR TYPE pair USING btree AS
        OPERATOR 1 <<, OPERATOR 2 <<=, OPERATOR 3 ==, OPERATOR 4 >>=, OPERATOR 5 >>, FUNCTION 1 pair_cmp(pair, pair);
"""
# An event trigger that refuses definitions, refreshes among them.
GUARDED = """
    CREATE TABLE t AS SELECT 1 AS n;
    CREATE MATERIALIZED VIEW m AS SELECT n FROM t;
    CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'frozen'; END$$;
    CREATE EVENT TRIGGER guard ON ddl_command_start EXECUTE FUNCTION refuse();
    ALTER EVENT TRIGGER guard DISABLE;
    COMMENT ON EVENT TRIGGER guard IS 'nothing changes';
"""
EVERYTHING = ["inventory", "row_counts", "fingerprints", "properties", "stream", "grants"]


@contextmanager
def torture(server: Any, kind: str, name: str = "torture_drill") -> Iterator[str]:
    """A database with nearly every kind of object, gone afterwards."""
    if kind == "postgresql":
        with postgresql_dumps.new_database(server, name):
            server.run_sql_script(SCHEMAS / "postgresql_torture.sql", database=name)
            yield name
        server.sql("DROP ROLE IF EXISTS torture_owner, torture_reader")
    else:
        with mysql_dumps.new_database(server, name, CLAUSE):
            server.run_sql_script(SCHEMAS / f"{kind}_torture.sql", database=name)
            yield name


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_usual_schema_comes_back_equal(
    kind: str, jobs: int, request: pytest.FixtureRequest, repository: Path, work_dir: Path
) -> None:
    server = request.getfixturevalue("postgres15" if kind == "postgresql" else kind)
    dumps: Any = postgresql_dumps if kind == "postgresql" else mysql_dumps
    with dumps.new_database(server, "usual"):
        server.run_sql_script(SCHEMAS / f"{kind}_usual.sql", database="usual")
        back_up(server, repository, databases=["usual"], jobs=jobs, row_counts=True, fingerprints=True)
    entry = drilled(repository, work_dir=str(work_dir), jobs=jobs)
    assert entry["verdict"] == "equal", (entry["differences"], entry["rewritten"])
    assert entry["compared"] == EVERYTHING


def test_a_rewritten_expression_is_no_false_alarm(postgres15: Any, repository: Path, work_dir: Path) -> None:
    with postgresql_dumps.new_database(postgres15, "rewritten"):
        postgres15.sql(
            "CREATE TABLE t (id int PRIMARY KEY, state varchar(9) CHECK (state IN ('new', 'old')))",
            database="rewritten",
        )
        postgres15.sql("CREATE INDEX i ON t (id) WHERE state IN ('new', 'old')", database="rewritten")
        postgres15.sql("CREATE VIEW v AS SELECT * FROM t WHERE state IN ('new', 'old')", database="rewritten")
        postgres15.sql("INSERT INTO t VALUES (1, 'new'), (2, 'old')", database="rewritten")
        back_up(postgres15, repository, databases=["rewritten"], fingerprints=True)
    entry = drilled(repository, work_dir=str(work_dir))
    assert entry["verdict"] == "equal, expressions rewritten", entry
    assert entry["differences"] == []
    assert any("ANY" in line["expected"] for line in entry["rewritten"])
    assert proven(Path(entry["path"]))


def test_what_the_manifest_names_as_missing_is_not_expected_back(
    postgres15: Any, repository: Path, work_dir: Path
) -> None:
    name = "partly"
    login = replace(instance_of(postgres15), user="plain_reader", password="plain_reader")
    postgres15.sql("CREATE ROLE plain_reader LOGIN PASSWORD 'plain_reader' IN ROLE pg_read_all_data")
    with postgresql_dumps.new_database(postgres15, name):
        postgres15.sql("CREATE TABLE t AS SELECT 1 AS n", database=name)
        postgres15.sql(
            "CREATE SUBSCRIPTION far CONNECTION 'dbname=nowhere' PUBLICATION p "
            "WITH (connect = false, slot_name = NONE)",
            database=name,
        )
        postgres15.sql("COMMENT ON SUBSCRIPTION far IS 'from far away'", database=name)
        result = backup.run(request_for(login, repository, databases=[name], row_counts=True))
        postgres15.sql("DROP SUBSCRIPTION far", database=name)
    entry = entry_of(result, name)
    assert entry["status"] == "partial"
    assert len([line for line in entry["missing"] if "subscription" in line]) == 1
    drill_entry = drilled(repository, work_dir=str(work_dir))
    assert drill_entry["verdict"] == "equal", drill_entry["differences"]
    try:
        restored(postgres15, repository, name, target="partly_again")
    finally:
        postgres15.sql("DROP DATABASE IF EXISTS partly_again")
        postgres15.sql("DROP ROLE plain_reader")


def test_the_database_that_every_server_has_is_proven_and_comes_back_where_it_is_empty(
    repository: Path, work_dir: Path, server_factory: Any
) -> None:
    source, other = server_factory("postgres15"), server_factory("postgres15")
    source.sql("CREATE TABLE t AS SELECT n FROM generate_series(1, 3) n")
    source.sql("ALTER DATABASE postgres SET work_mem = '5MB'")
    back_up(source, repository, databases=["postgres"], row_counts=True, fingerprints=True)
    entry = drilled(repository, work_dir=str(work_dir))
    assert entry["verdict"] == "equal", entry
    options = {"target": "postgres", "replace": True, "confirm": "postgres", "safety": Safety(wanted=False)}
    restored(other, repository, "postgres", **options)
    assert other.sql("SELECT count(*) FROM t") == [(3,)]
    with pytest.raises(RestoreRefused, match=r"belongs to the server itself .* has tables of its own"):
        restored(other, repository, "postgres", **options)


def test_templates_are_proven_and_stay_templates(server_factory: Any, repository: Path, work_dir: Path) -> None:
    source = server_factory("postgres15")
    source.sql("CREATE DATABASE mould")
    for name in ("mould", "template1"):
        source.sql("CREATE TABLE mine AS SELECT 1 AS n", database=name)
    source.sql("ALTER DATABASE mould IS_TEMPLATE true")
    back_up(source, repository, databases=["mould", "template1"], row_counts=True, fingerprints=True)
    entries = drill_all(repository, select="all", work_dir=str(work_dir))["drills"]
    verdicts = {entry["database"]: (entry["verdict"], entry["differences"]) for entry in entries}
    assert verdicts == {"mould": ("equal", []), "template1": ("equal", [])}
    restored(source, repository, "mould", target="mould_again")
    source.sql("CREATE DATABASE poured TEMPLATE mould_again")
    assert source.sql("SELECT datistemplate FROM pg_database WHERE datname = 'mould_again'") == [(True,)]
    assert source.sql("SELECT n FROM mine", database="poured") == [(1,)]
    options = {"target": "mould_again", "replace": True, "confirm": "mould_again", "safety": Safety(wanted=False)}
    restored(source, repository, "mould", **options)
    assert source.sql("SELECT datistemplate FROM pg_database WHERE datname = 'mould_again'") == [(True,)]


def test_what_every_database_has_and_this_one_dropped_does_not_come_back(
    postgres15: Any, repository: Path, work_dir: Path
) -> None:
    left = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' UNION SELECT extname FROM pg_extension"
    with postgresql_dumps.new_database(postgres15, "bare"):
        postgres15.run_sql_script(
            "DROP SCHEMA public; DROP SCHEMA information_schema CASCADE; DROP EXTENSION plpgsql;"
            "CREATE SCHEMA own; CREATE TABLE own.t AS SELECT 1 AS a",
            database="bare",
        )
        assert back_up(postgres15, repository, databases=["bare"], fingerprints=True)["status"] == "ok"
    entry = drilled(repository, work_dir=str(work_dir))
    assert (entry["verdict"], entry["differences"]) == ("equal", [])
    restored(postgres15, repository, "bare", target="bare_copy")
    assert postgres15.sql(left, database="bare_copy") == [("own",)]
    postgres15.sql("DROP DATABASE bare_copy")


def test_event_triggers_come_after_everything_else(postgres15: Any, repository: Path, work_dir: Path) -> None:
    name = "guarded"
    with postgresql_dumps.new_database(postgres15, name):
        postgres15.run_sql_script(GUARDED, database=name)
        postgres15.sql("GRANT SELECT ON t TO pg_monitor", database=name)
        postgres15.sql("ALTER EVENT TRIGGER guard ENABLE", database=name)
        back_up(postgres15, repository, databases=[name], jobs=2, row_counts=True)
    entry = drilled(repository, work_dir=str(work_dir))
    assert entry["verdict"] == "equal", entry["differences"]
    try:
        restored(postgres15, repository, name, target="guarded_again")
        assert postgres15.sql("SELECT * FROM m", database="guarded_again") == [(1,)]
    finally:
        postgres15.sql("DROP DATABASE IF EXISTS guarded_again")


def test_a_trigger_on_logins_writes_nothing_in_a_drill(
    postgres18: Any, repository: Path, work_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{postgres18.binaries}:{os.environ['PATH']}")
    with postgresql_dumps.new_database(postgres18, "watched"):
        postgres18.run_sql_script(
            """
            CREATE TABLE logins (who text);
            CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
                AS $$BEGIN INSERT INTO public.logins VALUES (session_user); END$$;
            CREATE EVENT TRIGGER watch ON login EXECUTE FUNCTION note();
            ALTER EVENT TRIGGER watch ENABLE ALWAYS;
            """,
            database="watched",
        )
        assert back_up(postgres18, repository, databases=["watched"], fingerprints=True)["status"] == "ok"
    entry = drilled(repository, work_dir=str(work_dir))
    assert (entry["verdict"], entry["differences"]) == ("equal", [])


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_order_in_which_a_server_lists_equal_things_is_no_difference(
    postgres15: Any, repository: Path, work_dir: Path, jobs: int
) -> None:
    name = "ordered"
    with postgresql_dumps.new_database(postgres15, name):
        postgres15.sql("CREATE TABLE a (id int, v text)", database=name)
        postgres15.sql(
            "INSERT INTO a SELECT g, repeat('x', g % 300) FROM generate_series(1, 500) g;"
            "UPDATE a SET v = v || repeat('y', 400) WHERE id % 2 = 0",
            database=name,
        )
        postgres15.sql(OPERATOR_CLASS, database=name)
        back_up(postgres15, repository, databases=[name], jobs=jobs, accounts=False)
    entry = drilled(repository, work_dir=str(work_dir))
    assert entry["verdict"] == "equal", entry["differences"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_writes_at_the_time_of_the_dump_are_no_false_alarm_on_postgresql(
    postgres15: Any, repository: Path, work_dir: Path, jobs: int
) -> None:
    with postgresql_dumps.new_database(postgres15, "busy"):
        for table in ("a", "b"):
            postgres15.sql(
                f"CREATE TABLE {table} (id bigserial PRIMARY KEY, v text) WITH (autovacuum_vacuum_threshold = 1)",
                database="busy",
            )
            postgres15.sql(f"INSERT INTO {table} (v) SELECT g FROM generate_series(1, 20000) g", database="busy")

        def write(cursor: Any) -> None:
            cursor.execute("UPDATE a SET v = v || 'x' WHERE id = 1 + (random() * 1000)::int")
            cursor.execute("INSERT INTO b (v) VALUES ('new')")
            cursor.execute("DELETE FROM b WHERE id = 1 + (random() * 1000)::int")

        with writing(write, lambda: postgres15.connect(database="busy")):
            back_up(postgres15, repository, databases=["busy"], jobs=jobs, row_counts=True, fingerprints=True)
    entry = drilled(repository, work_dir=str(work_dir))
    assert entry["verdict"] == "equal", entry["differences"]
    assert entry["content"] == "compared with the source by fingerprints"


def test_writes_at_the_time_of_the_dump_are_no_false_alarm_on_mariadb(
    mariadb: Any, repository: Path, work_dir: Path
) -> None:
    with mysql_dumps.new_database(mariadb, "busy"):
        for table in ("a", "b"):
            mariadb.sql(f"CREATE TABLE {table} (id int AUTO_INCREMENT PRIMARY KEY, v text)", database="busy")
            mariadb.sql(f"INSERT INTO {table} (v) SELECT seq FROM seq_1_to_20000", database="busy")
        mariadb.sql("CREATE SEQUENCE s", database="busy")

        def write(cursor: Any) -> None:
            cursor.execute("UPDATE a SET v = CONCAT(v, 'x') WHERE id = 1 + FLOOR(RAND() * 1000)")
            cursor.execute("INSERT INTO b (v) VALUES ('new')")
            cursor.execute("DELETE FROM b WHERE id = 1 + FLOOR(RAND() * 1000)")
            cursor.execute("SELECT NEXT VALUE FOR s FROM seq_1_to_100")

        with writing(write, lambda: mariadb.connect(database="busy")):
            back_up(mariadb, repository, databases=["busy"], jobs=2, row_counts=True, fingerprints=True)
    entry = drilled(repository, work_dir=str(work_dir))
    assert entry["verdict"] == "equal", entry["differences"]


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_without_a_backup_of_the_accounts_others_stand_in(
    kind: str, request: pytest.FixtureRequest, repository: Path, work_dir: Path
) -> None:
    server = request.getfixturevalue("postgres15" if kind == "postgresql" else kind)
    with torture(server, kind) as name:
        back_up(server, repository, databases=[name], accounts=False)
    entry = drilled(repository, work_dir=str(work_dir))
    assert entry["verdict"] == "equal", entry["differences"]
    assert [line["what"] for line in entry["not_compared"]] == ["row_counts", "fingerprints", "grants"]
    if kind == "postgresql":
        assert any("placeholders without a login" in line and "torture_owner" in line for line in entry["warnings"])


def test_a_newer_major_version_is_recorded_and_dumps_are_not_compared(
    postgres15: Any, repository: Path, work_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with torture(postgres15, "postgresql") as name:
        back_up(postgres15, repository, databases=[name], row_counts=True, fingerprints=True)
    # As on a host where only the newer version is installed.
    monkeypatch.setattr(private_postgresql, "_VERSIONED_FOLDERS", ())
    monkeypatch.setenv("PATH", f"{embedded_postgres()}:/usr/bin:/bin")
    entry = drilled(repository, work_dir=str(work_dir))
    assert entry["verdict"] == "equal", entry["differences"]
    assert entry["source"]["version"].startswith("15.")
    assert entry["server"]["version"].startswith("18.")
    assert [line["what"] for line in entry["not_compared"]] == ["fingerprints", "stream"]
    assert "inventory and row counts stand for it" in entry["not_compared"][1]["why"]


def test_select_takes_the_newest_the_oldest_unproven_a_sample_or_all(
    postgres15: Any, repository: Path, work_dir: Path
) -> None:
    paths = []
    with postgresql_dumps.new_database(postgres15, "small"):
        for _number in range(3):
            result = back_up(postgres15, repository, databases=["small"], accounts=False)
            paths.append(entry_of(result, "small")["path"])
    options = {"work_dir": str(work_dir)}
    assert drilled(repository, select="oldest_unproven", **options)["path"] == min(paths)
    assert drilled(repository, select="oldest_unproven", **options)["path"] == sorted(paths)[1]
    assert drilled(repository, **options)["path"] == max(paths)
    with pytest.raises(BackupNotFound):
        drill_all(repository, select="oldest_unproven", **options)
    assert len(drill_all(repository, select="random", count=2, **options)["drills"]) == 2
    result = drill_all(repository, select="all", wanted=Filter(database="sm*"), **options)
    assert sorted(entry["path"] for entry in result["drills"]) == sorted(paths)
    assert result["status"] == "ok"
    assert result["proven"] == 3


def test_check_mode_names_backups_and_programs_and_starts_nothing(
    postgres15: Any, repository: Path, work_dir: Path
) -> None:
    from backupdb.drill import run as drill
    from backupdb.drill.request import DrillRequest

    with postgresql_dumps.new_database(postgres15, "small"):
        back_up(postgres15, repository, databases=["small"])
    request = DrillRequest(repository=str(repository), work_dir=str(work_dir))
    with pytest.raises(WrongKey, match="no key was given"):
        drill.run(request, check_mode=True)
    result = drill.run(replace(request, keys=KEYS), check_mode=True)
    assert result["status"] == "planned"
    assert result["drills"][0]["program"].endswith("/bin/postgres")
    assert not list(repository.glob("**/drill-*.json"))


def test_a_long_work_dir_is_no_trouble_for_the_socket(postgres15: Any, repository: Path, work_dir: Path) -> None:
    long = work_dir / ("x" * 100)
    long.mkdir(mode=0o711)
    with postgresql_dumps.new_database(postgres15, "small"):
        back_up(postgres15, repository, databases=["small"], accounts=False)
    assert drilled(repository, work_dir=str(long))["verdict"] == "equal"
    assert list(long.iterdir()) == []


def test_a_work_dir_that_is_too_small_is_refused_with_the_numbers(
    postgres15: Any, repository: Path, small_tmpfs: Any
) -> None:
    with postgresql_dumps.new_database(postgres15, "small"):
        back_up(postgres15, repository, databases=["small"], accounts=False)
    entry = drilled(repository, work_dir=str(small_tmpfs("8M")))
    assert (entry["verdict"], entry["error_kind"], entry["record"]) == ("failed", "NotEnoughSpace", None)
    assert "8.0 MiB" in entry["error"]


def test_root_and_strangers_do_not_run_servers(repository: Path) -> None:
    for user in ("root", "nobody-of-that-name"):
        with pytest.raises(InvalidOption, match="run_as"):
            drill_all(repository, run_as=user)
