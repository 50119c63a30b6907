# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removing backups from a real copy in a folder: only what its policy lets go, whatever somebody adds or spoils."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.errors import InvalidOption, StoreRefused, StoreUnavailable
from backupdb.repository.catalogue import StoredBackup
from backupdb.repository.drill_records import note_own, write_drill
from backupdb.repository.pins import write_pin
from backupdb.repository.shadow import Shadow
from backupdb.repository.stores.interface import StoredObject
from backupdb.repository.stores.local import LocalStore
from backupdb.repository.stores.patience import Patience
from backupdb.repository.stores.settings import CopySettings, copy_from
from backupdb.retention import prune_copy
from backupdb.retention.policy import RetentionPolicy
from backupdb.retention.prune_copy import PruneCopyRequest
from backupdb.system.text import iso, utc_now
from support.stored import DUMP, rewrite_manifest, store
from support.tree import folder_state

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
TODAY = utc_now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
TWO = RetentionPolicy(keep_daily=2)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """An empty copy."""
    folder = tmp_path / "copy"
    folder.mkdir(mode=0o700)
    return folder


def settings(top: Path, prune: str = "here") -> CopySettings:
    return copy_from({"name": "offsite", "type": "local", "path": str(top), "prune": prune}, "test")


def opened(top: Path) -> LocalStore:
    return LocalStore(settings(top), Patience(0.0))


def arrived(folder: Path, moment: datetime) -> None:
    """Let the files of a backup have come at a moment."""
    for path in folder.iterdir():
        os.utime(path, (moment.timestamp(), moment.timestamp()))


def nightly(top: Path, count: int, database: str | None = "shop", **facts: Any) -> list[StoredBackup]:
    """Backups of the last nights in a copy, the newest first, each of which came an hour later."""
    found = []
    for number in range(count):
        time = TODAY - number * DAY
        backup = store(top, database, time=time, run_id=f"{number:08x}" + "0" * 24, **{"content": DUMP, **facts})
        arrived(backup.folder, time + HOUR)
        found.append(backup)
    return found


def pruned(
    top: Path,
    policy: RetentionPolicy = TWO,
    *,
    check_mode: bool = False,
    prune: str = "here",
    copy: LocalStore | None = None,
    **fields: Any,
) -> dict[str, Any]:
    request = PruneCopyRequest(settings(top, prune), policy, **fields)
    return prune_copy.run(copy or opened(top), request, check_mode=check_mode)


def reasons(result: dict[str, Any], database: str | None = "shop") -> dict[str, str]:
    entry = next(entry for entry in result["databases"] if entry["database"] == database)
    return {one["backup_id"]: f"{one['action']}: {one['reason']}" for one in entry["decisions"]}


def names(top: Path, database: str = "shop") -> list[str]:
    folder = top / "db1" / "shop-db" / database
    return sorted((path.name for path in folder.iterdir()), reverse=True)


def test_what_the_policy_lets_go_is_removed_oldest_first_and_nothing_else(top: Path) -> None:
    shop, accounts = nightly(top, 5), nightly(top, 3, None)
    removed: list[str] = []

    class Watched(LocalStore):
        def remove(self, place: str, objects: Any) -> None:
            removed.append(place.rpartition("/")[2])
            super().remove(place, objects)

    result = pruned(top, copy=Watched(settings(top), Patience(0.0)))
    assert (result["status"], result["changed"], result["removed"], result["kept"]) == ("ok", True, 4, 4)
    assert result["freed_bytes"] == 4 * shop[0].manifest["stored_bytes"] > 0
    assert names(top) == [one.folder.name for one in shop[:2]]
    assert removed[-3:] == [one.folder.name for one in reversed(shop[2:])]
    assert reasons(result)[shop[1].folder.name] == f"keep: keep_daily {TODAY - DAY:%Y-%m-%d}"
    assert accounts[0].folder.is_dir()
    entry = result["databases"][1]["decisions"][0]
    assert (entry["path"], entry["status"]) == (str(shop[0].folder), "complete")
    assert result["message"].startswith("copy offsite: 4 of 8 backups removed")
    again = pruned(top)
    assert (again["status"], again["changed"], again["removed"]) == ("ok", False, 0)


def test_a_plan_removes_nothing_and_a_host_that_does_not_remove_says_who_does(top: Path) -> None:
    nightly(top, 4)
    before = folder_state(top)
    plan = pruned(top, check_mode=True)
    assert (plan["status"], plan["changed"], plan["removed"]) == ("planned", True, 2)
    assert "remove  no rule keeps it" in plan["lines"][-1]
    for prune, who in (("elsewhere", "whoever has the right"), ("store", "rules of its own")):
        result = pruned(top, prune=prune)
        assert (result["status"], result["changed"], result["removed"]) == ("ok", False, 2)
        assert who in result["message"] and who in result["removes"]
        assert pruned(top, prune=prune, check_mode=True)["status"] == "planned"
    assert folder_state(top) == before


def test_only_what_was_asked_for_is_pruned(top: Path) -> None:
    nightly(top, 4)
    nightly(top, 4, "Wiki")
    nightly(top, 4, host="db2")
    assert pruned(top, host="db1", instance="shop-db", databases=("Wi*",))["removed"] == 2
    assert pruned(top, host="db2")["removed"] == 2
    assert len(names(top)) == 4
    with pytest.raises(InvalidOption, match="say which host"):
        pruned(top, instance="shop-db")


def test_a_backup_that_somebody_put_there_with_another_date_removes_and_displaces_nothing(top: Path) -> None:
    shop = nightly(top, 5)
    wanted = reasons(pruned(top, check_mode=True))
    forged = []
    for number in range(6):
        time = TODAY - number * DAY - timedelta(minutes=1)
        forged.append(store(top, time=time, run_id=f"{number + 0xF000:08x}" + "f" * 24).folder)
    forged.append(store(top, time=TODAY + 90 * DAY, run_id="e" * 32).folder)
    result = pruned(top)
    found = reasons(result)
    assert {one: found[one] for one in wanted} == wanted
    assert (result["status"], result["removed"]) == ("ok", 3)
    assert all(folder.is_dir() for folder in forged) and shop[1].folder.is_dir()
    assert {entry["path"] for entry in result["uncounted"]} == set(map(str, forged))
    assert any("7 backups do not count, as they may be forged" in line for line in result["warnings"])


def test_a_manifest_that_is_none_or_another_s_does_not_count_and_blocks_nothing(top: Path) -> None:
    shop = nightly(top, 5)
    garbage = store(top, time=TODAY + HOUR, run_id="a" * 32).folder
    (garbage / "manifest.json").write_text("{")
    moved = store(top, time=TODAY + 2 * HOUR, run_id="b" * 32).folder
    rewrite_manifest(moved, database="wiki")
    result = pruned(top)
    assert (result["status"], result["removed"]) == ("ok", 3)
    assert garbage.is_dir() and moved.is_dir()
    assert reasons(result)[moved.name].startswith("keep: it is not called by what its manifest says")
    assert any(str(garbage) in line and "does not count" in line for line in result["warnings"])
    assert shop[0].folder.is_dir()


def test_a_manifest_that_cannot_be_fetched_now_leaves_its_database_alone(top: Path) -> None:
    shop = nightly(top, 5)
    nightly(top, 5, "wiki")

    class Busy(LocalStore):
        def open(self, wanted: StoredObject, offset: int = 0) -> Any:
            if shop[4].folder.name in wanted.name and "/shop/" in wanted.name:
                raise StoreUnavailable(f"{self.where(wanted.name)}: try again")
            return super().open(wanted, offset)

    result = pruned(top, copy=Busy(settings(top), Patience(0.0)))
    assert (result["status"], result["removed"]) == ("partial", 3)
    assert len(names(top)) == 5 and len(names(top, "wiki")) == 2
    assert "not everything here can be read" in result["problems"][0]


def test_a_list_that_is_not_whole_removes_nothing(top: Path) -> None:
    nightly(top, 5)
    before = folder_state(top)

    class Broken(LocalStore):
        def entries(self, under: str = "", after: str = "") -> Iterator[StoredObject]:
            for number, one in enumerate(super().entries(under, after)):
                if number == 7:
                    raise StoreUnavailable("page 2 was refused")
                yield one

    result = pruned(top, copy=Broken(settings(top), Patience(0.0)))
    assert (result["status"], result["changed"], result["removed"]) == ("failed", False, 0)
    assert "the list of copy offsite is not whole, so nothing is removed: page 2" in result["problems"][0]
    assert folder_state(top) == before
    shutil.rmtree(top)
    assert pruned(top)["status"] == "failed"


class Locking(LocalStore):
    """A folder that keeps files for nine days from their arrival, as object lock does."""

    def locked_until(self, wanted: StoredObject) -> datetime | None:
        return None if wanted.time is None else wanted.time + 9 * DAY

    def remove(self, place: str, objects: Any) -> None:
        if any((self.locked_until(one) or TODAY) > utc_now() for one in objects):
            raise StoreRefused(f"{self.where(place)} is locked")
        super().remove(place, objects)


def test_what_the_store_locks_stays_until_then_and_is_no_error(top: Path) -> None:
    shop, now = nightly(top, 12), utc_now()
    for number, backup in enumerate(shop):
        arrived(backup.folder, now - number * DAY - HOUR)
    result = pruned(top, copy=Locking(settings(top), Patience(0.0)), drill_every=30 * 86400.0)
    assert (result["status"], result["removed"]) == ("ok", 3)
    until = iso(now - 5 * DAY - HOUR + 9 * DAY)
    assert reasons(result)[shop[5].folder.name] == f"keep: locked until {until} by the store"
    assert any("the lock outlives the retention" in line for line in result["warnings"])
    assert any("locks a backup for 9 d 0 h, and drills come every 30 d" in line for line in result["warnings"])


def test_a_key_that_may_not_see_locks_leaves_that_to_the_store(top: Path) -> None:
    nightly(top, 5)

    class Blind(LocalStore):
        def locked_until(self, wanted: StoredObject) -> datetime | None:
            raise StoreRefused(f"{self.where(wanted.name)}: no right to see its lock")

    result = pruned(top, copy=Blind(settings(top), Patience(0.0)), prune="elsewhere")
    assert (result["status"], result["removed"]) == ("ok", 3)
    (warning,) = result["warnings"]
    assert "may not see what the store locks" in warning


def test_a_backup_that_cannot_be_removed_is_told_and_stops_no_other(top: Path) -> None:
    shop = nightly(top, 5)

    class Refusing(LocalStore):
        def remove(self, place: str, objects: Any) -> None:
            if shop[3].folder.name in place:
                raise StoreRefused(f"{self.where(place)}: no right to delete")
            super().remove(place, objects)

    result = pruned(top, copy=Refusing(settings(top), Patience(0.0)))
    assert (result["status"], result["removed"], result["kept"]) == ("failed", 2, 3)
    assert "no right to delete" in result["problems"][0]


def test_what_was_written_over_or_removed_is_told(top: Path) -> None:
    shop = nightly(top, 3)

    class Versioned(LocalStore):
        def entries(self, under: str = "", after: str = "") -> Iterator[StoredObject]:
            for one in super().entries(under, after):
                spoiled = shop[1].folder.name in one.name and one.name.endswith("manifest.json")
                yield StoredObject(one.name, one.size, one.time, "1", int(spoiled), not spoiled)

    result = pruned(top, copy=Versioned(settings(top), Patience(0.0)))
    assert result["tampered"] == [str(shop[1].folder)]
    assert any("1 files of" in line and "first versions count" in line for line in result["warnings"])
    assert reasons(result)[shop[1].folder.name].startswith("keep: keep_daily")


def test_archives_without_a_manifest_go_when_other_files_came_a_week_later(top: Path, tmp_path: Path) -> None:
    shop = nightly(top, 2)
    broken = []
    for number, days in enumerate((9, 5, 8)):
        folder = store(top, time=TODAY - 20 * DAY, run_id=f"{number}" * 32, content=DUMP).folder
        (folder / "manifest.json").unlink()
        arrived(folder, TODAY - days * DAY)
        broken.append(folder)
    plan = pruned(top, check_mode=True)
    assert (plan["changed"], plan["orphans"]) == (True, [str(broken[0]), str(broken[2])])
    assert "2 broken off copies" in plan["message"]
    known = tmp_path / "shadow" / broken[0].relative_to(top)
    shutil.copytree(shop[0].folder, known)
    result = pruned(top, known=Shadow(tmp_path))
    assert result["orphans"] == [str(broken[2])] and not broken[2].exists()
    assert broken[0].is_dir() and any("was removed from the store" in line for line in result["warnings"])
    result = pruned(top)
    assert not broken[0].exists() and broken[1].is_dir()
    assert (result["status"], result["changed"], result["removed"]) == ("ok", True, 0)
    assert "left by a copy that was broken off" in result["lines"][-1]


def test_pins_and_drills_count_wherever_they_are_known(top: Path, tmp_path: Path) -> None:
    shop = nightly(top, 9)
    shadow, repository = tmp_path / "shadow", tmp_path / "repository"
    for backup in shop[:8]:
        shutil.copytree(backup.folder, shadow / backup.folder.relative_to(top))
    shutil.copytree(shop[7].folder, repository / shop[7].folder.relative_to(top))
    write_pin(repository / shop[7].folder.relative_to(top), "the audit", TODAY)
    for backup, place, days in ((shop[5], shadow, 1), (shop[3], top, 2)):
        record = {"schema": 1, "backup_id": backup.folder.name, "verdict": "equal", "finished": iso(TODAY - days * DAY)}
        write_drill(place / backup.folder.relative_to(top), record)
    arrived(shop[3].folder, shop[3].time + HOUR)
    result = pruned(top, known=Shadow(tmp_path), repositories=(str(repository),))
    found = reasons(result)
    assert found[shop[7].folder.name] == "keep: pinned: the audit"
    assert found[shop[3].folder.name] == "keep: newest proven"
    assert found[shop[5].folder.name] == "keep: newest proven by a drill of this host"
    assert (result["status"], result["removed"]) == ("ok", 4)


def test_a_record_that_this_host_put_into_the_copy_is_still_its_own(top: Path, tmp_path: Path) -> None:
    shop, shadow = nightly(top, 6), tmp_path / "shadow"
    for backup, days in ((shop[5], 2), (shop[3], 1)):
        record = {"schema": 1, "backup_id": backup.folder.name, "verdict": "equal", "finished": iso(TODAY - days * DAY)}
        shutil.copytree(backup.folder, shadow / backup.folder.relative_to(top))
        for place in (top, shadow):  # it is in the store, and in what is known of that here
            path = write_drill(place / backup.folder.relative_to(top), record)
        if backup is shop[5]:
            note_own(path)
        arrived(backup.folder, backup.time + HOUR)
    found = reasons(pruned(top, known=Shadow(tmp_path), check_mode=True))
    assert found[shop[3].folder.name] == "keep: newest proven"
    assert found[shop[5].folder.name] == "keep: newest proven by a drill of this host"
    notes = shadow / shop[5].folder.relative_to(top).parent / ".drills"
    assert len(list(notes.iterdir())) == 1
    Shadow(tmp_path).forget({shop[5].folder.relative_to(top).as_posix()})
    assert not notes.exists()


def test_a_record_that_was_broken_off_on_its_way_into_a_backup_goes_with_it(top: Path) -> None:
    shop = nightly(top, 3)
    (shop[2].folder / ".partial-copy-drill-20261125T000000Z.json").write_bytes(b"{")
    arrived(shop[2].folder, shop[2].time + HOUR)
    result = pruned(top)
    assert (result["status"], result["removed"], names(top)) == ("ok", 1, [one.folder.name for one in shop[:2]])


def test_what_is_removed_is_known_here_no_more(top: Path, tmp_path: Path) -> None:
    shop = nightly(top, 4)
    known = Shadow(tmp_path / "home")
    known.refresh(opened(top), Patience(0.0), whole=True)
    assert len(known.arrivals.of) == 4
    assert pruned(top, known=known)["removed"] == 2
    assert (
        set(known.arrivals.of)
        == set(Shadow(tmp_path / "home").arrivals.of)
        == {"/".join(one.folder.parts[-4:]) for one in shop[:2]}
    )
    assert not (known.root / shop[3].folder.relative_to(top)).exists()


def test_a_folder_below_a_backup_does_not_tear_it_apart(top: Path) -> None:
    shop = nightly(top, 2)
    (shop[1].folder / "e").mkdir()
    (shop[1].folder / "e" / "x").write_text("mine")
    arrived(shop[1].folder, TODAY - 30 * DAY)
    result = pruned(top)
    assert (result["removed"], result["orphans"]) == (0, [])
    assert any("do not belong in a copy" in line and "e/x" in line for line in result["warnings"])
    assert (shop[1].folder / "data.sql.zst").exists()


def test_a_policy_that_only_counts_is_told_of(top: Path) -> None:
    nightly(top, 2)
    assert any(
        "counts backups, however quickly" in line for line in pruned(top, RetentionPolicy(keep_last=2))["warnings"]
    )
    assert pruned(top, RetentionPolicy(keep_last=2, keep_daily=9))["warnings"] == []
