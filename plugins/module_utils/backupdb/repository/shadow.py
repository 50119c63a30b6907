# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shadow of a copy: its small files on this host, in the repository's own layout, so that whatever reads a
repository reads a copy as well. Archives stay in the store.

`<state folder>/copies/NAME/shadow/` is the tree, `arrivals.json` beside it says when each manifest arrived. What is in
the shadow was written once and is never fetched again: a manifest that is replaced in the store later changes nothing
here, and is told.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from ..errors import BackupDbError, StoreError, StoreUnavailable
from ..system.files import is_there, make_folder, read_small_file, replace_file
from ..system.parallel import TaskResult, Tasks
from ..system.text import utc_now
from . import layout
from .arrivals import Arrivals, Arrived, read_arrivals, write_arrivals
from .catalogue import LARGEST_MANIFEST
from .drill_records import is_drill_file, remove_notes
from .files import remove_tree, storage_errors
from .stores.interface import Store, StoredObject
from .stores.patience import Patience, SteadyReader

T = TypeVar("T")
_AT_ONCE = 16  # small files that are fetched, and databases that are looked at, together
_AWAY = 5  # files of different backups that cannot be had: then it is the store
_BATCH = 2000  # backups that are held at a time while a store is listed
_FEW = 2000  # backups; a store with no more is read whole each time
_WHOLE_AGAIN = timedelta(hours=20)
_SAME = timedelta(seconds=1)  # two times of one arrival differ by less
_LARGEST = {
    layout.MANIFEST_FILE: LARGEST_MANIFEST,
    layout.CHECKSUM_FILE: 16 << 20,
    layout.SIGNATURE_FILE: 4096,
}
_LARGEST_DRILL = 16 << 20  # bytes
_PART = re.compile(r"[a-z0-9_%@][a-zA-Z0-9_.%~@-]{0,254}", re.ASCII)
_DEPTH = 5  # host, instance, database, backup, file
_SHOWN = 3


@dataclass
class _Found:
    """The files of one backup in the store, by their own names."""

    files: dict[str, StoredObject] = field(default_factory=dict)

    def manifest(self) -> StoredObject | None:
        return self.files.get(layout.MANIFEST_FILE)


class Shadow:
    """The shadow in a folder, which is made when it is needed."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.root = home / "shadow"
        self._arrivals_file = home / "arrivals.json"
        self.arrivals = read_arrivals(self._arrivals_file)

    def __contains__(self, place: object) -> bool:
        """Tell whether the copy has a backup, as far as this host knows, also by a run that was killed behind it."""
        return place in self.arrivals.of or is_there(self.root / str(place) / layout.MANIFEST_FILE)

    def add(self, place: str, folder: Path, *, stored_bytes: int) -> None:
        """Note a backup of this host, from `folder`, that has just arrived; `save` keeps that.

        When it arrived by the store's own clock is seen when the store is looked at again.
        """
        names = [name for name in os.listdir(folder) if name in _LARGEST or is_drill_file(name)]  # noqa: PTH208
        for name in sorted(names, key=lambda name: name == layout.MANIFEST_FILE):
            with storage_errors(folder / name, "reading"):
                self._write(place, name, read_small_file(folder / name, _largest(name)))
        of = {**self.arrivals.of, place: Arrived(None, stored_bytes=stored_bytes)}
        self.arrivals = replace(self.arrivals, of=of)

    def forget(self, places: Collection[str]) -> None:
        """Note that backups are gone from the store."""
        self._forget(places)
        of = {key: entry for key, entry in self.arrivals.of.items() if key not in places}
        self.arrivals = replace(self.arrivals, of=of)
        self.save()

    def save(self) -> None:
        """Keep what is known; raises `RepositoryError`."""
        write_arrivals(self._arrivals_file, self.arrivals)

    def refresh(
        self, store: Store, patience: Patience, *, under: Sequence[str] = ("",), whole: bool = False
    ) -> Sequence[str]:
        """Look at the store, fetch what is new there, and return what is wrong.

        `under` are folders (a host, or host/instance; "" is all of it): only what is below them is looked at. Where few
        backups are known, or the last whole look is long ago, all of it is listed; `whole` always does that. Raises
        `StoreError` when the store cannot be read; what is known from before stays so.
        """
        make_folders(self.root)
        problems: list[str] = []
        for folder in under:
            if whole or self._must_be_whole(folder):
                problems += self._read_whole(store, patience, folder)
            else:
                problems += self._read_news(store, patience, folder)
        self.save()
        return problems

    def _must_be_whole(self, under: str) -> bool:
        """Tell whether a folder is to be listed from its beginning; a whole look at what is above it counts too."""
        times = [time for folder, time in self.arrivals.listed.items() if folder == under or _is_under(under, folder)]
        known = sum(_is_under(place, under) for place in self.arrivals.of)
        return known <= _FEW or not times or utc_now() - max(times) > _WHOLE_AGAIN

    def _read_whole(self, store: Store, patience: Patience, under: str) -> list[str]:
        seen, problems = self._read(store, patience, store.entries(under))
        gone = {place for place in self._known(under) if place not in seen}
        self._forget(gone)
        of = {place: entry for place, entry in self.arrivals.of.items() if place not in gone}
        self.arrivals = Arrivals(of, {**self.arrivals.listed, under: utc_now()})
        return problems

    def _known(self, under: str) -> set[str]:
        """Return the backups below a folder that are known, also by a run that was killed before it noted them."""
        noted = {place for place in self.arrivals.of if _is_under(place, under)}
        depth = _DEPTH - 1 - len([part for part in under.split("/") if part])
        kept = (self.root / under).glob("/".join(["[!.]*"] * depth))
        return noted | {
            path.relative_to(self.root).as_posix() for path in kept if layout.parse_backup_folder(path.name)
        }

    def _read_news(self, store: Store, patience: Patience, under: str) -> list[str]:
        """Look only behind the newest backup that is known of each database."""
        newest: dict[str, str] = {}
        for place in self.arrivals.of:
            if _is_under(place, under):
                database = place.rpartition("/")[0]
                newest[database] = max(newest.get(database, ""), place)
        # What is at its last second may be there beside it, so the second is read again.
        looks = Tasks(
            [partial(_listed, store, database, place.rpartition("-")[0]) for database, place in sorted(newest.items())],
            at_once=_AT_ONCE,
            name="news",
        )
        while not looks.wait(1.0):
            patience.check()
        listing = (one for result in looks.results() for one in _value_of(result))
        _seen, problems = self._read(store, patience, listing)
        return problems

    def _read(
        self, store: Store, patience: Patience, listing: Iterable[StoredObject]
    ) -> tuple[Collection[str], list[str]]:
        """Fetch and note what is listed; returns the places of whole backups, and what is wrong.

        Of what is listed no more is held at a time than a few thousand backups have.
        """
        odd = _Odd()
        seen: set[str] = set()
        problems: list[str] = []
        of = dict(self.arrivals.of)
        for found in _batches(_by_place(listing, odd)):
            there = {place: entry for place, entry in found.items() if entry.manifest() is not None}
            problems += self._fetch(store, patience, there)
            problems += self._note(store, there, of)
            seen.update(there)
        self.arrivals = replace(self.arrivals, of=of)
        return seen, [*odd.lines(store), *problems]

    def _note(self, store: Store, there: Mapping[str, _Found], of: dict[str, Arrived]) -> list[str]:
        """Put into `of` when backups arrived whose manifests are here by now; returns what is wrong."""
        problems: list[str] = []
        for place, entry in there.items():
            manifest = entry.manifest()
            if manifest is None or not is_there(self.root / place / layout.MANIFEST_FILE):
                continue
            before = of.get(place)
            now = Arrived(
                manifest.time,
                manifest.version,
                manifest.later,
                manifest.current,
                sum(one.size for one in entry.files.values()),
            )
            problems += _tampering(store, place, entry)
            if before is not None and _is_another(before, now):
                problems.append(
                    f"{store.where(place)}: its manifest was replaced in the store (it arrived {before.time}, and now "
                    f"is of {now.time}); the first one counts here"
                )
                now = replace(now, time=before.time, version=before.version)
            of[place] = now
        return problems

    def _fetch(self, store: Store, patience: Patience, there: Mapping[str, _Found]) -> list[str]:
        """Fetch the small files that are not here yet, each manifest after what belongs to it.

        Raises `StoreUnavailable` when the store has gone, and not one file only: thousands of others need not wait for
        it too. What was fetched is not fetched again.
        """
        work = []
        away: list[StoreUnavailable] = []
        for place, entry in there.items():
            missing = [
                one
                for name, one in sorted(entry.files.items(), key=lambda item: item[0] == layout.MANIFEST_FILE)
                if (name in _LARGEST or is_drill_file(name)) and not is_there(self.root / place / name)
            ]
            if missing:
                work.append(partial(self._fetch_files, store, patience, place, missing, away))
        tasks = Tasks(work, at_once=_AT_ONCE, name="shadow")
        while not tasks.wait(1.0):
            patience.check()
        problems = []
        for result in tasks.results():
            error = result.error if result is not None else BackupDbError("the fetching ended early")
            if not isinstance(error, (StoreError, type(None))):
                raise error
            problems += [str(error)] if error is not None else []
        if len(away) >= _AWAY:
            raise away[0]
        return problems

    def _fetch_files(
        self,
        store: Store,
        patience: Patience,
        place: str,
        objects: Sequence[StoredObject],
        away: list[StoreUnavailable],
    ) -> None:
        for one in objects:
            if len(away) >= _AWAY:
                return
            name = one.name.rpartition("/")[2]
            if one.size > _largest(name):
                raise StoreError(f"{store.where(one.name)} is larger than any {name} is; it was left alone")
            try:
                content = b"".join(_blocks(store, one, patience))
            except StoreUnavailable as error:
                away.append(error)
                raise
            self._write(place, name, content)

    def _write(self, place: str, name: str, content: bytes) -> None:
        folder = self.root / place
        with storage_errors(folder, "writing"):
            make_folders(folder)
            replace_file(folder / name, content)

    def _forget(self, places: Iterable[str]) -> None:
        for place in places:
            folder = self.root / place
            remove_tree(folder)
            remove_notes(folder.parent, [folder.name])
            for parent in list(folder.parents)[:3]:
                try:
                    parent.rmdir()
                except OSError:
                    break  # it holds others, or locks


def _listed(store: Store, under: str, after: str) -> list[StoredObject]:
    return list(store.entries(under, after))


def _value_of(result: TaskResult[T] | None) -> T:
    """Return what a task has found; raises its error."""
    if result is None or result.value is None:
        raise (result and result.error) or BackupDbError("the looking ended early")
    return result.value


def make_folders(path: Path) -> None:
    """Make a folder, and those above it, each for this user alone."""
    for folder in (*reversed(path.parents), path):
        if not folder.exists():
            with storage_errors(folder, "making"):
                make_folder(folder)


def remove_home(home: Path) -> None:
    """Remove a shadow with all that is beside it."""
    shutil.rmtree(home, ignore_errors=True)


@dataclass
class _Odd:
    """Names in a store that no backup of ours has: how many, and some of them."""

    count: int = 0
    some: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        self.count += 1
        if len(self.some) < _SHOWN:
            self.some.append(name)

    def lines(self, store: Store) -> list[str]:
        if not self.count:
            return []
        shown = ", ".join(repr(name) for name in self.some)
        return [
            f"{store.where()} has {self.count} files that belong to no backup, such as {shown}; they were left alone"
        ]


def _by_place(listing: Iterable[StoredObject], odd: _Odd) -> Iterator[tuple[str, _Found]]:
    """Sort what a store lists, by name, by backups; names that no backup of ours has go into `odd`."""
    place, found = "", _Found()
    for one in listing:
        parts = one.name.split("/")
        if not _is_ours(parts):
            odd.add(one.name)
            continue
        mine = "/".join(parts[:4])
        if mine != place:
            if found.files:
                yield place, found
            place, found = mine, _Found()
        found.files[parts[4]] = one
    if found.files:
        yield place, found


def _batches(found: Iterable[tuple[str, _Found]]) -> Iterator[dict[str, _Found]]:
    """Collect so many backups that many small files can be fetched together."""
    iterator = iter(found)
    while batch := dict(islice(iterator, _BATCH)):
        yield batch


def _is_ours(parts: Sequence[str]) -> bool:
    """Tell whether these are host, instance, database, backup and file as we name them: never hidden, never upwards."""
    if len(parts) != _DEPTH or layout.parse_backup_folder(parts[3]) is None:
        return False
    return all(_PART.fullmatch(part) for part in (*parts[:3], parts[4]))


def _is_another(before: Arrived, now: Arrived) -> bool:
    """Tell whether a manifest is not the one that was seen before; a key that sees no versions cannot tell by them."""
    if before.time is None or now.time is None:
        return False
    if before.version is not None and now.version is not None and before.version != now.version:
        return True
    return abs(before.time - now.time) >= _SAME  # lists and heads are not equally exact


def _tampering(store: Store, place: str, entry: _Found) -> Iterator[str]:
    """Say which files of a backup were written again or removed after they had arrived."""
    changed = sorted(name for name, one in entry.files.items() if one.later)
    if changed:
        more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
        yield (
            f"{store.where(place)}: {', '.join(changed[:_SHOWN])}{more} was written again or removed after it had "
            "arrived; the first version counts. Whoever did that had a key of this bucket"
        )


def _is_under(place: str, under: str) -> bool:
    return not under or place.startswith(f"{under.rstrip('/')}/")


def _largest(name: str) -> int:
    return _LARGEST.get(name, _LARGEST_DRILL)


def _blocks(store: Store, one: StoredObject, patience: Patience) -> Iterator[bytes]:
    reader = SteadyReader(store, one, patience)
    try:
        yield from iter(lambda: reader.read(1 << 20), b"")
    finally:
        reader.close()
