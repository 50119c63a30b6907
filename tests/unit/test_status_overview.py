# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of a whole fleet."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from backupdb.monitoring import status
from support.golden import assert_golden
from support.monitored import NASTY, keep, note_run

STATUS = importlib.import_module("ansible_collections.vya.backupdb.plugins.plugin_utils.works").STATUS
UNREACHABLE = {"status": "unreachable", "message": "no route to host"}


@pytest.fixture
def good(tmp_path: Path) -> dict[str, Any]:
    keep(tmp_path, "shop", hours=1, drill="equal")
    note_run(tmp_path, {"shop": "complete"}, accounts=None)
    return status.of_host([], repository=str(tmp_path))


def test_the_worst_hosts_come_first_and_what_is_not_well_is_below(good: dict[str, Any], tmp_path: Path) -> None:
    keep(tmp_path, NASTY, hours=50, host="db2")
    bad = status.of_host([], repository=str(tmp_path), host="db2")
    overview = STATUS.overview({"db1": good, "db2": bad, "db3": UNREACHABLE}, ["db1", "db2", "db3", "db4"])
    assert (overview["status"], overview["message"]) == ("failed", "2 hosts failed, 1 host unreachable, 1 host ok")
    lines = overview["lines"]
    assert [line.split()[:4] for line in lines[2:6]] == [
        ["db2", "failed", "0", "1"],
        ["db4", "failed", "-", "-"],
        ["db3", "unreachable", "-", "-"],
        ["db1", "ok", "1", "1"],
    ]
    assert lines[6].startswith('db2: db2/shop-db/../x"; --')
    assert "the newest backup is 2 d 2 h old" in lines[6]
    assert not any("\n" in line for line in lines)
    assert lines[-1] == "db3: no route to host"
    assert set(overview["hosts"]) == {"db1", "db2", "db3", "db4"}


def test_a_host_that_waits_for_a_first_run_is_well_and_told_apart(good: dict[str, Any]) -> None:
    overview = STATUS.overview({"db1": good, "db2": {**good, "waiting": ["db2/shop-db"]}}, ["db1", "db2"])
    assert (overview["status"], overview["message"]) == ("ok", "2 hosts ok")
    assert [line.split()[:2] for line in overview["lines"][2:4]] == [["db1", "ok"], ["db2", "waiting"]]
    assert_golden("status_waiting_for_a_first_run", overview["lines"], {})


def test_a_fleet_in_which_all_is_well_is_ok(good: dict[str, Any]) -> None:
    overview = STATUS.overview({"db1": good}, ["db1"])
    assert (overview["status"], overview["message"], len(overview["lines"])) == ("ok", "1 host ok", 3)
    assert STATUS.overview({}, [])["status"] == "failed"
