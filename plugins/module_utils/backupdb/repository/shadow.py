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
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from ..errors import BackupDbError, StoreError
from ..system.files import is_there, make_folder, read_small_file, replace_file
from ..system.parallel import Tasks
from ..system.text import utc_now
from . import layout
from .arrivals import Arrivals, Arrived, read_arrivals, write_arrivals
from .catalogue import LARGEST_MANIFEST
from .drill_records import is_drill_file, remove_notes
from .files import remove_tree, storage_errors
from .stores.interface import Store, StoredObject
from .stores.patience import Patience, SteadyReader

_AT_ONCE = 16  # small files that are fetched together
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
        listing = (
            one
            for database, place in sorted(newest.items())
            for one in store.entries(database, place.rpartition("-")[0])
        )
        _seen, problems = self._read(store, patience, listing)
        return problems

    def _read(
        self, store: Store, patience: Patience, listing: Iterable[StoredObject]
    ) -> tuple[Collection[str], list[str]]:
        """Fetch and note what is listed; returns the places of whole backups, and what is wrong."""
        found, odd = _by_place(listing)
        there = {place: entry for place, entry in found.items() if entry.manifest() is not None}
        problems = [_odd_text(store, odd)] if odd else []
        of = dict(self.arrivals.of)
        problems += self._fetch(store, patience, there)
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
        self.arrivals = replace(self.arrivals, of=of)
        return there, problems

    def _fetch(self, store: Store, patience: Patience, there: dict[str, _Found]) -> list[str]:
        """Fetch the small files that are not here yet, each manifest after what belongs to it."""
        work = []
        for place, entry in there.items():
            missing = [
                one
                for name, one in sorted(entry.files.items(), key=lambda item: item[0] == layout.MANIFEST_FILE)
                if (name in _LARGEST or is_drill_file(name)) and not is_there(self.root / place / name)
            ]
            if missing:
                work.append(partial(self._fetch_files, store, patience, place, missing))
        tasks = Tasks(work, at_once=_AT_ONCE, name="shadow")
        while not tasks.wait(1.0):
            patience.check()
        problems = []
        for result in tasks.results():
            error = result.error if result is not None else BackupDbError("the fetching ended early")
            if isinstance(error, StoreError) or error is None:
                problems += [str(error)] if error is not None else []
            else:
                raise error
        return problems

    def _fetch_files(self, store: Store, patience: Patience, place: str, objects: Sequence[StoredObject]) -> None:
        for one in objects:
            name = one.name.rpartition("/")[2]
            if one.size > _largest(name):
                raise StoreError(f"{store.where(one.name)} is larger than any {name} is; it was left alone")
            self._write(place, name, b"".join(_blocks(store, one, patience)))

    def _write(self, place: str, name: str, content: bytes) -> None:
        folder = self.root / place
        with storage_errors(folder, "writing"):
            make_folders(folder)
            replace_file(folder / name, content)

    def _forget(self, places: Iterable[str]) -> None:
        for place in places:
            remove_tree(self.root / place)
            remove_notes(self.root / place)
            for parent in list((self.root / place).parents)[:3]:
                try:
                    parent.rmdir()
                except OSError:
                    break  # it holds others, or locks


def make_folders(path: Path) -> None:
    """Make a folder, and those above it, each for this user alone."""
    for folder in (*reversed(path.parents), path):
        if not folder.exists():
            with storage_errors(folder, "making"):
                make_folder(folder)


def remove_home(home: Path) -> None:
    """Remove a shadow with all that is beside it."""
    shutil.rmtree(home, ignore_errors=True)


def _by_place(listing: Iterable[StoredObject]) -> tuple[dict[str, _Found], list[str]]:
    """Sort what a store lists by backups; names that no backup of ours has are given back apart."""
    found: dict[str, _Found] = {}
    odd: list[str] = []
    for one in listing:
        parts = one.name.split("/")
        if not _is_ours(parts):
            odd.append(one.name)
            continue
        found.setdefault("/".join(parts[:4]), _Found()).files[parts[4]] = one
    return found, odd


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


def _odd_text(store: Store, odd: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in odd[:_SHOWN])
    return f"{store.where()} has {len(odd)} files that belong to no backup, such as {shown}; they were left alone"


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
