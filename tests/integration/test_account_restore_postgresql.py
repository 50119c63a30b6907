# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL: roles come back as they were, on a second, empty server and on one that has some of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from backupdb.accounts.compare import difference
from backupdb.errors import InvalidOption, RestoreRefused, SelectionError
from support.accounts import actions, exported, restored
from support.postgresql_dumps import new_database
from support.servers import PrivatePostgres

PASSWORD = "password-of-a-role-in-a-test"
ODD = 'Odd "role"; PASSWORD \'x'
ODD_QUOTED = '"Odd ""role""; PASSWORD \'x"'
MADE = ["app", "team", "boss", ODD_QUOTED, '"a-member"']
SETUP = f"""
CREATE ROLE team NOLOGIN;
CREATE ROLE boss LOGIN CREATEDB CONNECTION LIMIT 5 VALID UNTIL '2030-01-01 00:00:00+00' PASSWORD '{PASSWORD}';
CREATE ROLE app LOGIN PASSWORD '{PASSWORD}' IN ROLE pg_monitor;
CREATE ROLE "a-member" LOGIN NOINHERIT;
CREATE ROLE {ODD_QUOTED} LOGIN PASSWORD '{PASSWORD}';
GRANT team TO boss WITH ADMIN OPTION;
SET ROLE boss;
GRANT team TO "a-member";
RESET ROLE;
ALTER ROLE app SET search_path = "$user", 'Odd, schema', public;
ALTER ROLE app SET "my.setting" = E'it''s\\na \\\\ value; --';
ALTER ROLE app IN DATABASE "d""b" SET statement_timeout = '90s';
COMMENT ON ROLE app IS 'of the shop';
ALTER ROLE ALL SET "my.everywhere" = 'for all';
COMMENT ON ROLE pg_monitor IS 'looks on';
GRANT boss TO pg_monitor;
ALTER DATABASE postgres SET "my.here" = 'it''s';
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
GRANT CONNECT ON DATABASE postgres TO boss, app, PUBLIC;
REVOKE CONNECT ON DATABASE template1 FROM PUBLIC;
COMMENT ON DATABASE template1 IS 'ours';
GRANT SET ON PARAMETER log_min_messages TO boss WITH GRANT OPTION;
SET ROLE boss;
GRANT SET ON PARAMETER log_min_messages TO app;
RESET ROLE;
"""
UNDONE = """
ALTER ROLE ALL RESET ALL;
COMMENT ON ROLE pg_monitor IS NULL;
ALTER DATABASE postgres RESET ALL;
REVOKE ALL ON DATABASE postgres FROM boss, app;
GRANT ALL ON DATABASE postgres TO PUBLIC;
GRANT CONNECT ON DATABASE template1 TO PUBLIC;
COMMENT ON DATABASE template1 IS 'default template for new databases';
"""
SINCE_16 = """
GRANT team TO app WITH INHERIT FALSE, SET TRUE;
GRANT boss TO app WITH ADMIN TRUE, INHERIT TRUE, SET FALSE;
"""


@pytest.fixture(params=["postgres15", "postgres18"])
def source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivatePostgres]:
    server: PrivatePostgres = request.getfixturevalue(request.param)
    monkeypatch.setenv("PATH", f"{server.binaries}:/usr/bin:/bin")
    with new_database(server, 'd"b'):
        server.run_sql_script(SETUP + (SINCE_16 if request.param == "postgres18" else ""))
        try:
            yield server
        finally:
            server.sql("REVOKE ALL ON PARAMETER log_min_messages FROM boss CASCADE")
            server.run_sql_script(UNDONE)
            server.sql('REVOKE team FROM "a-member" CASCADE')
            server.sql(f"DROP ROLE {', '.join(MADE)}")


@pytest.fixture
def other(source: PrivatePostgres, server_factory: Callable[..., Any]) -> PrivatePostgres:
    """A second, empty server of the same version."""
    server: PrivatePostgres = server_factory("postgres15" if "15" in str(source.binaries) else "postgres18")
    return server


def test_accounts_come_back_as_they_were_and_a_second_run_changes_nothing(
    source: PrivatePostgres, other: PrivatePostgres
) -> None:
    document = exported(source)
    other.sql('CREATE DATABASE "d""b"')
    planned = restored(other, document, check_mode=True)
    assert planned["status"] == "planned"
    assert planned["changed"]
    assert "app" not in {account["name"] for account in exported(other)["accounts"]}
    first = restored(other, document)
    assert (first["status"], first["errors"], first["warnings"], first["waiting"]) == ("ok", [], [], [])
    assert first["statements"] == planned["statements"]
    assert first["changed"]
    assert difference(document, exported(other)) == first["difference"] == []
    assert other.sql("SELECT current_setting('my.everywhere'), current_setting('my.here')") == [("for all", "it's")]
    for role in ("app", "boss", ODD):
        assert other.sql("SELECT current_user", user=role, password=PASSWORD) == [(role,)]
    for options in ({}, {"existing": "update"}, {"existing": "fail"}, {"check_mode": True}):
        again = restored(other, document, **options)
        assert not again["changed"]
        assert again["statements"] == []
        assert actions(again) == {"app": "unchanged", "team": "unchanged", "boss": "unchanged"} | {
            "a-member": "unchanged",
            ODD: "unchanged",
            "postgres": "skipped",
        }


def test_an_existing_role_that_differs_is_skipped_refused_or_updated(
    source: PrivatePostgres, other: PrivatePostgres
) -> None:
    document = exported(source)
    other.run_sql_script(
        "CREATE ROLE app LOGIN CREATEDB CONNECTION LIMIT 3 VALID UNTIL '2001-01-01' PASSWORD 'another';"
        "CREATE ROLE mine; GRANT mine TO app"
    )
    before = exported(other)
    with pytest.raises(RestoreRefused, match="differ from the backup: app"):
        restored(other, document, existing="fail")
    assert exported(other)["accounts"] == before["accounts"]
    skipped = restored(other, document, patterns=["app"])
    assert actions(skipped) == {"app": "skipped"}
    assert "lacks" in skipped["accounts"][0]["reason"]
    assert not skipped["changed"]
    assert exported(other)["accounts"] == before["accounts"]
    updated = restored(other, document, existing="update")
    assert (updated["status"], updated["changed"]) == ("ok", True)
    assert actions(updated)["app"] == "updated"
    assert other.sql("SELECT current_user", user="app", password=PASSWORD) == [("app",)]
    # What it is beside the backup is left: the membership that somebody gave it here.
    (beside,) = [line for line in updated["difference"] if " beside: " in line]
    assert "GRANT mine TO app" in beside
    assert [line for line in updated["difference"] if " lacks: " in line] == []
    again = restored(other, document, existing="update")
    assert (again["changed"], again["statements"]) == (False, [])
    assert next(entry["beside"] for entry in again["accounts"] if entry["account"] == "app") == 1


def test_the_superuser_and_the_login_are_left_alone_unless_they_are_named(
    source: PrivatePostgres, other: PrivatePostgres
) -> None:
    document = exported(source)
    other.sql(f"CREATE ROLE boss SUPERUSER LOGIN PASSWORD '{PASSWORD}-here'")
    result = restored(other, document, existing="update", user="boss", password=f"{PASSWORD}-here")
    found = {entry["account"]: entry for entry in result["accounts"]}
    assert found["postgres"]["reason"] == "it is the server's own; name it to restore it"
    assert found["boss"]["reason"] == "it is the login in use; name it to restore it"
    assert found["boss"]["action"] == found["postgres"]["action"] == "skipped"
    assert other.sql("SELECT 1", user="boss", password=f"{PASSWORD}-here") == [(1,)]
    named = restored(other, document, existing="update", patterns=["boss"])
    assert actions(named) == {"boss": "updated"}
    assert other.sql("SELECT 1", user="boss", password=PASSWORD) == [(1,)]
    assert other.sql("SELECT rolsuper FROM pg_roles WHERE rolname = 'boss'") == [(False,)]


def test_settings_in_a_database_wait_for_it(source: PrivatePostgres, other: PrivatePostgres) -> None:
    document = exported(source)
    first = restored(other, document)
    assert first["status"] == "ok"
    assert [text.partition(" -- ")[2] for text in first["waiting"]] == ["needs database 'd\"b'"]
    assert any("object_grants_for" in line for line in first["warnings"])
    assert not restored(other, document)["changed"]
    other.sql('CREATE DATABASE "d""b"')
    second = restored(other, document, object_grants_for={'d"b'})
    assert (second["changed"], second["waiting"], len(second["statements"])) == (True, [], 1)
    assert difference(document, exported(other)) == []
    assert not restored(other, document, object_grants_for={'d"b'})["changed"]


def test_a_login_that_is_no_superuser_restores_what_it_may_and_says_what_not(
    source: PrivatePostgres, other: PrivatePostgres
) -> None:
    other.sql(f"CREATE ROLE maker LOGIN CREATEROLE CREATEDB PASSWORD '{PASSWORD}'")
    other.sql("GRANT pg_read_all_data TO maker")
    document = exported(source)
    result = restored(other, document, patterns=["app", "team", "a-member", "boss"], user="maker", password=PASSWORD)
    assert actions(result) == dict.fromkeys(("app", "team", "a-member", "boss"), "created")
    for role in ("app", "boss"):
        assert other.sql("SELECT current_user", user=role, password=PASSWORD) == [(role,)]
    assert result["status"] == "partial"  # rights on parameters and the like are the superuser's to give
    superusers = ("ON PARAMETER", "pg_monitor", "my.setting")
    assert [text for text in result["errors"] if not any(word in text for word in superusers)] == []
    assert not any("SCRAM-SHA-256$" in text for text in result["errors"])
    assert any("granted by maker instead of" in line for line in result["warnings"])
    implicit = other.sql("SELECT count(*) FROM pg_auth_members WHERE member = 'maker'::regrole AND admin_option")[0][0]
    warned = [line for line in result["warnings"] if "made administrator" in line]
    assert (implicit > 0) == bool(warned)  # from 16 on


def test_roles_of_15_come_into_18_and_those_of_18_into_15(
    postgres15: PrivatePostgres, postgres18: PrivatePostgres, server_factory: Callable[..., Any], monkeypatch: Any
) -> None:
    monkeypatch.setenv("PATH", f"{postgres18.binaries}:{postgres15.binaries}:/usr/bin:/bin")
    make = (
        "CREATE ROLE c_team; CREATE ROLE c_boss SUPERUSER LOGIN;"
        f"CREATE ROLE c_app LOGIN PASSWORD '{PASSWORD}'; GRANT c_team TO c_app; GRANT c_team TO c_boss;"
        "SET ROLE c_boss; GRANT c_team TO c_app WITH ADMIN OPTION"
    )
    for older_first in (True, False):
        first = postgres15 if older_first else postgres18
        other = server_factory("postgres18" if older_first else "postgres15")
        first.run_sql_script(make)
        try:
            document = exported(first)
        finally:
            first.sql("DROP ROLE c_app, c_boss, c_team")
        result = restored(other, document)
        assert (result["status"], result["errors"]) == ("ok", [])
        if older_first:  # the grantor of then may not grant the role in 18, which wants ADMIN for that
            assert [line.partition(": ")[0] for line in result["warnings"]] == ["c_app"]
        admin = "SELECT bool_or(admin_option) FROM pg_auth_members WHERE member = 'c_app'::regrole"
        assert other.sql(admin) == [(True,)]
        assert other.sql("SELECT current_user", user="c_app", password=PASSWORD) == [("c_app",)]
        assert not restored(other, document)["changed"]


def test_accounts_of_another_vendor_and_names_that_are_not_there_are_refused(other: PrivatePostgres) -> None:
    document = exported(other)
    with pytest.raises(InvalidOption, match=r"accounts of mysql 9\.7\.4, the server is postgresql"):
        restored(other, {**document, "vendor": "mysql", "server_version": "9.7.4"})
    with pytest.raises(SelectionError, match="no account of the backup is called 'nobody'"):
        restored(other, document, patterns=["nobody"])


def test_a_backup_without_passwords_restores_roles_without_them_and_says_so(
    source: PrivatePostgres, other: PrivatePostgres
) -> None:
    document = exported(source, user="app", password=PASSWORD)
    other.sql(f"CREATE ROLE app LOGIN PASSWORD '{PASSWORD}-here'")
    result = restored(other, document, existing="update", patterns=["app", "boss"])
    assert actions(result) == {"app": "updated", "boss": "created"}
    assert any("the backup lacks passwords of 5 roles" in line for line in result["warnings"])
    assert any("keep their passwords" in line for line in result["warnings"])
    assert other.sql("SELECT 1", user="app", password=f"{PASSWORD}-here") == [(1,)]
