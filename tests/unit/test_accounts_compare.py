# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Masking hashes, comparing accounts as sets, choosing and summing them up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from backupdb.accounts.choice import covers, names
from backupdb.accounts.compare import difference
from backupdb.accounts.masking import masked, without_hashes
from backupdb.accounts.summary import summarise
from backupdb.engines.accounts_document import Account, Statement, build
from backupdb.engines.mysql.accounts_rules import plugins_of
from backupdb.engines.postgresql.accounts_script import membership

SCRAM = "SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy"
STAR = "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"
HEXADECIMAL = "0x244124303035240A"


def document(
    *accounts: Account, vendor: str = "mariadb", version: str = "10.11.19", instance: Sequence[Statement] = ()
) -> dict[str, Any]:
    return build(vendor=vendor, server_version=version, accounts=accounts, instance=instance)


def user(name: str, *statements: tuple[str, str, str | None], **more: Any) -> Account:
    listed = [Statement(kind, sql, database) for kind, sql, database in statements]
    return Account(name=name, kind="user", statements=listed, **more)


@pytest.mark.parametrize(
    ("sql", "secret"),
    [
        (f"ALTER ROLE app WITH LOGIN PASSWORD '{SCRAM}' VALID UNTIL '2030-01-01';", SCRAM),
        (f"ALTER ROLE \"x PASSWORD 'y\" WITH LOGIN PASSWORD '{SCRAM}';", SCRAM),
        (f"CREATE USER `a`@`%` IDENTIFIED BY PASSWORD '{STAR}' REQUIRE SSL;", STAR),
        (f"CREATE USER `a`@`%` IDENTIFIED VIA ed25519 USING 'Zig' OR mysql_native_password USING '{STAR}';", STAR),
        (f"CREATE USER `AS 'x`@`%` IDENTIFIED WITH 'caching_sha2_password' AS {HEXADECIMAL} REQUIRE NONE;", "244124"),
        ("CREATE USER `a`@`%` IDENTIFIED WITH 'caching_sha2_password' AS '$A$005$it''s\\' x' REQUIRE NONE;", "$A$"),
    ],
)
def test_the_hash_of_a_password_is_masked_and_the_rest_stays(sql: str, secret: str) -> None:
    shown = masked(sql)
    assert secret not in shown
    assert "'********'" in shown
    assert shown.split("'********'")[0] == sql[: len(shown.split("'********'")[0])]


def test_a_statement_without_a_hash_is_shown_as_it_is() -> None:
    sql = "GRANT SELECT ON `PASSWORD 'x'`.* TO `a`@`%`;"
    assert masked(sql) == sql


def test_what_a_server_says_of_a_statement_holds_no_piece_of_the_hash() -> None:
    sql = f"CREATE USER `a`@`%` IDENTIFIED BY PASSWORD '{STAR}' FOO;"
    said = f"You have an error in your SQL syntax near '{STAR[5:]}' FOO' at line 1"
    assert STAR[5:] not in without_hashes(said, sql)
    assert without_hashes(said, sql).startswith("You have an error")
    said = f'syntax error at or near "FOO" LINE 1: ALTER ROLE app PASSWORD \'{SCRAM[:20]}... ^'
    assert SCRAM[:10] not in without_hashes(said, f"ALTER ROLE app PASSWORD '{SCRAM}' FOO;")


def test_documents_of_the_same_accounts_are_equal_in_any_order() -> None:
    first = user("a", ("identity", "CREATE USER `a`@`%`;", None), ("global_grant", "GRANT FILE;", None), host="%")
    again = user("a", ("global_grant", "GRANT FILE;", None), ("identity", "CREATE USER `a`@`%`;", None), host="%")
    other = user("b", ("identity", "CREATE USER `b`@`%`;", None), host="%")
    assert difference(document(first, other), document(other, again)) == []


def test_what_lacks_and_what_is_there_beside_is_named_with_hashes_masked() -> None:
    stored = document(user("a", ("identity", f"CREATE USER `a`@`%` IDENTIFIED BY PASSWORD '{STAR}';", None), host="%"))
    fresh = document(user("a", ("identity", "CREATE USER `a`@`%`;", None), host="%"))
    lines = difference(stored, fresh)
    assert lines == [
        "user a@% lacks: CREATE USER `a`@`%` IDENTIFIED BY PASSWORD '********';",
        "user a@% has beside: CREATE USER `a`@`%`;",
    ]
    assert difference(stored, document()) == ["user a@% is not there"]


def test_reserved_accounts_and_those_that_only_the_other_server_has_are_its_own() -> None:
    stored = document(user("root", ("global_grant", "GRANT ALL;", None), host="localhost", reserved=True))
    assert difference(stored, document(user("own", ("identity", "CREATE USER `own`@`%`;", None), host="%"))) == []


def test_for_one_database_only_rights_on_it_and_global_ones_are_compared() -> None:
    mine = ("object_grant", "GRANT SELECT ON `shop`.`t` TO `a`;", "shop")
    wild = ("database_grant", "GRANT SELECT ON `sh%`.* TO `a`;", "sh%")
    theirs = ("database_grant", "GRANT SELECT ON `wiki`.* TO `a`;", "wiki")
    everywhere = ("global_grant", "GRANT FILE ON *.* TO `a`;", None)
    stored = document(user("a", mine, wild, theirs, everywhere))
    assert [line.split()[6] for line in difference(stored, document(user("a")), database="shop")] == [
        "`shop`.`t`",
        "`sh%`.*",
        "*.*",
    ]
    assert difference(stored, document(user("a", mine, wild, everywhere)), database="shop") == []


def test_the_bootstrap_superuser_as_a_grantor_may_have_another_name() -> None:
    stored = document(
        user("postgres", reserved=True),
        user("a", ("membership", "GRANT team TO a GRANTED BY postgres;", None)),
        vendor="postgresql",
        version="15.20",
    )
    fresh = document(
        user("admin", reserved=True),
        user("a", ("membership", "GRANT team TO a WITH INHERIT TRUE GRANTED BY admin;", None)),
        vendor="postgresql",
        version="18.6",
    )
    assert difference(stored, fresh) == []  # versions before 16 write no INHERIT
    other = document(
        user("admin", reserved=True),
        user("a", ("membership", "GRANT team TO a WITH ADMIN OPTION, INHERIT TRUE GRANTED BY admin;", None)),
        vendor="postgresql",
        version="18.6",
    )
    assert len(difference(stored, other)) == 2


def test_options_of_memberships_are_compared_where_both_servers_have_them() -> None:
    def member(options: str) -> dict[str, Any]:
        given = ("membership", f"GRANT team TO a WITH {options} GRANTED BY postgres;", None)
        return document(user("postgres", reserved=True), user("a", given), vendor="postgresql", version="18.6")

    assert difference(member("INHERIT TRUE"), member("INHERIT TRUE")) == []
    assert len(difference(member("INHERIT TRUE, SET FALSE"), member("INHERIT TRUE"))) == 2


def test_a_membership_is_read_with_odd_names() -> None:
    found = membership('GRANT "a TO b" TO "c GRANTED BY d" WITH ADMIN OPTION, INHERIT FALSE GRANTED BY "e""f";')
    assert found is not None
    assert (found.role, found.member, found.grantor) == ('"a TO b"', '"c GRANTED BY d"', '"e""f"')
    assert found.options == ("ADMIN OPTION", "INHERIT FALSE")
    assert membership("GRANT SELECT ON x TO y;") is None


def test_passwords_that_one_of_both_cannot_read_are_not_compared() -> None:
    stored = document(
        user("a", ("identity", f"ALTER ROLE a WITH LOGIN PASSWORD '{SCRAM}';", None)), vendor="postgresql"
    )
    fresh = document(user("a", ("identity", "ALTER ROLE a WITH LOGIN;", None)), vendor="postgresql")
    assert len(difference(stored, fresh)) == 2
    assert difference(stored, {**fresh, "missing": ["passwords of 1 roles: pg_authid cannot be read"]}) == []


def test_an_account_is_meant_by_its_name_its_full_name_or_a_pattern() -> None:
    (account,) = document(user("app[1]", host="%"))["accounts"]
    for pattern in ("app[1]", "app[1]@%", "app*", "*@%", "*"):
        assert covers((pattern,), account), pattern
    for pattern in ("app", "app@localhost", "APP*"):
        assert not covers((pattern,), account), pattern
    assert names(("app[1]",), account)
    assert not names(("app*",), account)


@pytest.mark.parametrize(
    ("created", "plugins"),
    [
        (f"CREATE USER `a`@`%` IDENTIFIED BY PASSWORD '{STAR}'", ["mysql_native_password"]),
        ("CREATE USER `a`@`%` IDENTIFIED VIA ed25519 USING 'x' OR unix_socket REQUIRE SSL", ["ed25519", "unix_socket"]),
        (
            "CREATE USER `or unix`@`%` IDENTIFIED WITH 'caching_sha2_password' AS 0x24 REQUIRE NONE",
            ["caching_sha2_password"],
        ),
        ("CREATE USER `a`@`%`", []),
        ("CREATE USER `a`@`%` WITH MAX_QUERIES_PER_HOUR 5", []),
    ],
)
def test_the_plugins_of_an_account_are_told(created: str, plugins: list[str]) -> None:
    assert plugins_of(created) == plugins


def test_a_summary_tells_roles_and_databases_and_hides_hashes() -> None:
    account = user(
        "a",
        ("identity", f"CREATE USER `a`@`%` IDENTIFIED BY PASSWORD '{STAR}';", None),
        ("membership", "GRANT `r``1`@`%`,`r2`@`%` TO `a`@`%`;", None),
        ("database_grant", "GRANT SELECT ON `shop`.* TO `a`@`%`;", "shop"),
        ("object_grant", "GRANT SELECT ON `wiki`.`t` TO `a`@`%`;", "wiki"),
        host="%",
    )
    (summary,) = summarise(document(account), ("a",), show_hashes=False)
    assert summary["member_of"] == ["r`1@%", "r2@%"]
    assert (summary["databases"], summary["object_grants"]) == (["shop", "wiki"], 1)
    assert STAR not in str(summary)
    assert STAR in str(summarise(document(account), ("*",), show_hashes=True))
    assert summarise(document(account), ("b*",), show_hashes=True) == []
