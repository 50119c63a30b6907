# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From where each database of a host comes back, when its backups rest in a repository and in several copies."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.connection.instance import Instance
from backupdb.errors import BackupNotFound, InvalidOption, StoreUnavailable
from backupdb.rebuild.choose import Chooser
from backupdb.rebuild.coverage import InstanceCoverage, look
from backupdb.rebuild.request import RebuildRequest
from backupdb.repository.best_place import open_places
from backupdb.repository.catalogue import StoredBackup
from backupdb.repository.copy_source import CopySource
from backupdb.repository.drill_records import write_drill
from backupdb.repository.problems import Problems
from backupdb.repository.stores.local import LocalStore
from backupdb.repository.stores.settings import copies_from
from support.stored import DUMP, TIME, store

DAY = timedelta(days=1)
NAMES = ("repository", "near", "far")


@dataclass
class Places:
    """A repository and the folders of two copies, all of one host."""

    root: Path
    stack: ExitStack
    problems: Problems = field(default_factory=Problems)

    def of(self, name: str) -> Path:
        return self.root / name

    def add(self, *names: str, days: int = 0, database: str = "shop", **facts: Any) -> StoredBackup:
        """A backup in these places, the first of which is given back."""
        found = [
            store(self.of(name), database, time=TIME - days * DAY, run_id=f"{days:08x}" + "0" * 24, **facts)
            for name in names
        ]
        return found[0]

    def copies(self) -> tuple[CopySource, ...]:
        entries = [{"name": name, "type": "local", "path": str(self.of(name))} for name in NAMES[1:]]
        return tuple(CopySource(one, str(self.of("state"))) for one in copies_from(entries, "copies"))

    def request(self) -> RebuildRequest:
        server = Instance(id="shop-db", engine="mariadb", host="127.0.0.1")
        return RebuildRequest(
            host="db1", servers={"shop-db": server}, repository=str(self.of("repository")), copies=self.copies()
        )

    def chooser(self) -> Chooser:
        request = self.request()
        opened = open_places(request.repository, request.copies, host=request.host)
        places, left_out = self.stack.enter_context(opened)
        self.problems.lines += left_out
        return Chooser(places, (), None, None, self.problems)

    def look(self) -> InstanceCoverage:
        (found,) = look(self.request(), self.chooser())
        return found

    def where(self, backup: StoredBackup | None) -> tuple[str, str] | None:
        """The place of a backup, and its id."""
        if backup is None:
            return None
        return Path(backup.where).relative_to(self.root).parts[0], backup.folder.name

    def chosen(self) -> dict[str, tuple[str, str] | None]:
        return {one.name: self.where(one.chosen.backup) for one in self.look().databases}


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    for name in NAMES:
        (tmp_path / name).mkdir(mode=0o700)
    with ExitStack() as stack:
        yield Places(tmp_path, stack)


def test_each_database_comes_from_its_newest_backup_and_from_the_nearest_place(places: Places) -> None:
    new = places.add("repository", "near", "far", content=DUMP)
    places.add("repository", days=3, database="wiki", content=DUMP)
    wiki = places.add("far", days=1, database="wiki", content=DUMP)
    only = places.add("near", database="only there", content=DUMP)
    assert places.chosen() == {
        "shop": ("repository", new.folder.name),
        "wiki": ("far", wiki.folder.name),
        "only there": ("near", only.folder.name),
    }
    assert places.problems.lines == []


def test_without_a_repository_a_proven_copy_is_read_before_others(places: Places) -> None:
    backup = places.add("near", "far", content=DUMP)
    shutil.rmtree(places.of("repository"))
    assert places.chosen() == {"shop": ("near", backup.folder.name)}
    assert places.problems.lines == [f"nothing is read from repository {places.of('repository')}: it is not there"]
    record = {"schema": 1, "backup_id": backup.folder.name, "verdict": "equal", "finished": "2026-11-25T00:00:00Z"}
    write_drill(places.of("far") / "db1/shop-db/shop" / backup.folder.name, record)
    assert places.chosen() == {"shop": ("far", backup.folder.name)}
    damaged = {**record, "verdict": "failed", "error_kind": "ArchiveDamaged", "finished": "2026-11-26T00:00:00Z"}
    write_drill(places.of("far") / "db1/shop-db/shop" / backup.folder.name, damaged)
    assert places.chosen() == {"shop": ("near", backup.folder.name)}


def test_what_is_damaged_in_one_place_comes_from_another_one_and_nothing_is_lost(places: Places) -> None:
    backup = places.add("repository", "far", content=DUMP)
    places.add("repository", "near", days=1, content=DUMP)
    (backup.folder / backup.manifest["archives"][0]["name"]).unlink()
    (database,) = places.look().databases
    assert places.where(database.chosen.backup) == ("far", backup.folder.name)
    assert database.chosen.passed_over == []
    (line,) = places.problems.lines
    assert "is missing" in line and f"{places.of('far')}/db1/shop-db/shop/{backup.folder.name} is read instead" in line


def test_after_a_backup_that_is_of_no_use_come_the_same_one_elsewhere_and_then_older_ones(places: Places) -> None:
    new = places.add("near", "far", content=DUMP)
    old = places.add("repository", "far", days=1, content=DUMP)
    chooser, found = places.chooser(), []
    folder = places.of("repository") / "db1/shop-db/shop"
    chosen = chooser.newest(folder)
    while chosen.backup is not None:
        found.append(places.where(chosen.backup))
        chosen = chooser.newest(folder, before=chosen.backup)
    ids = (new.folder.name, old.folder.name)
    assert found == [("near", ids[0]), ("far", ids[0]), ("repository", ids[1]), ("far", ids[1])]


def test_a_store_that_goes_away_is_asked_once_and_what_only_it_has_is_named(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        places.add("far", database=name, content=DUMP)
        places.add("near", days=1, database=name, content=DUMP)
    asked = []
    facts = LocalStore.facts

    def away(store: LocalStore, name: str) -> Any:
        if store.where().startswith(str(places.of("far"))):
            asked.append(name)
            raise StoreUnavailable("the link is down")
        return facts(store, name)

    monkeypatch.setattr(LocalStore, "facts", away)
    for database in places.look().databases:
        assert (places.where(database.chosen.backup) or ("",))[0] == "near"
        assert "cannot be read now" in database.chosen.passed_over[0]
    assert len(asked) == 1
    assert places.problems.lines == [f"nothing is read from {places.of('far')} any more: the link is down"]


def test_a_copy_that_cannot_be_opened_is_named_and_without_any_place_there_is_no_rebuild(places: Places) -> None:
    places.add("far", content=DUMP)
    shutil.rmtree(places.of("near"))
    assert places.look().databases[0].chosen.backup is not None
    assert "nothing is read from copy near: " in places.problems.lines[0]
    for name in ("repository", "far"):
        shutil.rmtree(places.of(name))
    with pytest.raises(BackupNotFound, match=r"no place that can be read: .*repository .*copy near: .*copy far: "):
        places.look()


def test_one_copy_and_several_exclude_each_other(places: Places) -> None:
    copies = places.copies()
    with pytest.raises(InvalidOption, match="copy and copies both say"):
        RebuildRequest(host="db1", servers=places.request().servers, copy=copies[0], copies=copies)
