# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host knows of a copy: which backups are there, when they came, and which were there once."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from backupdb.repository.catalogue import read_all
from backupdb.repository.copied import (
    ARRIVALS_FILE,
    Arrived,
    copy_folder,
    forget,
    is_copied,
    missing_in,
    read_arrivals,
    shadow_folder,
    take_out,
)
from backupdb.repository.problems import Problems
from support.stored import TIME, rewrite_manifest, store

HOUR = timedelta(hours=1)
PLACE = "db1/shop-db/shop/20261120T050607Z-01234567"


def arrivals_of(folder: Path, values: Any) -> tuple[dict[str, Arrived], list[str]]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ARRIVALS_FILE).write_text(json.dumps(values))
    problems = Problems()
    return read_arrivals(folder, problems), problems.lines


def test_arrivals_are_read_with_what_came_later(tmp_path: Path) -> None:
    folder = copy_folder(str(tmp_path), "offsite")
    assert folder == tmp_path / "copies" / "offsite" and shadow_folder(str(tmp_path), "offsite") == folder / "shadow"
    assert read_arrivals(folder, Problems()) == {}
    other = {"time": None, "version": None, "later": 2, "current": False}
    found, lines = arrivals_of(folder, {PLACE: {"time": "2026-11-20T06:00:00Z", "version": "v1"}, "x": other})
    assert found[PLACE] == Arrived(datetime(2026, 11, 20, 6, tzinfo=timezone.utc), "v1")
    assert found["x"].tampered and not found[PLACE].tampered and lines == []


@pytest.mark.parametrize(
    "entry",
    [
        None,
        [],
        "x",
        {"time": 5},
        {"time": "yesterday"},
        {"time": "0001-01-01T00:00:00Z"},
        {"later": -1},
        {"later": True},
        {"later": 10**30},
        {"current": "no"},
        {"current": None},
        {"version": 7},
        {"version": "x" * 5000},
    ],
)
def test_arrivals_that_are_none_are_a_problem_and_nothing_has_arrived(tmp_path: Path, entry: Any) -> None:
    found, lines = arrivals_of(tmp_path, {PLACE: entry})
    assert found == {} and len(lines) == 1 and ARRIVALS_FILE in lines[0]


def test_a_backup_is_in_a_copy_when_its_own_manifest_is(root: Path, tmp_path: Path) -> None:
    shadow = tmp_path / "shadow"
    backups = [store(root, time=TIME + number * HOUR) for number in range(4)]
    shop = backups[0].folder.parent.relative_to(root)
    assert missing_in(root / shop, shadow / shop) == [backup.folder.name for backup in backups]
    for backup in backups[:2]:
        shutil.copytree(backup.folder, shadow / backup.folder.relative_to(root))
    (shadow / shop / backups[2].folder.name).mkdir()
    assert missing_in(root / shop, shadow / shop) == [backup.folder.name for backup in backups[2:]]
    copied = [shadow / backup.folder.relative_to(root) for backup in backups]
    assert [is_copied(backup.folder, place) for backup, place in zip(backups, copied)] == [True, True, False, False]
    rewrite_manifest(copied[1], warnings=["another"])
    assert not is_copied(backups[1].folder, copied[1])


def test_what_was_removed_from_a_copy_was_there_and_is_seen_by_no_reader(root: Path, tmp_path: Path) -> None:
    shadow = tmp_path / "shadow"
    backup = store(root)
    place = shadow / backup.folder.relative_to(root)
    take_out(place)
    assert not place.exists() and not is_copied(backup.folder, place)
    shutil.copytree(backup.folder, place)
    take_out(place)
    assert not place.exists() and is_copied(backup.folder, place)
    assert missing_in(backup.folder.parent, place.parent) == []
    problems = Problems()
    assert (list(read_all(shadow, problems=problems)), problems.lines) == ([], [])
    rewrite_manifest(backup.folder, warnings=["another"])
    assert not is_copied(backup.folder, place)
    forget(place)
    forget(place)
    assert missing_in(backup.folder.parent, place.parent) == [backup.folder.name]
