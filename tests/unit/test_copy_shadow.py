# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shadow of a copy takes from a store what a backup of ours is made of and no more, whatever the store says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from backupdb.errors import StoreError, StoreRefused, StoreUnavailable
from backupdb.repository import shadow as shadow_module
from backupdb.repository.shadow import Shadow
from backupdb.repository.stores.interface import Arrival, Meter, Reader, Right, Store, StoredObject
from backupdb.repository.stores.patience import Patience

PLACE = "db1/shop-pg/orders/20261124T021500Z-3f0c9a52"
TIME = datetime(2026, 11, 24, 2, 30, tzinfo=timezone.utc)


class Shelf(Store):
    """A store in memory: names with their content, and what it says of each."""

    TYPE = "shelf"
    MEDIA = "memory"

    def __init__(self, *names: str) -> None:
        self.content = {name: f"content of {name}".encode() for name in names}
        self.said: dict[str, StoredObject] = {}
        self.read: list[str] = []
        self.fails_after: int | None = None

    def where(self, name: str = "") -> str:
        return f"shelf:{name}"

    def entries(self, under: str = "", after: str = "") -> Iterator[StoredObject]:
        for number, (name, content) in enumerate(sorted(self.content.items())):
            if number == self.fails_after:
                raise StoreError("the list broke off")
            if name > after and name.startswith(f"{under}/" if under else ""):
                yield self.said.get(name, StoredObject(name, len(content), TIME))

    def facts(self, name: str) -> StoredObject | None:
        return self.said.get(name)

    def open(self, wanted: StoredObject, offset: int = 0) -> Reader:
        self.read.append(wanted.name)
        return _Bytes(self.content[wanted.name][offset:])

    def arrival(self, place: str, meter: Meter) -> Arrival:
        raise StoreRefused("it is only read")

    def remove(self, place: str, objects: Sequence[StoredObject]) -> None:
        raise StoreRefused("it is only read")

    def rights(self) -> list[Right]:
        return []


class _Bytes:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, size: int) -> bytes:
        block, self._content = self._content[:size], self._content[size:]
        return block

    def close(self) -> None:
        pass


def refreshed(home: Path, store: Store, **options: Any) -> tuple[Shadow, Sequence[str]]:
    shadow = Shadow(home)
    return shadow, shadow.refresh(store, Patience(1), **options)


def files(home: Path) -> list[str]:
    root = home / "shadow"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


def whole(place: str = PLACE) -> list[str]:
    return [f"{place}/{name}" for name in ("data.sql.zst.age", "manifest.json", "manifest.json.sha256")]


def test_small_files_are_fetched_once_and_archives_never(tmp_path: Path) -> None:
    store = Shelf(*whole())
    shadow, problems = refreshed(tmp_path / "c", store)
    assert problems == []
    assert files(tmp_path / "c") == whole()[1:]
    assert set(shadow.arrivals.of) == {PLACE}
    assert shadow.arrivals.of[PLACE].stored_bytes == sum(len(content) for content in store.content.values())
    store.read.clear()
    assert refreshed(tmp_path / "c", store)[1] == []
    assert store.read == []


@pytest.mark.parametrize(
    "name",
    [
        "../../../../etc/cron.d/manifest.json",
        "/etc/cron.d/x/y/manifest.json",
        "db1/../shop/20261124T021500Z-3f0c9a52/manifest.json",
        "../db1/shop/20261124T021500Z-3f0c9a52/manifest.json",
        f"{PLACE}/../manifest.json",
        f"{PLACE}/.hidden",
        f"{PLACE}/./manifest.json",
        f".hidden/shop-pg/orders/{PLACE[-25:]}/manifest.json",
        f"db1//orders/{PLACE[-25:]}/manifest.json",
        f"db1/shop-pg/-orders/{PLACE[-25:]}/manifest.json",
        f"db1/shop-pg/orders/x/{PLACE[-25:]}/manifest.json",
        f"db1/shop-pg/orders/{PLACE[-25:]}",
        "db1/shop-pg/orders/20261399T021500Z-3f0c9a52/manifest.json",
        "db1/shop-pg/orders/latest/manifest.json",
        f"db1/shop-pg/or\nders/{PLACE[-25:]}/manifest.json",
        f"db1/shop-pg/or\0ders/{PLACE[-25:]}/manifest.json",
        f"db1/shop-pg/caf\u00e9/{PLACE[-25:]}/manifest.json",
        f"db1/shop-pg/{'x' * 300}/{PLACE[-25:]}/manifest.json",
        f"DB1/shop-pg/orders/{PLACE[-25:]}/manifest.json",
        "manifest.json",
    ],
)
def test_names_that_no_backup_of_ours_has_are_left_alone_and_told(tmp_path: Path, name: str) -> None:
    store = Shelf(*whole(), name)
    shadow, problems = refreshed(tmp_path / "c", store)
    assert files(tmp_path / "c") == whole()[1:]
    assert name not in store.read
    assert len(problems) == 1
    assert "belong to no backup" in problems[0]
    assert "\n" not in problems[0]
    assert set(shadow.arrivals.of) == {PLACE}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c"]


def test_a_backup_without_manifest_is_none(tmp_path: Path) -> None:
    shadow, problems = refreshed(tmp_path / "c", Shelf(*whole()[:1], f"{PLACE}/manifest.json.sha256"))
    assert (set(shadow.arrivals.of), problems, files(tmp_path / "c")) == (set(), [], [])


def test_a_manifest_that_is_larger_than_any_is_not_fetched(tmp_path: Path) -> None:
    store = Shelf(*whole())
    store.said[whole()[1]] = StoredObject(whole()[1], 1 << 40, TIME)
    shadow, problems = refreshed(tmp_path / "c", store)
    assert set(shadow.arrivals.of) == set()
    assert "is larger than any manifest.json is" in problems[0]
    assert whole()[1] not in store.read


def test_a_manifest_that_is_shorter_than_the_store_says_is_not_taken(tmp_path: Path) -> None:
    store = Shelf(*whole())
    store.said[whole()[1]] = StoredObject(whole()[1], 1000, TIME)
    shadow, problems = refreshed(tmp_path / "c", store)
    assert set(shadow.arrivals.of) == set()
    assert "ended at byte" in problems[0]


def many(count: int) -> list[str]:
    return [name for number in range(count) for name in whole(f"db1/shop-pg/orders/20261124T0215{number:02}Z-3f0c9a52")]


def test_of_a_long_list_only_a_part_is_held_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadow_module, "_BATCH", 4)
    read: list[int] = []

    class Listing(Shelf):
        def entries(self, under: str = "", after: str = "") -> Iterator[StoredObject]:
            for one in super().entries(under, after):
                read.append(len(self.read))
                yield one

    shadow, problems = refreshed(tmp_path / "c", Listing(*many(30)))
    assert (len(shadow.arrivals.of), problems) == (30, [])
    listed = [number - count for number, count in enumerate(read)]  # each backup has three files, of which two are read
    assert max(listed) < 30 + 4 * 3


def test_a_store_that_goes_away_is_not_waited_for_once_for_every_backup(tmp_path: Path) -> None:
    names = many(40)
    store = Shelf(*names)
    refreshed(tmp_path / "c", store)
    gone = Shelf(*names, *(name.replace("db1", "db2") for name in names))
    gone.content.update({name: b"" for name in gone.content if name.startswith("db2")})
    gone.said.update({name: StoredObject(name, 10, TIME) for name in gone.content if name.startswith("db2")})
    shadow = Shadow(tmp_path / "c")
    with pytest.raises(StoreUnavailable, match="ended at byte"):
        shadow.refresh(gone, Patience(0.5))
    assert len({name.rpartition("/")[0] for name in gone.read}) < 40
    assert len(Shadow(tmp_path / "c").arrivals.of) == 40


def test_a_manifest_that_is_replaced_later_changes_nothing_and_is_told(tmp_path: Path) -> None:
    store = Shelf(*whole())
    refreshed(tmp_path / "c", store)
    before = (tmp_path / "c" / "shadow" / whole()[1]).read_bytes()
    store.content[whole()[1]] = b"another one"
    store.said[whole()[1]] = StoredObject(whole()[1], 11, TIME + timedelta(hours=1))
    shadow, problems = refreshed(tmp_path / "c", store)
    assert "its manifest was replaced in the store" in problems[0]
    assert shadow.arrivals.of[PLACE].time == TIME
    assert (tmp_path / "c" / "shadow" / whole()[1]).read_bytes() == before


def test_times_that_are_not_equally_exact_are_no_replacement(tmp_path: Path) -> None:
    store = Shelf(*whole())
    store.said[whole()[1]] = StoredObject(whole()[1], len(store.content[whole()[1]]), TIME.replace(microsecond=123456))
    refreshed(tmp_path / "c", store)
    store.said[whole()[1]] = replace(store.said[whole()[1]], time=TIME, version="null")
    assert refreshed(tmp_path / "c", store)[1] == []


def test_what_is_gone_from_the_store_is_forgotten_only_when_all_of_it_was_read(tmp_path: Path) -> None:
    other = PLACE[:-1] + "7"
    store = Shelf(*whole(), *whole(other))
    refreshed(tmp_path / "c", store)
    store.content = {name: content for name, content in store.content.items() if not name.startswith(other)}
    store.fails_after = 1
    with pytest.raises(StoreError, match="broke off"):
        refreshed(tmp_path / "c", store)
    assert set(Shadow(tmp_path / "c").arrivals.of) == {PLACE, other}
    store.fails_after = None
    assert set(refreshed(tmp_path / "c", store)[0].arrivals.of) == {PLACE}
    assert files(tmp_path / "c") == whole()[1:]


def test_a_look_at_one_host_forgets_nothing_of_the_others(tmp_path: Path) -> None:
    other = f"db2{PLACE[3:]}"
    store = Shelf(*whole(), *whole(other))
    refreshed(tmp_path / "c", store)
    store.content = {}
    shadow, _problems = refreshed(tmp_path / "c", store, under=["db2"])
    assert set(shadow.arrivals.of) == {PLACE}


def test_all_of_a_shadow_is_for_this_user_alone(tmp_path: Path) -> None:
    refreshed(tmp_path / "state" / "copies" / "c", Shelf(*whole()))
    for path in (tmp_path / "state").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


OTHER_HOST = "db2/shop-pg/orders/20261124T021500Z-3f0c9a52"


def test_backups_of_other_hosts_are_neither_listed_nor_fetched_nor_forgotten(tmp_path: Path) -> None:
    store = Shelf(*whole(), *whole(OTHER_HOST))
    assert refreshed(tmp_path / "c", store, under=["db1"])[0].arrivals.of.keys() == {PLACE}
    assert [name for name in store.read if name.startswith("db2")] == []
    shadow, _problems = refreshed(tmp_path / "c", store)
    assert set(shadow.arrivals.of) == {PLACE, OTHER_HOST}
    for name in [*whole(), *whole(OTHER_HOST)]:
        del store.content[name]
    assert set(refreshed(tmp_path / "c", store, under=["db1"])[0].arrivals.of) == {OTHER_HOST}


def test_only_what_was_listed_whole_is_gone_on_with_from_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadow_module, "_FEW", 0)
    later = "db1/shop-pg/orders/20261125T021500Z-3f0c9a52"
    earlier = "db2/shop-pg/orders/20261120T021500Z-3f0c9a52"
    store = Shelf(*whole())
    refreshed(tmp_path / "c", store, under=["db1"])
    store.content.update(Shelf(*whole(later), *whole(OTHER_HOST), *whole(earlier)).content)
    assert set(refreshed(tmp_path / "c", store, under=["db1"])[0].arrivals.of) == {PLACE, later}
    assert set(refreshed(tmp_path / "c", store)[0].arrivals.of) == {PLACE, later, OTHER_HOST, earlier}
    newest = "db2/shop-pg/orders/20261126T021500Z-3f0c9a52"
    store.content.update(Shelf(*whole(newest)).content)
    assert newest in refreshed(tmp_path / "c", store, under=["db2/shop-pg"])[0].arrivals.of


def test_what_a_run_sent_before_it_was_killed_is_known_until_the_store_says_otherwise(tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    folder.mkdir()
    for name in ("manifest.json", "manifest.json.sha256"):
        (folder / name).write_text("{}")
    Shadow(tmp_path / "c").add(PLACE, folder, stored_bytes=5)  # and never saved
    assert PLACE in Shadow(tmp_path / "c")
    assert OTHER_HOST not in Shadow(tmp_path / "c")
    shadow, _problems = refreshed(tmp_path / "c", Shelf())
    assert PLACE not in shadow
    assert files(tmp_path / "c") == []
