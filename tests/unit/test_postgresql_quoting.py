# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and values as PostgreSQL writes them; what the server makes of them is in the integration tests."""

from __future__ import annotations

import os

import pytest
from backupdb.connection.instance import Instance
from backupdb.engines.postgresql.accounts_instance import setting_value
from backupdb.engines.postgresql.login import login_environment, login_secret
from backupdb.engines.postgresql.parts import balanced
from backupdb.engines.postgresql.properties import acl_statements
from backupdb.engines.postgresql.quoting import argument, connection_string, identifier, literal, password_file
from backupdb.errors import InvalidOption


def test_identifiers_and_literals_are_quoted() -> None:
    assert identifier('a"b') == '"a""b"'
    assert literal("it's") == "'it''s'"
    assert literal("a\\'b") == " E'a\\\\''b'"


def test_a_database_name_is_never_read_as_a_connection_string() -> None:
    assert connection_string("a=b 'c' \\") == "dbname='a=b \\'c\\' \\\\'"


def test_a_password_file_escapes_what_libpq_reads_as_a_mark() -> None:
    assert password_file("a:b\\c") == b"*:*:*:*:a\\:b\\\\c\n"
    for password in ("a\nb", "a\rb", "a\0b"):
        with pytest.raises(InvalidOption, match="line break"):
            password_file(password)


def test_arguments_carry_the_bytes_of_the_databases_encoding() -> None:
    assert os.fsencode(argument("café", "UTF8")) == "café".encode()
    assert os.fsencode(argument("café", "LATIN1")) == b"caf\xe9"
    assert os.fsencode(argument("\xe9\xff", "SQL_ASCII")) == b"\xe9\xff"  # as the session reads such a database
    assert os.fsencode(argument("\u0416", "WIN1251")) == b"\xc6"
    assert os.fsencode(argument("\u20ac", "LATIN9")) == b"\xa4"


def test_the_login_is_in_the_environment_and_the_password_is_not() -> None:
    instance = Instance(
        id="i",
        engine="postgresql",
        host="db.example.org",
        port=5433,
        user="backup",
        password="a-secret-password",
        ssl_mode="verify_full",
        ca_cert="/etc/ca.pem",
        client_cert="/etc/c.pem",
        client_key="/etc/k.pem",
        connect_timeout=7,
    )
    assert login_environment(instance) == {
        "PGHOST": "db.example.org",
        "PGPORT": "5433",
        "PGUSER": "backup",
        "PGPASSFILE": "@SECRET_PATH@",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": "/etc/ca.pem",
        "PGSSLCERT": "/etc/c.pem",
        "PGSSLKEY": "/etc/k.pem",
        "PGCONNECT_TIMEOUT": "7",
        "PGAPPNAME": "vya.backupdb",
    }
    assert login_secret(instance) == b"*:*:*:*:a-secret-password\n"


def test_a_socket_may_be_given_as_its_file() -> None:
    instance = Instance(id="i", engine="postgresql", unix_socket="/run/postgresql/.s.PGSQL.5435")
    environment = login_environment(instance)
    assert (environment["PGHOST"], environment["PGPORT"]) == ("/run/postgresql", "5435")
    assert "PGPASSFILE" not in environment
    assert login_secret(instance) is None


def test_tables_are_spread_by_size() -> None:
    sized = [(name, size, name) for name, size in (("small", 1), ("large", 100), ("middle", 60), ("other", 50))]
    assert balanced(sized, 2) == [["large", "small"], ["middle", "other"]]
    assert balanced(sized[:1], 4) == [["small"]]
    assert balanced([], 3) == []
    assert [len(group) for group in balanced([(str(n), 0, str(n)) for n in range(9)], 3)] == [3, 3, 3]


@pytest.mark.parametrize(
    ("name", "stored", "written"),
    [
        ("work_mem", "7MB", "'7MB'"),
        ("my.text", 'it\'s, "quoted"', "'it''s, \"quoted\"'"),
        ("my.text", "back\\slash", "E'back\\\\slash'"),
        ("search_path", '"$user", public', "'$user', 'public'"),
        ("search_path", '"a ""b"", c", d', "'a \"b\", c', 'd'"),
        ("search_path", '""', "''"),
        ("search_path", "", "''"),
        ("Search_Path", "x", "'x'"),
    ],
)
def test_stored_settings_are_written_as_statements_need_them(name: str, stored: str, written: str) -> None:
    assert setting_value(name, stored) == written


def test_a_default_acl_needs_no_statements() -> None:
    assert acl_statements("db", "owner", None, []) == []
    assert acl_statements("d", "o", [], []) == [
        'REVOKE ALL ON DATABASE "d" FROM PUBLIC;',
        'REVOKE ALL ON DATABASE "d" FROM "o";',
    ]
