# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL: roles come back as they were, on a second, empty server and on one that has some of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from backupdb.accounts.compare import difference
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
GRANT SET ON PARAMETER log_min_messages TO boss WITH GRANT OPTION;
SET ROLE boss;
GRANT SET ON PARAMETER log_min_messages TO app;
RESET ROLE;
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
