# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statements, scripts and messages of a PostgreSQL restore, without a server."""

from __future__ import annotations

from typing import Any

import pytest
from backupdb.engines.postgresql.restore.database import (
    create_statement,
    finishing_statements,
    locale_refusal,
    read_acl,
    setting_text,
)
from backupdb.engines.postgresql.restore.errors import Complaints
from backupdb.engines.postgresql.restore.run import only_restricted, without_unknown_settings
from backupdb.engines.postgresql.restore.swap import kept_name
from backupdb.engines.postgresql.restore.toc import Entry
from backupdb.engines.values import RestoreOptions, ServerFacts
from backupdb.errors import RestoreFailed, RestoreRefused

PROPERTIES: dict[str, Any] = {
    "owner": "o'wner",
    "encoding": "UTF8",
    "locale_provider": "libc",
    "lc_collate": "de_DE.UTF-8",
    "lc_ctype": "C",
    "locale": None,
    "icu_rules": None,
    "tablespace": "fast",
    "connection_limit": -1,
    "comment": None,
    "acl": None,
    "settings": [],
    "security_labels": {},
}


def facts(*version: int) -> ServerFacts:
    return ServerFacts("postgresql", ".".join(map(str, version)), version, "primary", None, {})


def test_a_database_is_made_by_what_the_servers_version_understands() -> None:
    keep = RestoreOptions()
    old = create_statement(facts(13, 5), 'a"b', PROPERTIES, "o'wner", keep)
    assert old == (
        "CREATE DATABASE \"a\"\"b\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'de_DE.UTF-8' LC_CTYPE 'C' "
        'OWNER "o\'wner"'
    )
    icu = {**PROPERTIES, "locale_provider": "icu", "locale": "de", "icu_rules": "&a < b"}
    new = create_statement(facts(18, 1), "a", icu, None, RestoreOptions(no_tablespaces=False))
    assert new.endswith("LOCALE_PROVIDER icu ICU_LOCALE 'de' ICU_RULES '&a < b' TABLESPACE \"fast\"")
    builtin = {**PROPERTIES, "locale_provider": "builtin", "locale": "C.UTF-8"}
    assert create_statement(facts(18, 1), "a", builtin, None, keep).endswith("builtin BUILTIN_LOCALE 'C.UTF-8'")


@pytest.mark.parametrize(
    ("version", "changes", "words"),
    [
        ((14, 0), {"locale_provider": "icu"}, "from version 15 on"),
        ((16, 0), {"locale_provider": "builtin"}, "from version 17 on"),
        ((15, 0), {"locale_provider": "icu", "icu_rules": "x"}, "from version 16 on"),
        ((18, 0), {"locale_provider": "zebra"}, "'zebra', which is not known"),
    ],
)
def test_a_locale_that_a_version_cannot_have_is_refused(
    version: tuple[int, int], changes: dict[str, str], words: str
) -> None:
    assert words in str(locale_refusal(facts(*version), {**PROPERTIES, **changes}))
    assert locale_refusal(facts(*version), PROPERTIES) is None


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ("work_mem=7MB", "\"work_mem\" TO '7MB'"),
        ('application_name=it\'s = a \\ "name", really', "\"application_name\" TO  E'it''s = a \\\\ \"name\", really'"),
        ('search_path="$user", public, "a, ""b"""', "\"search_path\" TO '$user', 'public', 'a, \"b\"'"),
        ('search_path=""', "\"search_path\" TO ''"),
        ("search_path=", "\"search_path\" TO ''"),
        ("my.own=1", '"my"."own" TO \'1\''),
        ("a TO 'b'; DROP ROLE c; --\"=1", "\"a TO 'b'; DROP ROLE c; --\"\"\" TO '1'"),
    ],
)
def test_settings_are_written_as_they_are_read(stored: str, expected: str) -> None:
    assert setting_text(stored) == expected


def test_a_locale_provider_of_a_manifest_is_one_that_is_known() -> None:
    made_up = {**PROPERTIES, "locale_provider": "libc; ALTER ROLE x SUPERUSER"}
    with pytest.raises(RestoreRefused, match="which is not known here"):
        create_statement(facts(18, 1), "a", made_up, None, RestoreOptions())


def test_rights_are_given_anew_on_the_targets_name_and_to_the_mapped_roles() -> None:
    acl = ["=Tc/o'wner", "o'wner=CTc/o'wner", '"a ""b"" =c"=c*T/o\'wner', "reader=c/o'wner"]
    properties = {**PROPERTIES, "acl": acl, "connection_limit": 5}
    options = RestoreOptions(owner_policy="map", owner_map={"o'wner": "new", "reader": "other"})
    statements = list(finishing_statements('t"', "new", properties, options))
    assert statements == [
        ('REVOKE ALL ON DATABASE "t""" FROM PUBLIC', None),
        ('REVOKE ALL ON DATABASE "t""" FROM "new"', None),
        ('GRANT TEMPORARY, CONNECT ON DATABASE "t""" TO PUBLIC', None),
        ('GRANT CREATE, TEMPORARY, CONNECT ON DATABASE "t""" TO "new"', "new"),
        ('GRANT TEMPORARY ON DATABASE "t""" TO "a ""b"" =c"', 'a "b" =c'),
        ('GRANT CONNECT ON DATABASE "t""" TO "a ""b"" =c" WITH GRANT OPTION', 'a "b" =c'),
        ('GRANT CONNECT ON DATABASE "t""" TO "other"', "other"),
        ('ALTER DATABASE "t""" CONNECTION LIMIT 5', None),
    ]
    dropped = list(finishing_statements("t", "new", properties, RestoreOptions(acl_policy="drop")))
    assert dropped == [('ALTER DATABASE "t" CONNECTION LIMIT 5', None)]


def test_a_right_of_an_unknown_form_is_refused() -> None:
    with pytest.raises(RestoreRefused, match="acl_policy drop"):
        read_acl(["nonsense"])


SCRIPT = b"""--
-- PostgreSQL database dump
--

\\restrict abc

SET statement_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SELECT pg_catalog.set_config('search_path', '', false);
SET row_security = off;

CREATE TABLE t (n text);
COPY t FROM stdin;
SET transaction_timeout = 0;
\\.
"""


@pytest.mark.parametrize("size", [1, 10, 1000])
def test_settings_that_a_server_does_not_know_are_taken_out_of_the_head_and_never_out_of_the_rows(size: int) -> None:
    blocks = [SCRIPT[start : start + size] for start in range(0, len(SCRIPT), size)]
    known = frozenset({"statement_timeout", "client_encoding", "row_security"})
    found = b"".join(without_unknown_settings(blocks, known))
    assert found == SCRIPT.replace(b"SET transaction_timeout = 0;\n", b"", 1)


@pytest.mark.parametrize("script", [b"", b"-- only\n-- a head", b"SET transaction_timeout = 0;\n"])
def test_a_script_that_is_only_a_head_is_no_surprise(script: bytes) -> None:
    found = b"".join(without_unknown_settings([script], frozenset()))
    assert found == script.replace(b"SET transaction_timeout = 0;\n", b"")


SAID = """pg_restore: connecting to database for restore
pg_restore: while INITIALIZING:
pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"
Command was: SET transaction_timeout = 0;

pg_restore: creating USER MAPPING "USER MAPPING a SERVER far"
pg_restore: while PROCESSING TOC:
pg_restore: from TOC entry 7; 1418 16400 USER MAPPING USER MAPPING a SERVER far b
pg_restore: error: could not execute query: ERROR:  server "far" does not exist
LINE 1: CREATE USER MAPPING FOR a SERVER far OPTIONS (password 'canary'...
HINT:  make it
DETAIL:  Key (n)=(canary) is not there.
CONTEXT:  COPY t, line 3: "canary"
Command was: CREATE USER MAPPING FOR a SERVER far OPTIONS (
    password 'canary'
);

pg_restore: error: could not execute query: ERROR:  second fault of the same
HINT:  think
pg_restore: from TOC entry 9; 0 0 INDEX i b
pg_restore: error: could not execute query: ERROR:  third
pg_restore: warning: errors ignored on restore: {}
"""


@pytest.mark.parametrize(("jobs", "count"), [(1, 4), (2, 8)])
def test_errors_name_their_object_and_keep_no_statement_and_no_row(jobs: int, count: int) -> None:
    edges: Any = None
    mapping = Entry(7, "USER MAPPING", "USER MAPPING a SERVER far", "", "b", 2, "", "", (), edges)
    index = Entry(9, "INDEX", "i\nj", "shop", "b", 4, "", "", (), edges)
    complaints = Complaints({7: mapping, 9: index}, jobs=jobs)
    for line in SAID.format(count).splitlines():
        complaints.hear(line)
    assert complaints.all() == [
        'USER MAPPING a SERVER far: ERROR:  server "far" does not exist (hint: make it)',
        "USER MAPPING a SERVER far: ERROR:  second fault of the same (hint: think)",
        "INDEX shop.i\\nj: ERROR:  third",
    ]
    assert complaints.ignored == count


def test_errors_of_several_processes_are_told_apart_though_their_lines_are_mixed() -> None:
    edges: Any = None
    first = Entry(7, "INDEX", "a", "s", "b", 4, "CREATE INDEX a ON s.t USING btree (n);\n", "", (), edges)
    second = Entry(9, "INDEX", "b", "s", "b", 4, "CREATE INDEX b ON s.t USING btree (n);\n", "", (), edges)
    complaints = Complaints({7: first, 9: second}, jobs=2)
    for line in """pg_restore: from TOC entry 7; 1259 16400 INDEX a b
pg_restore: pg_restore: from TOC entry 9; 1259 16401 INDEX b b
pg_restore: error: error: launching item 12 INDEX c
could not execute query: ERROR:  one
Command was: CREATE INDEX a ON s.t USING btree (n);

pg_restore: could not execute query: ERROR:  two
CONTEXT:  here
Command was: CREATE INDEX b ON s.t USING btree (n);

COPY failed for table "x": ERROR:  three
pg_restore: warning: errors ignored on restore: 6
""".splitlines():
        complaints.hear(line)
    assert complaints.all() == [
        "INDEX s.a: ERROR:  one",
        "INDEX s.b: ERROR:  two",
        'INDEX s.b: COPY failed for table "x": ERROR:  three',
    ]


def test_errors_that_were_not_named_are_counted() -> None:
    complaints = Complaints({})
    complaints.hear("pg_restore: error: could not execute query: ERROR:  one")
    complaints.hear("pg_restore: warning: errors ignored on restore: 3")
    assert complaints.all() == ["ERROR:  one", "2 more errors that are not named here"]


def test_words_of_psql_are_heard() -> None:
    complaints = Complaints({})
    complaints.hear("psql:<stdin>:25: ERROR:  relation does not exist")
    assert complaints.all() == ["relation does not exist"]


def test_the_name_of_a_replaced_database_always_fits() -> None:
    assert kept_name("shop", "20260101T000000Z") == "shop_replaced_20260101T000000Z"
    long = kept_name("ö" * 31, "20260101T000000Z")
    assert len(long.encode()) <= 63
    assert long.endswith("ö_replaced_20260101T000000Z")


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_script_that_forbids_psql_its_own_commands_first_is_handed_on_as_it_is(size: int) -> None:
    script = b"--\n-- PostgreSQL database dump\n--\n\n\\restrict aB3\n\n-- Dumped\nSET x = 0;\n" + b"x" * 2000
    blocks = [script[start : start + size] for start in range(0, len(script), size)]
    assert b"".join(only_restricted(blocks, "pg_restore")) == script
    assert b"".join(only_restricted([], "pg_restore")) == b""


@pytest.mark.parametrize(
    "head",
    [
        b"SET x = 0;\n" + SCRIPT,
        b"--\n",
        b"-- \\restrict x\n",
        b"\\! id\n\\restrict x\n",
        b"-- Dumped from \n\\restrict x\n",
    ],
)
def test_a_script_that_leaves_psql_its_own_commands_is_refused(head: bytes) -> None:
    with pytest.raises(RestoreFailed, match="CVE-2025-8714"):
        list(only_restricted([head], "pg_restore"))
