# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading SHOW GRANTS: wildcards, roles, columns, quotes; and making statements of its lines."""

from __future__ import annotations

import pytest
from backupdb.engines.mysql.accounts_export import grant_statement, identity_statements
from backupdb.engines.mysql.grants import escaped_pattern, parse, plain_name
from backupdb.engines.mysql.statements import quoted_account, version_number


@pytest.mark.parametrize(
    ("line", "database", "held"),
    [
        ("GRANT ALL PRIVILEGES ON *.* TO `u`@`h` WITH GRANT OPTION", "any", True),
        ("GRANT SELECT, TRIGGER ON *.* TO `u`@`h` IDENTIFIED BY PASSWORD '*AB ON CD'", "any", True),
        ("GRANT SELECT ON `db`.* TO `u`@`h`", "db", True),
        ("GRANT SELECT ON `db`.* TO `u`@`h`", "DB", False),
        ("GRANT SELECT ON `d%`.* TO `u`@`h`", "db", True),
        ("GRANT SELECT ON `d_`.* TO `u`@`h`", "db", True),
        (r"GRANT SELECT ON `d\_`.* TO `u`@`h`", "db", False),
        (r"GRANT SELECT ON `d\_`.* TO `u`@`h`", "d_", True),
        ("GRANT SELECT ON `a``b c`.* TO `u`@`h`", "a`b c", True),
        ('GRANT SELECT ON "db".* TO "u"@"h"', "db", True),
        ("GRANT SELECT (`a`, `b`) ON `db`.`t` TO `u`@`h`", "db", False),
        ("GRANT SELECT ON `db`.`t` TO `u`@`h`", "db", False),
        ("GRANT EXECUTE, SELECT ON PROCEDURE `db`.`p` TO `u`@`h`", "db", False),
        ("GRANT `SELECT` TO `u`@`h`", "db", False),
        ("GRANT PROXY ON ``@`%` TO `u`@`h` WITH GRANT OPTION", "db", False),
        ("GRANT INSERT ON `x`.* TO `SELECT ON *.* TO`@`h`", "db", False),
        ("GRANT BACKUP_ADMIN,SHOW_ROUTINE ON *.* TO `u`@`h`", "db", False),
    ],
)
def test_a_line_gives_the_right_on_the_databases_that_it_means(line: str, database: str, held: bool) -> None:
    assert parse([line]).has_on_database("SELECT", database) is held


def test_a_database_or_a_table_that_is_called_by_the_sign_for_any_is_no_more_than_one() -> None:
    grants = parse(["GRANT ALL PRIVILEGES ON `*`.* TO `a`@`%`", "GRANT SELECT ON `shop`.`*` TO `a`@`%`"])
    assert grants.has_on_database("INSERT", "*")
    assert not grants.has_global("SELECT")
    assert not grants.has_on_database("SELECT", "shop")
    assert grants.has_on_table("SELECT", "shop", "*")
    assert not grants.has_on_table("SELECT", "shop", "item")
    kinds = [
        getattr(grant_statement(f"GRANT SELECT ON {place} TO `a`@`%`"), "kind", None)
        for place in ("*.*", "`*`.*", "`shop`.`*`", "`*`.`*`")
    ]
    assert kinds == ["global_grant", "database_grant", "object_grant", "object_grant"]


def test_the_most_specific_database_grant_hides_the_wider_ones() -> None:
    grants = parse(["GRANT SELECT ON `app%`.* TO `u`@`h`", "GRANT INSERT ON `app1`.* TO `u`@`h`"])
    assert not grants.has_on_database("SELECT", "app1")
    assert grants.has_on_database("SELECT", "app2")


def test_a_role_adds_to_what_the_user_has() -> None:
    grants = parse(["GRANT SELECT ON `app%`.* TO `role`", "GRANT INSERT ON `app1`.* TO `u`@`h`"])
    assert grants.has_on_database("SELECT", "app1")
    assert grants.has_on_database("INSERT", "app1")


def test_a_partial_revoke_takes_a_global_right_away_from_one_database() -> None:
    grants = parse(["GRANT SELECT ON *.* TO `u`@`h`", "REVOKE SELECT ON `mysql`.* FROM `u`@`h`"], literal=True)
    assert grants.has_on_database("SELECT", "app")
    assert not grants.has_on_database("SELECT", "mysql")
    assert grants.has_global("SELECT")


def test_with_partial_revokes_wildcards_mean_themselves() -> None:
    assert not parse(["GRANT SELECT ON `d%`.* TO `u`@`h`"], literal=True).has_on_database("SELECT", "db")


def test_a_table_right_counts_for_that_table() -> None:
    grants = parse(["GRANT SELECT ON `mysql`.`proc` TO `u`@`h`"])
    assert grants.has_on_table("SELECT", "mysql", "proc")
    assert not grants.has_on_table("SELECT", "mysql", "user")


def test_usage_and_all_do_not_stand_for_what_must_be_named() -> None:
    assert not parse(["GRANT USAGE ON *.* TO `u`@`h`"]).has_global("SELECT")
    assert not parse(["GRANT ALL PRIVILEGES ON *.* TO `u`@`h`"]).has_global("PROXY")


def test_a_database_name_is_escaped_for_a_grant_and_read_back() -> None:
    assert escaped_pattern("a_b%c", literal=False) == r"a\_b\%c"
    assert escaped_pattern("a_b", literal=True) == "a_b"
    assert plain_name(r"a\_b\%c") == "a_b%c"
    assert plain_name("a_b") == "a_b"


def test_accounts_are_quoted_at_the_last_at_sign() -> None:
    assert quoted_account("o'dd@x@10.0.0.%") == "'o''dd@x'@'10.0.0.%'"
    assert quoted_account("@localhost") == "''@'localhost'"


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("10.11.19-MariaDB-0+deb12u1", (10, 11, 19)),
        ("5.5.5-10.4.2-MariaDB", (10, 4, 2)),
        ("8.0.36-28", (8, 0, 36)),
        ("9.7.4", (9, 7, 4)),
        ("nothing", ()),
    ],
)
def test_versions_are_read_as_numbers(said: str, number: tuple[int, ...]) -> None:
    assert version_number(said) == number


@pytest.mark.parametrize(
    ("line", "kind", "database", "sql"),
    [
        ("GRANT USAGE ON *.* TO `u`@`h` IDENTIFIED BY PASSWORD '*AB'", None, None, None),
        ("GRANT USAGE ON *.* TO `u`@`h` WITH GRANT OPTION", "global_grant", None, None),
        (
            "GRANT SELECT ON *.* TO `u`@`h` IDENTIFIED BY PASSWORD '* WITH GRANT OPTION' REQUIRE X509",
            "global_grant",
            None,
            "GRANT SELECT ON *.* TO `u`@`h`;",
        ),
        (
            "GRANT SELECT ON *.* TO `u`@`h` REQUIRE X509 WITH GRANT OPTION MAX_QUERIES_PER_HOUR 5",
            "global_grant",
            None,
            "GRANT SELECT ON *.* TO `u`@`h` WITH GRANT OPTION;",
        ),
        (r"GRANT SELECT ON `a\_b`.* TO `u`@`h`", "database_grant", "a_b", None),
        ("GRANT SELECT ON `a%`.* TO `u`@`h`", "database_grant", "a%", None),
        ("REVOKE SELECT ON `mysql`.* FROM `u`@`h`", "database_grant", "mysql", None),
        ("GRANT SELECT (`a`) ON `a_b`.`x TO y z` TO `u`@`h`", "object_grant", "a_b", None),
        ("GRANT EXECUTE ON PROCEDURE `d`.`p` TO `u`@`h`", "object_grant", "d", None),
        ("GRANT `r` TO `u`@`h` WITH ADMIN OPTION", "membership", None, None),
        ("GRANT `r`@`%`,`s`@`%` TO `u`@`h`", "membership", None, None),
        ("GRANT PROXY ON ``@`%` TO `u`@`h` WITH GRANT OPTION", "proxy", None, None),
        ("SET DEFAULT ROLE `r` FOR `u`@`h`", "default_role", None, None),
        ("GRANT INSERT ON `d`.* TO PUBLIC", "database_grant", "d", None),
    ],
)
def test_a_line_of_show_grants_becomes_a_statement_of_its_kind(
    line: str, kind: str | None, database: str | None, sql: str | None
) -> None:
    statement = grant_statement(line)
    if kind is None:
        assert statement is None
    else:
        assert statement is not None
        assert (statement.kind, statement.database) == (kind, database)
        assert statement.sql == (sql or f"{line};")


def test_default_roles_are_taken_out_of_create_user() -> None:
    said = "CREATE USER `u`@`%` IDENTIFIED WITH 'x' AS 0xAB DEFAULT ROLE `a`@`%`,`b`@`%` REQUIRE NONE PASSWORD EXPIRE"
    identity, default = identity_statements(said, "`u`@`%`")
    assert identity.sql == "CREATE USER `u`@`%` IDENTIFIED WITH 'x' AS 0xAB REQUIRE NONE PASSWORD EXPIRE;"
    assert (default.kind, default.sql) == ("default_role", "ALTER USER `u`@`%` DEFAULT ROLE `a`@`%`,`b`@`%`;")
