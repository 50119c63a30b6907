# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The backup login without a server: hashes of passwords, the rights it needs, and those it has too much."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
from backupdb.accounts.backup_login import LoginRequest
from backupdb.connection.instance import Instance
from backupdb.engines.login_interface import SOCKET, WantedLogin
from backupdb.engines.mysql.family import MysqlFamily
from backupdb.engines.mysql.grants import parse
from backupdb.engines.mysql.login_rights import excess_rights, missing_rights, needed_rights
from backupdb.engines.mysql.mariadb import MariadbEngine
from backupdb.engines.mysql.mysql import MysqlEngine
from backupdb.engines.mysql.password_hashes import caching_sha2_fits, caching_sha2_hash, native_hash, sha256_crypt
from backupdb.engines.mysql.privileges import missing_of
from backupdb.engines.postgresql.scram import make_verifier, verifies
from backupdb.engines.values import Database, DumpOptions
from backupdb.errors import InvalidOption
from support.offline_engines import offline

PASSWORDS = ["pencil", "", 'it\'s \\ "quoted" % :x', "pässwörd €", "x" * 100]
ACCOUNT = "'backup'@'localhost'"
WANTED = WantedLogin("backup", password="a-password-of-the-backup")
SERVERS = [
    (MariadbEngine, (10, 3, 39)),
    (MariadbEngine, (10, 11, 19)),
    (MariadbEngine, (11, 8, 2)),
    (MysqlEngine, (5, 7, 44)),
    (MysqlEngine, (8, 0, 19)),
    (MysqlEngine, (8, 4, 3)),
    (MysqlEngine, (9, 7, 0)),
]


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_verifier_fits_its_own_password_and_no_other(password: str) -> None:
    verifier = make_verifier(password)
    assert verifier.startswith("SCRAM-SHA-256$4096:")
    assert verifies(password, verifier)
    assert not verifies(password + "x", verifier)
    assert make_verifier(password) != verifier


def test_a_verifier_is_that_of_the_standard() -> None:
    """The keys of RFC 7677, section 3: user "user", password "pencil"."""
    salt = "W22ZaJ0SNY7soEsUEjb6gQ=="
    stored = "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
    server = "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    assert verifies("pencil", f"SCRAM-SHA-256$4096:{salt}${stored}:{server}")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("I\u00adX", "IX"), ("a\u00a0b", "a b"), ("\u2168", "IX"), ("\u00aa", "a")],
)
def test_passwords_that_the_standard_takes_for_the_same_are_the_same(written: str, meant: str) -> None:
    assert verifies(written, make_verifier(meant))


@pytest.mark.parametrize("odd", ["\u0627\u0031", "a\u0627", "\u0007é"])
def test_a_password_that_the_standard_refuses_is_taken_as_it_is(odd: str) -> None:
    assert verifies(odd, make_verifier(odd))


@pytest.mark.parametrize(
    "other",
    ["", "md5" + "0" * 32, "SCRAM-SHA-256$x:y$z:w", "SCRAM-SHA-256$4096:?$a:b", base64.b64encode(b"x").decode()],
)
def test_what_is_no_verifier_of_ours_fits_nothing(other: str) -> None:
    assert not verifies("pencil", other)


def test_the_native_hash_is_that_of_the_server() -> None:
    assert native_hash("password") == "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_caching_sha2_hash_fits_its_own_password_and_no_other(password: str) -> None:
    kept = caching_sha2_hash(password)
    assert kept.startswith(b"$A$005$")
    assert len(kept) == 70
    assert caching_sha2_fits(password, kept)
    assert not caching_sha2_fits(password + "x", kept)


@pytest.mark.parametrize("other", [b"", b"*2470C0C0", b"$A$005$short", b"$A$0x$" + b"s" * 63])
def test_what_is_no_caching_sha2_hash_fits_nothing(other: bytes) -> None:
    assert not caching_sha2_fits("password", other)


def test_the_digest_is_that_of_sha_crypt() -> None:
    """Made by `openssl passwd -5 -salt abcdefgh 'a much longer password than thirty-two bytes'`."""
    digest = sha256_crypt(b"a much longer password than thirty-two bytes", b"abcdefgh", 5000)
    assert digest == "gifo1auBUoZKfPHXm0KjuK5VPIgB8vca4Z4o1BKogN2"


@pytest.mark.parametrize(("engine", "version"), SERVERS)
@pytest.mark.parametrize("log_bin", [0, 1])
def test_the_check_before_a_backup_asks_for_the_granted_rights_and_for_each_of_them(
    engine: type[MysqlFamily], version: tuple[int, ...], log_bin: int
) -> None:
    server = offline(engine, *version, log_bin=log_bin)
    needed = needed_rights(server, WANTED)
    database = Database("shop", None, None, None, None, None, is_system=False, connectable=True)

    def missing(rights: list[str]) -> list[Any]:
        grants = parse([f"GRANT {', '.join(rights)} ON *.* TO {ACCOUNT}"])
        return missing_of(server, grants, [database], DumpOptions(), account=ACCOUNT)

    assert missing(needed) == []
    for left_out in needed:
        assert missing([right for right in needed if right != left_out]) != [], left_out


def test_newer_mysql_gets_the_smaller_right_for_the_global_lock() -> None:
    assert "RELOAD" in needed_rights(offline(MysqlEngine, 8, 0, 22), WANTED)
    newer = needed_rights(offline(MysqlEngine, 8, 0, 23), WANTED)
    assert "FLUSH_TABLES" in newer
    assert "RELOAD" not in newer


@pytest.mark.parametrize(("option", "right"), [("triggers", "TRIGGER"), ("events", "EVENT"), ("read_lock", "RELOAD")])
def test_a_right_that_a_lesser_backup_does_without_is_left_out(option: str, right: str) -> None:
    server = offline(MariadbEngine, 10, 11, 19)
    less = needed_rights(server, replace(WANTED, **{option: False}))
    assert set(needed_rights(server, WANTED)) - set(less) == {right}
    (surplus,) = excess_rights([f"GRANT {right} ON *.* TO {ACCOUNT}"], less, ACCOUNT)
    assert surplus.writes


def test_only_what_is_missing_is_granted() -> None:
    grants = parse([f"GRANT SELECT, TRIGGER ON *.* TO {ACCOUNT}", f"GRANT ALL PRIVILEGES ON `a`.* TO {ACCOUNT}"])
    (need,) = missing_rights(grants, ["SELECT", "SHOW VIEW", "TRIGGER"], ACCOUNT)
    assert [step.sql for step in need.steps] == [f"GRANT SHOW VIEW ON *.* TO {ACCOUNT};"]


def test_a_right_that_was_taken_back_for_one_database_is_given_again() -> None:
    lines = [f"GRANT SELECT ON *.* TO {ACCOUNT}", f"REVOKE INSERT, SELECT ON `sh``op`.* FROM {ACCOUNT}"]
    (need,) = missing_rights(parse(lines), ["SELECT"], ACCOUNT)
    assert [step.sql for step in need.steps] == [f"GRANT SELECT ON `sh``op`.* TO {ACCOUNT};"]


@pytest.mark.parametrize(
    ("line", "writes", "statements"),
    [
        ("GRANT SELECT, INSERT, LOCK TABLES ON *.* TO `b`@`h`", True, ["REVOKE INSERT, LOCK TABLES ON *.* FROM {}"]),
        (
            "GRANT LOCK TABLES ON *.* TO `b`@`h` IDENTIFIED BY PASSWORD '*0'",
            False,
            ["REVOKE LOCK TABLES ON *.* FROM {}"],
        ),
        (
            "GRANT SELECT, UPDATE (`a ) b`, c) ON `d`.`t` TO `b`@`h`",
            True,
            ["REVOKE SELECT, UPDATE (`a ) b`, c) ON `d`.`t` FROM {}"],
        ),
        ("GRANT EXECUTE ON PROCEDURE `d`.`p` TO `b`@`h`", True, ["REVOKE EXECUTE ON PROCEDURE `d`.`p` FROM {}"]),
        ("GRANT SELECT ON *.* TO `b`@`h` WITH GRANT OPTION", True, ["REVOKE GRANT OPTION ON *.* FROM {}"]),
        (
            "GRANT ALL PRIVILEGES ON *.* TO `b`@`h`",
            True,
            ["REVOKE ALL PRIVILEGES ON *.* FROM {}", "GRANT SELECT ON *.* TO {}"],
        ),
        ("GRANT ALL PRIVILEGES ON `d TO x`.* TO `b`@`h`", True, ["REVOKE ALL PRIVILEGES ON `d TO x`.* FROM {}"]),
        ("GRANT PROXY ON ''@'%' TO 'b'@'h' WITH GRANT OPTION", True, ["REVOKE PROXY ON ''@'%' FROM {}"]),
        ("GRANT `r`@`%`,`s`@`%` TO `b`@`h` WITH ADMIN OPTION", True, ["REVOKE `r`@`%`,`s`@`%` FROM {}"]),
        ("GRANT `r` TO `b`@`h`", True, ["REVOKE `r` FROM {}"]),
        ("GRANT SYSTEM_VARIABLES_ADMIN ON *.* TO `b`@`h`", True, ["REVOKE SYSTEM_VARIABLES_ADMIN ON *.* FROM {}"]),
    ],
)
def test_rights_beyond_the_needed_ones_are_told_with_what_takes_them_away(
    line: str, writes: bool, statements: list[str]
) -> None:
    found = excess_rights([line], ["SELECT"], ACCOUNT)
    assert [entry.writes for entry in found] == [writes]
    assert [step.sql for entry in found for step in entry.steps] == [f"{text.format(ACCOUNT)};" for text in statements]


@pytest.mark.parametrize(
    "line",
    [
        "GRANT USAGE ON *.* TO `WITH GRANT OPTION`@`h` IDENTIFIED BY PASSWORD '*0'",
        "GRANT SELECT ON `d`.* TO `b`@`h`",
        "GRANT SELECT (a) ON `d`.`t` TO `b`@`h`",
        "SET DEFAULT ROLE `r` FOR `b`@`h`",
    ],
)
def test_no_right_and_a_needed_right_on_less_are_no_surplus(line: str) -> None:
    assert excess_rights([line], ["SELECT"], ACCOUNT) == []


@pytest.mark.parametrize(
    ("login", "words"),
    [
        (WantedLogin("backup"), "option password"),
        (WantedLogin("backup", password="two\nlines"), "line break"),
        (WantedLogin("", auth=SOCKET), "option name"),
    ],
)
def test_options_that_cannot_be_are_refused_before_any_work(login: WantedLogin, words: str) -> None:
    with pytest.raises(InvalidOption, match=words):
        LoginRequest(Instance(id="i", engine="postgresql", host="h"), login)


def test_a_password_is_in_no_text_of_the_request() -> None:
    request = LoginRequest(Instance(id="i", engine="mysql", host="h"), WantedLogin("b", password="so-secret-a-word"))
    assert "so-secret-a-word" not in repr(request)
