# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue of a copy, read from its store and nothing else: which backups are there, and what is left of others.

Manifests never change, so one that this host knows already is not fetched again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import ManifestDamaged, StoreError
from ..repository import layout
from ..repository.arrivals import Arrived
from ..repository.catalogue import LARGEST_MANIFEST, StoredBackup
from ..repository.drill_records import is_drill_file
from ..repository.manifest import parse, started
from ..repository.stores.interface import Store, StoredObject
from ..system.files import read_small_file

_BLOCK = 1 << 20  # bytes
_BACKUP_DEPTH = 4  # host, instance, database, backup
# What is remembered of each manifest: with 100,000 of them the rest would not fit into memory.
_KEPT = ("host", "instance", "database", "kind", "backup_id", "run_id", "status", "stored_bytes", "started")


@dataclass(frozen=True)
class CopiedFolder:
    """The files of one backup in a copy. `newest` is when the last of them arrived, None where that is not known.

    Without a `manifest` there is no backup: it is on its way, or was broken off, or something was removed.
    """

    place: str  # host/instance/database/id
    manifest: StoredObject | None
    files: int
    stored_bytes: int
    newest: datetime | None
    tampered: int  # files that somebody wrote over or removed
    drills: frozenset[str] = frozenset()  # names of the records of drills

    @property
    def database_place(self) -> str:
        """The folder above."""
        return self.place.rpartition("/")[0]

    @property
    def backup_id(self) -> str:
        """Its own name."""
        return self.place.rpartition("/")[2]

    def arrived(self) -> Arrived:
        """Return what the store says of the manifest."""
        if self.manifest is None:
            return Arrived(None)
        return Arrived(self.manifest.time, self.manifest.version, self.manifest.later, self.manifest.current)


@dataclass
class CopyCatalogue:
    """All that a store lists. `foreign` are names that are none of a repository."""

    folders: dict[str, list[CopiedFolder]] = field(default_factory=dict)  # by the place of the database
    foreign: list[str] = field(default_factory=list)
    newest: datetime | None = None  # when the last of all files arrived

    def all(self) -> Iterator[CopiedFolder]:
        """Yield all folders."""
        return (folder for folders in self.folders.values() for folder in folders)


def read_catalogue(store: Store, under: str = "") -> CopyCatalogue:
    """List the whole copy, or what is below the folder `under`; raises `StoreError` when the list is not whole."""
    found = CopyCatalogue()
    places: set[str] = set()
    # By the folder of the backup, whatever lies in folders below it: what belongs together must not be torn apart.
    for place, objects in groupby(store.entries(under), key=lambda one: "/".join(one.name.split("/")[:_BACKUP_DEPTH])):
        everything = list(objects)
        files = [one for one in everything if one.name.rpartition("/")[0] == place]
        found.foreign += [one.name for one in everything if one.name.rpartition("/")[0] != place]
        if not _is_place(place):
            found.foreign += [one.name for one in files]
            continue
        if place in places:
            raise StoreError(f"{store.where(place)} is listed twice, so the list of this copy cannot be trusted")
        places.add(place)
        folder = _folder(place, files)
        found.folders.setdefault(folder.database_place, []).append(folder)
        found.newest = max((time for time in (found.newest, folder.newest) if time is not None), default=None)
    return found


def read_copied(store: Store, folder: CopiedFolder, shadow: Path | None) -> StoredBackup:
    """Read one backup's manifest, from `shadow` where it is known already; its `folder` is the one in the shadow.

    Of the manifest only what a prune needs is kept. Raises `ManifestDamaged`, and `StoreError`.
    """
    wanted = folder.manifest
    if wanted is None:
        raise ManifestDamaged(f"{store.where(folder.place)} has no {layout.MANIFEST_FILE}")
    path = Path(shadow or "/").joinpath(*PurePosixPath(folder.place).parts)
    manifest = parse(
        _known(path, wanted.size) or fetch_small(store, wanted, LARGEST_MANIFEST), store.where(wanted.name)
    )
    time = started(manifest, store.where(wanted.name))
    return StoredBackup(path, time, _slim(manifest))


def _folder(place: str, files: list[StoredObject]) -> CopiedFolder:
    times = [one.time for one in files]
    manifest = f"{place}/{layout.MANIFEST_FILE}"
    return CopiedFolder(
        place=place,
        manifest=next((one for one in files if one.name == manifest), None),
        files=len(files),
        stored_bytes=sum(one.size for one in files),
        newest=None if None in times else max(time for time in times if time is not None),
        tampered=sum(one.later > 0 or not one.current for one in files),
        drills=frozenset(name for name in (one.name.rpartition("/")[2] for one in files) if is_drill_file(name)),
    )


def _is_place(place: str) -> bool:
    parts = place.split("/")
    hidden = any(part == "" or part.startswith(".") for part in parts)
    return len(parts) == _BACKUP_DEPTH and not hidden and layout.parse_backup_folder(parts[-1]) is not None


def _known(path: Path, size: int) -> bytes | None:
    try:
        content = read_small_file(path / layout.MANIFEST_FILE, LARGEST_MANIFEST)
    except OSError:
        return None
    return content if len(content) == size else None


def fetch_small(store: Store, wanted: StoredObject, limit: int) -> bytes:
    """Read a small file of a store whole; raises `StoreError`, and `ManifestDamaged` for one larger than `limit`."""
    if wanted.size > limit:
        raise ManifestDamaged(f"{store.where(wanted.name)} is too large for what it should be: {wanted.size} bytes")
    reader = store.open(wanted)
    try:
        content = b"".join(_blocks(reader.read, wanted.size))
    finally:
        reader.close()
    if len(content) != wanted.size:
        raise StoreError(f"{store.where(wanted.name)} ended at byte {len(content)} of {wanted.size}; try again")
    return content


def _blocks(read: Any, size: int) -> Iterator[bytes]:
    while size > 0:
        block = read(min(size, _BLOCK))
        if not block:
            return
        size -= len(block)
        yield block


def _slim(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {key: manifest[key] for key in _KEPT if key in manifest}
