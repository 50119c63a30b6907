# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server refused while the client went on, in few lines."""

from __future__ import annotations

from backupdb.engines.mysql.restore.refused import Refused


def where(line: int) -> str:
    return "table a" if line < 10 else "table b"


def test_each_place_has_its_first_error_and_their_number() -> None:
    refused = Refused()
    assert not refused
    for line in (
        "--------------",
        "INSERT INTO b VALUES (1)",
        "ERROR 1062 (23000) at line 12: Duplicate entry '1' for key 'PRIMARY'",
        "ERROR 1146 (42S02) at line 13: Table 'x.b' doesn't exist",
        "ERROR 1118 (42000) at line 3: Row size too large",
        "WARNING: something",
    ):
        refused.watch(line)
    assert refused
    assert not refused.lost
    assert refused.lines(where) == [
        "table b: the server refused: Duplicate entry '1' for key 'PRIMARY' (error 1062), and 1 more",
        "table a: the server refused: Row size too large (error 1118)",
    ]


def test_a_lost_connection_is_no_refusal() -> None:
    refused = Refused()
    refused.watch("ERROR 2013 (HY000) at line 12: Lost connection to server during query")
    assert refused.lost


def test_what_is_kept_is_bounded() -> None:
    refused = Refused()
    for line in range(10_500):
        refused.watch(f"ERROR 1062 (23000) at line {line}: Duplicate entry")
    first, second, more = refused.lines(where)
    assert first.endswith("and 9 more")
    assert second.endswith("and 9989 more")
    assert more == "500 more errors"
