# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of contents of PostgreSQL's archives, taken apart and put together; choosing from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from backupdb.engines.postgresql.restore.archive_checks import is_security_definer
from backupdb.engines.postgresql.restore.choice import Examined, Extensions, all_entries, choose
from backupdb.engines.postgresql.restore.load import lock_one_table
from backupdb.engines.postgresql.restore.roles import grantees, mapped_users, role_preamble, with_other_roles
from backupdb.engines.postgresql.restore.tables import choose_tables
from backupdb.engines.postgresql.restore.toc import DATA, POST_DATA, PRE_DATA, Contents, read_contents, without_head
from backupdb.engines.values import ArchiveSource, RestoreOptions
from backupdb.errors import ArchiveDamaged, RestoreRefused

NONE = 1
VERSIONS = [(1, 14), (1, 15), (1, 16)]


def integer(value: int) -> bytes:
    return (b"\1" if value < 0 else b"\0") + abs(value).to_bytes(4, "little")


def text(value: str | None, encoding: str = "utf-8") -> bytes:
    encoded = None if value is None else value.encode(encoding)
    return integer(-1) if encoded is None else integer(len(encoded)) + encoded


def entry(
    number: int,
    kind: str,
    tag: str,
    *,
    namespace: str | None = "shop",
    owner: str = "",
    section: int = PRE_DATA,
    definition: str = "",
    needs: tuple[int, ...] = (),
    flag: int = 1,
) -> dict[str, Any]:
    return {
        "number": number,
        "kind": kind,
        "tag": tag,
        "namespace": namespace,
        "owner": owner,
        "section": section,
        "definition": definition,
        "needs": needs,
        "flag": flag,
    }


def archive(
    entries: list[dict[str, Any]],
    *,
    version: tuple[int, int] = (1, 16),
    encoding: str = "utf-8",
    magic: bytes = b"PGDMP",
) -> bytes:
    """An archive as pg_dump writes it, followed by the word ROWS."""
    pieces = [magic, bytes([*version, 0, 4, 8, 1]), b"\0" if version >= (1, 15) else integer(0)]
    pieces += [integer(1)] * 7 + [text("shop"), text("15.1"), text("15.1"), integer(len(entries))]
    for one in entries:
        pieces += [integer(one["number"]), integer(1), text("0"), text("0"), text(one["tag"], encoding)]
        pieces += [text(one["kind"]), integer(one["section"]), text(one["definition"], encoding), text(""), text(None)]
        pieces += [text(one["namespace"], encoding), text(None), text(None)]
        pieces += [integer(0)] if version >= (1, 16) else []
        pieces += [text(one["owner"], encoding), text("false"), *[text(str(need)) for need in one["needs"]], text(None)]
        pieces += [bytes([one["flag"]]) + bytes(8)]
    return b"".join([*pieces, b"ROWS"])


def in_blocks(content: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def contents_of(entries: list[dict[str, Any]], **options: Any) -> Contents:
    return read_contents(iter([archive(entries, **options)]), "data")[0]


def examined(entries: list[dict[str, Any]]) -> Examined:
    source = ArchiveSource("data", "postgresql-custom", 0, None, lambda: iter(()))
    return Examined(source, contents_of(entries))


SOME = [
    entry(1, "ENCODING", "ENCODING", namespace=None, definition="SET client_encoding = 'UTF8';\n"),
    entry(7, "TABLE", "kunden ü", owner="old", definition="CREATE TABLE ...", needs=(3, 4)),
    entry(8, "COMMENT", "TABLE kunden", section=NONE, owner="old", needs=(7,)),
    entry(9, "TABLE DATA", "kunden ü", section=DATA, owner="old", needs=(7,), flag=2),
    entry(10, "ACL", "TABLE kunden", section=NONE, owner="old", definition="GRANT SELECT ON TABLE shop.k TO old;\n"),
]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_every_version_is_read_whatever_the_blocks_are(version: tuple[int, int], size: int) -> None:
    whole = archive(SOME, version=version)
    contents, rest = read_contents(in_blocks(whole, size), "data")
    table = contents.by_id()[7]
    assert (table.kind, table.tag, table.namespace, table.owner, table.dependencies) == (
        "TABLE",
        "kunden ü",
        "shop",
        "old",
        (3, 4),
    )
    assert [one.section for one in contents.entries] == [PRE_DATA, PRE_DATA, PRE_DATA, DATA, DATA]
    assert b"".join(rest) == b"ROWS"
    assert whole == contents.head + b"ROWS"
    assert b"".join(without_head(in_blocks(whole, size), len(contents.head))) == b"ROWS"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "ends within"),
        (archive(SOME)[:-30], "ends within"),
        (archive(SOME, magic=b"-- SQ"), "does not begin with PGDMP"),
        (b"PGDMP\1\16\0\4\10\3", "not in the custom format"),
    ],
    ids=["empty", "cut", "sql", "tar"],
)
def test_what_is_no_archive_is_damaged(content: bytes, words: str) -> None:
    with pytest.raises(ArchiveDamaged, match=words):
        read_contents(iter([content]), "data")


def test_a_version_that_is_not_known_is_refused_and_not_guessed() -> None:
    with pytest.raises(RestoreRefused, match=r"version 1\.17 of pg_dump's format"):
        contents_of(SOME, version=(1, 17))


def test_names_are_read_in_the_archives_encoding() -> None:
    encoding = entry(1, "ENCODING", "ENCODING", namespace=None, definition="SET client_encoding = 'LATIN1';\n")
    contents = contents_of([encoding, *SOME[1:]], encoding="latin-1")
    assert contents.by_id()[7].tag == "kunden ü"


def test_other_owners_change_the_head_and_nothing_else() -> None:
    options = RestoreOptions(owner_policy="map", owner_map={"old": 'the "new" öwner'})
    before = contents_of(SOME)
    after, rest = read_contents(iter([role_preamble(before, options), b"ROWS"]), "data")
    assert [one.owner for one in after.entries] == ["", *['the "new" öwner'] * 4]
    assert after.by_id()[10].definition == 'GRANT SELECT ON TABLE shop.k TO "the ""new"" öwner";\n'
    assert after.by_id()[7].definition == before.by_id()[7].definition
    assert b"".join(rest) == b"ROWS"
    flag = after.by_id()[9].edges.position_flag
    assert after.head[flag] == 1  # a position that was known is no longer true
    assert role_preamble(before, RestoreOptions()) == before.head


def test_everybody_else_is_mapped_but_the_roles_that_postgresql_brings_along() -> None:
    owners = ["a", "b", "pg_database_owner", ""]
    entries = [entry(number, "TABLE", f"t{number}", owner=owner) for number, owner in enumerate(owners, start=1)]
    options = RestoreOptions(owner_policy="map", owner_map={"a": "x", "*": "y"})
    after, _rest = read_contents(iter([role_preamble(contents_of(entries), options)]), "data")
    assert [one.owner for one in after.entries] == ["x", "y", "pg_database_owner", ""]


RIGHTS = """REVOKE ALL ON TABLE "TO x; FROM y".t FROM old;
GRANT SELECT("TO old",b) ON TABLE a.old TO "Odd ""role"";" WITH GRANT OPTION;
GRANT ALL ON FUNCTION a.f(x integer, y text) TO PUBLIC;
SET SESSION AUTHORIZATION old;
GRANT SELECT ON TABLE a.t TO reader;
RESET SESSION AUTHORIZATION;
ALTER DEFAULT PRIVILEGES FOR ROLE old IN SCHEMA old GRANT SELECT ON TABLES TO "from";
GRANT ALL ON LARGE OBJECT 7 TO old;
"""


def test_roles_are_told_from_all_other_names_in_statements_about_rights() -> None:
    found = grantees(contents_of([entry(1, "ACL", "t", definition=RIGHTS)]).entries)
    assert found == {"old", 'Odd "role";', "reader", "from"}
    mapped = with_other_roles(RIGHTS, lambda role: "new" if role == "old" else role)
    assert mapped.count('"new"') == 4
    expected = RIGHTS.replace("FROM old;", 'FROM "new";').replace("AUTHORIZATION old;", 'AUTHORIZATION "new";')
    expected = expected.replace("FOR ROLE old ", 'FOR ROLE "new" ').replace("7 TO old;", '7 TO "new";')
    assert mapped == expected


def test_users_with_mappings_are_found() -> None:
    tags = ["USER MAPPING a b SERVER far", "USER MAPPING public SERVER far"]
    entries = [entry(number, "USER MAPPING", tag, namespace=None) for number, tag in enumerate(tags)]
    assert mapped_users(contents_of(entries).entries) == {"a b"}


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ("CREATE FUNCTION f() RETURNS integer\n    LANGUAGE sql SECURITY DEFINER\n    AS $$SELECT 1$$;", True),
        ("CREATE FUNCTION f() RETURNS integer\n    LANGUAGE sql\n    AS $$SELECT 'SECURITY DEFINER'$$;", False),
        ("CREATE FUNCTION f() RETURNS text\n    LANGUAGE sql\n    RETURN 'SECURITY DEFINER';", False),
        ("CREATE FUNCTION f() RETURNS text\n    LANGUAGE sql SECURITY DEFINER\n    RETURN 'x';", True),
    ],
)
def test_security_definer_counts_only_in_front_of_the_body(definition: str, expected: bool) -> None:
    (found,) = contents_of([entry(1, "FUNCTION", "f()", definition=definition)]).entries
    assert is_security_definer(found) is expected


def chosen(options: RestoreOptions, extensions: Extensions) -> list[str]:
    entries = [
        entry(1, "DATABASE", "shop", namespace=None),
        entry(2, "ACL", "DATABASE shop", namespace=None, section=NONE, needs=(1,)),
        entry(3, "EXTENSION", "geo", namespace=None),
        entry(4, "COMMENT", "EXTENSION geo", namespace=None, section=NONE, needs=(3,)),
        entry(5, "TABLE", "t"),
        entry(6, "ACL", "TABLE t", section=NONE, needs=(5,)),
        entry(7, "BLOB", "700", namespace=None),
        entry(8, "ACL", "LARGE OBJECT 700", namespace=None, section=NONE, needs=(7,)),
        entry(9, "TABLE DATA", "t", section=DATA, needs=(5,)),
        entry(10, "TABLE DATA", "geo_settings", section=DATA, needs=(3,)),
        entry(11, "BLOBS", "BLOBS", namespace=None, section=DATA),
        entry(12, "INDEX", "i", section=POST_DATA, needs=(5,)),
        entry(13, "MATERIALIZED VIEW DATA", "m", section=POST_DATA),
    ]
    found, warnings = choose([examined(entries)], options, extensions)
    assert not warnings
    return [one.shown() for one in all_entries(found)]


NOTHING = Extensions(frozenset(), frozenset())
THERE = Extensions(frozenset({"geo"}), frozenset())


def test_everything_is_chosen_but_the_database_itself_with_rights_after_indexes() -> None:
    assert chosen(RestoreOptions(), NOTHING) == [
        "EXTENSION geo",
        "COMMENT EXTENSION geo",
        "TABLE shop.t",
        "BLOB 700",
        "TABLE DATA shop.t",
        "TABLE DATA shop.geo_settings",
        "BLOBS",
        "INDEX shop.i",
        "ACL shop.TABLE t",
        "ACL LARGE OBJECT 700",
        "MATERIALIZED VIEW DATA shop.m",
    ]


def test_definitions_only_and_rows_only_share_nothing_and_miss_nothing() -> None:
    definitions = set(chosen(RestoreOptions(schema_only=True), NOTHING))
    rows = set(chosen(RestoreOptions(data_only=True), NOTHING))
    assert not definitions & rows
    assert definitions | rows == set(chosen(RestoreOptions(), NOTHING))
    assert "BLOB 700" in rows
    assert "ACL LARGE OBJECT 700" in rows


def test_extensions_can_be_skipped_with_their_rows_where_they_are_missing() -> None:
    skip = RestoreOptions(extensions="skip")
    assert not [name for name in chosen(skip, NOTHING) if "geo" in name]
    assert [name for name in chosen(skip, THERE) if "geo" in name] == ["TABLE DATA shop.geo_settings"]
    assert "COMMENT EXTENSION geo" not in chosen(RestoreOptions(), THERE)
    assert "EXTENSION geo" in chosen(RestoreOptions(), THERE)


def test_rights_can_be_dropped() -> None:
    assert not [name for name in chosen(RestoreOptions(acl_policy="drop"), NOTHING) if name.startswith("ACL")]


def test_tables_can_be_named_with_or_without_schema_and_quotes() -> None:
    entries = contents_of([entry(1, "TABLE", 'Odd "t"'), entry(2, "TABLE", "u"), entry(3, "VIEW", "u", namespace="b")])
    for name in ('Odd "t"', '"Odd ""t"""', 'shop.Odd "t"', '"shop"."Odd ""t"""', 'shop."Odd ""t"""'):
        assert choose_tables([entries.entries], [name]) == ([{1}], [])
    with pytest.raises(RestoreRefused, match=r'can be "b"."u", "shop"."u"; name one of them'):
        choose_tables([entries.entries], ["u"])
    with pytest.raises(RestoreRefused, match=r"no table or view 'shop.x'"):
        choose_tables([entries.entries], ["shop.x"])
    assert choose_tables([entries.entries], []) == ([None], [])


def test_parts_in_an_archive_of_their_own_are_found_by_the_names_in_their_definitions() -> None:
    before = contents_of(
        [
            entry(1, "TABLE", "a"),
            entry(2, "TABLE", "b"),
            entry(3, "FUNCTION", "f(integer)", definition="CREATE FUNCTION shop.f(integer) ..."),
            entry(4, "FUNCTION", "g()", definition="CREATE FUNCTION shop.g() ..."),
        ]
    )
    index = "CREATE INDEX i ON shop.a USING btree (shop.f(n)) WHERE (t = 'shop.b and shop.g()'::text);"
    after = contents_of(
        [
            entry(2, "INDEX", "i", section=POST_DATA, definition=index),
            entry(3, "COMMENT", "INDEX i", section=NONE, needs=(2,)),
            entry(
                4,
                "FK CONSTRAINT",
                "a a_fk",
                section=POST_DATA,
                definition="ALTER TABLE ONLY shop.a\n ADD CONSTRAINT a_fk FOREIGN KEY (n) REFERENCES shop.b(n);",
            ),
            entry(5, "INDEX", "j", section=POST_DATA, definition="CREATE INDEX j ON shop.b USING btree (n);"),
        ]
    )
    rows = contents_of([entry(9, "TABLE DATA", "a", section=DATA), entry(8, "TABLE DATA", "b", section=DATA)])
    allowed, warnings = choose_tables([before.entries, rows.entries, after.entries], ["a"])
    assert allowed == [{1, 3}, {9}, {2, 3}]
    assert warnings == ["left out: FK CONSTRAINT shop.a a_fk, as it needs TABLE shop.b"]


def test_only_indexes_and_keys_that_lock_their_own_table_alone_are_made_side_by_side() -> None:
    entries = contents_of(
        [
            entry(1, "INDEX", "alone", section=POST_DATA),
            entry(2, "CONSTRAINT", "t key", section=POST_DATA),
            entry(3, "INDEX", "of_parent", section=POST_DATA),
            entry(4, "INDEX", "of_partition", section=POST_DATA, needs=(3,)),
            entry(5, "INDEX ATTACH", "of_partition", section=POST_DATA, needs=(4, 3)),
            entry(6, "FK CONSTRAINT", "u fk", section=POST_DATA, needs=(2,)),
            entry(7, "TRIGGER", "t trigger", section=POST_DATA),
        ]
    ).entries
    assert [one.tag for one in lock_one_table(entries)] == ["alone", "t key"]


def test_an_archive_that_has_the_tables_too_lets_their_indexes_be_made_side_by_side() -> None:
    """It says of every index which table it needs; what matters is what the index needs among those made with it."""
    late = contents_of(
        [
            entry(11, "CONSTRAINT", "t key", section=POST_DATA, needs=(1,)),
            entry(12, "INDEX", "t index", section=POST_DATA, needs=(1, 2)),
            entry(13, "MATERIALIZED VIEW", "of_t", section=POST_DATA, needs=(1, 11)),
            entry(14, "INDEX", "of_t_index", section=POST_DATA, needs=(13,)),
        ]
    ).entries
    assert [one.tag for one in lock_one_table(late)] == ["t key", "t index"]
