# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How large the parts of a file are, and how long a store is waited for."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from backupdb.errors import Interrupted, StoreError, StoreRefused, StoreUnavailable
from backupdb.repository.stores import patience as patience_module
from backupdb.repository.stores.file_slices import Slice
from backupdb.repository.stores.patience import Patience
from backupdb.repository.stores.s3_upload import SINGLE, part_size, parts_of
from hypothesis import given
from hypothesis import strategies as st

MIB, GIB, TIB = 1 << 20, 1 << 30, 1 << 40


class Count:
    sent = 0

    def count(self, size: int) -> None:
        self.sent += size


@pytest.mark.parametrize(
    ("size", "max_parts", "part"),
    [
        (100 * MIB, 10000, 16 * MIB),
        (150 * GIB, 10000, 17 * MIB),
        (500 * GIB, 10000, 54 * MIB),
        (500 * GIB, 1000, 539 * MIB),
        (5 * TIB, 10000, 552 * MIB),
        (100 * MIB, 3, 50 * MIB),
        (100 * MIB, 1, 100 * MIB),
    ],
)
def test_parts_are_as_small_as_their_number_allows(size: int, max_parts: int, part: int) -> None:
    assert part_size(size, max_parts) == part
    assert parts_of(size, max_parts) == -(-size // part) <= max_parts


def test_a_small_file_is_one_request() -> None:
    assert (parts_of(0, 1000), parts_of(SINGLE, 1000), parts_of(SINGLE + 1, 1000)) == (1, 1, 3)


@given(size=st.integers(SINGLE + 1, 50 * TIB), max_parts=st.integers(1, 10000))
def test_there_are_never_too_many_parts(size: int, max_parts: int) -> None:
    assert 1 <= parts_of(size, max_parts) <= max_parts


def test_a_slice_is_read_and_rewound_and_counted_once(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(100)))
    descriptor = os.open(path, os.O_RDONLY)
    meter = Count()
    try:
        body = Slice(descriptor, 10, 50, meter)
        assert (len(body), body.readable(), body.seekable(), body.tell()) == (50, True, True, 0)
        assert body.read(20) == bytes(range(10, 30))
        assert body.read() == bytes(range(30, 60))
        assert body.read(5) == b""
        assert body.seek(-10, os.SEEK_END) == 40
        assert body.read(100) == bytes(range(50, 60))
        assert body.seek(-5) == 0
        assert body.read() == bytes(range(10, 60))
        assert meter.sent == 50
    finally:
        os.close(descriptor)


def test_a_store_that_comes_back_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience_module, "_FIRST_WAIT", 0.001)
    answers = [StoreUnavailable("busy"), StoreUnavailable("busy"), None]

    def work() -> str:
        answer = answers.pop(0)
        if answer is not None:
            raise answer
        return "done"

    assert Patience(5).call(work) == "done"


def test_patience_ends_and_says_for_how_long_it_lasted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience_module, "_FIRST_WAIT", 0.01)

    def work() -> None:
        raise StoreUnavailable("it is away")

    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match="it is away; tried again for"):
        Patience(0.2).call(work)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("kind", [StoreError, StoreRefused])
def test_what_trying_again_does_not_help_is_not_tried_again(kind: type[Exception]) -> None:
    calls = []

    def work() -> None:
        calls.append(1)
        raise kind("no")

    with pytest.raises(kind, match=r"^no$"):
        Patience(60).call(work)
    assert len(calls) == 1


def test_the_wish_to_stop_ends_the_waiting() -> None:
    cancel = threading.Event()

    def work() -> None:
        raise StoreUnavailable("busy")

    threading.Timer(0.2, cancel.set).start()
    began = time.monotonic()
    with pytest.raises(Interrupted, match="the next run goes on from here"):
        Patience(60, cancel).call(work)
    assert time.monotonic() - began < 5
