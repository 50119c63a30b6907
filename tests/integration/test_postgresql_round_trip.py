# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine dumps comes back whole through pg_restore alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from backupdb.engines.postgresql.engine import PostgresqlEngine
from backupdb.engines.postgresql.quoting import identifier
from backupdb.engines.values import DumpOptions
from support.postgresql_dumps import (
    client_of,
    drop_database,
    listed,
    make_database,
    new_database,
    opened,
    plain,
    restore,
    take,
)
from support.servers import PrivatePostgres

BOTH = ["postgres15", "postgres18"]
COMPARED = DumpOptions(row_counts=True, fingerprints=True)


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.distro)])
def test_the_torture_schema_comes_back_equal(torture_server: PrivatePostgres, jobs: int, scratch: Path) -> None:
    options = DumpOptions(jobs=jobs, row_counts=True, fingerprints=True)
    with opened(torture_server) as (server, facts):
        client = client_of(torture_server, facts)
        dump = take(server, facts, client, "torture", scratch, options=options)
        names = [part.name for part, _path in dump.archives]
        assert names == (["data"] if jobs == 1 else ["pre-data", "data-0001", "data-0002", "rest", "post-data"])
        restore(torture_server, dump, "again")
        try:
            assert plain(torture_server, "again") == plain(torture_server, "torture")
            (scratch / "again").mkdir()
            again = take(server, facts, client, "again", scratch / "again", options=options).details
        finally:
            drop_database(torture_server, "again")
    assert again.inventory == dump.details.inventory
    assert again.row_counts == dump.details.row_counts
    assert again.fingerprints == dump.details.fingerprints
    assert dump.details.inventory_trusted
    assert not dump.details.missing
    assert not dump.details.warnings


def test_the_inventory_names_what_the_schema_has(torture_server: PrivatePostgres, scratch: Path) -> None:
    with opened(torture_server) as (server, facts):
        details = take(server, facts, client_of(torture_server, facts), "torture", scratch, options=COMPARED).details
    some = {
        "partitioned_tables": 2,
        "partitions": 5,
        "views": 2,
        "materialized_views": 2,
        "foreign_tables": 1,
        "enum_labels": 4,
        "domains": 1,
        "range_types": 1,
        "extensions": 3,
        "event_triggers": 1,
        "policies": 1,
        "large_objects": 2,
        "publications": 1,
        "user_mappings": 1,
        "procedures": 1,
        "aggregates": 1,
        "operators": 1,
        "casts": 1,
    }
    assert {kind: details.inventory[kind] for kind in some} == some
    assert details.extra["extensions"].keys() == {"hstore", "plpgsql", "postgres_fdw"}
    assert details.extra["unpopulated_materialized_views"] == ["shop.never_filled"]
    assert details.extra["foreign_tables"] == ["shop.far_away"]
    assert details.extra["unlogged_tables"] == ["shop.cache"]


def test_rows_are_counted_for_leaf_tables_and_filled_views_only(torture_server: PrivatePostgres, scratch: Path) -> None:
    with opened(torture_server) as (server, facts):
        details = take(server, facts, client_of(torture_server, facts), "torture", scratch, options=COMPARED).details
    counts = details.row_counts or {}
    assert counts["shop.parents"] == 2  # its own, not its children's
    assert counts["shop.children"] == 1
    assert sum(counts[f"shop.orders_{part}"] for part in ("2025", "2026_0", "2026_1", "default")) == 1000
    assert counts["shop.secrets"] == 20
    assert counts["shop.monthly"] > 1
    assert counts['public."Upper"'] == 1
    assert counts["public.upper"] == 3
    assert not {"shop.orders", "shop.orders_2026", "shop.far_away", "shop.never_filled", "shop.totals"} & counts.keys()
    prints = details.fingerprints or {}
    assert prints["shop.secrets"].startswith("20:")
    assert prints["sequence shop.free_sequence"] == "995:true"
    assert prints["large objects"].startswith("2:")
    assert "shop.monthly" not in prints  # a restore makes its rows anew


def test_a_fingerprint_sees_one_changed_byte_and_not_the_order_of_rows(
    postgres15: PrivatePostgres, scratch: Path
) -> None:
    with new_database(postgres15, "printed"), opened(postgres15) as (server, facts):

        def printed() -> str:
            found = take(server, facts, client_of(postgres15, facts), "printed", scratch, options=COMPARED)
            return (found.details.fingerprints or {})["public.t"]

        postgres15.run_sql_script(
            "CREATE TABLE t (a int, b bytea); INSERT INTO t VALUES (1, 'x'), (2, 'y');", database="printed"
        )
        first = printed()
        postgres15.run_sql_script("TRUNCATE t; INSERT INTO t VALUES (2, 'y'), (1, 'x');", database="printed")
        assert printed() == first
        postgres15.run_sql_script("UPDATE t SET b = 'z' WHERE a = 2;", database="printed")
        assert printed() != first


def test_properties_make_the_same_database_under_another_name(torture_server: PrivatePostgres, scratch: Path) -> None:
    with opened(torture_server) as (server, facts):
        client = client_of(torture_server, facts)
        wanted = take(server, facts, client, "torture", scratch).details.properties
        assert wanted["owner"] == "torture_owner"
        assert wanted["connection_limit"] == 50
        assert wanted["comment"] == "it's the torture database"
        assert {"role": "torture_reader", "settings": ["statement_timeout=90s"]} in wanted["settings"]
        assert wanted["settings"][0]["role"] is None
        make_database(torture_server, "other")
        try:
            torture_server.sql(f"ALTER DATABASE other OWNER TO {identifier(wanted['owner'])}")
            for statement in wanted["acl_statements"]:
                torture_server.sql(statement.replace('ON DATABASE "torture"', 'ON DATABASE "other"'))
            made = take(server, facts, client, "other", scratch).details.properties
        finally:
            drop_database(torture_server, "other")
    assert sorted(made["acl"]) == sorted(wanted["acl"])
    same = ("owner", "encoding", "locale_provider", "lc_collate", "lc_ctype", "locale", "tablespace")
    assert [made[key] for key in same] == [wanted[key] for key in same]


def test_a_builtin_locale_and_its_name_are_properties(postgres18: PrivatePostgres, scratch: Path) -> None:
    builtin = "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' ENCODING UTF8 LOCALE 'C.UTF-8'"
    with new_database(postgres18, "builtin", options=builtin), opened(postgres18) as (server, facts):
        properties = take(server, facts, client_of(postgres18, facts), "builtin", scratch).details.properties
    assert properties["locale_provider"] == "builtin"
    assert properties["locale"] == "C.UTF-8"


def test_an_icu_locale_is_a_property(postgres15: PrivatePostgres, scratch: Path) -> None:
    icu = "LOCALE_PROVIDER icu ICU_LOCALE 'de-AT' ENCODING UTF8 LOCALE 'C.UTF-8'"
    with new_database(postgres15, "icu", options=icu), opened(postgres15) as (server, facts):
        properties = take(server, facts, client_of(postgres15, facts), "icu", scratch).details.properties
    assert (properties["locale_provider"], properties["locale"]) == ("icu", "de-AT")
    assert properties["collation_version"]


def test_a_database_without_tables_is_one_archive_whatever_jobs_says(
    postgres15: PrivatePostgres, scratch: Path
) -> None:
    with new_database(postgres15, "bare"), opened(postgres15) as (server, facts):
        postgres15.sql("CREATE SEQUENCE s; SELECT lo_create(7)", database="bare")
        dump = take(server, facts, client_of(postgres15, facts), "bare", scratch, options=DumpOptions(jobs=4))
        assert [part.name for part, _path in dump.archives] == ["data"]
        restore(postgres15, dump, "bare again")
        assert plain(postgres15, "bare again") == plain(postgres15, "bare")
        drop_database(postgres15, "bare again")


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "EUC_JP"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_other_encodings_come_back_byte_by_byte(
    postgres15: PrivatePostgres, encoding: str, jobs: int, scratch: Path
) -> None:
    # In SQL_ASCII a byte means nothing: 0xE9 and 0xFF are as good as any.
    column, table, value = {
        "LATIN1": (b"caf\xe9", b"\xc4pfel", b"\xe9\xff"),
        "SQL_ASCII": (b"caf\xe9", b"\xff\xfe", b"\xe9\xff"),
        "EUC_JP": ("鍵".encode("euc_jp"), "表".encode("euc_jp"), "日本".encode("euc_jp")),
    }[encoding]
    with new_database(postgres15, "encoded", options=f"ENCODING '{encoding}' LOCALE 'C'"):
        connection = postgres15.connect(database="encoded")
        connection.set_client_encoding(encoding)
        with connection.cursor() as cursor:
            cursor.execute(b'CREATE TABLE "' + table + b'" (id serial, "' + column + b'" text)')
            cursor.execute(b'INSERT INTO "' + table + b'" ("' + column + b"\") VALUES ('" + value + b"'), ('plain')")
            cursor.execute("CREATE TABLE plain AS SELECT 1 AS one")
        connection.close()
        postgres15.sql("ALTER DATABASE encoded SET client_encoding = 'UTF8'")  # must not matter
        with opened(postgres15) as (server, facts):
            options = DumpOptions(jobs=jobs, row_counts=True, fingerprints=True)
            dump = take(server, facts, client_of(postgres15, facts), "encoded", scratch, options=options)
            assert sorted((dump.details.row_counts or {}).values()) == [1, 2]
            restore(postgres15, dump, "encoded again")
            try:
                assert _hex_rows(postgres15, "encoded again", table) == _hex_rows(postgres15, "encoded", table)
                (scratch / "again").mkdir()
                again = take(
                    server, facts, client_of(postgres15, facts), "encoded again", scratch / "again", options=options
                )
                assert again.details.fingerprints == dump.details.fingerprints
            finally:
                drop_database(postgres15, "encoded again")


def _hex_rows(private: PrivatePostgres, database: str, table: bytes) -> list[Any]:
    connection = private.connect(database=database)
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_encoding")
        connection.set_client_encoding(cursor.fetchone()[0])
        cursor.execute(
            b"SELECT encode(convert_to(t::text, getdatabaseencoding()), 'hex') FROM \"" + table + b'" t ORDER BY id'
        )
        rows = list(cursor.fetchall())
    connection.close()
    return rows


def test_passwords_with_the_marks_of_a_password_file_work(postgres15: PrivatePostgres, scratch: Path) -> None:
    password = r"co:lon back\slash 'quote\' ends: "
    postgres15.sql("CREATE ROLE marks LOGIN SUPERUSER PASSWORD %s", parameters=[password])
    try:
        with new_database(postgres15, "locked"), opened(postgres15, user="marks", password=password) as (server, facts):
            dump = take(server, facts, client_of(postgres15, facts), "locked", scratch)
            ((part, _path),) = dump.archives
            assert password not in " ".join([*part.argv, *part.environment.values()])
            assert PostgresqlEngine(server, facts).export_accounts(client_of(postgres15, facts)).missing == []
    finally:
        postgres15.sql("DROP ROLE marks")


EXTENSION = """
CREATE TABLE ext_settings (id serial, v text);
SELECT pg_catalog.pg_extension_config_dump('ext_settings', 'WHERE id > 1');
SELECT pg_catalog.pg_extension_config_dump('ext_settings_id_seq', '');
INSERT INTO ext_settings (v) VALUES ('made by the extension');
CREATE TABLE ext_inner (n int);
INSERT INTO ext_inner VALUES (1);
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_tables_of_extensions_come_back_as_the_extension_wants_it(
    server_factory: Callable[..., Any], scratch: Path, jobs: int
) -> None:
    private = server_factory("postgres18")
    folder = private.folder / "extension"
    folder.mkdir(mode=0o755)
    (folder / "settled.control").write_text("default_version = '1'\nschema = public\n", encoding="utf-8")
    (folder / "settled--1.sql").write_text(EXTENSION, encoding="utf-8")
    private.sql(f"ALTER SYSTEM SET extension_control_path = '{private.folder}:$system'")
    private.sql("SELECT pg_reload_conf()")
    private.sql("CREATE DATABASE extended")
    private.sql("CREATE ROLE reader LOGIN PASSWORD 'password-of-the-reader'")
    private.run_sql_script(
        "CREATE EXTENSION settled; INSERT INTO ext_settings (v) VALUES ('own'); INSERT INTO ext_inner VALUES (2);"
        "CREATE TABLE own AS SELECT 1 AS n; GRANT SELECT ON own, ext_settings, ext_settings_id_seq TO reader;",
        database="extended",
    )
    options = DumpOptions(jobs=jobs, row_counts=True, fingerprints=True)
    # No right on the extension's inner table is needed, as none of its rows are dumped.
    with opened(private, user="reader", password="password-of-the-reader") as (server, facts):
        assert not PostgresqlEngine(server, facts).missing_privileges([listed(server, facts, "extended")], options)
        dump = take(server, facts, client_of(private, facts), "extended", scratch, options=options)
    assert dump.details.row_counts == {"public.own": 1}
    restore(private, dump, "extended again")
    assert private.sql("SELECT v FROM ext_settings ORDER BY id", database="extended again") == [
        ("made by the extension",),
        ("own",),
    ]
    assert private.sql("SELECT nextval('ext_settings_id_seq')", database="extended again") == [(3,)]


def test_more_tables_than_a_command_line_can_name_are_all_dumped(
    postgres15: PrivatePostgres, monkeypatch: pytest.MonkeyPatch, scratch: Path
) -> None:
    monkeypatch.setattr("backupdb.engines.postgresql.parts._MOST_NAMED_TABLES", 5)
    with new_database(postgres15, "many"), opened(postgres15) as (server, facts):
        for number in range(20):
            rows = 2000 if number == 7 else 1
            statement = f"CREATE TABLE t{number} AS SELECT n FROM generate_series(1, {rows}) n"
            postgres15.sql(statement, database="many")
        options = DumpOptions(jobs=3, row_counts=True)
        dump = take(server, facts, client_of(postgres15, facts), "many", scratch, options=options)
        arguments = {part.name: " ".join(part.argv) for part, _path in dump.archives}
        assert list(arguments) == ["pre-data", "data-0001", "data-0002", "data-0003", "rest", "post-data"]
        assert "--table=public.t7" in arguments["data-0001"]  # the largest
        assert arguments["rest"].count("--exclude-table=") == 5
        assert any('15 small tables are in the part "rest"' in warning for warning in dump.details.warnings)
        restore(postgres15, dump, "many again")
        counted = take(server, facts, client_of(postgres15, facts), "many again", scratch, options=options)
        assert counted.details.row_counts == dump.details.row_counts
        drop_database(postgres15, "many again")


@pytest.mark.parametrize(
    ("statement", "is_there"),
    [
        ("SELECT 1", False),
        ("CREATE TABLE owning (n serial, i int GENERATED ALWAYS AS IDENTITY)", False),
        ("CREATE SEQUENCE of_nobody START 7", True),
        ("SELECT lo_from_bytea(0, 'x')", True),
        ("CREATE VIEW v AS SELECT 1", False),
    ],
)
def test_what_no_table_has_gets_a_part_of_its_own_where_there_is_any(
    postgres15: PrivatePostgres, scratch: Path, statement: str, is_there: bool
) -> None:
    options = DumpOptions(jobs=2, row_counts=True, fingerprints=True)
    with new_database(postgres15, "others"), opened(postgres15) as (server, facts):
        postgres15.sql("CREATE TABLE t AS SELECT 1 AS n", database="others")
        postgres15.sql(statement, database="others")
        dump = take(server, facts, client_of(postgres15, facts), "others", scratch, options=options)
        assert ("rest" in [part.name for part, _path in dump.archives]) == is_there
        restore(postgres15, dump, "others again")
        try:
            (scratch / "again").mkdir()
            again = take(
                server, facts, client_of(postgres15, facts), "others again", scratch / "again", options=options
            )
        finally:
            drop_database(postgres15, "others again")
        assert again.details.fingerprints == dump.details.fingerprints


def test_a_hostile_search_path_of_the_database_is_not_followed(postgres15: PrivatePostgres, scratch: Path) -> None:
    """Its owner could otherwise have his own functions called by the superuser who makes the backup."""
    with new_database(postgres15, "hostile"), opened(postgres15) as (server, facts):
        postgres15.run_sql_script(
            "CREATE SCHEMA evil; CREATE TABLE t AS SELECT 1 AS n;"
            "CREATE FUNCTION evil.format(text, name, name) RETURNS text LANGUAGE plpgsql AS "
            "$$BEGIN RAISE EXCEPTION 'called'; END$$;"
            "CREATE FUNCTION evil.pg_table_size(oid) RETURNS bigint LANGUAGE plpgsql AS "
            "$$BEGIN RAISE EXCEPTION 'called'; END$$;"
            "ALTER DATABASE hostile SET search_path = evil, pg_catalog;",
            database="hostile",
        )
        options = DumpOptions(jobs=2, row_counts=True, fingerprints=True)
        details = take(server, facts, client_of(postgres15, facts), "hostile", scratch, options=options).details
    assert details.row_counts == {"public.t": 1}
