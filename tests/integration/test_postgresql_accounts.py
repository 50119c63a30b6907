# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles, memberships and settings, exported statement by statement and made again on another server."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from backupdb.engines.postgresql.engine import PostgresqlEngine
from backupdb.engines.values import AccountsExport, Client
from backupdb.errors import ClientMissing, CommandFailed
from support.postgresql_dumps import client_of, new_database, opened
from support.servers import PrivatePostgres

BOTH = ["postgres15", "postgres18"]
PASSWORD = "password-of-a-role-in-a-test"
ODD = 'Odd "role"; --\nDROP ROLE x'
ODD_QUOTED = '"Odd ""role""; --\nDROP ROLE x"'
MADE = ["app", "team", "boss", ODD_QUOTED, '"a-member"']
SETUP = f"""
CREATE ROLE team NOLOGIN;
CREATE ROLE boss LOGIN CREATEDB CONNECTION LIMIT 5 VALID UNTIL '2030-01-01 00:00:00+00' PASSWORD '{PASSWORD}';
CREATE ROLE app LOGIN PASSWORD '{PASSWORD}' IN ROLE pg_monitor;
CREATE ROLE "a-member" LOGIN;
CREATE ROLE {ODD_QUOTED} LOGIN;
GRANT team TO boss WITH ADMIN OPTION;
SET ROLE boss;
GRANT team TO "a-member";
RESET ROLE;
ALTER ROLE app SET search_path = "$user", 'Odd, schema', public;
ALTER ROLE app SET "my.setting" = E'it''s\\na \\\\ value; --';
ALTER ROLE app IN DATABASE "d""b" SET search_path = 'x', "Y z";
ALTER ROLE app IN DATABASE "d""b" SET statement_timeout = '90s';
COMMENT ON ROLE app IS E'of the ''shop''; \\\\\n-- no comment';
GRANT SET ON PARAMETER log_min_messages TO boss WITH GRANT OPTION;
SET ROLE boss;
GRANT SET ON PARAMETER log_min_messages TO app;
RESET ROLE;
"""


@pytest.fixture(params=BOTH)
def private(request: pytest.FixtureRequest) -> Iterator[PrivatePostgres]:
    server: PrivatePostgres = request.getfixturevalue(request.param)
    with new_database(server, 'd"b'):
        server.run_sql_script(SETUP)
        try:
            yield server
        finally:
            server.sql("REVOKE ALL ON PARAMETER log_min_messages FROM boss CASCADE")
            server.sql('REVOKE team FROM "a-member" CASCADE')
            server.sql(f"DROP ROLE {', '.join(MADE)}")


def exported(private: PrivatePostgres, **login: Any) -> AccountsExport:
    with opened(private, **login) as (server, facts):
        return PostgresqlEngine(server, facts).export_accounts(client_of(private, facts))


@pytest.mark.distro
def test_each_role_has_its_own_statements(private: PrivatePostgres) -> None:
    document = exported(private).document
    accounts = {account["name"]: account for account in document["accounts"]}
    assert accounts.keys() == {"app", "team", "boss", "a-member", ODD, "postgres"}
    assert [name for name, account in accounts.items() if account["reserved"]] == ["postgres"]
    assert {name for name, account in accounts.items() if account["kind"] == "role"} == {"team"}
    app = accounts["app"]["statements"]
    assert app[0] == {"kind": "identity", "database": None, "sql": "CREATE ROLE app;"}
    assert "SCRAM-SHA-256$" in app[1]["sql"]
    assert [statement["kind"] for statement in app[2:]] == ["settings"] * 3 + ["membership", "global_grant"]
    assert accounts[ODD]["statements"][0]["sql"] == f"CREATE ROLE {ODD_QUOTED};"
    assert json.loads(json.dumps(document)) == document
    assert not document["missing"]


def test_role_in_database_settings_are_with_the_instance(private: PrivatePostgres) -> None:
    found = [entry for entry in exported(private).document["instance"] if entry["kind"] == "role_in_database_setting"]
    assert [entry["database"] for entry in found] == ['d"b', 'd"b']
    assert [entry["sql"] for entry in found] == [
        """ALTER ROLE "app" IN DATABASE "d""b" SET "search_path" TO 'x', 'Y z';""",
        """ALTER ROLE "app" IN DATABASE "d""b" SET "statement_timeout" TO '90s';""",
    ]


def test_the_sql_file_makes_the_same_roles_on_another_server(
    private: PrivatePostgres, server_factory: Callable[..., Any]
) -> None:
    kind = "postgres15" if "15" in str(private.binaries) else "postgres18"
    other = server_factory(kind)
    other.sql('CREATE DATABASE "d""b"')
    export = exported(private)
    without_postgres = [
        line
        for line in export.sql.splitlines()
        if "CREATE ROLE postgres;" not in line and "ROLE postgres WITH" not in line
    ]
    other.run_sql_script("\n".join(without_postgres))
    assert _comparable(exported(other)) == _comparable(export)


def _comparable(export: AccountsExport) -> Any:
    """Without the bootstrap superuser, whose password differs."""
    accounts = [account for account in export.document["accounts"] if not account["reserved"]]
    return accounts, export.document["instance"]


def test_a_member_comes_after_the_role_that_granted_its_membership(private: PrivatePostgres) -> None:
    names = [account["name"] for account in exported(private).document["accounts"]]
    assert names.index("boss") < names.index("a-member")
    assert names.index("boss") < names.index("app")  # a right on a parameter
    sql = exported(private).sql
    assert sql.index("GRANT team TO boss") < sql.index('GRANT team TO "a-member"')
    assert sql.index(f"CREATE ROLE {ODD_QUOTED}") < sql.index("GRANT team TO boss")


def test_without_pg_authid_the_roles_come_without_passwords_and_the_export_says_so(private: PrivatePostgres) -> None:
    export = exported(private, user="app", password=PASSWORD)
    (missing,) = export.missing
    assert "passwords of 5 roles" in missing
    assert 'GRANT pg_read_all_data TO "app"' in missing
    assert export.document["missing"] == [missing]
    assert f"-- NOT IN HERE: {missing}" in export.sql
    assert "SCRAM" not in export.sql
    assert "CREATE ROLE boss;" in export.sql


def test_pg_read_all_data_is_enough_for_the_hashes(private: PrivatePostgres) -> None:
    private.sql("GRANT pg_read_all_data TO app")
    export = exported(private, user="app", password=PASSWORD)
    assert not export.missing
    assert export.sql.count("SCRAM-SHA-256$") >= 3


def test_tablespaces_are_with_the_instance(server_factory: Callable[..., Any], scratch: Path) -> None:
    private = server_factory("postgres15")
    place = private.folder / "space"
    place.mkdir(mode=0o700)
    private.own(place)
    private.sql("CREATE ROLE keeper")
    private.sql(f"CREATE TABLESPACE \"fast one\" OWNER keeper LOCATION '{place}' WITH (random_page_cost = 1.1)")
    private.sql('GRANT CREATE ON TABLESPACE "fast one" TO PUBLIC')
    found = [entry["sql"] for entry in exported(private).document["instance"] if entry["kind"] == "tablespace"]
    assert found[0] == f"CREATE TABLESPACE \"fast one\" OWNER keeper LOCATION '{place}';"
    assert any("random_page_cost" in sql for sql in found)
    assert any(sql.startswith('GRANT ALL ON TABLESPACE "fast one" TO PUBLIC') for sql in found)


def test_a_failing_pg_dumpall_is_an_error_and_never_the_export(private: PrivatePostgres, scratch: Path) -> None:
    with opened(private) as (server, facts):
        own = client_of(private, facts)
        folder = scratch / "broken"
        folder.mkdir()
        client = Client(str(folder / "pg_dump"), own.vendor, own.version, own.major, True, "for the test")
        with pytest.raises(ClientMissing, match="pg_dumpall is missing"):
            PostgresqlEngine(server, facts).export_accounts(client)
        shutil.copy("/bin/false", folder / "pg_dumpall")
        with pytest.raises(CommandFailed, match="exit status 1"):
            PostgresqlEngine(server, facts).export_accounts(client)
        shutil.copy("/bin/echo", folder / "pg_dumpall")
        with pytest.raises(CommandFailed, match="completion mark"):
            PostgresqlEngine(server, facts).export_accounts(client)
