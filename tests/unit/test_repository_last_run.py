# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of an instance's newest run."""

from __future__ import annotations

import json
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.repository import last_run
from backupdb.repository.problems import Problems
from support.stored import RUN, TIME

NASTY = '../x"; --\n\udcff'


def result(**changes: Any) -> dict[str, Any]:
    """A run's result, as far as the record minds it."""
    entry = {"error": None, "reason": None, "plain_bytes": 10, "stored_bytes": 4, "duration": 0.5, "archives": []}
    return {
        "host": "db1",
        "instance": "shop-db",
        "run_id": RUN,
        "status": "failed",
        "engine": "mariadb",
        "server_version": "10.11.19",
        "databases": [
            {**entry, "name": NASTY, "status": "complete"},
            {**entry, "name": "wiki", "status": "failed", "error": "wrong flag", "plain_bytes": 0},
            {**entry, "name": "old", "status": "skipped", "reason": "fresh"},
        ],
        "accounts": {**entry, "name": "@accounts", "status": "partial"},
        "gone": ["lost"],
        "new": [],
        "duration": 1.5,
        "plain_bytes": 20,
        "stored_bytes": 8,
        **changes,
    }


def write(folder: Path, **changes: Any) -> list[str]:
    return last_run.write(
        folder,
        result(**changes),
        started=TIME,
        finished=TIME + timedelta(seconds=2),
        present=[NASTY, "wiki", "old", "caf\udce9", "not wanted"],
        faults={"caf\udce9": "its name cannot be addressed"},
    )


def test_the_record_has_what_a_run_found_and_did_whatever_databases_are_called(tmp_path: Path) -> None:
    assert write(tmp_path) == []
    problems = Problems()
    record = last_run.read(tmp_path, problems)
    assert record is not None
    assert problems.lines == []
    assert (record.host, record.instance) == ("db1", "shop-db")
    assert (record.run_id, record.status, record.finished - record.started) == (RUN, "failed", timedelta(seconds=2))
    assert [(outcome.name, outcome.status) for outcome in record.databases] == [
        (NASTY, "complete"),
        ("wiki", "failed"),
        ("old", "skipped"),
        ("caf\udce9", "failed"),
    ]
    assert record.databases[1].error == "wrong flag"
    assert record.present == {NASTY, "wiki", "old", "caf\udce9", "not wanted"}
    assert (record.gone, record.new) == (("lost",), ())
    assert record.accounts is not None
    assert record.accounts.status == "partial"


def test_the_record_is_private_and_replaced_whole(tmp_path: Path) -> None:
    (tmp_path / f"{last_run.FILE}.partial").write_text("left by a run that was killed")
    write(tmp_path)
    write(tmp_path, status="ok", accounts=None)
    assert [path.name for path in tmp_path.iterdir()] == [last_run.FILE]
    assert stat.S_IMODE((tmp_path / last_run.FILE).stat().st_mode) == 0o600
    record = last_run.read(tmp_path, Problems())
    assert record is not None
    assert (record.status, record.accounts) == ("ok", None)


def test_a_record_that_cannot_be_written_is_a_warning_and_never_an_error(tmp_path: Path) -> None:
    (tmp_path / last_run.FILE / "in the way").mkdir(parents=True)
    (line,) = write(tmp_path)
    assert "could not be noted" in line
    assert [path.name for path in tmp_path.iterdir()] == [last_run.FILE]


def test_without_a_record_there_is_none_and_no_problem(tmp_path: Path) -> None:
    problems = Problems()
    assert last_run.read(tmp_path, problems) is None
    assert last_run.read(tmp_path / "nowhere", problems) is None
    assert problems.lines == []


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": 2},
        {"status": "splendid"},
        {"databases": [{"name": "x", "status": "?"}]},
        {"databases": [{"name": "", "status": "complete"}]},
        {"databases": [7]},
        {"present": None},
        {"host": ""},
        {"started": "yesterday"},
        {"duration": "long"},
    ],
)
def test_a_record_that_is_none_of_ours_is_reported_and_does_not_count(tmp_path: Path, changes: dict[str, Any]) -> None:
    write(tmp_path)
    path = tmp_path / last_run.FILE
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **changes}))
    problems = Problems()
    assert last_run.read(tmp_path, problems) is None
    assert [str(path) in line for line in problems.lines] == [True]


def test_what_is_no_json_is_reported_too(tmp_path: Path) -> None:
    for content in (b"{", b"[]", b"\xff", b"[" * 100_000):
        (tmp_path / last_run.FILE).write_bytes(content)
        problems = Problems()
        assert last_run.read(tmp_path, problems) is None
        assert len(problems.lines) == 1
