# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup that leaves something out says so wherever it is shown, so that nobody takes it for one of everything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from backupdb.cli.main import main
from backupdb.drill import told
from backupdb.engines.filters import Filtered, Filters
from backupdb.monitoring import metrics, status
from backupdb.monitoring.freshness import collect
from backupdb.repository.find import BackupSelector, find
from backupdb.retention.policy import policy_from
from backupdb.retention.prune import PruneRequest
from backupdb.retention.prune import run as prune
from backupdb.system.text import utc_now
from support.golden import assert_golden
from support.stored import store

SAID = "without 2 tables and the rows of 1 table"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir(mode=0o700)
    filtered = Filtered(Filters(exclude_tables=("log*",)), tables=["log_a", "log_b"], table_data=["sessions"])
    store(root, time=utc_now(), filters=filtered.to_manifest())
    return root


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    main([*words])
    return capsys.readouterr().out


def test_lists_and_the_status_say_it_beside_complete(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"complete {SAID}" in printed(capsys, "list", str(root))
    result = status.of_host([], repository=str(root))
    assert result["rows"][0]["without"] == SAID
    assert f"ok, {SAID}" in "\n".join(result["lines"])


def test_all_of_it_is_shown_of_one_backup(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = next(root.glob("*/*/*/*/manifest.json")).parent
    shown = printed(capsys, "show", str(folder))
    assert f"complete, {SAID}" in shown
    assert_golden("show_what_was_left_out", shown.splitlines(), {str(root): "/srv/backups"})
    assert "Left out on purpose:\n  log_a\n  log_b\n" in shown and "their rows:\n  sessions\n" in shown


def test_who_chooses_it_is_warned_and_a_prune_tells_it(root: Path) -> None:
    found = find(root, BackupSelector(instance="shop-db", database="shop"))
    assert [line for line in found.warnings if f"{SAID}, as asked: log_a, log_b, sessions" in line]
    pruned = prune(PruneRequest(repository=str(root), policy=policy_from({"keep_last": 1})))
    assert pruned["databases"][0]["decisions"][0]["without"] == SAID


def test_the_metrics_have_the_number(root: Path) -> None:
    state = collect([], repository=str(root), host=None, max_age=3600.0, now=utc_now())
    lines = [line for line in metrics.render(state).splitlines() if line.startswith("backupdb_last_success_left_out")]
    assert [line.rpartition(" ")[2] for line in lines] == ["3"]


def test_a_drill_says_that_no_more_was_expected() -> None:
    record: dict[str, Any] = {"host": "h", "instance": "i", "database": "shop", "backup_id": "b", "verdict": "equal"}
    record |= {"content": "compared", "seconds": {"restore": 1.0}, "error": None, "differences": [], "without": SAID}
    assert f"equal, {SAID} left out on purpose" in "\n".join(told.lines([record]))
    assert "1 of them of a backup that leaves something out on purpose" in told.summary([record])
    assert "on purpose" not in told.summary([{**record, "without": ""}])
