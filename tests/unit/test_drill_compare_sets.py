# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparing two dumps whatever the order of equal things in them."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Callable, Iterator, Sequence

import pytest
from backupdb.drill.compare_sets import compare_in_any_order
from backupdb.drill.compare_streams import PIECE_BYTES, Comparison
from backupdb.engines.drill_interface import DumpReader
from backupdb.engines.mysql.dump_reader import MysqlDumpReader
from backupdb.engines.postgresql.dump_reader import PostgresqlDumpReader

ROWS = [b"%d\t%s" % (number, b"x" * (number % 7)) for number in range(3000)]


def compared(
    expected: bytes, found: bytes, reader: Callable[[], DumpReader] = PostgresqlDumpReader, size: int = 1 << 20
) -> Comparison:
    def blocks(text: bytes) -> Iterator[bytes]:
        return (text[start : start + size] for start in range(0, len(text), size))

    return compare_in_any_order(lambda: blocks(expected), lambda: blocks(found), reader)


def postgresql(*entries: bytes) -> bytes:
    return (
        b"--\n-- PostgreSQL database dump\n--\n\nSET x = 0;\n\n"
        + b"".join(entries)
        + b"--\n-- PostgreSQL database dump complete\n--\n"
    )


def entry(name: bytes, text: bytes, kind: bytes = b"OPERATOR", data: bytes = b"") -> bytes:
    return b"--\n-- %sName: %s; Type: %s; Schema: s; Owner: o\n--\n\n%s\n\n\n" % (data, name, kind, text)


def copied(rows: Sequence[bytes], name: bytes = b"t") -> bytes:
    text = b"COPY s.%s (a, b) FROM stdin;\n%s\n\\." % (name, b"\n".join(rows))
    return entry(name, text, b"TABLE DATA", b"Data for ")


def mixed(rows: Sequence[bytes]) -> list[bytes]:
    return sorted(rows, key=lambda row: hashlib.sha256(row).digest())


@pytest.mark.parametrize("size", [1 << 20, 999])
def test_the_same_rows_in_another_order_are_equal(size: int) -> None:
    assert compared(postgresql(copied(ROWS)), postgresql(copied(mixed(ROWS))), size=size).equal


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows[1:],
        lambda rows: [*rows, rows[0]],  # once more
        lambda rows: [*rows[2:], rows[2], rows[2]],  # as many rows, and one three times: XOR would not see it
        lambda rows: [rows[0] + b"y", *rows[1:]],
        lambda rows: [b"", *rows[1:]],
    ],
)
def test_other_rows_are_a_difference_in_any_order(change: Callable[[list[bytes]], list[bytes]]) -> None:
    result = compared(postgresql(copied(ROWS)), postgresql(copied(mixed(change(list(ROWS))))))
    assert (result.equal, result.in_data, result.rewritten) == (False, True, False)
    assert {one.place for one in result.differences} == {"TABLE DATA s.t"}


def test_a_row_that_moved_to_another_table_is_a_difference_of_both() -> None:
    found = postgresql(copied(ROWS[1:]), copied([ROWS[0]], b"u"))
    result = compared(postgresql(copied(ROWS[2:]), copied(ROWS[:2], b"u")), found)
    assert {one.place for one in result.differences} == {"TABLE DATA s.t", "TABLE DATA s.u"}


def test_long_rows_are_rows() -> None:
    long = [b"%d\t" % number + b"x" * (PIECE_BYTES * 2 + number) for number in range(20)]
    assert compared(postgresql(copied(long)), postgresql(copied(mixed(long)))).equal
    other = [*long[1:], long[0][:-1] + b"y"]
    assert not compared(postgresql(copied(long)), postgresql(copied(other))).equal


def test_definitions_in_another_order_are_equal_and_a_changed_one_is_named() -> None:
    one, other = entry(b"<", b"CREATE OPERATOR < (\n\n a);"), entry(b">", b"CREATE OPERATOR > (\n b);")
    more = [entry(b"v%d" % number, b"CREATE %d;" % number) for number in range(9)]
    assert compared(postgresql(one, other, *more), postgresql(*reversed(more), other, one)).equal
    changed = entry(b"<", b"CREATE OPERATOR < (\n a);")
    result = compared(postgresql(one, other, *more), postgresql(*reversed(more), other, changed))
    assert [(line.place, line.expected, line.found) for line in result.differences] == [("OPERATOR s.<", "", None)]
    gone = compared(postgresql(one, other, *more), postgresql(*reversed(more), other))
    assert {line.place for line in gone.differences} == {"OPERATOR s.<"}
    assert not gone.rewritten


def test_an_expression_that_was_rewritten_is_seen_among_definitions_in_another_order() -> None:
    tables = [entry(b"t%d" % number, b"CREATE TABLE (\n CHECK (%d > 0));" % number, b"TABLE") for number in range(5)]
    rewritten = [tables[0].replace(b"(0 > 0)", b"((0 > 0))"), *tables[1:]]
    result = compared(postgresql(*tables), postgresql(*reversed(rewritten)))
    assert (result.count, result.in_data, result.rewritten) == (1, False, True)
    changed = [tables[0].replace(b"(0 > 0)", b"(9 > 0)"), *tables[1:]]
    assert not compared(postgresql(*tables), postgresql(*reversed(changed))).rewritten


def test_what_holds_for_a_table_is_compared_wherever_it_was_set() -> None:
    heap, own = (b"SET default_table_access_method = %s;\n\n" % name for name in (b"heap", b"own"))
    a, b, c = (entry(name, b"CREATE TABLE %s;" % name, b"TABLE") for name in (b"a", b"b", b"c"))
    assert compared(postgresql(heap, a, b, own, c), postgresql(own, c, heap, b, a)).equal
    result = compared(postgresql(heap, a, b, own, c), postgresql(own, c, b, heap, a))
    assert {line.place for line in result.differences} == {"TABLE s.b"}


def test_the_contents_of_large_objects_are_not_exchanged() -> None:
    def objects(*contents: bytes) -> bytes:
        text = b"".join(b"SELECT lo_open('%d');\nSELECT lowrite('%s');\n" % pair for pair in enumerate(contents))
        return entry(b"BLOBS", text, b"BLOBS", b"Data for ")

    assert not compared(postgresql(objects(b"a", b"b")), postgresql(objects(b"b", b"a"))).equal


_TEXTS = [b"a", b"it\\'s (", b"),(", b"''", b"\\\\", b"", b"x;", b"INSERT INTO `t` VALUES (", b"\\n"]
MYSQL_ROWS = [b"(%d,'%s',NULL)" % (number, text) for number, text in enumerate(_TEXTS * 40)]
LONG_ROWS = [row.replace(b"NULL", b"'%s'" % (b"y" * PIECE_BYTES)) for row in MYSQL_ROWS[:18]]


def statements(rows: Sequence[bytes], each: int, columns: bytes = b"") -> bytes:
    texts = b"".join(
        b"INSERT INTO `a``b`%s VALUES %s;\n" % (columns, b",".join(rows[start : start + each]))
        for start in range(0, len(rows), each)
    )
    return b"--\n-- Dumping data for table `a``b`\n--\n\n%s\n--\n-- Dumping events for database 'x'\n--\n" % texts


@pytest.mark.parametrize("columns", [b"", b" (`id`, `v (`, `w`)"])
@pytest.mark.parametrize("each", [1, 7, 360])
@pytest.mark.parametrize("rows", [MYSQL_ROWS, LONG_ROWS])
def test_rows_of_statements_are_rows_however_many_a_statement_has(columns: bytes, each: int, rows: list[bytes]) -> None:
    one, other = statements(rows, 20, columns), statements(mixed(rows), each, columns)
    assert compared(one, other, MysqlDumpReader, 1 << 16).equal
    less = compared(one, statements(mixed(rows)[1:], each, columns), MysqlDumpReader)
    assert {line.place for line in less.differences} == {"Dumping data for table a``b"}
    changed = [*rows[:-1], rows[-1].replace(b"(", b"(1", 1)]
    assert not compared(one, statements(mixed(changed), each, columns), MysqlDumpReader).equal


def test_rows_of_mariadb_on_lines_of_their_own_are_rows() -> None:
    def dump(rows: Sequence[bytes], after: bytes = b"e") -> bytes:
        text = b",\n".join(rows)
        return b"-- Dumping data for table `t`\nINSERT INTO `t` VALUES\n%s;\n/*!40000 ALTER */;\n%s\n" % (text, after)

    assert compared(dump(MYSQL_ROWS), dump(mixed(MYSQL_ROWS)), MysqlDumpReader).equal
    assert not compared(dump(MYSQL_ROWS), dump(mixed(MYSQL_ROWS), b"f"), MysqlDumpReader).equal
    assert not compared(dump(MYSQL_ROWS), dump(mixed(MYSQL_ROWS[1:])), MysqlDumpReader).equal


def test_a_definition_is_named_by_its_place_where_the_line_that_names_it_does_not_count() -> None:
    def dump(event: bytes, database: bytes) -> bytes:
        return b"-- Dumping events for database '%s'\nCREATE EVENT `e` %s ;;\n" % (database, event)

    result = compared(dump(b"EVERY 1 DAY", b"a"), dump(b"EVERY 2 DAY", b"b"), MysqlDumpReader)
    assert [line.place for line in result.differences] == ["events"]


@pytest.mark.unmeasured
def test_memory_does_not_grow_with_the_rows() -> None:
    def stream(step: int) -> Iterator[bytes]:
        yield b"-- Data for Name: t; Type: TABLE DATA; Schema: s; Owner: o\nCOPY s.t (a) FROM stdin;\n"
        for number in range(0, 200 * step, step):
            yield b"".join(b"%d %d %s\n" % (number % 200, line, b"x" * 100) for line in range(300))
        yield b"\\.\n"

    tracemalloc.start()
    try:
        assert compare_in_any_order(lambda: stream(1), lambda: stream(199), PostgresqlDumpReader).equal
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 << 20
