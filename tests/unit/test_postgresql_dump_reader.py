# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of a dump of PostgreSQL that list things in an order which means nothing."""

from __future__ import annotations

import pytest
from backupdb.drill.compare_sets import compare_in_any_order
from backupdb.drill.compare_streams import Comparison
from backupdb.engines.postgresql.dump_reader import PostgresqlDumpReader

HEADER = b"--\n-- Name: t p; Type: POLICY; Schema: s; Owner: o\n--\n\n"


def equal(one: bytes, other: bytes) -> bool:
    return compare_in_any_order(lambda: [HEADER + one], lambda: [HEADER + other], PostgresqlDumpReader).equal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"CREATE POLICY p ON s.t TO a, b;\n", b"CREATE POLICY p ON s.t TO b, a;\n"),
        (
            b'CREATE POLICY "p TO x" ON s."t ""u""" AS RESTRICTIVE TO a, "b TO c, ""d" USING (n);\n',
            b'CREATE POLICY "p TO x" ON s."t ""u""" AS RESTRICTIVE TO "b TO c, ""d", a USING (n);\n',
        ),
    ],
)
def test_the_order_of_the_roles_of_a_policy_means_nothing(one: bytes, other: bytes) -> None:
    assert equal(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"CREATE POLICY p ON s.t TO a, b;\n", b"CREATE POLICY p ON s.t TO a;\n"),
        (b"CREATE POLICY p ON s.t TO a, b USING (x);\n", b"CREATE POLICY p ON s.t TO b, a USING (y);\n"),
        (b"CREATE POLICY p ON s.t USING (f(a, b));\n", b"CREATE POLICY p ON s.t USING (f(b, a));\n"),
        (b"COMMENT ON x IS 'p TO a, b';\n", b"COMMENT ON x IS 'p TO b, a';\n"),
    ],
)
def test_anything_else_of_a_policy_does(one: bytes, other: bytes) -> None:
    assert not equal(one, other)


DATA = b"--\n-- Data for Name: t; Type: TABLE DATA; Schema: s; Owner: o\n--\n\n"


def data_equal(one: bytes, other: bytes) -> bool:
    return compare_in_any_order(lambda: [DATA + one], lambda: [DATA + other], PostgresqlDumpReader).equal


def test_rows_are_the_same_whatever_the_order_of_the_columns() -> None:
    one = b'COPY s.t (a, "b, c") FROM stdin;\n1\tx\n2\ty\n\\.\n'
    assert data_equal(one, b'COPY s.t ("b, c", a) FROM stdin;\ny\t2\nx\t1\n\\.\n')
    assert not data_equal(one, b'COPY s.t ("b, c", a) FROM stdin;\n1\tx\n2\ty\n\\.\n')
    assert not data_equal(one, b'COPY s.t ("b, c", a) FROM stdin;\ny\t1\nx\t2\n\\.\n')
    assert not data_equal(one, b'COPY s.t (a, "b, d") FROM stdin;\n1\tx\n2\ty\n\\.\n')


def test_what_is_left_out_hides_no_other_difference() -> None:
    def dump(views: int, word: bytes) -> bytes:
        refreshes = [
            b"--\n-- Name: m%d; Type: MATERIALIZED VIEW DATA; Schema: s; Owner: o\n--\n\nREFRESH s.m%d;\n" % (n, n)
            for n in range(views)
        ]
        return b"\n".join([*refreshes, b"--\n-- Name: z; Type: COMMENT; Schema: s; Owner: o\n--\n\n" + word + b"\n"])

    def compared(word: bytes) -> Comparison:
        left_out = {f"MATERIALIZED VIEW DATA s.m{number}" for number in range(90)}
        return compare_in_any_order(
            lambda: [dump(90, b"one")], lambda: [dump(0, word)], PostgresqlDumpReader, left_out=left_out
        )

    assert compared(b"one").equal
    assert {one.place for one in compared(b"other").differences} == {"COMMENT s.z"}
