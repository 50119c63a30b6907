# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What broken off copies have left in a copy: the copying removes its own, and nothing that is gone on with."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from backupdb.copying.plan import CopyRequest
from backupdb.copying.run import CopyRun, run
from backupdb.repository.stores.settings import copy_from
from support.stored import store

DAY = 86400  # seconds
GONE = "20261101T000000Z-aaaaaaaa"


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    folder.mkdir(mode=0o700)
    return folder


def left(disk: Path, place: str, backup_id: str, *, days: int) -> Path:
    """An arrival that was broken off so many days ago."""
    folder = disk / place / f".partial-copy-{backup_id}"
    folder.mkdir(parents=True)
    (folder / "data").write_bytes(b"x" * 1000)
    for path in (folder / "data", folder):
        os.utime(path, (time.time() - days * DAY,) * 2)
    return folder


def copied(root: Path, disk: Path, *hosts: str, check_mode: bool = False) -> dict[str, Any]:
    copy = copy_from({"name": "disk", "type": "local", "path": str(disk)}, "copy")
    request = CopyRequest(str(root), [(host, None) for host in hosts])
    result = run(CopyRun([request], [copy], str(disk.with_name("state"))), check_mode=check_mode)
    assert (result["status"], result["warnings"]) == ("ok", [])
    (entry,) = result["copies"]
    found: dict[str, Any] = entry
    return found


def test_what_a_copy_of_this_host_has_left_long_ago_is_removed(root: Path, disk: Path) -> None:
    store(root, content=b"rows")
    store(root, host="db2", content=b"rows")
    old = [left(disk, f"{host}/shop-db/shop", GONE, days=3) for host in ("db1", "db2", "db3")]
    young = left(disk, "db1/shop-db/shop", GONE.replace("a", "b"), days=1)
    assert copied(root, disk)["cleared"] == []  # nothing has arrived by which the store's clock is known
    assert copied(root, disk, check_mode=True)["cleared"] == []
    assert copied(root, disk, "db1")["cleared"] == [str(old[0])]
    assert [path.exists() for path in (*old, young)] == [False, True, True, True]
    assert copied(root, disk)["cleared"] == [str(old[1])]
    assert copied(root, disk)["cleared"] == []
    assert old[2].is_dir() and young.is_dir()


def test_what_is_gone_on_with_stays_however_old_it_is(root: Path, disk: Path) -> None:
    store(root, content=b"rows")
    copied(root, disk)
    second = store(root, "wiki", content=b"rows")
    place = "/".join(second.folder.parts[-4:-1])
    going_on = left(disk, place, second.folder.name, days=30)
    (going_on / "data").rename(going_on / "other")
    entry = copied(root, disk)
    assert (entry["cleared"], entry["still_missing"]) == ([], 0)
    assert (disk / place / second.folder.name / "manifest.json").is_file()
