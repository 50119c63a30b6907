# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of drills beside a manifest, and the lock that readers share."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.errors import LockBusy, RepositoryError
from backupdb.repository import drill_records as drills
from backupdb.repository.lock import readers_lock, run_lock
from backupdb.repository.problems import Problems
from backupdb.system.text import iso
from support.stored import RUN, TIME, store


def record(folder: Path, verdict: str = "equal", *, hours: int = 0) -> dict[str, Any]:
    finished = iso(TIME + timedelta(hours=hours))
    return {"schema": 1, "backup_id": folder.name, "verdict": verdict, "finished": finished}


def test_a_record_lies_beside_a_manifest_that_is_not_touched(tmp_path: Path) -> None:
    folder = store(tmp_path).folder
    before = (folder / "manifest.json").stat()
    path = drills.write_drill(folder, record(folder))
    assert path == folder / "drill-20261120T050607Z.json"
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    assert (folder / "manifest.json").stat() == before
    assert sorted(entry.name for entry in folder.iterdir()) == [path.name, "manifest.json", "manifest.json.sha256"]


def test_records_come_newest_first_and_the_newest_decides(tmp_path: Path) -> None:
    folder = store(tmp_path).folder
    assert not drills.proven(folder)
    for hours, verdict in enumerate(["failed", "equal", "different", "equal, expressions rewritten"]):
        drills.write_drill(folder, record(folder, verdict, hours=hours))
        assert drills.proven(folder) is verdict.startswith("equal")
    problems = Problems()
    assert [entry["finished"][11:13] for entry in drills.read_drills(folder, problems)] == ["08", "07", "06", "05"]
    assert problems.lines == []


def test_a_record_is_never_replaced(tmp_path: Path) -> None:
    folder = store(tmp_path).folder
    path = drills.write_drill(folder, record(folder, "different"))
    with pytest.raises(RepositoryError, match="same second"):
        drills.write_drill(folder, record(folder))
    assert json.loads(path.read_text())["verdict"] == "different"
    assert [entry.name for entry in folder.iterdir() if "partial" in entry.name] == []


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"schema": 1}', '{"schema": 1, "verdict": "equal", "backup_id": "another", "finished": "x"}'],
)
def test_a_newest_record_that_cannot_be_read_is_reported_and_proves_nothing(tmp_path: Path, content: str) -> None:
    folder = store(tmp_path).folder
    drills.write_drill(folder, record(folder))
    (folder / "drill-20261120T060607Z.json").write_text(content)
    problems = Problems()
    assert drills.newest_drill(folder, problems) is None
    assert not drills.proven(folder)
    assert len(problems.lines) == 1
    assert len(drills.read_drills(folder, Problems())) == 1


def test_a_read_only_repository_refuses_a_record_and_is_read_without_a_lock_but_with_a_warning(
    small_tmpfs: Callable[[str], Path],
) -> None:
    root = small_tmpfs("1M")
    backup = store(root)
    subprocess.run(["mount", "-o", "remount,ro", str(root)], check=True)
    with pytest.raises(RepositoryError, match="read-only"):
        drills.write_drill(backup.folder, record(backup.folder))
    with readers_lock(backup.instance_folder) as warnings:
        assert len(warnings) == 1
        assert ".readers" in warnings[0]


def test_readers_share_the_lock_beside_a_run_and_what_removes_backups_waits_for_them(tmp_path: Path) -> None:
    folder = store(tmp_path).instance_folder
    assert folder is not None
    with (
        readers_lock(folder) as first,
        readers_lock(folder, timeout=0) as second,
        run_lock(folder, run_id=RUN, timeout=0, cancel=threading.Event()),
    ):
        assert (first, second) == ([], [])
        remover = os.open(folder / ".readers", os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(remover, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(remover, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with pytest.raises(LockBusy, match="removes backups"), readers_lock(folder, timeout=0.3):
        raise RuntimeError("read during a removal")
    threading.Timer(0.3, os.close, [remover]).start()
    with readers_lock(folder, timeout=5) as warnings:
        assert warnings == []


def test_a_copy_outside_a_repository_is_read_without_a_lock(tmp_path: Path) -> None:
    with readers_lock(None) as warnings:
        assert warnings == []
    assert list(tmp_path.iterdir()) == []
