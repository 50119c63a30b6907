# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which statements of a document a restore carries out on MySQL and MariaDB: what an export writes, for any name."""

from __future__ import annotations

import pytest
from backupdb.engines.mysql.accounts_export import grant_statement, identity_statements
from backupdb.engines.mysql.accounts_rules import MysqlAccountRules
from backupdb.engines.mysql.statements import quoted, quoted_text
from hypothesis import example, given
from hypothesis import strategies as st

RULES = MysqlAccountRules()
NAMES = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), min_size=1, max_size=20).filter(
    lambda name: not name.endswith(" ")
)
TEXTS = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=30)
HASH = "*6BB4837EB74329105EE4568DDA7DC67ED2CA2AD9"
CLAUSES = (
    "",
    f" IDENTIFIED BY PASSWORD '{HASH}'",
    " IDENTIFIED BY PASSWORD '' REQUIRE SUBJECT '/CN=x' CIPHER 'y' ACCOUNT LOCK PASSWORD EXPIRE NEVER",
    f" IDENTIFIED VIA ed25519 USING 'abc' OR unix_socket OR mysql_native_password USING '{HASH}'"
    " REQUIRE ISSUER '/CN=y' SUBJECT '/CN=x' WITH MAX_QUERIES_PER_HOUR 5 MAX_STATEMENT_TIME 2.500000"
    " PASSWORD EXPIRE INTERVAL 90 DAY",
    " IDENTIFIED WITH 'caching_sha2_password' AS 0x244124 REQUIRE X509 WITH MAX_QUERIES_PER_HOUR 5 PASSWORD EXPIRE"
    " DEFAULT ACCOUNT UNLOCK PASSWORD HISTORY DEFAULT PASSWORD REUSE INTERVAL DEFAULT PASSWORD REQUIRE CURRENT DEFAULT",
    " IDENTIFIED WITH 'auth_socket' REQUIRE NONE PASSWORD EXPIRE INTERVAL 90 DAY ACCOUNT LOCK PASSWORD HISTORY 3"
    " PASSWORD REUSE INTERVAL 3 DAY PASSWORD REQUIRE CURRENT OPTIONAL FAILED_LOGIN_ATTEMPTS 3"
    ' PASSWORD_LOCK_TIME UNBOUNDED ATTRIBUTE \'{"comment": "it\\\'s \\\\\\"ours\\\\\\""}\'',
    " IDENTIFIED WITH 'a' AS '$A$005$\\n\\r\\Z' AND IDENTIFIED WITH 'b' REQUIRE SSL PASSWORD EXPIRE ACCOUNT UNLOCK",
)


def refusal(name: str, host: str | None, kind: str, sql: str, database: str | None = None) -> str | None:
    return RULES.refusal({"name": name, "host": host}, {"kind": kind, "sql": sql, "database": database})


@given(NAMES, NAMES, NAMES, NAMES, st.sampled_from(CLAUSES), st.sampled_from(["`", "'"]))
@example("a", "%", "*", "*", "", "`")
@example("a", "%", "shop", "*", "", "`")
@example("a", "%", "*", "item", "", "`")
def test_what_an_export_writes_is_taken_whatever_the_names_are(
    name: str, host: str, other: str, thing: str, clauses: str, quote: str
) -> None:
    quote_name = quoted if quote == "`" else quoted_text
    account = f"{quote_name(name)}@{quote_name(host)}"
    database, table = quoted(other), quoted(thing)
    statements = identity_statements(f"CREATE USER {account}{clauses}", account)
    lines = [
        f"GRANT SELECT, BINLOG MONITOR, BACKUP_ADMIN ON *.* TO {account} WITH GRANT OPTION",
        f"GRANT ALL PRIVILEGES ON {database}.* TO {account}",
        f"REVOKE INSERT ON {database}.* FROM {account}",
        f"GRANT UPDATE (`a`, {table}), SELECT ({database}) ON {database}.{table} TO {account}",
        f"GRANT EXECUTE ON PROCEDURE {database}.{table} TO {account}",
        f"GRANT EXECUTE ON PACKAGE BODY {database}.{table} TO {account}",
        f"GRANT PROXY ON {table}@{database} TO {account} WITH GRANT OPTION",
        f"GRANT {table} TO {account} WITH ADMIN OPTION",
        f"GRANT {table}@`%`,{database}@`%` TO {account}",
        f"SET DEFAULT ROLE {table} FOR {account}",
    ]
    if quote == "`":
        statements += [one for one in map(grant_statement, lines) if one is not None]
        statements += identity_statements(f"CREATE USER {account} DEFAULT ROLE {table}@`%` REQUIRE NONE", account)
    found = [
        (one.sql, why)
        for one in statements
        if (why := refusal(name, host, one.kind, one.sql, one.database)) is not None
    ]
    assert found == []


@given(NAMES)
def test_roles_have_no_host(name: str) -> None:
    role = quoted(name)
    assert refusal(name, None, "identity", f"CREATE ROLE {role};") is None
    assert refusal(name, None, "global_grant", f"GRANT SELECT ON *.* TO {role};") is None
    assert refusal(name, None, "global_grant", f"GRANT SELECT ON *.* TO {role}@`%`;") is not None
    assert refusal("PUBLIC", None, "database_grant", "GRANT INSERT ON `a\\_b`.* TO PUBLIC;", "a_b") is None
    assert refusal(name, "%", "database_grant", "GRANT INSERT ON `a\\_b`.* TO PUBLIC;", "a_b") is not None


@pytest.mark.parametrize(
    ("kind", "sql"),
    [
        ("identity", "CREATE USER `y`@`%`;"),
        ("identity", "CREATE USER `x`@`h`;"),
        ("identity", "CREATE USER `x`@`%`, `y`@`%`;"),
        ("identity", "CREATE USER `x`@`%` IDENTIFIED BY 'in plain';"),
        ("identity", "CREATE USER `x`@`%` IDENTIFIED VIA ed25519 USING PASSWORD('a');"),
        ("identity", "CREATE USER `x`@`%` /*!50003 , `y`@`%` */;"),
        ("identity", "CREATE USER `x`@`%` -- x"),
        ("identity", "CREATE USER `x`@`%` # x\n;"),
        ("identity", "CREATE USER `x`@`%`; DROP DATABASE victim;"),
        ("identity", "CREATE USER `x`@`%`"),
        ("identity", "CREATE USER CURRENT_USER();"),
        ("identity", 'CREATE USER "x"@"%";'),
        ("identity", "CREATE USER `x`@`%` ACCOUNT LOCK INTO OUTFILE '/x';"),
        ("identity", "DROP USER `x`@`%`;"),
        ("identity", "ALTER USER `y`@`%` ACCOUNT LOCK;"),
        ("identity", "RENAME USER `x`@`%` TO `y`@`%`;"),
        ("identity", "SET PASSWORD FOR `x`@`%` = 'a';"),
        ("identity", "CREATE FUNCTION f RETURNS STRING SONAME 'x.so';"),
        ("identity", "SET GLOBAL general_log = 1;"),
        ("identity", "SELECT 1 INTO OUTFILE '/x';"),
        ("membership", "GRANT `a` TO `y`@`%`;"),
        ("membership", "GRANT `a` TO `x`@`%`, `y`@`%`;"),
        ("membership", "GRANT SELECT ON *.* TO `x`@`%`;"),
        ("global_grant", "GRANT SELECT ON *.* TO `y`@`%`;"),
        ("global_grant", "GRANT SELECT ON `a`.* TO `x`@`%`;"),
        ("global_grant", "GRANT SELECT ON *.* TO `x`@`%` IDENTIFIED BY 'a';"),
        ("global_grant", "GRANT SELECT ON *.* TO `x`@`%` AS `root`@`%` WITH ROLE ALL;"),
        ("database_grant", "GRANT SELECT ON *.* TO `x`@`%`;"),
        ("database_grant", "GRANT SELECT ON `b`.* TO `x`@`%`;"),
        ("object_grant", "GRANT SELECT ON `a`.* TO `x`@`%`;"),
        ("object_grant", "GRANT SELECT ON `b`.`t` TO `x`@`%`;"),
        ("proxy", "GRANT PROXY ON `x`@`%` TO `y`@`%`;"),
        ("default_role", "SET DEFAULT ROLE `a` FOR `y`@`%`;"),
        ("default_role", "ALTER USER `y`@`%` DEFAULT ROLE `a`@`%`;"),
        ("limit", "CREATE USER `x`@`%`;"),
        ("identity", ""),
    ],
)
def test_what_no_export_writes_is_refused(kind: str, sql: str) -> None:
    database = "a" if kind in ("database_grant", "object_grant") else None
    assert refusal("x", "%", kind, sql, database) is not None


@given(NAMES, TEXTS)
def test_statements_of_the_instance(name: str, text: str) -> None:
    value = quoted_text(text)
    good = [
        (
            "foreign_server",
            f"CREATE SERVER {quoted(name)} FOREIGN DATA WRAPPER `mysql` OPTIONS (HOST {value}, PASSWORD {value},"
            f" PORT 3306, {quoted(name)} {value});",
        ),
        ("loadable_function", f"CREATE AGGREGATE FUNCTION {quoted(name)} RETURNS STRING SONAME 'udf.so';"),
        (
            "spatial_reference_system",
            f"CREATE SPATIAL REFERENCE SYSTEM IF NOT EXISTS 4120 NAME {value} ORGANIZATION {value} IDENTIFIED BY 5"
            f" DEFINITION {value} DESCRIPTION {value};",
        ),
    ]
    for kind, sql in good:
        assert RULES.instance_refusal({"kind": kind, "sql": sql, "database": None}) is None
        for bad in (f"{sql} DROP DATABASE victim;", f"/*! {sql} */", sql[:-1], "DROP DATABASE victim;"):
            assert RULES.instance_refusal({"kind": kind, "sql": bad, "database": None}) is not None


@pytest.mark.parametrize(
    ("kind", "sql"),
    [
        ("loadable_function", "CREATE FUNCTION `f` RETURNS STRING SONAME '../../tmp/x.so';"),
        ("loadable_function", "CREATE FUNCTION `f` () RETURNS INT RETURN 1;"),
        ("tablespace", "CREATE TABLESPACE `t` ADD DATAFILE 'x';"),
        ("global_grant", "GRANT ALL PRIVILEGES ON *.* TO `x`@`%`;"),
    ],
)
def test_what_no_export_writes_of_the_instance_is_refused(kind: str, sql: str) -> None:
    assert RULES.instance_refusal({"kind": kind, "sql": sql, "database": None}) is not None


def test_a_long_statement_is_read_in_linear_time() -> None:
    for piece in ("'", "`", "\\", "a", " ", "/*", "``", "''"):
        assert refusal("x", "%", "identity", "CREATE USER `x`@`%` COMMENT '" + piece * 200_000) is not None
