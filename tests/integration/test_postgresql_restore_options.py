# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restores that bring a part back, give it to other owners, or go to another version of the server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from backupdb.connection.server import Server
from backupdb.engines.postgresql.engine import PostgresqlEngine
from backupdb.engines.postgresql.restore.clients import find_restore_clients, restore_package_name
from backupdb.engines.values import Client, DumpOptions, RestoreOptions, ServerFacts
from backupdb.errors import RestoreRefused
from support.library import limits
from support.postgresql_dumps import (
    TORTURE,
    client_of,
    drop_database,
    make_database,
    new_database,
    new_role,
    opened,
    plain,
    take,
)
from support.postgresql_restores import (
    bring_back,
    gone_afterwards,
    look_at,
    manifest_of,
    restore_client_of,
    sources_of,
)
from support.servers import PrivatePostgres

COMPARED = DumpOptions(row_counts=True, fingerprints=True)


class Source:
    """A database `source` of PostgreSQL 15, dumped once in one archive and once in parts."""

    def __init__(self, private: PrivatePostgres, server: Server, facts: ServerFacts, folder: Path) -> None:
        self.private = private
        self.server = server
        self.facts = facts
        self.dump_client = client_of(private, facts)
        self.client = restore_client_of(private, facts)
        self.dumps = {}
        for jobs in (1, 2):
            (folder / str(jobs)).mkdir()
            options = replace(COMPARED, jobs=jobs)
            self.dumps[jobs] = take(server, facts, self.dump_client, "source", folder / str(jobs), options=options)
        self.manifest = manifest_of(self.dumps[1], facts, self.dump_client)

    def restored(
        self, options: RestoreOptions, *, jobs: int = 1, server: Server | None = None
    ) -> tuple[list[str], list[str]]:
        """Restore as `copy`; return errors and warnings."""
        report = bring_back(
            server or self.server, self.facts, self.client, self.dumps[jobs], self.manifest, "copy", options
        )
        return list(report.errors), list(report.warnings)

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        return self.private.sql(statement, database="copy")


@pytest.fixture
def source(postgres15: PrivatePostgres, scratch: Path) -> Iterator[Source]:
    """The torture schema, and afterwards no trace of it or of its copy."""
    make_database(postgres15, "source")
    postgres15.run_sql_script(TORTURE, database="source")
    try:
        with opened(postgres15) as here, gone_afterwards(*here, "copy"):
            server, facts = here
            yield Source(postgres15, server, facts, scratch)
    finally:
        drop_database(postgres15, "source")
        postgres15.sql("DROP ROLE IF EXISTS torture_owner, torture_reader")


@pytest.mark.parametrize("jobs", [1, 2])
def test_single_tables_come_with_all_that_belongs_to_them(source: Source, jobs: int) -> None:
    wanted = RestoreOptions(tables=("shop.orders", '"Odd ""schema"". *?$"."line\nbreak"', "parents"), jobs=2)
    errors, warnings = source.restored(wanted, jobs=jobs)
    assert errors == []
    assert len(warnings) == 1
    assert "FK CONSTRAINT shop.orders orders_customer_fkey, as it needs TABLE shop.customers" in warnings[0]
    tables = {
        name for (name,) in source.sql("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND oid > 16384")
    }
    partitions = {"orders_2025", "orders_2026", "orders_2026_0", "orders_2026_1", "orders_default"}
    assert tables == {"orders", "parents", "line\nbreak", *partitions}
    assert source.sql("SELECT count(*) FROM shop.orders") == [(1000,)]
    assert source.sql("SELECT note FROM ONLY shop.parents ORDER BY id") == [("parent",), ("seen by the trigger",)]
    assert source.sql("SELECT last_value FROM shop.orders_id_seq") == source.private.sql(
        "SELECT last_value FROM shop.orders_id_seq", database="source"
    )
    assert source.sql("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgparentid = 0 ORDER BY 1") == [
        ("note",),
        ("note_orders",),
    ]
    assert source.sql("SELECT count(*) FROM pg_index WHERE indrelid = 'shop.orders'::regclass") == [(2,)]
    assert source.sql("SELECT has_table_privilege('torture_reader', 'shop.orders', 'SELECT')") == [(True,)]


def test_a_single_table_brings_the_types_and_tables_that_its_definition_needs(source: Source) -> None:
    errors, warnings = source.restored(RestoreOptions(tables=("shop.children", "shop.customers")))
    assert errors == []
    assert warnings == ["needed by the definitions of the tables asked for, and made without rows: TABLE shop.parents"]
    assert source.sql("SELECT count(*) FROM shop.customers") == [(502,)]
    assert source.sql("SELECT id FROM shop.parents") == [(2,)]


def test_a_table_that_is_not_there_is_refused_with_the_names_of_those_that_are(source: Source) -> None:
    with pytest.raises(RestoreRefused, match=r"no table or view 'shop.order'; of its \d+ there are shop\.orders, "):
        source.restored(RestoreOptions(tables=("shop.order",)))


@pytest.mark.parametrize("jobs", [1, 2])
def test_definitions_alone_and_then_rows_alone_make_the_whole(source: Source, jobs: int) -> None:
    assert source.restored(RestoreOptions(schema_only=True), jobs=jobs) == ([], [])
    assert source.sql("SELECT count(*) FROM shop.orders") == [(0,)]
    assert source.sql("SELECT count(*) FROM pg_largeobject_metadata") == [(0,)]
    source.sql("CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no'; END$$")
    source.sql("CREATE EVENT TRIGGER refuse ON ddl_command_start EXECUTE FUNCTION refuse()")
    report = PostgresqlEngine(source.server, source.facts).load(
        source.client,
        "copy",
        sources_of(source.dumps[jobs]),
        source.manifest,
        RestoreOptions(data_only=True, jobs=2),
        limits(),
    )
    assert (report.errors, report.warnings) == ([], [])
    found = look_at(source.server, source.facts, source.dump_client, "copy")
    assert found.row_counts == source.dumps[jobs].details.row_counts
    assert found.fingerprints == source.dumps[jobs].details.fingerprints


def test_rows_without_the_right_to_switch_triggers_off_are_loaded_with_a_warning(source: Source) -> None:
    with (
        new_role(source.private, "loader", "LOGIN PASSWORD 'password-of-loader'"),
        new_database(source.private, "copy", options="OWNER loader"),
        opened(source.private, user="loader", password="password-of-loader") as (server, facts),
    ):
        source.private.run_sql_script(
            "CREATE SCHEMA shop; CREATE TABLE shop.bytes (id integer PRIMARY KEY, every_byte bytea NOT NULL);"
            "GRANT ALL ON SCHEMA shop TO loader; GRANT ALL ON shop.bytes TO loader",
            database="copy",
        )
        options = RestoreOptions(data_only=True, tables=("bytes",))
        sources = sources_of(source.dumps[1])
        report = PostgresqlEngine(server, facts).load(
            source.client, "copy", sources, source.manifest, options, limits()
        )
        assert report.errors == []
        assert "triggers and foreign keys of the target stay on" in report.warnings[0]
        assert source.sql("SELECT count(*) FROM shop.bytes") == [(3,)]


def drop_torture_roles(source: Source) -> None:
    drop_database(source.private, "source")
    source.private.sql("DROP ROLE torture_owner, torture_reader")


def test_missing_roles_are_named_with_the_statements_that_make_them(source: Source) -> None:
    drop_torture_roles(source)
    options = RestoreOptions()
    refusals, _missing, warnings = PostgresqlEngine(source.server, source.facts).restore_problems(
        source.manifest, "copy", options
    )
    assert len(refusals) == 1
    assert 'CREATE ROLE "torture_owner";' in refusals[0]
    assert any("role 'torture_reader' does not exist here" in warning for warning in warnings)
    make_database(source.private, "copy")
    with pytest.raises(RestoreRefused, match="nothing was restored") as raised:
        PostgresqlEngine(source.server, source.facts).load(
            source.client,
            "copy",
            sources_of(source.dumps[1]),
            source.manifest,
            options,
            limits(),
        )
    for words in (
        "roles that own objects do not exist here: torture_owner;",
        "roles that have rights on objects do not exist here: torture_reader;",
        'roles with user mappings do not exist here: torture_owner (CREATE ROLE "torture_owner";)',
    ):
        assert words in str(raised.value)
    assert source.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'shop'") == [(0,)]


def test_owners_are_mapped_in_objects_rights_and_settings(source: Source) -> None:
    expected = plain(source.private, "source")
    with new_role(source.private, 'the "new" owner', "NOLOGIN"):
        options = RestoreOptions(owner_policy="map", owner_map={"torture_owner": 'the "new" owner'})
        try:
            assert (
                PostgresqlEngine(source.server, source.facts).restore_problems(source.manifest, "copy", options)[0]
                == []
            )
            assert source.restored(options) == ([], [])
            found = plain(source.private, "copy")
            user_mapping = "USER MAPPING FOR torture_owner"  # a mapping is of a user, who owns nothing by it
            assert found.count(user_mapping) == expected.count(user_mapping) == 1
            quoted = '"the ""new"" owner"'
            assert owners(found) == {quoted if owner == "torture_owner" else owner for owner in owners(expected)}
            assert "torture_owner" not in re.sub(r"USER MAPPING.*|-- Name:.*", "", found)
            assert source.sql("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'copy'") == [
                ('the "new" owner',)
            ]
            ((acl,),) = source.sql("SELECT datacl::text FROM pg_database WHERE datname = 'copy'")
            assert "torture_owner" not in str(acl)
        finally:
            drop_database(source.private, "copy")


def owners(script: str) -> set[str]:
    return set(re.findall(r" OWNER TO (.*);", script))


def test_dropped_owners_refuse_security_definer_functions_as_superuser(source: Source) -> None:
    with pytest.raises(RestoreRefused, match=r"would run as superuser: FUNCTION shop\.order_count\(bigint\)"):
        source.restored(RestoreOptions(owner_policy="drop"))


def test_a_plain_role_takes_everything_when_owners_and_rights_are_dropped(
    postgres15: PrivatePostgres, scratch: Path
) -> None:
    with (
        new_role(postgres15, "plain_role", "LOGIN CREATEDB PASSWORD 'password-of-plain'"),
        new_role(postgres15, "far_owner", "NOLOGIN"),
        new_database(postgres15, "source"),
        opened(postgres15) as (server, facts),
    ):
        postgres15.run_sql_script(
            "CREATE TABLE t (n integer PRIMARY KEY); INSERT INTO t VALUES (1); ALTER TABLE t OWNER TO far_owner;"
            "CREATE FUNCTION f() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';"
            "GRANT SELECT ON t TO far_owner",
            database="source",
        )
        client = client_of(postgres15, facts)
        dump = take(server, facts, client, "source", scratch)
        manifest = manifest_of(dump, facts, client)
        options = RestoreOptions(owner_policy="drop", acl_policy="drop")
        with (
            opened(postgres15, user="plain_role", password="password-of-plain") as (as_plain, plain_facts),
            gone_afterwards(server, facts, "copy"),
        ):
            restoring = restore_client_of(postgres15, facts)
            keep = RestoreOptions()
            _refusals, missing, _warnings = PostgresqlEngine(as_plain, plain_facts).restore_problems(
                manifest, "copy", keep
            )
            assert [(entry.privilege, entry.grant) for entry in missing] == [("membership in postgres", "")]
            assert PostgresqlEngine(as_plain, plain_facts).restore_problems(manifest, "copy", options)[:2] == ([], [])
            report = bring_back(as_plain, plain_facts, restoring, dump, manifest, "copy", options)
            assert (report.errors, report.warnings) == ([], [])
            owned = "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relname LIKE 't%' AND oid > 16384"
            assert postgres15.sql(owned, database="copy") == [("plain_role",)]


def test_an_extension_that_is_owned_by_another_role_is_left_as_it_is(
    postgres15: PrivatePostgres, scratch: Path
) -> None:
    """Its COMMENT would fail and end the restore. The extension is there because the target has been prepared."""
    with (
        new_role(postgres15, "plain_role", "LOGIN PASSWORD 'password-of-plain'"),
        new_database(postgres15, "source"),
        new_database(postgres15, "copy", options="OWNER plain_role"),
        opened(postgres15) as (server, facts),
        opened(postgres15, user="plain_role", password="password-of-plain") as (as_plain, plain_facts),
    ):
        extension = "CREATE EXTENSION hstore; COMMENT ON EXTENSION hstore IS 'ours'"
        postgres15.run_sql_script(f"{extension}; CREATE TABLE t AS SELECT hstore('a', 'b') AS h", database="source")
        postgres15.run_sql_script(extension.replace("ours", "theirs"), database="copy")
        client = client_of(postgres15, facts)
        dump = take(server, facts, client, "source", scratch)
        manifest = manifest_of(dump, facts, client)
        for policy in ("create", "skip"):
            postgres15.sql("DROP TABLE IF EXISTS t", database="copy")
            options = RestoreOptions(owner_policy="drop", extensions=policy)
            sources = sources_of(dump)
            restoring = restore_client_of(postgres15, facts)
            report = PostgresqlEngine(as_plain, plain_facts).load(
                restoring, "copy", sources, manifest, options, limits()
            )
            assert report.errors == []
            assert postgres15.sql("SELECT h -> 'a' FROM t", database="copy") == [("b",)]
            comment = "SELECT obj_description(oid, 'pg_extension') FROM pg_extension WHERE extname = 'hstore'"
            assert postgres15.sql(comment, database="copy") == [("theirs",)]


def test_an_extension_that_the_host_does_not_have_is_refused(source: Source) -> None:
    extensions = {"plpgsql": "1.0", "no_such_extension": "1.0"}
    manifest = {**source.manifest, "engine_details": {"extensions": extensions}}
    problems = PostgresqlEngine(source.server, source.facts).restore_problems(manifest, "copy", RestoreOptions())
    assert problems[0][0].startswith("extensions are not installed on the server's host: no_such_extension;")
    skipping = RestoreOptions(extensions="skip")
    refusals, _missing, warnings = PostgresqlEngine(source.server, source.facts).restore_problems(
        manifest, "copy", skipping
    )
    assert refusals == []
    assert "extensions are not created: no_such_extension" in warnings[0]


def test_a_tablespace_is_left_out_unless_it_is_asked_for(postgres15: PrivatePostgres, scratch: Path) -> None:
    folder = postgres15.folder / "tablespace"
    folder.mkdir()
    postgres15.own(folder)
    postgres15.sql(f"CREATE TABLESPACE fast LOCATION '{folder}'")
    try:
        with (
            opened(postgres15) as here,
            new_database(postgres15, "source"),
            gone_afterwards(*here, "copy"),
        ):
            server, facts = here
            postgres15.sql("CREATE TABLE t TABLESPACE fast AS SELECT 1 AS n", database="source")
            client = client_of(postgres15, facts)
            dump = take(server, facts, client, "source", scratch)
            manifest = manifest_of(dump, facts, client)
            where = "SELECT reltablespace <> 0 FROM pg_class WHERE relname = 't'"
            for options, expected in ((RestoreOptions(), False), (RestoreOptions(no_tablespaces=False), True)):
                refusals, _missing, warnings = PostgresqlEngine(server, facts).restore_problems(
                    manifest, "copy", options
                )
                assert refusals == []
                assert warnings == (
                    [] if expected else ["objects of the tablespaces fast are restored into the default tablespace"]
                )
                bring_back(server, facts, restore_client_of(postgres15, facts), dump, manifest, "copy", options)
                assert postgres15.sql(where, database="copy") == [(expected,)]
                PostgresqlEngine(server, facts).drop_database("copy")
            elsewhere = {**manifest, "engine_details": {"tablespaces": ["slow"]}}
            asked = RestoreOptions(no_tablespaces=False)
            refusals, _missing, _warnings = PostgresqlEngine(server, facts).restore_problems(elsewhere, "copy", asked)
            assert refusals[0].startswith("tablespaces do not exist here: slow;")
    finally:
        postgres15.sql("DROP TABLESPACE fast")


def test_an_archive_of_version_15_comes_back_in_18(source: Source, postgres18: PrivatePostgres, scratch: Path) -> None:
    postgres18.sql("CREATE ROLE torture_owner; CREATE ROLE torture_reader")
    try:
        with opened(postgres18) as here, gone_afterwards(*here, "copy"):
            server, facts = here
            for client, jobs in ((source.client, 1), (restore_client_of(postgres18, facts), 2)):
                PostgresqlEngine(server, facts).drop_database("copy")
                options = RestoreOptions(jobs=2)
                report = bring_back(server, facts, client, source.dumps[jobs], source.manifest, "copy", options)
                assert (report.errors, report.warnings) == ([], [])
                found = look_at(server, facts, client_of(postgres18, facts), "copy")
                assert found.row_counts == source.dumps[1].details.row_counts
                assert found.fingerprints == source.dumps[1].details.fingerprints
                assert found.inventory == source.dumps[1].details.inventory
    finally:
        postgres18.sql("DROP ROLE torture_owner, torture_reader")


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_archive_that_a_newer_client_made_of_version_15_comes_back_in_15(
    source: Source, postgres18: PrivatePostgres, scratch: Path, jobs: int
) -> None:
    """pg_restore 18 begins with a setting that a server 15 does not know."""
    version, major = "18.6", 18
    newer = Client(str(postgres18.binaries / "pg_dump"), "postgresql", version, major, True, "newer")
    folder = scratch / "newer"
    folder.mkdir()
    options = replace(COMPARED, jobs=jobs, allow_newer_client=True)
    dump = take(source.server, source.facts, newer, "source", folder, options=options)
    manifest = manifest_of(dump, source.facts, newer)
    restoring = replace(newer, path=str(postgres18.binaries / "pg_restore"))
    restored = RestoreOptions(jobs=2, spool=True)
    report = bring_back(source.server, source.facts, restoring, dump, manifest, "copy", restored)
    assert report.errors == []
    assert report.warnings == ["spool was not used: the server is older than pg_restore, so its rows go through psql"]
    assert plain(source.private, "copy") == plain(source.private, "source")
    found = look_at(source.server, source.facts, source.dump_client, "copy")
    assert found.fingerprints == dump.details.fingerprints


def test_a_client_that_reads_the_archive_is_found(
    source: Source, postgres18: PrivatePostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{postgres18.binaries}:/usr/bin:/bin")
    clients = find_restore_clients(source.facts, source.manifest)
    assert [client.major for client in clients if client.usable] == [15, 18]
    assert clients[0].path == "/usr/lib/postgresql/15/bin/pg_restore"
    newer = {**source.manifest, "client": {"version": "18.1"}}
    clients = find_restore_clients(source.facts, newer)
    assert [(client.major, client.usable) for client in clients if client.major] == [(18, True), (15, False)]
    assert clients[-1].reason == "it is older than pg_dump 18.1, which wrote the archive" or clients[-1].major == 0
    assert "postgresql-client-18" in restore_package_name(newer)
