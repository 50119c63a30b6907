# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a login, a database or a server change nothing of what backups, restores and drills do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from backupdb.backup import run as backup
from backupdb.connection.server import Server
from backupdb.engines.postgresql.driver import Psycopg2
from backupdb.engines.postgresql.login import login_environment
from backupdb.engines.postgresql.settings import NEUTRAL, client_settings
from backupdb.engines.values import ServerFacts
from backupdb.restore import run as restore
from support.drills import drilled
from support.library import back_up, instance_of, request_for
from support.postgresql_dumps import new_database
from support.restores import restore_request

LOGIN = "contrary"
# Each other than a new server has it.
CONTRARY = {
    "default_transaction_read_only": "on",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "statement_timeout": "50",
    "lock_timeout": "50",
    "idle_in_transaction_session_timeout": "50",
    "exit_on_error": "on",
    "row_security": "off",
    "client_min_messages": "error",
    "check_function_bodies": "off",
    "search_path": "trap, pg_catalog",
    "quote_all_identifiers": "on",
    "standard_conforming_strings": "off",
    "backslash_quote": "off",
    "escape_string_warning": "off",
    "transform_null_equals": "on",
    "array_nulls": "off",
    "extra_float_digits": "-15",
    "DateStyle": "'SQL, DMY'",
    "IntervalStyle": "sql_standard",
    "bytea_output": "escape",
    "xmloption": "document",
    "xmlbinary": "hex",
    "TimeZone": "'Asia/Kathmandu'",
    "session_replication_role": "replica",
    "idle_session_timeout": "50",
}
SCHEMA = """
    CREATE SCHEMA trap;
    CREATE FUNCTION trap.count(anyelement) RETURNS bigint LANGUAGE sql AS 'SELECT 4711::bigint';
    CREATE TABLE t (id int PRIMARY KEY, f float8, d date, i interval, b bytea, z timestamptz, a text[], x text,
        CHECK (x = NULL OR x IS NOT NULL));
    INSERT INTO t VALUES (1, 0.1 + 0.2, '2026-02-03', '-1 day -02:03:04', '\\x00ff5c', '2026-02-03 04:05:06+00',
        ARRAY['a', NULL, 'null'], E'back\\\\slash ''quoted'' text');
    CREATE TABLE child (id int REFERENCES t);
    INSERT INTO child VALUES (1);
    CREATE VIEW v AS SELECT id, x FROM t WHERE x <> E'a\\\\b';
    CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
    CREATE INDEX ON t (f(id));
"""


@pytest.fixture
def contrary(postgres15: Any) -> Iterator[Any]:
    """A superuser with every such setting; afterwards it is gone."""
    postgres15.sql(f"CREATE ROLE {LOGIN} LOGIN SUPERUSER PASSWORD '{LOGIN}'")
    for name, value in CONTRARY.items():
        postgres15.sql(f"ALTER ROLE {LOGIN} SET {name} = {value}")
    yield postgres15
    postgres15.sql(f"DROP OWNED BY {LOGIN}")
    postgres15.sql(f"DROP ROLE {LOGIN}")


def test_a_login_with_settings_of_its_own_backs_up_and_restores_the_same(
    contrary: Any, repository: Path, work_dir: Path
) -> None:
    instance = replace(instance_of(contrary), user=LOGIN, password=LOGIN)
    with new_database(contrary, "settled"):
        contrary.run_sql_script(SCHEMA, database="settled")
        back_up(contrary, repository, databases=["settled"], row_counts=True, fingerprints=True)
        plain = drilled(repository, work_dir=str(work_dir))
        assert plain["verdict"] == "equal", plain["differences"]
        other = repository.parent / "other"
        other.mkdir(mode=0o700)
        result = backup.run(request_for(instance, other, databases=["settled"], row_counts=True, fingerprints=True))
        assert result["status"] == "ok", result
        entry = drilled(other, work_dir=str(work_dir))
        assert entry["verdict"] == "equal", entry["differences"]
        assert entry["content"] == "compared with the source by fingerprints"
        restored = restore.run(restore_request(contrary, other, "settled", instance=instance, target="settled_again"))
        try:
            assert restored["status"] == "restored", restored
            assert contrary.sql("SELECT f, x, a[2] IS NULL, a[3] FROM t", database="settled_again") == contrary.sql(
                "SELECT f, x, a[2] IS NULL, a[3] FROM t", database="settled"
            )
        finally:
            contrary.sql("DROP DATABASE IF EXISTS settled_again")


def test_a_session_of_ours_has_none_of_them(contrary: Any) -> None:
    with Server(replace(instance_of(contrary), user=LOGIN, password=LOGIN), driver=Psycopg2()) as server:
        rows = dict(map(tuple, server.rows("SELECT name, setting FROM pg_settings")))
        assert {name: rows[name] for name in NEUTRAL} == dict(NEUTRAL)
        assert (rows["session_replication_role"], rows["idle_session_timeout"]) == ("origin", "0")
        # What a restore or a drill must match is the server's own.
        assert rows["TimeZone"] == "Asia/Kathmandu"


def test_clients_get_what_the_version_of_the_server_knows(postgres15: Any) -> None:
    def facts(major: int) -> ServerFacts:
        return ServerFacts("postgresql", str(major), (major,), "primary", None, {})

    assert not {"idle_session_timeout", "transaction_timeout"} & set(client_settings(facts(13)))
    assert "idle_session_timeout" in client_settings(facts(14))
    assert "transaction_timeout" in client_settings(facts(17))
    environment = login_environment(instance_of(postgres15), client_settings(facts(15)))
    assert "-c default_transaction_read_only=off" in environment["PGOPTIONS"]
    assert "PGOPTIONS" not in login_environment(instance_of(postgres15))


# What a question without schemas in it could call: each ends with an error when it is called.
TRAPS = """
    CREATE SCHEMA trap;
    CREATE FUNCTION trap.caught(text, text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE 'caught'; END$$;
    CREATE FUNCTION trap.caught(name, text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE 'caught'; END$$;
    CREATE FUNCTION trap.caught(name, name) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE 'caught'; END$$;
    CREATE FUNCTION trap.caught(oid, oid) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE 'caught'; END$$;
    CREATE OPERATOR trap.= (FUNCTION = trap.caught, LEFTARG = text, RIGHTARG = text);
    CREATE OPERATOR trap.= (FUNCTION = trap.caught, LEFTARG = name, RIGHTARG = text);
    CREATE OPERATOR trap.= (FUNCTION = trap.caught, LEFTARG = name, RIGHTARG = name);
    CREATE OPERATOR trap.= (FUNCTION = trap.caught, LEFTARG = oid, RIGHTARG = oid);
    CREATE FUNCTION trap.current_setting(text) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE 'caught'; END$$;
    CREATE FUNCTION trap.current_schema() RETURNS name LANGUAGE plpgsql AS $$BEGIN RAISE 'caught'; END$$;
    CREATE FUNCTION trap.version() RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE 'caught'; END$$;
    CREATE FUNCTION trap.current_database() RETURNS name LANGUAGE plpgsql AS $$BEGIN RAISE 'caught'; END$$;
    CREATE FUNCTION trap.quote_ident(text) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE 'caught'; END$$;
    CREATE FUNCTION trap.pg_cancel_backend(int) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE 'caught'; END$$;
    CREATE VIEW trap.pg_type AS SELECT t.* FROM pg_catalog.pg_type t WHERE trap.caught(t.typname, t.typname);
    CREATE VIEW trap.pg_database AS SELECT d.* FROM pg_catalog.pg_database d WHERE trap.caught(d.oid, d.oid);
    CREATE TABLE public.t AS SELECT g AS id, 'row ' || g AS word FROM generate_series(1, 9) g;
    ALTER DATABASE trapped SET search_path = trap, pg_catalog;
"""


def test_nothing_of_a_database_s_owner_is_called_by_a_backup_a_restore_or_a_drill(
    postgres15: Any, repository: Path, work_dir: Path
) -> None:
    with new_database(postgres15, "trapped"):
        postgres15.run_sql_script(TRAPS, database="trapped")
        result = back_up(postgres15, repository, databases=["trapped"], row_counts=True, fingerprints=True)
        assert result["status"] == "ok", result
        entry = drilled(repository, work_dir=str(work_dir))
        assert entry["verdict"] == "equal", entry
        request = restore_request(
            postgres15, repository, "trapped", target="trapped", replace=True, confirm="trapped", keep_replaced=False
        )
        assert restore.run(request)["status"] == "restored"
