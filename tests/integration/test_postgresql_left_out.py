# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory counts what pg_dump writes, kind by kind; what it leaves out is named."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from backupdb.engines.postgresql.filled import ANYTHING, read_filled
from backupdb.engines.postgresql.inventory import read_inventory
from backupdb.engines.postgresql.left_out import read_left_out
from backupdb.engines.postgresql.scope import EVERYTHING
from backupdb.engines.postgresql.session import coordinator
from backupdb.engines.postgresql.unwritten import outside
from backupdb.engines.values import SnapshotDetails
from support.drills import drilled
from support.library import SCHEMAS, back_up, entry_of
from support.postgresql_contents import contents_differing, taken
from support.postgresql_dumps import drop_database, listed, make_database, new_database, opened, restore
from support.servers import PrivatePostgres

POSTGRESQL = ["postgres15", "postgres18"]


@pytest.fixture(scope="module", params=POSTGRESQL)
def left_out_server(request: pytest.FixtureRequest) -> Iterator[PrivatePostgres]:
    """PostgreSQL, once of each version, with the database `left_out`."""
    server: PrivatePostgres = request.getfixturevalue(request.param)
    make_database(server, "left_out")
    server.run_sql_script(SCHEMAS / "postgresql_left_out.sql", database="left_out")
    with pytest.raises(Exception, match="could not create unique index"):
        server.sql("CREATE UNIQUE INDEX CONCURRENTLY invalid ON ordinary (y)", database="left_out")
    server.sql("COMMENT ON INDEX invalid IS 'left behind'", database="left_out")
    yield server
    drop_database(server, "left_out")


def test_leaving_out_what_has_no_rows_changes_no_answer(left_out_server: PrivatePostgres) -> None:
    for name in ("left_out", "postgres"):
        assert_answers_stay(left_out_server, name)
    with new_database(left_out_server, "many schemas"):
        schemas = [f"CREATE SCHEMA s{number} CREATE TABLE t (n int PRIMARY KEY)" for number in range(250)]
        left_out_server.run_sql_script(";".join(schemas), database="many schemas")
        assert assert_answers_stay(left_out_server, "many schemas")["primary_keys"] == 250


def test_leaving_out_what_has_no_rows_changes_no_answer_of_the_torture_database(
    torture_server: PrivatePostgres,
) -> None:
    assert_answers_stay(torture_server, "torture")


def assert_answers_stay(private: PrivatePostgres, name: str) -> dict[str, int]:
    """Ask with and without what was found about the catalogues; returns the inventory."""
    with opened(private) as (server, facts):
        database = listed(server, facts, name)
        with coordinator(server, facts, database) as session:
            session.run("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            filled = read_filled(session, str)
            assert filled.has("pg_class")
            for major in (facts.version_number[0], 18):
                inventory = read_inventory(session, major, EVERYTHING, filled)
                assert inventory == read_inventory(session, major)
            assert session.rows(outside(filled)) == session.rows(outside(ANYTHING))
            assert read_left_out(session, major, EVERYTHING, filled) == read_left_out(
                session, major, EVERYTHING, ANYTHING
            )
            return inventory


def test_the_inventory_of_the_torture_database_is_its_table_of_contents(
    torture_server: PrivatePostgres, scratch: Path
) -> None:
    assert contents_differing(torture_server, taken(torture_server, "torture", scratch)) == {}


def test_the_inventory_of_what_pg_dump_leaves_out_is_the_table_of_contents(
    left_out_server: PrivatePostgres, scratch: Path
) -> None:
    dump = taken(left_out_server, "left_out", scratch)
    assert contents_differing(left_out_server, dump) == {}
    restore(left_out_server, dump, "again")
    try:
        again = taken(left_out_server, "again", scratch / "again").details
    finally:
        drop_database(left_out_server, "again")
    assert again.inventory == dump.details.inventory
    assert not again.missing


def test_what_pg_dump_leaves_out_is_named(left_out_server: PrivatePostgres, scratch: Path) -> None:
    details = taken(left_out_server, "left_out", scratch).details
    for what in (
        "members that were added to extension hstore later: server given_server, table public.given;",
        "added or changed columns on members of extension hstore: column added of table public.given",
        "changed owners on members of extension hstore: function public.hstore_in(cstring);",
        "comments on members of extension hstore: function public.skeys(public.hstore);",
        "constraints on members of extension hstore: constraint given_pkey on table public.given, "
        "constraint given_positive on table public.given;",
        "extended statistics on members of extension hstore: statistics object public.given_statistics;",
        "indexes on members of extension hstore: index public.given_v;",
        "policies on members of extension hstore: policy given_policy on table public.given;",
        "rules on members of extension hstore: rule given_rule on table public.given;",
        "triggers on members of extension hstore: trigger given_trigger on table public.given;",
        "user mappings on members of extension hstore: server given_server;",
        "rows of table public.given of extension hstore:",
        "comments on types that belong to other objects: type public.ordinary, type public.ordinary[];",
        "objects in the server's own schemas: function of_people(), table information_schema.of_people;",
        "that foreign keys are disabled: child_x_fkey on public.child;",
        "changed rights on the server's own views: information_schema.tables;",
    ):
        assert any(line.startswith(what) or what in line for line in details.missing), (what, details.missing)
    assert [line for line in details.warnings if "public.invalid" in line]


def details_of(private: PrivatePostgres, folder: Path, *statements: str) -> SnapshotDetails:
    with new_database(private, "probed"):
        for statement in statements:
            private.sql(statement, database="probed")
        return taken(private, "probed", folder).details


def test_members_of_extensions_are_published_by_newer_clients_only(private: PrivatePostgres, scratch: Path) -> None:
    with new_database(private, "probed"):
        for statement in (
            *("CREATE EXTENSION hstore", "CREATE TABLE given (n int)", "ALTER EXTENSION hstore ADD TABLE given"),
            "CREATE PUBLICATION of_members FOR TABLE given",
        ):
            private.sql(statement, database="probed")
        dump = taken(private, "probed", scratch)
        assert contents_differing(private, dump) == {}
    told = any("membership in publications" in line for line in dump.details.missing)
    assert told is (dump.details.inventory["published_tables"] == 0)


@pytest.mark.parametrize("row", ["(1, true)", "(2, false)"])
def test_rows_that_a_filter_of_an_extension_does_not_let_through_are_missing(
    private: PrivatePostgres, scratch: Path, row: str
) -> None:
    details = details_of(
        private,
        scratch,
        "CREATE EXTENSION hstore",
        "CREATE TABLE settings (n int, keep bool)",
        "ALTER EXTENSION hstore ADD TABLE settings",
        # As pg_extension_config_dump() does, which only a script may call.
        "SET allow_system_table_mods = on; UPDATE pg_extension SET extconfig = ARRAY['settings'::regclass::oid], "
        "extcondition = ARRAY['WHERE keep'] WHERE extname = 'hstore'",
        f"INSERT INTO settings VALUES {row}",
    )
    text = "rows of table public.settings of extension hstore that its filter does not let through"
    assert any(text in line for line in details.missing) is ("false" in row)


@pytest.mark.parametrize("extension", ["hstore", "pgcrypto", "pg_trgm", "citext", "ltree", "plpgsql_check", "cube"])
def test_an_extension_as_its_script_made_it_lacks_nothing(
    private: PrivatePostgres, scratch: Path, extension: str
) -> None:
    if not private.sql("SELECT FROM pg_available_extensions WHERE name = %s", parameters=(extension,)):
        return
    details = details_of(
        private,
        scratch,
        f"CREATE EXTENSION {extension}",
        "CREATE SCHEMA s",
        f"ALTER EXTENSION {extension} SET SCHEMA s",
    )
    assert not details.missing
    assert not details.warnings


def test_an_older_manifest_is_compared_by_the_rules_of_its_time(private: PrivatePostgres, scratch: Path) -> None:
    details = details_of(private, scratch, "CREATE EXTENSION hstore", "COMMENT ON FUNCTION skeys(hstore) IS 'x'")
    assert details.inventory_as_in({"engine_details": dict(details.extra)})["comments"] == 1
    assert details.inventory_as_in({"engine_details": {}})["comments"] == 2
    assert details.inventory_as_in({})["tables"] == 0


def test_what_a_range_type_makes_by_itself_is_not_counted(private: PrivatePostgres, scratch: Path) -> None:
    """PostgreSQL 14 makes more of it than 13, so that a restore into a newer server would differ."""
    details = details_of(private, scratch, "CREATE TYPE span AS RANGE (subtype = int4)")
    kinds = ("range_types", "functions", "casts")
    assert [details.inventory[kind] for kind in kinds] == [1, 0, 0]
    older = details.inventory_as_in({})
    assert [older[kind] for kind in kinds] == [1, 5, 1]
    assert older["grants"] == details.inventory["grants"] + 5


def test_columns_that_a_restore_puts_in_another_order_are_named_and_their_rows_are_equal(
    private: PrivatePostgres, repository: Path, work_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join([str(private.binaries), os.environ["PATH"]]))
    with new_database(private, "probed"):
        for statement in (
            "CREATE TABLE top (a int, b text); CREATE TABLE sub (c int) INHERITS (top)",
            "CREATE TABLE same (d int) INHERITS (top); INSERT INTO sub VALUES (1, 'one', 2), (2, 'two', NULL)",
            "ALTER TABLE top ADD later text DEFAULT 'later'; CREATE TABLE made_after (e int) INHERITS (sub)",
            "CREATE TABLE other_way (later text, b text, a int); ALTER TABLE other_way INHERIT top",
            "CREATE TABLE as_it_was (f int) INHERITS (top); ALTER TABLE same DROP COLUMN d",
            "CREATE TABLE parts (a int, b int) PARTITION BY LIST (a); CREATE TABLE part (b int, a int)",
            "ALTER TABLE parts ATTACH PARTITION part DEFAULT",
        ):
            private.sql(statement, database="probed")
        options: dict[str, Any] = {"databases": ["probed"], "accounts": False, "row_counts": True, "fingerprints": True}
        entry = entry_of(back_up(private, repository, **options), "probed")
    assert (entry["status"], entry["missing"]) == ("complete", [])
    (told,) = [line for line in entry["warnings"] if line.startswith("the order of columns")]
    assert "some: public.made_after, public.other_way, public.sub; pg_dump writes those of the parents first" in told
    drill = drilled(repository, work_dir=str(work_dir))
    # A table that came to inherit later has its own columns in its definition, which tells their order.
    assert {line["what"] for line in drill["rewritten"]} == {"dump, TABLE public.other_way"}
    assert (drill["verdict"], drill["differences"]) == ("equal, expressions rewritten", [])


def test_a_language_of_the_servers_own_functions_and_a_comment_on_a_built_in_extension_are_named(
    private: PrivatePostgres, scratch: Path
) -> None:
    """pg_dump leaves out what handles the language, so that a restore asks for an extension of its name."""
    details = details_of(
        private,
        scratch,
        "CREATE LANGUAGE odd HANDLER plpgsql_call_handler",
        "CREATE FUNCTION handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler'",
        "CREATE LANGUAGE good HANDLER handler",
        "COMMENT ON EXTENSION plpgsql IS 'ours'",
    )
    assert details.missing == [
        "the server's own functions in languages: odd; pg_dump leaves that out",
        "changed comments on built-in extensions: plpgsql; pg_dump leaves that out",
    ]
