# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From where a backup is read, when it rests in several places."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from backupdb.errors import BackupNotFound, InvalidOption
from backupdb.repository.best_place import find_best
from backupdb.repository.catalogue import StoredBackup
from backupdb.repository.copy_source import CopySource
from backupdb.repository.drill_records import write_drill
from backupdb.repository.find import BackupSelector
from backupdb.repository.stores.settings import copies_from
from support.stored import TIME, store

WANTED = BackupSelector(instance="shop-db", database="shop")


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    """A repository and the folders of two copies, all empty."""
    found = {name: tmp_path / name for name in ("repository", "near", "far")}
    for folder in found.values():
        folder.mkdir(mode=0o700)
    return found


def copies(places: dict[str, Path]) -> list[CopySource]:
    state = places["repository"].parent / "state"
    entries = [{"name": name, "type": "local", "path": str(places[name])} for name in ("near", "far")]
    return [CopySource(settings, str(state)) for settings in copies_from(entries, "copies")]


def read_from(places: dict[str, Path], wanted: BackupSelector = WANTED) -> tuple[str, str, list[str]]:
    """Where the backup is read from, its id, and what is told of that."""
    with find_best(str(places["repository"]), copies(places), wanted) as found:
        return found.backup.where, found.backup.folder.name, list(found.warnings)


def sent(backup: StoredBackup, places: dict[str, Path], *names: str) -> None:
    """Copy a backup of the repository."""
    for name in names:
        target = places[name] / backup.folder.relative_to(places["repository"])
        shutil.copytree(backup.folder, target)


def test_the_repository_is_nearest(places: dict[str, Path]) -> None:
    backup = store(places["repository"], content=b"rows")
    sent(backup, places, "near", "far")
    where, _name, told = read_from(places)
    assert where.startswith(str(places["repository"]))
    assert told == []


def test_without_it_the_freshest_copy_is_read_and_that_is_told(places: dict[str, Path]) -> None:
    old, new = (
        store(places["repository"], time=TIME - timedelta(days=1), content=b"old"),
        store(places["repository"], content=b"rows"),
    )
    sent(old, places, "near", "far")
    sent(new, places, "far")
    shutil.rmtree(places["repository"])
    where, name, told = read_from(places)
    assert (where.startswith(str(places["far"])), name) == (True, new.folder.name)
    assert "it is read from copy far" in told[0]
    assert "not from the repository: " in told[1]


def test_of_equal_ones_a_proven_one_is_read_and_then_the_first(places: dict[str, Path]) -> None:
    backup = store(places["repository"], content=b"rows")
    sent(backup, places, "near", "far")
    shutil.rmtree(backup.folder)
    assert read_from(places)[0].startswith(str(places["near"]))
    far = copies(places)[1].home() / "shadow" / backup.folder.relative_to(places["repository"])
    write_drill(
        far, {"schema": 1, "backup_id": backup.folder.name, "verdict": "equal", "finished": "2026-11-21T00:00:00Z"}
    )
    assert read_from(places)[0].startswith(str(places["far"]))


def test_a_backup_that_was_cut_here_is_read_elsewhere(places: dict[str, Path]) -> None:
    backup = store(places["repository"], content=b"rows")
    sent(backup, places, "near")
    archive = backup.folder / backup.manifest["archives"][0]["name"]
    archive.write_bytes(archive.read_bytes()[:-1])
    where, _name, told = read_from(places)
    assert where.startswith(str(places["near"]))
    assert "the manifest says" in told[1]


def test_what_a_drill_has_found_damaged_is_read_only_where_there_is_nothing_else(places: dict[str, Path]) -> None:
    backup = store(places["repository"], content=b"rows")
    record = {"schema": 1, "backup_id": backup.folder.name, "verdict": "failed", "finished": "2026-11-21T00:00:00Z"}
    write_drill(backup.folder, {**record, "error_kind": "BackupDbError"})  # of no place, but of the backup itself
    assert read_from(places)[2] == []
    write_drill(backup.folder, {**record, "error_kind": "ArchiveDamaged", "finished": "2026-11-22T00:00:00Z"})
    where, _name, told = read_from(places)
    assert (where, len(told)) == (str(backup.folder), 1)
    assert "a drill has found it damaged there, and no copy has one" in told[0]
    old = store(places["near"], time=TIME - timedelta(days=1), content=b"old")
    where, name, told = read_from(places)
    assert (where.startswith(str(places["near"])), name) == (True, old.folder.name)
    assert f"a drill has found {backup.folder} damaged" in told[1]


def test_where_no_place_has_it_each_says_why(places: dict[str, Path]) -> None:
    with pytest.raises(BackupNotFound, match=r"no place has .*the repository: .*copy near: .*copy far: "):
        read_from(places)
    with pytest.raises(InvalidOption, match="the path of a backup says where it is"):
        read_from(places, BackupSelector(path="/srv/backup"))


def test_a_copy_may_not_have_the_name_that_stands_for_the_best_one() -> None:
    with pytest.raises(InvalidOption, match="best is no name of a copy"):
        copies_from([{"name": "best", "type": "local", "path": "/srv"}], "copies")
