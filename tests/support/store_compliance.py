# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every store of copies keeps to, whatever it is on.

A test file inherits `StoreCompliance` in a class whose name begins with `Test`, and gives it a fixture `far`: what is
on the other side, a new and empty one for each test. Nothing here knows the kind of a store.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from backupdb.errors import ArchiveDamaged, BackupDbError, Interrupted, StoreError
from backupdb.repository import layout
from backupdb.repository.stores.interface import NO, UNKNOWN, YES, Store, StoredObject, Upload
from backupdb.repository.stores.patience import Patience, SteadyReader
from backupdb.system.text import utc_now

PLACE = "db1/shop-pg/orders/20261124T021500Z-3f0c9a52"
OTHER = "db1/shop-pg/orders/20261125T021500Z-77aa01bc"
ARCHIVES = ("data.sql.zst.age", "part-2.sql.zst.age")
_BAD_NAMES = (
    "../x",
    "db1/../../x",
    "/etc/passwd",
    "db1//x",
    "db1/.hidden",
    ".",
    "db1/x\ny",
    "db1/x\0y",
    f"db1/{'x' * 300}",
)


class FarSide(ABC):
    """A store's other side, as the tests know it. `large` is a size that is sent in several pieces.

    `sent_again` is how many bytes of a file may be sent once more when the copying is killed.
    """

    large: ClassVar[int] = 5_000_000
    sent_again: ClassVar[int]
    secrets: Sequence[str] = ()

    @abstractmethod
    def open(self, patience: Patience) -> Store:
        """Open a store, with nothing left of another one."""

    @abstractmethod
    def content(self, name: str) -> bytes | None:
        """Return what is in a file there; None when none is by this name."""

    @abstractmethod
    def plant(self, name: str, content: bytes) -> None:
        """Write a file there, past the store."""

    @abstractmethod
    def state(self) -> object:
        """Return all that is there, hidden things too, in a form that can be compared."""

    @abstractmethod
    def break_connections(self) -> None:
        """Cut whatever connections there are."""


class Counted:
    """A meter that counts, and does something once a number of bytes have gone out."""

    def __init__(self, after: int = -1, do: Callable[[], object] | None = None) -> None:
        self.sent = 0
        self._after = after
        self._do = do

    def count(self, size: int) -> None:
        """`size` bytes go out."""
        self.sent += size
        if self._do is not None and self.sent > self._after:
            do, self._do = self._do, None
            do()


def noise(size: int, seed: int = 1) -> bytes:
    """Bytes that nothing makes smaller, the same each time."""
    return random.Random(seed).randbytes(size)  # noqa: S311  # no secret


def upload_of(folder: Path, name: str, content: bytes) -> Upload:
    """A file of this host with that content, to be sent as `name`."""
    path = folder / hashlib.sha256(name.encode()).hexdigest()[:16]
    path.write_bytes(content)
    return Upload(path, name, len(content), hashlib.sha256(content).hexdigest())


def backup_of(folder: Path, place: str = PLACE, *, size: int = 100_000) -> list[Upload]:
    """The files of a backup, in their order: archives of `size` bytes, an empty one, checksums, the manifest."""
    contents = {name: noise(size, number) for number, name in enumerate(ARCHIVES)}
    contents["empty"] = b""
    contents[layout.CHECKSUM_FILE] = b"0" * 64 + b"  manifest.json\n"
    contents[layout.MANIFEST_FILE] = b'{"schema": 1, "place": "%s"}\n' % place.encode()
    return [upload_of(folder, f"{place}/{name}", content) for name, content in contents.items()]


def send(store: Store, uploads: Sequence[Upload], meter: Counted | None = None) -> Counted:
    """Copy a whole backup; returns what was counted."""
    meter = meter or Counted()
    arrival = store.arrival(uploads[0].name.rpartition("/")[0], meter)
    for upload in uploads:
        arrival.put(upload)
    arrival.finish()
    return meter


def read_all(store: Store, wanted: StoredObject, offset: int = 0, size: int = 70_000) -> bytes:
    """Read a file from `offset` to its end, in pieces."""
    reader = store.open(wanted, offset)
    try:
        return b"".join(iter(lambda: reader.read(size), b""))
    finally:
        reader.close()


def listed(store: Store, under: str = "", after: str = "") -> list[str]:
    """The names in a store."""
    return [each.name for each in store.entries(under, after)]


def found(store: Store, name: str) -> StoredObject:
    """What a store says of a file that is there."""
    facts = store.facts(name)
    assert facts is not None, f"{name} is not there"
    return facts


def in_a_child(work: Callable[[], object]) -> int:
    """Do it in a child process; returns its status as os.waitpid has it."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1]


def _kill_me() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class StoreCompliance:
    """The tests. A subclass may have more."""

    def test_a_backup_that_is_sent_is_there_as_it_was_and_not_before_its_manifest(
        self, far: FarSide, scratch: Path
    ) -> None:
        store = far.open(Patience(5))
        uploads = backup_of(scratch)
        arrival = store.arrival(PLACE, Counted())
        for upload in uploads[:-1]:
            arrival.put(upload)
        assert uploads[-1].name not in listed(store)
        assert store.facts(uploads[-1].name) is None
        arrival.put(uploads[-1])
        arrival.finish()
        there = list(store.entries())
        assert [(each.name, each.size) for each in there] == sorted((each.name, each.size) for each in uploads)
        for each in there:
            assert each.time is not None
            assert abs(each.time - utc_now()) < timedelta(minutes=10)
            assert (each.later, each.current) == (0, True)
        for upload in uploads:
            assert read_all(store, found(store, upload.name)) == upload.path.read_bytes()
            assert far.content(upload.name) == upload.path.read_bytes()

    def test_what_is_said_of_one_file_is_what_the_list_says(self, far: FarSide, scratch: Path) -> None:
        store = far.open(Patience(5))
        send(store, backup_of(scratch))
        assert [store.facts(each.name) for each in store.entries()] == list(store.entries())

    def test_a_backup_that_is_there_is_not_sent_again(self, far: FarSide, scratch: Path) -> None:
        uploads = backup_of(scratch)
        send(far.open(Patience(5)), uploads)
        before = far.state()
        assert send(far.open(Patience(5)), uploads).sent == 0
        assert far.state() == before

    @pytest.mark.parametrize("content", [b'{"schema": 9}', b'{"schema": 1, "place": "' + b"?" * 44 + b'"}\n'])
    def test_nothing_is_replaced(self, far: FarSide, scratch: Path, content: bytes) -> None:
        uploads = backup_of(scratch)
        store = far.open(Patience(5))
        send(store, uploads)
        before = far.state()
        other = upload_of(scratch, uploads[-1].name, content)
        with pytest.raises(StoreError, match=r"manifest\.json"):
            send(store, [*uploads[:-1], other])
        assert far.state() == before

    @pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
    def test_a_file_that_went_bad_on_this_host_never_counts_and_a_good_one_does_later(
        self, far: FarSide, scratch: Path, large: bool
    ) -> None:
        uploads = backup_of(scratch, size=far.large if large else 1000)
        good = uploads[0].path.read_bytes()
        for position in (0, len(good) // 2, len(good) - 1):
            bad = bytearray(good)
            bad[position] ^= 1
            uploads[0].path.write_bytes(bad)
            store = far.open(Patience(5))
            with pytest.raises(ArchiveDamaged, match="not copied"):
                send(store, uploads)
            assert listed(store) == []
            assert far.content(uploads[0].name) is None
        uploads[0].path.write_bytes(good)
        send(far.open(Patience(5)), uploads)
        assert far.content(uploads[0].name) == good

    @pytest.mark.parametrize("change", [-1, 1], ids=["shorter", "longer"])
    def test_a_file_of_another_length_never_counts(self, far: FarSide, scratch: Path, change: int) -> None:
        uploads = backup_of(scratch)
        content = uploads[0].path.read_bytes()
        uploads[0].path.write_bytes(content[:change] if change < 0 else content + b"?")
        store = far.open(Patience(5))
        with pytest.raises(ArchiveDamaged):
            send(store, uploads)
        assert listed(store) == []

    def test_a_file_that_is_gone_from_this_host_is_an_error_that_names_it(self, far: FarSide, scratch: Path) -> None:
        uploads = backup_of(scratch)
        uploads[1].path.unlink()
        store = far.open(Patience(5))
        with pytest.raises(BackupDbError, match=str(uploads[1].path)):
            send(store, uploads)
        assert uploads[1].name not in listed(store)

    def test_killed_within_files_again_and_again_little_is_sent_twice(self, far: FarSide, scratch: Path) -> None:
        uploads = backup_of(scratch, size=far.large)
        whole = sum(upload.size for upload in uploads)
        note = scratch / "sent"
        note.touch()

        def work() -> None:
            meter = Counted(whole * 2 // 5, _kill_me)
            original = meter.count

            def count(size: int) -> None:
                with note.open("a", encoding="utf-8") as file:
                    file.write(f"{size}\n")
                original(size)

            meter.count = count  # type: ignore[method-assign]
            send(far.open(Patience(5)), uploads, meter)
            os._exit(0)

        kills = 0
        while os.WIFSIGNALED(in_a_child(work)):
            kills += 1
            assert kills < 5
            assert uploads[-1].name not in listed(far.open(Patience(5)))
        assert kills >= 2
        sent = sum(map(int, note.read_text(encoding="utf-8").split()))
        assert sent <= whole + kills * far.sent_again
        for upload in uploads:
            assert far.content(upload.name) == upload.path.read_bytes()
        assert send(far.open(Patience(5)), uploads).sent == 0

    def test_killed_between_files_nothing_is_sent_twice(self, far: FarSide, scratch: Path) -> None:
        uploads = backup_of(scratch)

        def work() -> None:
            arrival = far.open(Patience(5)).arrival(PLACE, Counted())
            for upload in uploads[:2]:
                arrival.put(upload)
            _kill_me()

        assert os.WIFSIGNALED(in_a_child(work))
        assert send(far.open(Patience(5)), uploads).sent == sum(upload.size for upload in uploads[2:])

    def test_a_connection_that_breaks_while_sending_is_made_again(self, far: FarSide, scratch: Path) -> None:
        uploads = backup_of(scratch, size=far.large)
        meter = Counted(far.large // 2, far.break_connections)
        send(far.open(Patience(30)), uploads, meter)
        assert meter.sent <= sum(upload.size for upload in uploads) + far.sent_again
        for upload in uploads:
            assert far.content(upload.name) == upload.path.read_bytes()

    def test_a_reader_goes_on_where_the_connection_broke(self, far: FarSide, scratch: Path) -> None:
        store = far.open(Patience(30))
        uploads = backup_of(scratch, size=far.large)
        send(store, uploads)
        reader = SteadyReader(store, found(store, uploads[0].name), Patience(30))
        pieces = [reader.read(100_000) for _piece in range(3)]
        far.break_connections()
        pieces += iter(lambda: reader.read(1 << 20), b"")
        reader.close()
        assert b"".join(pieces) == uploads[0].path.read_bytes()

    def test_a_copying_that_is_asked_to_stop_does(self, far: FarSide, scratch: Path) -> None:
        cancel = threading.Event()
        uploads = backup_of(scratch, size=far.large)
        with pytest.raises(Interrupted):
            send(far.open(Patience(30, cancel)), uploads, Counted(0, cancel.set))
        assert uploads[-1].name not in listed(far.open(Patience(5)))
        send(far.open(Patience(5)), uploads)
        assert far.content(uploads[0].name) == uploads[0].path.read_bytes()

    def test_a_file_is_read_from_any_byte_on(self, far: FarSide, scratch: Path) -> None:
        store = far.open(Patience(5))
        (upload, *_others) = uploads = backup_of(scratch, size=300_001)
        send(store, uploads)
        content = upload.path.read_bytes()
        wanted = found(store, upload.name)
        for offset in (0, 1, 32_767, 32_768, 299_999, 300_000, 300_001):
            assert read_all(store, wanted, offset) == content[offset:]
        assert read_all(store, wanted, 5, size=7777) == content[5:]

    def test_a_reader_that_is_left_early_disturbs_nothing(self, far: FarSide, scratch: Path) -> None:
        store = far.open(Patience(5))
        uploads = backup_of(scratch, size=far.large)
        send(store, uploads)
        reader = store.open(found(store, uploads[0].name))
        assert reader.read(10) == uploads[0].path.read_bytes()[:10]
        reader.close()
        reader.close()
        assert read_all(store, found(store, uploads[1].name)) == uploads[1].path.read_bytes()

    def test_threads_may_read_at_the_same_time(self, far: FarSide, scratch: Path) -> None:
        store = far.open(Patience(5))
        uploads = backup_of(scratch, size=far.large)
        send(store, uploads)
        wanted = [found(store, upload.name) for upload in uploads] * 3
        with ThreadPoolExecutor(4) as pool:
            read = list(pool.map(lambda each: read_all(store, each), wanted))
        assert read == [upload.path.read_bytes() for upload in uploads] * 3

    def test_what_is_not_there_is_told_at_once(self, far: FarSide, scratch: Path) -> None:
        store = far.open(Patience(5))
        assert listed(store) == []
        assert listed(store, "db1/shop-pg") == []
        assert store.facts(f"{PLACE}/manifest.json") is None
        send(store, backup_of(scratch))
        assert store.facts(f"{PLACE}/other") is None
        assert store.facts(PLACE) is None
        with pytest.raises(StoreError, match="other"):
            read_all(store, replace(found(store, f"{PLACE}/{ARCHIVES[0]}"), name=f"{PLACE}/other"))

    def test_lists_are_in_the_order_of_whole_names_and_begin_after_any_of_them(self, far: FarSide) -> None:
        hosts = ["db", "db-2", "db.example.com", "db1", "db0", "%44b", "db~0123456789abcdef"]
        places = [f"{host}/i/{base}/{stamp}" for host in hosts for base in ("@accounts", "shop", "shop-2", "shop.x")
                  for stamp in ("20261124T021500Z-3f0c9a52", "20261125T021500Z-3f0c9a52")]  # fmt: skip
        names = sorted(f"{place}/{name}" for place in places for name in ("a+b c", "manifest.json"))
        for name in names:
            far.plant(name, b"x")
        store = far.open(Patience(5))
        assert listed(store) == names
        for after in [*names[::7], "db/i", "db-", "db1/i/shop/2026", "db1/i/shop/20261124T021500Z-3f0c9a52", "zzz"]:
            assert listed(store, after=after) == [name for name in names if name > after], after
        for under in ("db", "db/", "db1/i/shop", "db1/i/shop/20261124T021500Z-3f0c9a52", "d"):
            below = [name for name in names if name.startswith(f"{under.rstrip('/')}/")]
            assert listed(store, under) == below, under
            assert listed(store, under, names[60]) == [name for name in below if name > names[60]]

    def test_a_long_list_is_whole(self, far: FarSide) -> None:
        names = [f"db1/i/shop/202611{day:02}T{hour:02}1500Z-3f0c9a52/manifest.json" for day in range(1, 7)
                 for hour in range(24)]  # fmt: skip
        for name in names:
            far.plant(name, b"{}")
        store = far.open(Patience(5))
        assert listed(store) == names
        assert listed(store, after=names[100]) == names[101:]

    def test_only_what_is_named_is_removed(self, far: FarSide, scratch: Path) -> None:
        store = far.open(Patience(5))
        kept, gone = backup_of(scratch, OTHER), backup_of(scratch, PLACE)
        for uploads in (kept, gone):
            send(store, uploads)
        objects = list(store.entries(PLACE))
        with pytest.raises(StoreError):
            store.remove(OTHER, objects)
        assert len(listed(store)) == len(kept) + len(gone)
        store.remove(PLACE, objects)
        store.remove(PLACE, objects)
        assert listed(store) == sorted(upload.name for upload in kept)
        assert far.content(gone[-1].name) is None

    @pytest.mark.parametrize("name", _BAD_NAMES)
    def test_no_name_leads_out_of_the_store(self, far: FarSide, scratch: Path, name: str) -> None:
        store = far.open(Patience(5))
        before = far.state()
        attempts: list[Callable[[], object]] = [
            lambda: store.facts(name),
            lambda: store.open(StoredObject(name, 1)),
            lambda: listed(store, name),
            lambda: store.remove(name, []),
            lambda: store.remove(PLACE, [StoredObject(f"{PLACE}/{name}", 1)]),
            lambda: store.arrival(name, Counted()).put(upload_of(scratch, f"{name}/x", b"x")),
            lambda: store.arrival(PLACE, Counted()).put(upload_of(scratch, f"{PLACE}/{name}", b"x")),
            lambda: store.arrival(PLACE, Counted()).put(upload_of(scratch, f"{OTHER}/x", b"x")),
        ]
        for attempt in attempts:
            with pytest.raises(StoreError):
                attempt()
        assert far.state() == before

    def test_rights_are_told_without_a_write_and_no_secret_is_in_what_is_said(self, far: FarSide) -> None:
        store = far.open(Patience(5))
        before = far.state()
        rights = list(store.rights())
        names = [right.name for right in rights]
        assert {"list", "read", "write", "overwrite", "remove", "lock"} <= set(names)
        assert len(names) == len(set(names))
        assert {right.known for right in rights} <= {YES, NO, UNKNOWN}
        assert far.state() == before
        told = f"{rights} {store.where()} {store.where(PLACE)} {store!r}"
        assert PLACE in told
        assert not [secret for secret in far.secrets if secret in told]

    def test_a_store_can_be_closed_more_than_once(self, far: FarSide, scratch: Path) -> None:
        store = far.open(Patience(5))
        send(store, backup_of(scratch))
        store.close()
        store.close()
