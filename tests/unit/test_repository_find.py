# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backup is meant, and what is said when there is none or a newer one does not count."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.errors import BackupNotFound, InvalidOption, ManifestDamaged, RepositoryError
from backupdb.repository.find import BackupSelector, find
from backupdb.system.text import utc_now
from support.stored import TIME, store

HOUR = timedelta(hours=1)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    store(tmp_path, "shop", time=TIME, run_id="a" * 32)
    store(tmp_path, "shop", time=TIME + HOUR, run_id="b" * 32)
    store(tmp_path, None, time=TIME, run_id="a" * 32)
    store(tmp_path, "wiki", time=TIME, run_id="a" * 32)
    return tmp_path


def wanted(database: str | None = "shop", **values: Any) -> BackupSelector:
    return BackupSelector(instance="shop-db", database=database, **values)


def run_of(root: Path, which: BackupSelector) -> str:
    found = find(root, which)
    assert list(found.warnings) == []
    return str(found.backup.manifest["run_id"][0])


def test_the_newest_the_newest_of_a_moment_and_one_by_its_id_are_found(repository: Path) -> None:
    assert run_of(repository, wanted()) == "b"
    assert run_of(repository, wanted(at=TIME + HOUR)) == "b"
    assert run_of(repository, wanted(at=TIME + HOUR - timedelta(microseconds=1))) == "a"
    assert run_of(repository, wanted(backup_id="20261120T050607Z-aaaaaaaa")) == "a"
    assert find(repository, wanted(None)).backup.kind == "accounts"


@pytest.mark.parametrize("inside", ["", "manifest.json"])
def test_a_path_needs_no_repository(repository: Path, inside: str) -> None:
    folder = repository / "db1" / "shop-db" / "shop" / "20261120T050607Z-aaaaaaaa"
    copied = repository.parent / f"{repository.name}-copy"
    folder.rename(copied)
    found = find(None, BackupSelector(path=str(copied / inside)))
    assert (found.backup.database, found.backup.instance_folder) == ("shop", None)


def test_a_name_is_never_a_pattern(repository: Path) -> None:
    with pytest.raises(BackupNotFound):
        find(repository, wanted("sho?"))


def test_a_future_backup_never_counts_as_newest_and_this_is_said(repository: Path) -> None:
    ahead = store(repository, "shop", time=utc_now() + HOUR, run_id="f" * 32)
    for at in (None, utc_now() + 2 * HOUR):
        found = find(repository, wanted(at=at))
        assert found.backup.manifest["run_id"][0] == "b"
        assert [str(ahead.folder) in line and "future" in line for line in found.warnings] == [True]
    by_id = find(repository, wanted(backup_id=ahead.folder.name))
    assert "future" in by_id.warnings[0]


def test_a_newer_damaged_backup_is_passed_over_and_this_is_said(repository: Path) -> None:
    newer = store(repository, "shop", time=TIME + 2 * HOUR, run_id="c" * 32)
    older = store(repository, "shop", time=TIME - HOUR, run_id="e" * 32)
    for backup in (newer, older):
        (backup.folder / "manifest.json").write_text("{")
    found = find(repository, wanted())
    assert found.backup.manifest["run_id"][0] == "b"
    assert [str(newer.folder) in line for line in found.warnings] == [True]
    with pytest.raises(ManifestDamaged):
        find(repository, wanted(backup_id=newer.folder.name))


def test_a_backup_that_was_copied_into_a_wrong_place_is_not_taken_for_another(repository: Path) -> None:
    shop = repository / "db1" / "shop-db" / "shop"
    wiki = repository / "db1" / "shop-db" / "wiki" / "20261120T050607Z-aaaaaaaa"
    wiki.rename(shop / "20261120T080000Z-aaaaaaaa")
    found = find(repository, wanted())
    assert (found.backup.database, len(found.warnings)) == ("shop", 1)
    assert "another database" in found.warnings[0]


def test_a_partial_backup_is_named_with_what_it_lacks(repository: Path) -> None:
    store(repository, "shop", time=TIME + 2 * HOUR, run_id="c" * 32, status="partial", missing=["view broken"])
    (warning,) = find(repository, wanted()).warnings
    assert "partial" in warning
    assert "view broken" in warning


@pytest.mark.parametrize(
    ("which", "words"),
    [
        (BackupSelector(instance="shop-db", database="Shop"), ["'Shop'", "nearest is 'shop'", "'wiki'"]),
        (BackupSelector(instance="shopdb", database="shop"), ["instance shopdb", "nearest is 'shop-db'"]),
        (BackupSelector(host="db2", instance="shop-db", database="shop"), ["host db2", "nearest is 'db1'"]),
        (wanted(at=TIME - HOUR), ["at or before 2026-11-20T04:06:07Z", "it has 20261120T060607Z-bbbbbbbb"]),
        (wanted(backup_id="20261120T050607Z-cccccccc"), ["20261120T050607Z-cccccccc", "20261120T050607Z-aaaaaaaa"]),
        (wanted(backup_id="../wiki/20261120T050607Z-aaaaaaaa"), ["no backup '../wiki"]),
        (BackupSelector(path="/nonexistent/backup"), ["/nonexistent/backup", "manifest.json", "check the path"]),
    ],
)
def test_what_is_not_there_is_answered_with_what_is(repository: Path, which: BackupSelector, words: list[str]) -> None:
    with pytest.raises(BackupNotFound) as caught:
        find(repository, which)
    assert [word for word in words if word not in str(caught.value)] == [], caught.value


def test_an_instance_that_several_hosts_have_needs_its_host(repository: Path) -> None:
    store(repository, "shop", host="db2", run_id="d" * 32)
    with pytest.raises(InvalidOption, match="db1, db2"):
        find(repository, wanted())
    assert run_of(repository, wanted(host="db2")) == "d"


def test_an_empty_and_a_missing_repository_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(BackupNotFound, match="it is empty"):
        find(tmp_path, wanted())
    with pytest.raises(RepositoryError, match="mount"):
        find(tmp_path / "nowhere", wanted())


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"path": "/x", "instance": "i"},
        {"path": "/x", "backup_id": "y"},
        {"instance": "i", "at": TIME, "backup_id": "y"},
    ],
)
def test_a_question_that_contradicts_itself_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidOption):
        BackupSelector(**values)
