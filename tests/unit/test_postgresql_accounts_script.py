# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the script of pg_dumpall."""

from __future__ import annotations

import pytest
from backupdb.engines.postgresql.accounts_script import COMPLETE, in_order_of_grants, parse, statements, unquoted
from backupdb.errors import CommandFailed

SCRIPT = rf"""--
-- PostgreSQL database cluster dump
--

\restrict aBc

SET default_transaction_read_only = off;
SET client_encoding = 'UTF8';

CREATE ROLE app;
ALTER ROLE app WITH NOSUPERUSER LOGIN PASSWORD 'SCRAM;--''x';
COMMENT ON ROLE app IS 'a; -- b
c';
CREATE ROLE "Odd ""role""; --";
ALTER ROLE "Odd ""role""; --" SET x TO E'back\\slash \';';
GRANT app TO "Odd ""role""; --" WITH ADMIN OPTION, INHERIT FALSE GRANTED BY "boss";
SECURITY LABEL FOR p ON ROLE app IS 'secret';
SET SESSION AUTHORIZATION boss;
GRANT SET, ALTER SYSTEM ON PARAMETER "my.x" TO app;
RESET SESSION AUTHORIZATION;
GRANT SET ON PARAMETER work_mem TO PUBLIC;
CREATE TABLESPACE t OWNER app LOCATION '/x';
GRANT ALL ON TABLESPACE t TO app;
\unrestrict aBc

{COMPLETE}
"""


def test_statements_are_split_outside_quotes_and_comments_only() -> None:
    found = list(statements(SCRIPT))
    assert found[2:6] == [
        "CREATE ROLE app;",
        "ALTER ROLE app WITH NOSUPERUSER LOGIN PASSWORD 'SCRAM;--''x';",
        "COMMENT ON ROLE app IS 'a; -- b\nc';",
        'CREATE ROLE "Odd ""role""; --";',
    ]
    assert len(found) == 15
    assert not any("restrict" in statement for statement in found)


def test_every_statement_belongs_to_its_role_or_to_the_instance() -> None:
    odd = 'Odd "role"; --'
    assert [(entry.role, entry.statement.kind, entry.grantor) for entry in parse(SCRIPT)] == [
        ("app", "identity", None),
        ("app", "identity", None),
        ("app", "settings", None),
        (odd, "identity", None),
        (odd, "settings", None),
        (odd, "membership", "boss"),
        ("app", "settings", None),
        ("app", "global_grant", "boss"),
        (None, "parameter_grant", None),
        (None, "tablespace", None),
        (None, "tablespace", None),
    ]
    granted = next(entry for entry in parse(SCRIPT) if entry.statement.kind == "global_grant")
    assert granted.statement.sql == (
        "SET SESSION AUTHORIZATION boss; "
        'GRANT SET, ALTER SYSTEM ON PARAMETER "my.x" TO app; RESET SESSION AUTHORIZATION;'
    )


@pytest.mark.parametrize(
    "script",
    [
        "",
        "pg_dumpall: error: connection failed",
        SCRIPT.replace(COMPLETE, ""),
        SCRIPT + "DROP ROLE app;",
        SCRIPT + "CREATE ROLE 'without an end",
        SCRIPT + "CREATE DATABASE x;",
    ],
)
def test_an_incomplete_or_unknown_script_is_refused(script: str) -> None:
    with pytest.raises(CommandFailed):
        parse(script)


def test_an_error_does_not_quote_a_password() -> None:
    with pytest.raises(CommandFailed) as caught:
        parse(SCRIPT + "ALTER USER MAPPING FOR x PASSWORD 'hash';")
    assert "hash" not in str(caught.value)


def test_names_are_unquoted() -> None:
    assert unquoted('"a""b"') == 'a"b'
    assert unquoted("plain") == "plain"


def test_roles_come_after_those_that_granted_to_them() -> None:
    assert in_order_of_grants(["a", "b", "c"], {"a": {"c"}, "b": {"b"}}) == ["b", "c", "a"]
    assert in_order_of_grants(["a", "b"], {"a": {"b"}, "b": {"a"}}) == ["a", "b"]
    assert in_order_of_grants(["a"], {"a": {"gone"}}) == ["a"]
