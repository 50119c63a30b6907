# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journal entries on a real datagram socket, read by the rules of the native protocol, and lines on standard error."""

from __future__ import annotations

import io
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from backupdb.system.journal import Journal
from hypothesis import given
from hypothesis import strategies as st
from support.journal import JournalSocket


@pytest.fixture
def listening() -> Iterator[JournalSocket]:
    # Not tmp_path: the name of a socket may have 107 characters.
    with tempfile.TemporaryDirectory() as folder:
        journal = JournalSocket(Path(folder, "socket"))
        yield journal
        journal.close()


def test_an_entry_has_its_fields_and_can_be_found_by_them(listening: JournalSocket) -> None:
    journal = Journal(path=listening.path, stream=io.StringIO(), run_id="20261124T050607Z-0a1b2c3d", job="nightly")
    journal.event("2 complete", instance="shop-pg", database="orders")
    assert listening.entry() == {
        "MESSAGE": "2 complete",
        "PRIORITY": "6",
        "SYSLOG_IDENTIFIER": "backupdb",
        "SYSLOG_PID": str(os.getpid()),
        "BACKUPDB_RUN_ID": "20261124T050607Z-0a1b2c3d",
        "BACKUPDB_JOB": "nightly",
        "BACKUPDB_INSTANCE": "shop-pg",
        "BACKUPDB_DATABASE": "orders",
    }


@pytest.mark.parametrize(("priority", "number"), [("error", "3"), ("warning", "4"), ("notice", "5"), ("debug", "7")])
def test_how_grave_it_is_is_a_number_of_syslog(listening: JournalSocket, priority: str, number: str) -> None:
    Journal(path=listening.path, stream=io.StringIO()).event("x", priority=priority)
    assert listening.entry()["PRIORITY"] == number


def test_a_message_of_several_lines_arrives_whole(listening: JournalSocket) -> None:
    text = "failed:\nERROR: disk full\nPRIORITY=0\n"
    Journal(path=listening.path, stream=io.StringIO()).event(text, priority="error")
    entry = listening.entry()
    assert (entry["MESSAGE"], entry["PRIORITY"]) == (text, "3")


@given(name=st.text(st.characters(blacklist_categories=()), max_size=200))
def test_no_name_of_a_database_can_forge_a_field_or_a_line(name: str) -> None:
    stream = io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        listening = JournalSocket(Path(folder, "socket"))
        Journal(path=listening.path, stream=stream, run_id="r1").event(f"{name} failed", instance="i", database=name)
        entry = listening.entry()
        listening.close()
    assert set(entry) == {
        "MESSAGE",
        "PRIORITY",
        "SYSLOG_IDENTIFIER",
        "SYSLOG_PID",
        "BACKUPDB_RUN_ID",
        "BACKUPDB_INSTANCE",
        "BACKUPDB_DATABASE",
    }
    assert entry["BACKUPDB_RUN_ID"] == "r1"
    assert len(stream.getvalue().splitlines()) == 1


def test_without_a_journal_the_same_is_told_as_text(tmp_path: Path) -> None:
    stream = io.StringIO()
    journal = Journal(path=str(tmp_path / "nothing"), stream=stream)
    journal.event("is backed up", instance="shop-pg", database="orders")
    journal.event("could not be read\nat all", priority="error", instance="shop-pg")
    assert stream.getvalue() == (
        "backupdb: shop-pg/orders: is backed up\nbackupdb: error: shop-pg: could not be read at all\n"
    )


def test_a_person_at_a_terminal_reads_what_the_journal_gets(listening: JournalSocket) -> None:
    stream = io.StringIO()
    Journal(path=listening.path, stream=stream).event("begins")
    assert listening.entry()["MESSAGE"] == "begins"
    assert stream.getvalue() == "backupdb: begins\n"


def test_nothing_is_told_twice_where_standard_error_is_the_journal(
    listening: JournalSocket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "stderr").open("w+", encoding="utf-8") as stream:
        status = os.fstat(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        Journal(path=listening.path, stream=stream).event("begins")
        assert (tmp_path / "stderr").read_text(encoding="utf-8") == ""
        listening.close()
        Journal(path=listening.path, stream=stream).event("goes on")
        assert (tmp_path / "stderr").read_text(encoding="utf-8") == "backupdb: goes on\n"


def test_a_journal_that_takes_nothing_is_waited_for_once() -> None:
    stream = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
        hung = JournalSocket(Path(folder, "socket"), reads=False)
        filler.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                filler.sendto(b"MESSAGE=x\n", hung.path)
        journal = Journal(path=hung.path, stream=stream)
        started = time.monotonic()
        for number in range(20):
            journal.event(f"entry {number}")
        assert time.monotonic() - started < 5
        hung.close()
    assert len(stream.getvalue().splitlines()) == 20


@pytest.mark.unmeasured
def test_a_very_long_message_is_cut_and_arrives(listening: JournalSocket) -> None:
    Journal(path=listening.path, stream=io.StringIO()).event("x" * (1 << 20), database="y" * (1 << 20))
    entry = listening.entry()
    assert len(entry["MESSAGE"]) == len(entry["BACKUPDB_DATABASE"]) == 16384


def test_a_closed_standard_error_is_no_error(tmp_path: Path) -> None:
    stream = io.StringIO()
    stream.close()
    Journal(path=str(tmp_path / "nothing"), stream=stream).event("begins")
