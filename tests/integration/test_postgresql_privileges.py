# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A login without all rights: what it lacks is told with the statement that helps, and nothing is lost in silence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from backupdb.connection.server import Server
from backupdb.engines.postgresql.engine import PostgresqlEngine
from backupdb.engines.values import FATAL, PARTIAL, DumpOptions, MissingPrivilege, ServerFacts
from support.postgresql_dumps import DumpFailed, client_of, listed, new_database, opened, restore, take
from support.postgresql_dumps import drop_database as drop
from support.servers import PrivatePostgres

BOTH = ["postgres15", "postgres18"]
LOGIN = "back\"up 'er"
QUOTED = '"back""up \'er"'
PASSWORD = "a-password-of-the-backup-login"
COUNTED = DumpOptions(row_counts=True, fingerprints=True)


@pytest.fixture(params=BOTH)
def private(request: pytest.FixtureRequest) -> Iterator[PrivatePostgres]:
    server: PrivatePostgres = request.getfixturevalue(request.param)
    server.sql(f"CREATE ROLE {QUOTED} LOGIN PASSWORD '{PASSWORD}'")
    with new_database(server, "guarded"):
        yield server
    server.sql(f"DROP ROLE {QUOTED}")


@contextmanager
def as_login(private: PrivatePostgres) -> Iterator[tuple[Server, ServerFacts]]:
    with opened(private, user=LOGIN, password=PASSWORD) as opening:
        yield opening


def missing(private: PrivatePostgres) -> list[MissingPrivilege]:
    with as_login(private) as (server, facts):
        database = listed(server, facts, "guarded")
        return PostgresqlEngine(server, facts).missing_privileges([database], DumpOptions())


def grant_all(private: PrivatePostgres) -> None:
    """Run the statements that the engine names, as the administrator would, until it names no more."""
    for _number in range(3):
        for entry in missing(private):
            if entry.severity == FATAL:
                private.sql(entry.grant, database="guarded")


def test_a_superuser_lacks_nothing(private: PrivatePostgres) -> None:
    with opened(private) as (server, facts):
        assert (
            PostgresqlEngine(server, facts).missing_privileges(
                PostgresqlEngine(server, facts).databases(), DumpOptions()
            )
            == []
        )


def test_tables_sequences_and_schemas_are_named_with_their_grants(private: PrivatePostgres, scratch: Path) -> None:
    private.run_sql_script(
        'CREATE SCHEMA "Hid;den"; CREATE TABLE "Hid;den"."T ""1""" (id serial); CREATE TABLE public.seen (n int);'
        "INSERT INTO public.seen VALUES (1); CREATE VIEW public.v AS SELECT 1;",
        database="guarded",
    )
    with as_login(private) as (server, facts), pytest.raises(Exception, match="permission denied"):
        take(server, facts, client_of(private, facts), "guarded", scratch, options=COUNTED)
    found = missing(private)
    assert {entry.severity for entry in found} == {FATAL}
    assert {entry.database for entry in found} == {"guarded"}
    assert [entry.grant for entry in found] == [
        f'GRANT USAGE ON SCHEMA "Hid;den" TO {QUOTED};',
        f'GRANT SELECT ON TABLE "Hid;den"."T ""1""" TO {QUOTED};',
        f'GRANT SELECT ON SEQUENCE "Hid;den"."T ""1""_id_seq" TO {QUOTED};',
        f'GRANT SELECT ON TABLE "public"."seen" TO {QUOTED};',
    ]
    grant_all(private)
    assert missing(private) == []
    with as_login(private) as (server, facts):
        dump = take(server, facts, client_of(private, facts), "guarded", scratch, options=COUNTED)
    assert dump.details.row_counts == {'"Hid;den"."T ""1"""': 0, "public.seen": 1}


def test_many_tables_are_served_by_one_role(private: PrivatePostgres) -> None:
    private.run_sql_script("; ".join(f"CREATE TABLE t{number} ()" for number in range(20)) + ";", database="guarded")
    (entry,) = missing(private)
    assert entry.grant == f"GRANT pg_read_all_data TO {QUOTED};"
    assert "20 tables" in entry.privilege
    grant_all(private)
    assert missing(private) == []


def test_connect_is_asked_for_first(private: PrivatePostgres) -> None:
    private.sql("REVOKE ALL ON DATABASE guarded FROM PUBLIC")
    (entry,) = missing(private)
    assert entry.grant == f'GRANT CONNECT ON DATABASE "guarded" TO {QUOTED};'
    with as_login(private) as (server, facts):
        assert listed(server, facts, "guarded").size_bytes is None
        assert facts.data_bytes
    private.sql(entry.grant)
    assert missing(private) == []
    private.sql(f"REVOKE ALL ON DATABASE guarded FROM {QUOTED}")


def test_row_security_and_large_objects_of_others_need_more_than_pg_read_all_data(
    private: PrivatePostgres, scratch: Path
) -> None:
    private.run_sql_script(
        f"""
        GRANT pg_read_all_data TO {QUOTED};
        CREATE TABLE secrets AS SELECT n, CASE WHEN n % 2 = 0 THEN '{LOGIN.replace("'", "''")}' ELSE 'x' END AS owner
          FROM generate_series(1, 10) n;
        ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON secrets USING (owner = current_user);
        SELECT lo_from_bytea(800001, 'mine'), lo_from_bytea(800002, 'public'), lo_from_bytea(800003, 'granted');
        GRANT SELECT ON LARGE OBJECT 800002 TO PUBLIC;
        GRANT SELECT ON LARGE OBJECT 800003 TO pg_read_all_data;
        """,
        database="guarded",
    )
    # Without row_security=off a count is short, and nothing says so.
    assert private.sql("SELECT count(*) FROM secrets", database="guarded", user=LOGIN, password=PASSWORD) == [(5,)]
    found = missing(private)
    assert [entry.grant for entry in found] == [
        f"ALTER ROLE {QUOTED} BYPASSRLS;",
        f"GRANT SELECT ON LARGE OBJECT 800001 TO {QUOTED};",
    ]
    assert "public.secrets" in found[0].effect
    with as_login(private) as (server, facts):
        client = client_of(private, facts)
        with pytest.raises(DumpFailed, match="row-level security"):
            take(server, facts, client, "guarded", scratch, options=COUNTED)
        private.sql(found[0].grant)
        with pytest.raises(DumpFailed, match="permission denied for large object 800001"):
            take(server, facts, client, "guarded", scratch, options=COUNTED)
        private.sql(found[1].grant, database="guarded")
        assert missing(private) == []
        dump = take(server, facts, client, "guarded", scratch, options=COUNTED)
    assert dump.details.row_counts == {"public.secrets": 10}
    assert (dump.details.fingerprints or {})["large objects"].startswith("3:")
    restore(private, dump, "guarded again")
    assert private.sql(
        "SELECT count(*), (SELECT count(*) FROM pg_largeobject_metadata) FROM secrets", database="guarded again"
    ) == [(10, 3)]
    drop(private, "guarded again")


def test_a_count_under_row_security_is_refused_and_not_short(private: PrivatePostgres) -> None:
    private.run_sql_script(
        f"GRANT pg_read_all_data TO {QUOTED}; CREATE TABLE t AS SELECT 1 AS n;ALTER TABLE t ENABLE ROW LEVEL SECURITY;",
        database="guarded",
    )
    with as_login(private) as (server, facts):
        database = listed(server, facts, "guarded")
        with PostgresqlEngine(server, facts).snapshot(client_of(private, facts), database, COUNTED, ()) as snapshot:
            details = snapshot.details()
            snapshot.check()  # the refused count has not cost the moment
    assert details.row_counts == {}
    assert any("public.t could not be counted" in warning for warning in details.warnings)


def test_a_hundred_large_objects_are_granted_by_one_statement(private: PrivatePostgres) -> None:
    private.run_sql_script("SELECT lo_create(0) FROM generate_series(1, 150);", database="guarded")
    (entry,) = missing(private)
    assert "150 large objects" in entry.privilege
    private.run_sql_script(entry.grant, database="guarded")
    assert missing(private) == []


def test_what_only_a_superuser_dumps_makes_the_backup_partial(private: PrivatePostgres, scratch: Path) -> None:
    private.run_sql_script(
        f"""
        GRANT pg_read_all_data TO {QUOTED};
        CREATE EXTENSION postgres_fdw;
        CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1');
        CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (user 'x', password 'y');
        CREATE SUBSCRIPTION changes CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p
            WITH (connect = false, slot_name = NONE);
        """,
        database="guarded",
    )
    found = missing(private)
    assert {entry.severity for entry in found} == {PARTIAL}
    assert ["user mappings on foreign servers far" in found[0].effect, "subscriptions changes" in found[1].effect] == [
        True,
        True,
    ]
    with as_login(private) as (server, facts):
        dump = take(server, facts, client_of(private, facts), "guarded", scratch, missing=tuple(found))
        assert len(dump.details.missing) == 2
        assert dump.details.inventory["subscriptions"] == 0
        assert dump.details.inventory["user_mappings"] == 1
    private.sql("DROP SUBSCRIPTION changes", database="guarded")
