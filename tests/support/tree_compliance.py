# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every store of files and folders keeps to, beside what all stores do."""

from __future__ import annotations

import os
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.errors import StoreError
from backupdb.repository.stores.interface import Store, StoredObject
from backupdb.repository.stores.patience import Patience
from backupdb.system.text import utc_now

from support.store_compliance import (
    PLACE,
    Counted,
    FarSide,
    StoreCompliance,
    backup_of,
    found,
    listed,
    read_all,
    send,
    upload_of,
)

ARRIVING = "db1/shop-pg/orders/.partial-copy-20261124T021500Z-3f0c9a52"


class FarFolder(FarSide):
    """The other side is a folder, `root`, of the user `owner`."""

    root: Path
    owner: int

    def content(self, name: str) -> bytes | None:
        path = self.root / name
        return path.read_bytes() if path.is_file() else None

    def plant(self, name: str, content: bytes) -> None:
        path = self.root / name
        self.make(path.parent)
        path.write_bytes(content)
        os.chown(path, self.owner, self.owner)

    def make(self, folder: Path) -> None:
        """Make a folder and those above it."""
        for each in [*reversed(folder.relative_to(self.root).parents), folder.relative_to(self.root)]:
            path = self.root / each
            path.mkdir(mode=0o700, exist_ok=True)
            os.chown(path, self.owner, self.owner)

    def state(self) -> object:
        return {str(path.relative_to(self.root)): _facts(path) for path in sorted(self.root.rglob("*"))}


def _facts(path: Path) -> tuple[Any, ...]:
    status = path.lstat()
    content = path.read_bytes() if stat.S_ISREG(status.st_mode) else None
    return status.st_mode, status.st_uid, status.st_mtime_ns, content


class TreeCompliance(StoreCompliance):
    """The tests; their `far` is a `FarFolder`."""

    def test_an_arrival_waits_hidden_and_private_beside_its_place(self, far: FarFolder, scratch: Path) -> None:
        store = far.open(Patience(5))
        uploads = backup_of(scratch)
        arrival = store.arrival(PLACE, Counted())
        for upload in uploads:
            arrival.put(upload)
        assert listed(store) == []
        assert not (far.root / PLACE).exists()
        arriving = far.root / ARRIVING
        assert {stat.S_IMODE(path.lstat().st_mode) for path in arriving.iterdir()} == {0o600}
        assert {stat.S_IMODE(path.lstat().st_mode) for path in [arriving, *list(arriving.parents)[:3]]} == {0o700}
        arrival.finish()
        assert not arriving.exists()
        assert sorted(path.name for path in (far.root / PLACE).iterdir()) == sorted(
            upload.path and upload.name.rpartition("/")[2] for upload in uploads
        )

    def test_all_files_of_a_backup_have_the_time_of_its_manifest(self, far: FarFolder, scratch: Path) -> None:
        store = far.open(Patience(5))
        uploads = backup_of(scratch)
        send(store, uploads)
        for number, upload in enumerate(uploads):
            os.utime(far.root / upload.name, (1_000_000_000 + number,) * 2)
        assert {each.time and each.time.timestamp() for each in store.entries()} == {1_000_000_004.0}
        assert found(store, uploads[0].name).time == found(store, uploads[-1].name).time
        (far.root / uploads[-1].name).unlink()
        assert [each.time and each.time.timestamp() for each in store.entries(PLACE, f"{PLACE}/part-1")] == [
            1_000_000_001
        ]

    def test_hidden_things_links_and_odd_files_are_neither_listed_nor_read(self, far: FarFolder, scratch: Path) -> None:
        far.plant(f"{PLACE}/manifest.json", b"{}")
        far.plant("db1/shop-pg/.lock", b"")
        far.plant("db1/shop-pg/orders/.drills/20261124T021500Z-3f0c9a52.drill-1.json", b"")
        far.plant(f"{ARRIVING}x/manifest.json", b"{}")
        outside = scratch / "outside"
        outside.mkdir()
        (outside / "secret").write_bytes(b"secret")
        place = far.root / PLACE
        (place / "link").symlink_to("manifest.json")
        (far.root / "db2").symlink_to(outside)
        (far.root / "db1" / "other").symlink_to("shop-pg")
        os.mkfifo(place / "pipe")
        (place / os.fsdecode(b"not-utf8-\xff")).touch()
        (place / "two\nlines").touch()
        store = far.open(Patience(5))
        assert listed(store) == [f"{PLACE}/manifest.json"]
        assert listed(store, "db2") == []
        for name in (f"{PLACE}/link", f"{PLACE}/pipe"):
            assert store.facts(name) is None
            with pytest.raises(StoreError):
                read_all(store, StoredObject(name, 2))

    def test_a_top_that_is_missing_is_an_error_and_is_not_made(self, far: FarFolder, scratch: Path) -> None:
        far.root.rmdir()
        store = far.open(Patience(5))
        for attempt in (
            lambda: listed(store),
            lambda: listed(store, "db1"),
            store.rights,
            lambda: _send(store, scratch),
        ):
            with pytest.raises(StoreError, match=r"is not there; .*make it"):
                attempt()
        assert not far.root.exists()

    def test_a_backup_that_somebody_else_finished_meanwhile_is_there(self, far: FarFolder, scratch: Path) -> None:
        """As when the answer to the last request was lost, or two runs were at it."""
        uploads = backup_of(scratch)
        arrivals = [far.open(Patience(5)).arrival(PLACE, Counted()) for _run in range(2)]
        for upload in uploads:
            for arrival in arrivals:
                arrival.put(upload)
        for arrival in arrivals:
            arrival.finish()
        assert listed(far.open(Patience(5))) == sorted(upload.name for upload in uploads)

    def test_an_arrival_that_somebody_removed_is_an_error(self, far: FarFolder, scratch: Path) -> None:
        uploads = backup_of(scratch)
        arrival = far.open(Patience(5)).arrival(PLACE, Counted())
        for upload in uploads:
            arrival.put(upload)
        (far.root / ARRIVING).rename(far.root / "elsewhere")
        with pytest.raises(StoreError, match="removed by somebody"):
            arrival.finish()
        assert not (far.root / PLACE).exists()

    def test_a_folder_that_is_in_the_way_is_not_replaced_and_stays(self, far: FarFolder, scratch: Path) -> None:
        uploads = backup_of(scratch)
        arrival = far.open(Patience(5)).arrival(PLACE, Counted())
        for upload in uploads:
            arrival.put(upload)
        far.make(far.root / PLACE)
        with pytest.raises(StoreError, match="there already"):
            arrival.finish()
        assert list((far.root / PLACE).iterdir()) == []

    @pytest.mark.parametrize("position", [PLACE, "db1/shop-pg", f"{ARRIVING}/manifest.json"])
    def test_what_has_a_name_that_is_needed_is_left_alone(self, far: FarFolder, scratch: Path, position: str) -> None:
        far.make((far.root / position).parent)
        (far.root / position).symlink_to(scratch)
        before = sorted(scratch.iterdir())
        upload = upload_of(scratch, f"{PLACE}/manifest.json", b"{}")
        with pytest.raises(StoreError):
            far.open(Patience(5)).arrival(PLACE, Counted()).put(upload)
        assert sorted(scratch.iterdir()) == sorted([*before, upload.path])

    def test_a_record_comes_into_a_backup_that_exists(self, far: FarFolder, scratch: Path) -> None:
        store = far.open(Patience(5))
        send(store, backup_of(scratch))
        record = upload_of(scratch, f"{PLACE}/drill-20261125T000000Z.json", b'{"passed": true}')
        assert send(store, [record]).sent == record.size
        assert send(store, [record]).sent == 0
        assert far.content(record.name) == b'{"passed": true}'
        assert not [path for path in (far.root / PLACE).iterdir() if path.name.startswith(".")]

    def test_what_broken_off_arrivals_have_left_is_removed_when_nobody_goes_on_with_it(
        self, far: FarFolder, scratch: Path
    ) -> None:
        store = far.open(Patience(5))
        uploads = backup_of(scratch)
        send(store, uploads)
        old, young = utc_now() - timedelta(days=9), utc_now() - timedelta(hours=1)
        other, foreign = ARRIVING.replace("24T", "23T"), ARRIVING.replace("shop-pg", "other")
        left = {
            ARRIVING: old,
            other: old,
            ARRIVING.replace("24T", "22T"): young,  # a run may be at it
            foreign: old,
            "db1/shop-pg/orders/.partial-20261101T000000Z-aaaaaaaa": old,  # no arrival
            f"db1/shop-pg/orders/{ARRIVING.rpartition('/')[2]}-x": old,
        }
        for folder, moment in left.items():
            far.plant(f"{folder}/data", b"x" * 1000)
            for path in (far.root / folder / "data", far.root / folder):
                os.utime(path, (moment.timestamp(),) * 2)
        (far.root / "db1" / "shop-pg" / "link").symlink_to("../other/orders")
        before = utc_now() - timedelta(days=2)
        going_on = {other.replace(".partial-copy-", "")}
        assert list(store.clear_arrivals("db1/shop-pg", going_on, before)) == [store.where(ARRIVING)]
        assert {folder for folder in left if (far.root / folder / "data").exists()} == left.keys() - {ARRIVING}
        assert not (far.root / ARRIVING).exists()
        assert list(store.clear_arrivals("db1/nothing", (), before)) == []
        assert set(store.clear_arrivals("db1/shop-pg", (), before)) == {store.where(other)}
        assert far.content(uploads[-1].name) is not None

    def test_an_arrival_that_is_longer_than_its_file_is_begun_anew(self, far: FarFolder, scratch: Path) -> None:
        uploads = backup_of(scratch)
        far.plant(f"{ARRIVING}/{uploads[0].name.rpartition('/')[2]}", b"x" * 200_000)
        send(far.open(Patience(5)), uploads)
        assert far.content(uploads[0].name) == uploads[0].path.read_bytes()


def _send(store: Store, scratch: Path) -> None:
    send(store, backup_of(scratch))
