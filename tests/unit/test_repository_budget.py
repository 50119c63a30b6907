# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The budget of what may be read of a copy: by the month, never below nothing, and no file can break it."""

from __future__ import annotations

import stat
import threading
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from backupdb.drill.request import DrillRequest, choose, within_budget
from backupdb.errors import BackupNotFound
from backupdb.repository.budget import Budget
from backupdb.repository.copy_source import CopySource
from backupdb.repository.place import open_place
from backupdb.repository.problems import Problems
from backupdb.repository.stores.settings import copy_from
from backupdb.system.text import utc_now
from backupdb.verify import run as verify_run
from backupdb.verify.run import VerifyRequest
from support.stored import DUMP, TIME, store

NOW = datetime(2026, 11, 30, 23, 30, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "copies" / "offsite"


def test_what_is_read_is_taken_off_until_the_month_ends(folder: Path) -> None:
    budget = Budget(folder, 1000)
    assert budget.allowance(NOW) == 1000
    budget.spend(300, NOW)
    Budget(folder, 1000).spend(200, NOW)
    assert (budget.allowance(NOW), budget.spent(NOW)) == (500, 500)
    budget.spend(900, NOW)
    assert budget.allowance(NOW) == 0
    assert Budget(folder, 5000).allowance(NOW) == 3600
    assert budget.allowance(NOW + HOUR) == 1000
    berlin = timezone(2 * HOUR)
    assert budget.allowance(NOW.astimezone(berlin)) == 0
    budget.spend(1, NOW + HOUR)
    assert budget.allowance(NOW + HOUR) == 999


def test_without_a_limit_nothing_is_noted(folder: Path) -> None:
    budget = Budget(folder, None)
    budget.spend(300, NOW)
    assert budget.allowance(NOW) is None and not folder.exists()


def test_the_file_is_private_and_one_that_cannot_be_read_is_a_problem_and_replaced(folder: Path) -> None:
    budget = Budget(folder, 1000)
    budget.spend(300, NOW)
    path = folder / "budget.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for content in (
        "",
        "{",
        "[]",
        "null",
        '{"schema": 1, "month": "2026-11", "spent_bytes": -1}',
        "9" * 100,
        "\\ud800",
    ):
        path.write_text(content)
        problems = Problems()
        assert budget.allowance(NOW, problems) == 1000
        assert len(problems.lines) == 1 and str(path) in problems.lines[0]
    path.write_bytes(b"x" * (1 << 17))
    budget.spend(1, NOW)
    assert budget.allowance(NOW) == 999


def test_nothing_is_lost_when_many_spend_at_once(folder: Path) -> None:
    budget = Budget(folder, 1 << 40)
    threads = [threading.Thread(target=budget.spend, args=(1, NOW)) for _number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert budget.spent(NOW) == 20
    assert [path.name for path in folder.iterdir() if not path.name.endswith(".lock")] == ["budget.json"]


def in_a_copy(tmp_path: Path, count: int, budget: str) -> tuple[CopySource, int]:
    """A copy in a folder with backups of one size, and that size."""
    top = tmp_path / "copy"
    top.mkdir(mode=0o700)
    size = 0
    for number in range(count):
        size = store(top, time=TIME + number * HOUR, content=DUMP).manifest["stored_bytes"]
    options = {"name": "offsite", "type": "local", "path": str(top), "patience": "0s", "verify_budget": budget}
    return CopySource(copy_from(options, "test"), str(tmp_path / "state")), size


def test_a_verification_reads_no_more_of_a_copy_than_its_budget_and_says_what_waits(tmp_path: Path) -> None:
    copy, size = in_a_copy(tmp_path, 5, "420K")
    budget = Budget(copy.home(), copy.settings.verify_budget)
    assert 2 * size < 420 << 10 < 3 * size
    result = verify_run.run(VerifyRequest(level="digest", copy=copy))
    assert (result["status"], len(result["backups"])) == ("ok", 2)
    assert any("3 backups in" in line and "wait for the next month" in line for line in result["warnings"])
    assert 2 * size <= budget.spent(utc_now()) <= 2 * size + 4096
    with pytest.raises(BackupNotFound, match="nothing was verified: 5 backups"):
        verify_run.run(VerifyRequest(level="digest", copy=copy))


def test_a_drill_takes_the_oldest_unproven_that_the_budget_has_room_for(tmp_path: Path) -> None:
    copy, size = in_a_copy(tmp_path, 4, "420K")
    request = DrillRequest(copy=copy, select="oldest_unproven", count=3)
    with open_place(None, copy, can_wait=True) as place:
        problems = Problems()
        chosen = choose(request, place, problems)
        assert [backup.time for backup in chosen] == [TIME, TIME + HOUR]
        assert any("2 backups in" in line and "420.0 KiB left" in line for line in problems.lines)
        reader = chosen[0].files.open("data.sql.zst")
        while reader.read(1 << 20):
            pass
        reader.close()
        assert place.allowance(problems) == (420 << 10) - size
        problems = Problems()
        assert len(choose(replace(request, count=1), place, problems)) == 1 and problems.lines == []
    with open_place(None, copy) as place:  # a restore cannot wait
        assert place.allowance(problems) is None and len(choose(request, place, Problems())) == 3


def test_the_oldest_come_first_within_the_budget_and_a_large_one_keeps_no_other_waiting(tmp_path: Path) -> None:
    small = [store(tmp_path, time=TIME + number * HOUR, content=b"-- dump\n") for number in range(3)]
    large = store(tmp_path, time=TIME + 5 * HOUR, content=DUMP * 2)
    size = small[0].manifest["stored_bytes"]
    order = [small[0], large, small[1], small[2]]
    assert within_budget(order, 2 * size) == ([small[0], small[1]], [large, small[2]])
    assert within_budget(order, None) == (order, [])
    assert within_budget(order, 0) == ([], order)
