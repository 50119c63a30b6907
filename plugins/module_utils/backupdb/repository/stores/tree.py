# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stores of files and folders share, wherever these are: listing, arrivals beside their final place, removal."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Container, Iterator, Sequence
from datetime import datetime
from typing import Any, Callable, NamedTuple

from ...errors import StoreError, StoreUnavailable
from .. import layout
from .interface import NO, UNKNOWN, YES, Arrival, Meter, Reader, Right, Store, StoredObject, Upload
from .names import check_folder, check_name, is_component, joined
from .patience import Patience

ARRIVAL_PREFIX = f"{layout.PARTIAL_PREFIX}copy-"
FILE = "file"
FOLDER = "folder"
ODD = "odd"  # a link, a pipe, a device
_DEEPEST = 16  # folders in each other; ours are four
_AT_A_TIME = 64  # folders of backups that are read together


class Entry(NamedTuple):
    """What is at some name."""

    kind: str
    size: int  # bytes
    time: datetime | None  # when its content was changed last


class TreeStore(Store):
    """A store of files and folders. Its subclasses do the single steps, none of which follows a link or replaces.

    Each step raises `StoreUnavailable` where trying again helps: that is done here, except while a file is read.
    """

    def __init__(self, patience: Patience) -> None:
        self.patience = patience

    # -- the single steps ---------------------------------------------------------------------------------------

    @abstractmethod
    def check_top(self) -> None:
        """Raise `StoreError` unless the top is a folder that can be read. It is never made here."""

    @abstractmethod
    def look(self, name: str) -> Entry | None:
        """Look at a name; None when there is nothing."""

    @abstractmethod
    def contents(self, folders: Sequence[str]) -> list[dict[str, Entry] | None]:
        """Return what is in each of these folders, None for one that is not there."""

    @abstractmethod
    def make_folder(self, name: str) -> None:
        """Make a folder, mode 0700, unless it is there."""

    @abstractmethod
    def send(self, upload: Upload, name: str, there: Entry | None, meter: Meter) -> None:
        """Make the file `name` have all of the upload, going on with what is `there`; it lasts beyond a power cut."""

    @abstractmethod
    def is_same(self, upload: Upload, name: str) -> bool:
        """Return whether a file of the right size has the right content, as far as that is cheap to know."""

    @abstractmethod
    def rename_new(self, source: str, target: str) -> None:
        """Rename to a name that is free; raises `StoreError` when it is not."""

    @abstractmethod
    def remove_file(self, name: str) -> None:
        """Remove a file, if it is there."""

    @abstractmethod
    def remove_folder(self, name: str) -> None:
        """Remove an empty folder, if it is there."""

    @abstractmethod
    def open_file(self, name: str, offset: int, size: int) -> Reader:
        """Begin to read a file of `size` bytes at `offset`."""

    # -- what they make -----------------------------------------------------------------------------------------

    def entries(self, under: str = "", after: str = "") -> Iterator[StoredObject]:
        folder = check_folder(under)
        found = self._entries_of([folder])[0]
        if found is None:
            self.patience.call(self.check_top)
            return
        yield from self._walk(folder, found, after, 0)

    def _walk(self, folder: str, found: dict[str, Entry], after: str, depth: int) -> Iterator[StoredObject]:
        if depth > _DEEPEST:
            raise StoreError(f"{self.where(folder)} lies too deep to be a part of a store of copies; look at it")
        arrived = _arrival_time(found)
        ahead = _Ahead(self._entries_of, folder, _folders_after(folder, found, after))
        for name in sorted(found, key=lambda name: f"{name}/" if found[name].kind == FOLDER else name):
            path = joined(folder, name)
            entry = found[name]
            if entry.kind == FOLDER:
                below = ahead.entries(name)
                if below is not None:
                    yield from self._walk(path, below, after, depth + 1)
            elif path > after:
                yield StoredObject(path, entry.size, arrived or entry.time)

    def _entries_of(self, folders: Sequence[str]) -> Sequence[dict[str, Entry] | None]:
        """Return the files and folders of ours that are in these folders."""
        return [
            found
            and {name: entry for name, entry in found.items() if is_component(name) and entry.kind in (FILE, FOLDER)}
            for found in self.patience.call(lambda: self.contents(folders))
        ]

    def facts(self, name: str) -> StoredObject | None:
        check_name(name)
        entry = self.patience.call(lambda: self.look(name))
        if entry is None or entry.kind != FILE:
            return None
        folder, _slash, last = name.rpartition("/")
        beside = joined(folder, layout.MANIFEST_FILE)
        manifest = entry if last == layout.MANIFEST_FILE else self.patience.call(lambda: self.look(beside))
        arrived = _arrival_time({} if manifest is None else {layout.MANIFEST_FILE: manifest})
        return StoredObject(name, entry.size, arrived or entry.time)

    def open(self, wanted: StoredObject, offset: int = 0) -> Reader:
        return self.open_file(check_name(wanted.name), offset, wanted.size)

    def arrival(self, place: str, meter: Meter) -> Arrival:
        return TreeArrival(self, check_name(place), meter)

    def make_folders(self, name: str) -> None:
        """Make a folder and those above it, up to the top, which must be there."""
        self.check_top()
        parts = name.split("/")
        for length in range(1, len(parts) + 1):
            self.make_folder("/".join(parts[:length]))

    def remove(self, place: str, objects: Sequence[StoredObject]) -> None:
        check_name(place)
        names = [check_name(each.name) for each in objects]
        for name in names:
            if not name.startswith(f"{place}/"):
                raise StoreError(f"{self.where(name)} is not a part of {place}, so nothing was removed")
        manifest = joined(place, layout.MANIFEST_FILE)
        for name in sorted(names, key=lambda name: (name != manifest, name)):
            self._do(self.remove_file, name)
        if names:
            for hidden in (name for name in self._raw(place) if name.startswith(ARRIVAL_PREFIX)):
                self._do(self.remove_file, joined(place, hidden))  # a record that was broken off on its way into it
        self._do(self.remove_folder, place)

    def clear_arrivals(self, under: str, going_on: Container[str], before: datetime) -> Sequence[str]:
        top = check_folder(under)
        cleared = []
        for database, found in sorted(self._raw(top).items()):
            if found.kind != FOLDER or not is_component(database):
                continue
            folder = joined(top, database)
            for name, entry in sorted(self._raw(folder).items()):
                backup_id = name[len(ARRIVAL_PREFIX) :]
                ours = name.startswith(ARRIVAL_PREFIX) and layout.parse_backup_folder(backup_id) is not None
                if not ours or entry.kind != FOLDER or joined(folder, backup_id) in going_on:
                    continue
                if self._clear(joined(folder, name), entry, before):
                    cleared.append(self.where(joined(folder, name)))
        return cleared

    def _clear(self, path: str, folder: Entry, before: datetime) -> bool:
        """Remove an arrival, unless something was written there lately; returns whether it is gone."""
        files = self._raw(path)
        times = [entry.time for entry in (folder, *files.values())]
        if any(time is None or time >= before for time in times):
            return False
        for name, entry in files.items():
            if entry.kind != FILE:
                raise StoreError(f"{self.where(joined(path, name))} is no file of a backup, so it was left; look at it")
            self._do(self.remove_file, joined(path, name))
        self._do(self.remove_folder, path)
        return True

    def _raw(self, folder: str) -> dict[str, Entry]:
        """Return all that is in a folder, hidden things too; nothing where it is not there."""
        return self.patience.call(lambda: self.contents([folder]))[0] or {}

    def _do(self, step: Callable[[str], None], name: str) -> None:
        self.patience.call(lambda: step(name))

    def rights(self) -> Sequence[Right]:
        def ask() -> Sequence[Right]:
            self.check_top()
            return [Right("list", YES, f"{self.where()} can be read"), *self.further_rights()]

        return self.patience.call(ask)

    def further_rights(self) -> Sequence[Right]:
        """Return the rights other than to list."""
        return [Right(name, UNKNOWN) for name in ("read", "write", "overwrite", "remove")] + [
            Right("lock", NO, "this store keeps nothing from being removed")
        ]


class _Ahead:
    """Reads the folders of backups in a folder many at a time: each has few files, and there may be many."""

    def __init__(self, read: Callable[..., Any], folder: str, names: Sequence[str]) -> None:
        self._read = read
        self._folder = folder
        self._waiting = list(reversed(names))
        self._known: dict[str, dict[str, Entry] | None] = {}

    def entries(self, name: str) -> dict[str, Entry] | None:
        """Return what is in one of the folders; to be asked for in their order. None for one that is left out."""
        if name not in self._known and self._waiting and self._waiting[-1] == name:
            together = [self._waiting.pop()]
            while self._waiting and len(together) < _AT_A_TIME and _are_backups(together[0], self._waiting[-1]):
                together.append(self._waiting.pop())
            found = self._read([joined(self._folder, each) for each in together])
            self._known.update(zip(together, found))
        return self._known.pop(name, None)


def _are_backups(*names: str) -> bool:
    return all(layout.parse_backup_folder(name) for name in names)


def _folders_after(folder: str, found: dict[str, Entry], after: str) -> Sequence[str]:
    """Return the folders in a folder, by name, without those of which all that is in them comes before `after`."""
    names = sorted((name for name, entry in found.items() if entry.kind == FOLDER), key=lambda name: f"{name}/")
    return [
        name for name in names if joined(folder, f"{name}/") > after or after.startswith(joined(folder, f"{name}/"))
    ]


def _arrival_time(found: dict[str, Entry]) -> datetime | None:
    """Return when a backup arrived: its manifest was written last."""
    manifest = found.get(layout.MANIFEST_FILE)
    return manifest.time if manifest is not None and manifest.kind == FILE else None


class TreeArrival(Arrival):
    """A backup on its way, in a hidden folder beside its final place; it exists by one rename."""

    def __init__(self, store: TreeStore, place: str, meter: Meter) -> None:
        above, _slash, self._id = place.rpartition("/")
        self._store = store
        self._place = place
        self._partial = joined(above, f"{ARRIVAL_PREFIX}{self._id}")
        self._meter = meter

    def put(self, upload: Upload) -> None:
        folder, _slash, name = check_name(upload.name).rpartition("/")
        if folder != self._place:
            raise StoreError(f"{upload.name} is not a part of {self._place}, so it was not sent")
        furthest = -1

        def attempt() -> bool:
            """Send; False when the connection broke after it had been of use, so that patience begins anew."""
            nonlocal furthest
            before = furthest
            try:
                if self._is_published():
                    self._add(upload, name)
                    return True
                self._store.make_folders(self._partial)
                target = joined(self._partial, name)
                there = self._store.look(target)
                furthest = max(furthest, there.size if there else 0)
                self._store.send(upload, target, there, self._meter)
            except StoreUnavailable:
                if furthest > max(before, 0):
                    return False
                raise
            return True

        while not self._store.patience.call(attempt):
            pass

    def _is_published(self) -> bool:
        entry = self._store.look(self._place)
        if entry is not None and entry.kind != FOLDER:
            raise StoreError(f"{self._store.where(self._place)} is in the way: it should be the folder of a backup")
        return entry is not None

    def _add(self, upload: Upload, name: str) -> None:
        """Put a file into a backup that exists: a record of a drill, or one that was lost there."""
        there = self._store.look(upload.name)
        if there is None:
            hidden = joined(self._place, f"{ARRIVAL_PREFIX}{name}")
            self._store.send(upload, hidden, self._store.look(hidden), self._meter)
            self._store.rename_new(hidden, upload.name)
        elif (there.kind, there.size) != (FILE, upload.size) or not self._store.is_same(upload, upload.name):
            raise StoreError(
                f"{self._store.where(upload.name)} is there and is not {upload.path}: nothing is ever replaced. Find "
                "out who wrote it, and remove that backup there by hand if it is not a true one"
            )

    def finish(self) -> None:
        def publish() -> None:
            if self._store.look(self._partial) is not None:
                self._store.rename_new(self._partial, self._place)
            elif not self._is_published():
                raise StoreError(
                    f"{self._store.where(self._partial)} was removed by somebody while its files arrived; the next run "
                    "sends them again"
                )

        self._store.patience.call(publish)
