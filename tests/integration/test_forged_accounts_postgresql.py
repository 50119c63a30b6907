# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL: a forged document of accounts does nothing but make the accounts that it was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.accounts import actions, exported, restored
from support.postgresql_dumps import new_database
from support.servers import PrivatePostgres

GOOD = ("forged_good", "forged_admin")
SETUP = """
CREATE ROLE forged_admin SUPERUSER LOGIN;
CREATE ROLE forged_good LOGIN PASSWORD 'pw';
CREATE ROLE forged_x LOGIN PASSWORD 'pw';
"""
OTHER = "CREATE ROLE forged_other LOGIN"
# Kind and statement; in the block of forged_x.
FORGED = (
    ("identity", "COPY (SELECT 1) TO PROGRAM 'touch {file}';"),
    ("settings", "COPY (SELECT 1) TO PROGRAM 'touch {file}';"),
    ("identity", "ALTER ROLE forged_other WITH SUPERUSER;"),
    ("identity", "ALTER ROLE forged_x WITH LOGIN; ALTER ROLE forged_other WITH SUPERUSER;"),
    ("settings", r"COMMENT ON ROLE forged_x IS E'\'; ALTER ROLE forged_other WITH SUPERUSER; --';"),
    ("settings", "COMMENT ON ROLE forged_x IS $$a$$; ALTER ROLE forged_other WITH SUPERUSER; --$$;"),
    ("settings", "/* ALTER ROLE forged_x SET a TO 'b' */ ALTER ROLE forged_other WITH SUPERUSER;"),
    ("settings", "ALTER ROLE forged_x SET a TO 'b' -- ;\n; ALTER ROLE forged_other WITH SUPERUSER;"),
    ("settings", "ALTER ROLE forged_other SET search_path TO 'evil';"),
    ("membership", "GRANT pg_execute_server_program TO forged_other;"),
    ("membership", "GRANT pg_monitor TO forged_x, forged_other;"),
    ("membership", "DROP DATABASE forged_victim;"),
    ("global_grant", "GRANT ALL ON DATABASE forged_victim TO forged_other;"),
    (
        "global_grant",
        "SET SESSION AUTHORIZATION forged_admin; DROP DATABASE forged_victim; RESET SESSION AUTHORIZATION;",
    ),
    (
        "settings",
        "CREATE FUNCTION public.forged() RETURNS void LANGUAGE sql AS 'ALTER ROLE forged_other SUPERUSER';",
    ),
    ("settings", "ALTER SYSTEM SET archive_command TO 'touch {file}';"),
    ("settings", "SET password_encryption TO 'md5';"),
    ("database_grant", "DO 'BEGIN EXECUTE ''ALTER ROLE forged_other SUPERUSER''; END';"),
)
STATE = """
SELECT (SELECT jsonb_agg(to_jsonb(r) ORDER BY rolname) FROM pg_roles r WHERE rolname = 'forged_other')::text,
       (SELECT count(*) FROM pg_auth_members WHERE member = 'forged_other'::regrole),
       (SELECT jsonb_agg(to_jsonb(s)) FROM pg_db_role_setting s)::text,
       (SELECT datacl FROM pg_database WHERE datname = 'forged_victim')::text,
       (SELECT count(*) FROM pg_database), (SELECT count(*) FROM pg_proc),
       (SELECT count(*) FROM pg_file_settings WHERE sourcefile LIKE '%auto.conf')"""


@pytest.fixture
def document(postgres15: PrivatePostgres) -> Iterator[dict[str, Any]]:
    postgres15.run_sql_script(SETUP)
    try:
        yield exported(postgres15)
    finally:
        postgres15.sql("DROP ROLE forged_admin, forged_good, forged_x")


@pytest.fixture
def other(server_factory: Callable[..., Any]) -> PrivatePostgres:
    server: PrivatePostgres = server_factory("postgres15")
    server.sql(OTHER)
    return server


def forge(document: dict[str, Any], kind: str, sql: str) -> dict[str, Any]:
    accounts = [dict(account) for account in document["accounts"]]
    for account in accounts:
        if account["name"] == "forged_x":
            account["statements"] = [*account["statements"], {"kind": kind, "database": None, "sql": sql}]
    return {**document, "accounts": accounts}


def test_a_forged_block_runs_nothing_and_the_other_accounts_come_back(
    document: dict[str, Any], other: PrivatePostgres
) -> None:
    file = Path(str(other.folder)) / "forged"
    with new_database(other, "forged_victim"):
        before = other.sql(STATE)
        for kind, sql in FORGED:
            forged = forge(document, kind, sql.format(file=file))
            for options in ({"check_mode": True}, {"patterns": ["forged_x"]}, {}):
                result = restored(other, forged, **options)
                assert actions(result)["forged_x"] == "failed", sql
                (fault,) = result["errors"]
                assert fault.startswith("forged_x: its block was refused, and nothing of it was carried out: ")
                assert sql.split()[0] in fault
                assert "SCRAM" not in fault
            assert {actions(result)[name] for name in GOOD} == {"created"}, sql
            assert other.sql(STATE) == before, sql
            assert not file.exists(), sql
            assert other.sql("SELECT rolsuper FROM pg_roles WHERE rolname = 'forged_admin'") == [(True,)]
            assert other.sql("SELECT 1 FROM pg_roles WHERE rolname = 'forged_x'") == []
            assert other.sql("SELECT 1", user="forged_good", password="pw") == [(1,)]
            other.sql("DROP ROLE forged_good, forged_admin")


def test_a_forged_block_changes_no_account_that_is_there(document: dict[str, Any], other: PrivatePostgres) -> None:
    restored(other, document)
    for kind, sql in FORGED[2:5]:
        result = restored(other, forge(document, kind, sql), existing="update")
        assert actions(result)["forged_x"] == "failed"
        assert not result["changed"]
    assert other.sql("SELECT rolsuper FROM pg_roles WHERE rolname = 'forged_other'") == [(False,)]


def test_forged_statements_of_the_instance_are_not_run(document: dict[str, Any], other: PrivatePostgres) -> None:
    with new_database(other, "forged_victim"):
        before = other.sql(STATE)
        for kind, sql, database in (
            ("instance_setting", "DROP DATABASE forged_victim;", None),
            ("instance_setting", "ALTER DATABASE forged_victim SET search_path TO 'x';", None),
            ("membership", "GRANT pg_monitor TO forged_other;", None),
            ("global_grant", "ALTER ROLE forged_other SUPERUSER;", None),
            (
                "role_in_database_setting",
                'ALTER ROLE "forged_good" IN DATABASE "forged_victim" SET "a.b" TO \'c\'; DROP ROLE forged_other;',
                "forged_victim",
            ),
        ):
            entry = {"kind": kind, "database": database, "sql": sql}
            result = restored(other, {**document, "instance": [entry]})
            assert result["status"] == "partial"
            (fault,) = result["errors"]
            assert "this is not carried out" in fault
            assert set(actions(result).values()) - {"skipped"} == {"created"}
            assert other.sql(STATE) == before, sql
            other.sql("DROP ROLE forged_good, forged_admin, forged_x")


def test_a_name_that_the_server_would_cut_off_is_no_account(document: dict[str, Any], other: PrivatePostgres) -> None:
    victim, longer = "v" * 63, "v" * 64
    other.sql(f"CREATE ROLE {victim}")
    for made, words in (([], "does not begin with"), ([f"CREATE ROLE {longer};"], "already exists")):
        statements = [*made, f"ALTER ROLE {longer} WITH SUPERUSER;"]
        account = {
            **{"name": longer, "host": None, "kind": "user", "reserved": False},
            "statements": [{"kind": "identity", "database": None, "sql": sql} for sql in statements],
        }
        result = restored(other, {**document, "accounts": [account]})
        assert actions(result) == {longer: "failed"}
        (fault,) = result["errors"]
        assert words in fault
    assert other.sql("SELECT count(*) FROM pg_roles WHERE rolsuper") == [(1,)]


def test_a_right_in_the_name_of_another_that_fails_leaves_the_session_itself(
    document: dict[str, Any], other: PrivatePostgres
) -> None:
    """What follows must not run as that other, who may be somebody with fewer rights."""
    sql = "SET SESSION AUTHORIZATION forged_other; GRANT SET ON PARAMETER log_min_messages TO forged_x; RESET SESSION "
    forged = forge(document, "global_grant", f"{sql}AUTHORIZATION;")
    more = {"kind": "global_grant", "database": None, "sql": "GRANT SET ON PARAMETER log_statement TO forged_x;"}
    for account in forged["accounts"]:
        if account["name"] == "forged_x":
            account["statements"].append(more)
    result = restored(other, forged)
    (fault,) = result["errors"]
    assert "permission denied" in fault
    assert [sql for sql in result["statements"] if "forged_x" in sql][-1] == more["sql"]  # others may follow
