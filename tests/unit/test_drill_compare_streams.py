# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparing two dump streams line by line."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest
from backupdb.drill.compare_streams import KEPT, PIECE_BYTES, Comparison, compare
from backupdb.engines.drill_interface import DumpReader
from backupdb.engines.mysql.dump_reader import MysqlDumpReader
from backupdb.engines.postgresql.dump_reader import PostgresqlDumpReader

POSTGRESQL = rb"""--
-- PostgreSQL database dump
--

\restrict %(token)s

-- Dumped from database version %(version)s
-- Dumped by pg_dump version %(version)s

SET statement_timeout = 0;

--
-- Name: orders; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.orders (
    id integer,
    state character varying,
    CONSTRAINT c CHECK (%(check)s)
);

--
-- Data for Name: orders; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.orders (id, state) FROM stdin;
1	new
-- Name: trick; Type: TABLE; Schema: public; Owner: nobody
%(row)s
\.


--
-- Name: orders_id_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.orders_id_seq', %(value)s, true);

\unrestrict %(token)s
"""

MYSQL = b"""-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: %(host)s    Database: shop
-- ------------------------------------------------------
-- Server version\t10.11.19-MariaDB

--
-- Table structure for table `orders`
--

CREATE TABLE `orders` (`id` int(11), `v` text%(column)s);

--
-- Dumping data for table `orders`
--

INSERT INTO `orders` VALUES
(1,'a;'),
(2,'%(row)s');

--
-- Dumping routines for database '%(database)s'
--
CREATE PROCEDURE `p`() SELECT %(body)s ;
-- Dump completed on %(time)s
"""


def postgresql(**values: bytes) -> bytes:
    names = {"token": b"abc", "version": b"15.20", "check": b"id > 0", "row": b"2\told", "value": b"7"}
    return POSTGRESQL % {key.encode(): value for key, value in {**names, **values}.items()}


def mysql(**values: bytes) -> bytes:
    names = {"host": b"a", "column": b"", "row": b"x", "database": b"shop", "body": b"1", "time": b"now"}
    return MYSQL % {key.encode(): value for key, value in {**names, **values}.items()}


def compared(
    expected: bytes, found: bytes, reader: type[PostgresqlDumpReader] | type[MysqlDumpReader] = PostgresqlDumpReader
) -> Comparison:
    return compare([expected], [found], reader)


def test_lines_of_chance_and_version_do_not_count() -> None:
    assert compared(postgresql(), postgresql(token=b"xyz", version=b"15.21")).equal
    other = mysql(host=b"elsewhere", database=b"restored", time=b"2026-11-24")
    assert compared(mysql(), other, MysqlDumpReader).equal


def test_a_changed_row_is_a_difference_in_data_with_its_table() -> None:
    result = compared(postgresql(), postgresql(row=b"2\tnew"))
    assert (result.count, result.in_data) == (1, True)
    assert result.differences[0].place == "TABLE DATA public.orders"
    assert (result.differences[0].expected, result.differences[0].found) == ("2\told", "2\tnew")
    result = compared(mysql(), mysql(row=b"y"), MysqlDumpReader)
    assert (result.count, result.in_data) == (1, True)
    assert result.differences[0].place == "Dumping data for table orders"


def test_a_changed_sequence_value_is_a_difference_in_data() -> None:
    result = compared(postgresql(), postgresql(value=b"8"))
    assert (result.count, result.in_data) == (1, True)
    assert result.differences[0].place == "SEQUENCE SET public.orders_id_seq"


def test_a_rewritten_expression_is_no_difference_in_data() -> None:
    result = compared(postgresql(), postgresql(check=b"(id > 0)"))
    assert (result.count, result.in_data) == (1, False)
    assert result.differences[0].place == "TABLE public.orders"
    result = compared(mysql(), mysql(column=b" NOT NULL"), MysqlDumpReader)
    assert (result.count, result.in_data) == (1, False)


def test_a_changed_routine_is_no_difference_in_data() -> None:
    result = compared(mysql(), mysql(body=b"2"), MysqlDumpReader)
    assert (result.count, result.in_data, result.differences[0].place) == (1, False, "routines")


def test_rows_that_look_like_headers_stay_rows() -> None:
    changed = postgresql().replace(b"Owner: nobody", b"Owner: somebody")
    result = compared(postgresql(), changed)
    assert result.in_data
    assert result.differences[0].place == "TABLE DATA public.orders"


def test_one_missing_line_is_one_difference() -> None:
    expected = b"".join(b"row %d\n" % number for number in range(1000))
    for gone in (0, 1, 500, 999):
        result = compared(expected, expected.replace(b"row %d\n" % gone, b"", 1))
        assert [(one.expected, one.found) for one in result.differences] == [(f"row {gone}", None)]


def test_an_added_end_is_found() -> None:
    result = compared(b"a\n", b"a\nb\nc")
    assert [(one.expected, one.found) for one in result.differences] == [(None, "b"), (None, "c")]


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_the_size_of_blocks_does_not_matter(size: int) -> None:
    text = postgresql() + b"x" * (3 * PIECE_BYTES + 5) + b"\nend"
    blocks = (text[start : start + size] for start in range(0, len(text), size))
    assert compare(blocks, [text], PostgresqlDumpReader).equal


def rows_of(numbers: list[int]) -> bytes:
    rows = b"".join(b"%d\trow\n" % number for number in numbers)
    return b"-- Data for Name: t; Type: TABLE DATA; Schema: s; Owner: o\nCOPY s.t (a) FROM stdin;\n" + rows + b"\\.\n"


@pytest.mark.parametrize("size", [1, 100, 1 << 20])
@pytest.mark.parametrize("gone", [0, 255, 256, 1000, 4999])
def test_one_missing_row_among_many_is_one_difference(gone: int, size: int) -> None:
    expected = rows_of(list(range(5000)))
    found = rows_of([number for number in range(5000) if number != gone])
    blocks = [found[start : start + size] for start in range(0, len(found), size)]
    result = compare([expected], blocks, PostgresqlDumpReader)
    assert [(one.expected, one.found) for one in result.differences] == [(f"{gone}\trow", None)]
    assert result.in_data
    assert result.differences[0].place == "TABLE DATA s.t"


def test_rows_that_end_a_statement_end_a_run() -> None:
    rows = b"INSERT INTO `t` VALUES\n" + b"".join(b"(%d,';'),\n" % number for number in range(1000)) + b"(1000,'x');\n"
    found = (rows + b"CREATE TABLE `u` (a int);\n").replace(b"int", b"text")
    result = compare([rows + b"CREATE TABLE `u` (a int);\n"], [found], MysqlDumpReader)
    assert (result.count, result.in_data) == (1, False)


def test_a_line_that_is_missing_was_not_rewritten() -> None:
    expected = postgresql()
    gone = b"    CONSTRAINT c CHECK (id > 0)\n"
    assert gone in expected
    assert not compared(expected, expected.replace(gone, b"")).rewritten


def test_another_value_in_an_expression_is_not_rewritten() -> None:
    assert compared(postgresql(check=b"id > 0"), postgresql(check=b"(id > 0)")).rewritten
    assert not compared(postgresql(check=b"id > 0"), postgresql(check=b"id > 10")).rewritten
    assert not compared(postgresql(check=b"v = 'a'"), postgresql(check=b"v = 'b'")).rewritten


def test_a_changed_event_or_sequence_is_not_rewritten() -> None:
    event = b"-- Dumping events for database 'a'\nCREATE EVENT `e` ON SCHEDULE EVERY 1 %s DO SELECT 1 ;;\n"
    assert not compared(event % b"DAY", event % b"HOUR", MysqlDumpReader).rewritten
    head = b"-- Name: s; Type: SEQUENCE; Schema: public; Owner: postgres\n"
    assert not compared(head + b"    CACHE 1;\n", head + b"    CACHE 1 CYCLE;\n").rewritten


def test_a_difference_deep_in_a_long_line_is_shown_around_its_place() -> None:
    expected = b"INSERT INTO `t` VALUES (" + b"a" * (5 * PIECE_BYTES) + b"secret tail);"
    found = expected.replace(b"secret", b"secreT")
    result = compared(expected, found, MysqlDumpReader)
    assert (result.count, result.in_data) == (1, True)
    shown = result.differences[0].found
    assert shown is not None
    assert "secreT" in shown
    assert len(shown) < 100


def test_many_differences_are_counted_and_few_are_kept() -> None:
    expected = b"".join(b"CREATE %d\n" % number for number in range(5000))
    result = compared(expected, expected.replace(b"CREATE", b"create"), MysqlDumpReader)
    assert (result.count, len(result.differences), result.in_data) == (5000, KEPT, False)


def test_it_ends_early_when_rows_differ_everywhere() -> None:
    def rows(text: bytes) -> Iterator[bytes]:
        yield b"INSERT INTO `t` VALUES\n"
        for _number in range(100_000):
            yield b"(" + text + b"),\n"

    result = compare(rows(b"1"), rows(b"2"), MysqlDumpReader)
    assert result.ended_early
    assert result.pieces < 1000


@pytest.mark.unmeasured
def test_memory_does_not_grow_with_the_stream() -> None:
    def stream() -> Iterator[bytes]:
        for number in range(200):
            yield (b"row %d " % number + b"x" * 100 + b"\n") * 300
            yield b"y" * (1 << 20)  # goes on into the next row

    tracemalloc.start()
    try:
        assert compare(stream(), stream(), _Plain).equal
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 << 20


class _Plain(PostgresqlDumpReader):
    """Every line counts."""

    def look(self, line: bytes) -> bool:
        return True


def test_both_dialects_are_dialects() -> None:
    dialects: list[DumpReader] = [PostgresqlDumpReader(), MysqlDumpReader()]
    assert all(reader.place == "head" for reader in dialects)
