# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which statements of a document a restore carries out on PostgreSQL: what an export writes, for any name and text."""

from __future__ import annotations

import re

import pytest
from backupdb.engines.postgresql.accounts_grammar import attributes, single_statements
from backupdb.engines.postgresql.accounts_instance import setting_statements
from backupdb.engines.postgresql.accounts_rules import PostgresqlAccountRules
from backupdb.engines.postgresql.accounts_script import unquoted
from backupdb.engines.postgresql.quoting import identifier, literal
from hypothesis import given
from hypothesis import strategies as st

RULES = PostgresqlAccountRules()
HASH = "SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy"
NAMES = st.text(st.characters(blacklist_characters="\0", blacklist_categories=()), min_size=1, max_size=20).filter(
    lambda name: not name.startswith("pg_") and name not in ("public", "none")
)
TEXTS = st.text(st.characters(blacklist_characters="\0", blacklist_categories=()), max_size=40)


def refusal(name: str, kind: str, sql: str) -> str | None:
    return RULES.refusal({"name": name, "host": None}, {"kind": kind, "sql": sql, "database": None})


def as_dumped(name: str) -> str:
    """A name as pg_dumpall writes it: without quotes where it needs none."""
    return name if re.fullmatch("role_[a-z0-9_]+", name) else identifier(name)


def dumped_text(text: str) -> str:
    return literal(text).strip()


@given(NAMES, NAMES, NAMES, TEXTS, st.lists(TEXTS, min_size=1, max_size=3))
def test_what_an_export_writes_is_taken_whatever_names_and_texts_are(
    name: str, other: str, grantor: str, text: str, values: list[str]
) -> None:
    role, second, third = as_dumped(name), as_dumped(other), as_dumped(grantor)
    listed = ", ".join(map(dumped_text, values))
    written = [
        ("identity", f"CREATE ROLE {role};"),
        (
            "identity",
            f"ALTER ROLE {role} WITH SUPERUSER INHERIT NOCREATEROLE CREATEDB LOGIN NOREPLICATION NOBYPASSRLS;",
        ),
        (
            "identity",
            f"ALTER ROLE {role} WITH NOSUPERUSER CONNECTION LIMIT 5 PASSWORD '{HASH}'"
            " VALID UNTIL '2030-01-01 00:00:00+00';",
        ),
        ("identity", f"ALTER ROLE {role} WITH LOGIN PASSWORD 'md5{'0' * 32}' VALID UNTIL 'infinity';"),
        ("settings", f"COMMENT ON ROLE {role} IS {dumped_text(text)};"),
        ("settings", f"SECURITY LABEL FOR {second} ON ROLE {role} IS {dumped_text(text)};"),
        ("settings", f"ALTER ROLE {role} SET search_path TO {listed};"),
        ("settings", f"ALTER ROLE {role} SET {second} TO {dumped_text(text)};"),
        ("membership", f"GRANT {second} TO {role};"),
        ("membership", f"GRANT {second} TO {role} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE GRANTED BY {third};"),
        ("global_grant", f"GRANT SET ON PARAMETER work_mem TO {role};"),
        (
            "global_grant",
            f'SET SESSION AUTHORIZATION {third}; GRANT SET,ALTER SYSTEM ON PARAMETER "my.x" TO {role}'
            " WITH GRANT OPTION; RESET SESSION AUTHORIZATION;",
        ),
    ]
    assert [(sql, why) for kind, sql in written if (why := refusal(name, kind, sql)) is not None] == []
    assert all(
        len(single_statements(sql)) == (3 if "RESET" in sql else 1) for kind, sql in written if kind == "global_grant"
    )
    for _kind, sql in written[1:4]:
        found = attributes(sql)
        assert found is not None
        assert found.sql() == sql
        assert unquoted(found.role) == name


@given(NAMES, NAMES, TEXTS)
def test_nothing_about_another_role_and_nothing_behind_a_statement_is_taken(name: str, other: str, text: str) -> None:
    role, second = as_dumped(name), identifier(f"{other}+")
    if f"{other}+" == name:
        return
    written = [
        ("identity", f"CREATE ROLE {second};"),
        ("identity", f"ALTER ROLE {second} WITH SUPERUSER;"),
        ("settings", f"COMMENT ON ROLE {second} IS 'x';"),
        ("settings", f"ALTER ROLE {second} SET search_path TO 'x';"),
        ("membership", f"GRANT {role} TO {second};"),
        ("global_grant", f"GRANT SET ON PARAMETER work_mem TO {second};"),
    ]
    good = [("identity", f"CREATE ROLE {role}"), ("settings", f"COMMENT ON ROLE {role} IS {dumped_text(text)}")]
    for kind, sql in good:
        written += [(kind, f"{sql}; {more}") for more in ("DROP ROLE x;", ";", "--", "/**/", "x", "'x'")]
        written += [(kind, sql), (kind, f"{sql} -- x\n;"), (kind, f"/* x */ {sql};")]
    assert [sql for kind, sql in written if refusal(name, kind, sql) is None] == []


@pytest.mark.parametrize(
    ("name", "kind", "sql"),
    [
        ("x", "identity", "COPY (SELECT 1) TO PROGRAM 'id';"),
        ("x", "identity", "CREATE ROLE x SUPERUSER;"),
        ("x", "identity", "CREATE ROLE x; ALTER ROLE other SUPERUSER;"),
        ("x", "identity", "ALTER ROLE x WITH LOGIN PASSWORD 'in plain';"),
        ("x", "identity", "ALTER ROLE x WITH LOGIN PASSWORD $$md5$$;"),
        ("x", "identity", r"ALTER ROLE x WITH LOGIN VALID UNTIL 'a\';"),
        ("x", "identity", "ALTER ROLE x RENAME TO y;"),
        ("x", "identity", "ALTER ROLE X WITH LOGIN;"),
        ("x", "identity", 'CREATE ROLE U&"x";'),
        ("x", "settings", r"COMMENT ON ROLE x IS E'a\'; DROP ROLE y; --';"),
        ("x", "settings", r"COMMENT ON ROLE x IS e'a\'; DROP ROLE y; --';"),
        ("x", "settings", "COMMENT ON ROLE x IS 'a' 'b';"),
        ("x", "settings", "COMMENT ON ROLE x IS $$a$$;"),
        ("x", "settings", "COMMENT ON DATABASE x IS 'a';"),
        ("x", "settings", "ALTER ROLE x SET a TO DEFAULT;"),
        ("x", "settings", "ALTER ROLE x IN DATABASE d SET a TO 'b';"),
        ("x", "settings", "ALTER ROLE ALL SET a TO 'b';"),
        ("x", "membership", "GRANT ALL ON DATABASE d TO x;"),
        ("x", "membership", "GRANT a TO x, y;"),
        ("x", "membership", "GRANT a, b TO x;"),
        ("x", "membership", "GRANT a TO x GRANTED BY CURRENT_USER;"),
        ("x", "global_grant", "GRANT SET ON PARAMETER a TO PUBLIC;"),
        ("x", "global_grant", "SET SESSION AUTHORIZATION b; DROP ROLE y; RESET SESSION AUTHORIZATION;"),
        ("x", "global_grant", "SET SESSION AUTHORIZATION b; GRANT SET ON PARAMETER a TO x;"),
        ("x", "limit", "CREATE ROLE x;"),
        ("x", "database_grant", "GRANT a TO x;"),
        ("public", "global_grant", "GRANT SET ON PARAMETER a TO public;"),
        ("public", "global_grant", 'GRANT SET ON PARAMETER a TO "public";'),
        ("current_user", "identity", "ALTER ROLE current_user WITH SUPERUSER;"),
        ("all", "settings", "ALTER ROLE all SET a TO 'b';"),
        ("pg_monitor", "membership", "GRANT x TO pg_monitor;"),
        ("x", "identity", 'CREATE ROLE "x'),
        ("x", "identity", ""),
        ("x", "identity", ";"),
    ],
)
def test_what_no_export_writes_is_refused(name: str, kind: str, sql: str) -> None:
    assert refusal(name, kind, sql) is not None


def of_instance(kind: str, sql: str, database: str | None = None) -> str | None:
    return RULES.instance_refusal({"kind": kind, "sql": sql, "database": database})


@given(NAMES, NAMES, TEXTS, NAMES)
def test_what_an_export_writes_of_the_instance_is_taken(role: str, database: str, value: str, setting: str) -> None:
    target = f"ALTER ROLE {identifier(role)} IN DATABASE {identifier(database)}"
    (sql,) = setting_statements(target, [f"{setting.replace('=', '')}x={value}"])
    assert of_instance("role_in_database_setting", sql, database) is None
    assert of_instance("role_in_database_setting", sql, f"{database}x") is not None
    (sql,) = setting_statements("ALTER ROLE ALL", [f"search_path={value}"])
    assert of_instance("instance_setting", sql) is None


@pytest.mark.parametrize(
    ("kind", "sql"),
    [
        ("instance_setting", """ALTER DATABASE "{postgres}" SET "my.here" TO 'x';"""),
        ("instance_setting", """COMMENT ON DATABASE "{postgres}" IS E'a\\\\b';"""),
        ("instance_setting", """COMMENT ON ROLE "{pg_monitor}" IS 'x';"""),
        ("instance_setting", 'GRANT CONNECT, TEMPORARY ON DATABASE "{postgres}" TO "app" WITH GRANT OPTION;'),
        ("instance_setting", 'REVOKE ALL ON DATABASE "{postgres}" FROM PUBLIC;'),
        ("membership", "GRANT boss TO {pg_monitor} GRANTED BY postgres;"),
        ("parameter_grant", "GRANT SET ON PARAMETER work_mem TO {PUBLIC};"),
        ("parameter_grant", "REVOKE GRANT OPTION FOR ALL ON PARAMETER work_mem FROM {PUBLIC};"),
    ],
)
def test_statements_of_the_instance_are_bound_to_what_every_server_has(kind: str, sql: str) -> None:
    plain = re.sub("[{}]", "", sql)
    assert of_instance(kind, plain) is None
    assert of_instance(kind, re.sub(r"\{\w+\}", "victim", sql)) is not None
    assert of_instance(kind, plain + " DROP DATABASE victim;") is not None
    assert of_instance("tablespace", plain) is not None


def test_a_long_statement_is_read_in_linear_time() -> None:
    for piece in ("'", '"', "E'", "a", " ", "--", "\\", "(", "'';", '""'):
        assert refusal("x", "settings", "COMMENT ON ROLE x IS '" + piece * 200_000) is not None
