# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server says about itself and which databases it has, those that cannot be dumped included."""

from __future__ import annotations

from pathlib import Path

import pytest
from backupdb.backup import run as backup
from backupdb.backup.request import Selection
from backupdb.engines.postgresql.engine import PostgresqlEngine
from backupdb.engines.values import Database
from support.library import instance_of, request_for
from support.postgresql_dumps import new_database, opened
from support.servers import PrivatePostgres

BOTH = ["postgres15", "postgres18"]


def by_name(private: PrivatePostgres) -> dict[str, Database]:
    with opened(private) as (server, facts):
        return {database.name: database for database in PostgresqlEngine(server, facts).databases()}


def test_facts_say_version_role_size_and_settings(private: PrivatePostgres) -> None:
    with opened(private) as (server, facts):
        assert PostgresqlEngine.detect_vendor(server) == "postgresql"
    ((said,),) = private.sql("SHOW server_version")
    assert facts.vendor == "postgresql"
    assert said.split()[0] == facts.version == ".".join(str(part) for part in facts.version_number)
    assert facts.role == "primary"
    assert facts.data_bytes
    assert facts.data_bytes > 1_000_000
    for name in ("max_locks_per_transaction", "shared_preload_libraries", "data_checksums", "server_encoding"):
        assert name in facts.settings


def test_system_databases_have_the_reason_why_they_are_left_out(private: PrivatePostgres) -> None:
    found = by_name(private)
    assert {name for name, database in found.items() if database.is_system} == set(PostgresqlEngine.SYSTEM_DATABASES)
    assert all(found[name].reason for name in PostgresqlEngine.SYSTEM_DATABASES)
    assert not found["template0"].connectable


def test_the_maintenance_database_is_left_out_with_a_warning_when_it_holds_tables(
    private: PrivatePostgres, scratch: Path
) -> None:
    request = request_for(instance_of(private), scratch, selection=Selection(allow_empty=True))
    assert not any("tables of your own" in line for line in backup.run(request, check_mode=True)["warnings"])
    private.sql("CREATE TABLE public.kept_here (n int)")
    try:
        plan = backup.run(request, check_mode=True)
        assert any("'postgres' is left out" in line and "1 tables of your own" in line for line in plan["warnings"])
        named = backup.run(request_for(instance_of(private), scratch, databases=["postgres"]), check_mode=True)
        assert [entry["name"] for entry in named["databases"]] == ["postgres"]
        assert not any("left out" in line for line in named["warnings"])
    finally:
        private.sql("DROP TABLE public.kept_here")


def test_ordinary_databases_have_owner_size_encoding_and_collation(private: PrivatePostgres) -> None:
    with new_database(private, 'It\'s "ordinary"'):
        database = by_name(private)['It\'s "ordinary"']
    assert database.reason is None
    assert database.connectable
    assert (database.owner, database.encoding, database.collation) == ("postgres", "UTF8", "C.UTF-8")
    assert database.size_bytes
    assert database.size_bytes > 1_000_000


def test_templates_closed_and_invalid_databases_have_a_reason(private: PrivatePostgres) -> None:
    with new_database(private, "model"), new_database(private, "closed"), new_database(private, "invalid"):
        private.sql("ALTER DATABASE model IS_TEMPLATE true")
        private.sql("ALTER DATABASE closed ALLOW_CONNECTIONS false")
        private.sql("UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'invalid'")
        found = by_name(private)
        private.sql("ALTER DATABASE model IS_TEMPLATE false")
    assert "template" in str(found["model"].reason)
    assert "no connections" in str(found["closed"].reason)
    assert not found["closed"].connectable
    assert "invalid" in str(found["invalid"].reason)
    assert not found["invalid"].connectable


@pytest.mark.distro
def test_a_name_in_another_encoding_is_reported_and_harms_no_other(private: PrivatePostgres) -> None:
    with new_database(private, "latin", options="ENCODING 'LATIN1' LOCALE 'C'"):
        private.sql("CREATE DATABASE \"caf\u00e9 \\x41\\\\\" TEMPLATE template0 ENCODING 'UTF8'", database="latin")
        try:
            found = by_name(private)
            with opened(private, database="latin") as (server, facts):
                seen_from_latin = {database.name for database in PostgresqlEngine(server, facts).databases()}
        finally:
            private.sql('DROP DATABASE "caf\u00e9 \\x41\\\\"', database="latin")
    odd = found["caf\udce9 \\x41\\\\"]
    assert "not UTF-8" in str(odd.reason)
    assert odd.unaddressable
    assert found["latin"].reason is None
    assert found.keys() == seen_from_latin


def test_names_come_in_the_order_of_their_bytes(private: PrivatePostgres) -> None:
    with new_database(private, "b"), new_database(private, "B"), new_database(private, "\u00e9"):
        names = list(by_name(private))
    assert names == sorted(names, key=lambda name: name.encode("utf-8", "surrogateescape"))
