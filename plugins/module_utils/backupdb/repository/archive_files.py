# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the archives of a backup are opened: they lie beside its manifest, or in a store that keeps a copy of it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Callable, Protocol

from ..errors import ArchiveDamaged, StoreError
from ..system.files import ODD_FILE, open_regular, read_small_file
from . import layout
from .drill_records import LARGEST_RECORD
from .files import storage_error, storage_errors
from .stores.interface import Reader, Store, StoredObject, Upload
from .stores.patience import Patience, SteadyReader


class ArchiveFiles(Protocol):
    """The archives of one backup."""

    def where(self, name: str) -> str:
        """Say for people where an archive is."""

    def open(self, name: str) -> Reader:
        """Open an archive at its beginning.

        Raises `ArchiveDamaged` when there is none, or it is no file, and `RepositoryError` when it cannot be read.
        """

    def size(self, name: str) -> int | None:
        """Return how many bytes an archive has, for messages; None when that is not known."""


class LocalFiles:
    """Archives in a folder of this host."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def where(self, name: str) -> str:
        """Return the path."""
        return str(self._folder / name)

    def open(self, name: str) -> Reader:
        """Open the file; nothing but a regular file is opened."""
        path = self._folder / name
        try:
            descriptor = open_regular(path)
        except FileNotFoundError as error:
            raise ArchiveDamaged(f"{path} is missing; use another backup") from error
        except OSError as error:
            if error.errno in ODD_FILE:
                raise ArchiveDamaged(f"{path} is no archive: {error.strerror}; use another backup") from error
            raise storage_error(error, path, "reading") from error
        return _LocalReader(path, descriptor)

    def size(self, name: str) -> int | None:
        """Return the size of the file."""
        try:
            return os.lstat(self._folder / name).st_size
        except OSError:
            return None


class _LocalReader:
    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._file = os.fdopen(descriptor, "rb", buffering=0)

    def read(self, size: int) -> bytes:
        with storage_errors(self._path, "reading"):
            return self._file.read(size) or b""

    def close(self) -> None:
        self._file.close()


class CopiedFiles:
    """Archives in a store, in the folder `place` of a copy; `spend` is told how much was read of each."""

    def __init__(
        self, store: Store, place: str, patience: Patience, spend: Callable[[int], None] | None = None
    ) -> None:
        self._store = store
        self._place = place
        self._patience = patience
        self._spend = spend
        self._seen: dict[str, StoredObject | None] = {}

    def where(self, name: str) -> str:
        """Return where it is in the store."""
        return self._store.where(f"{self._place}/{name}")

    def open(self, name: str) -> Reader:
        """Open the file as it arrived first."""
        found = self._facts(name)
        if found is None:
            raise ArchiveDamaged(f"{self.where(name)} is missing; use another backup, or another copy")
        reader = SteadyReader(self._store, found, self._patience)
        return reader if self._spend is None else _CountedReader(reader, self._spend)

    def size(self, name: str) -> int | None:
        """Return the size of the file."""
        found = self._facts(name)
        return None if found is None else found.size

    def _facts(self, name: str) -> StoredObject | None:
        if name not in self._seen:
            self._seen[name] = self._store.facts(f"{self._place}/{name}")
        return self._seen[name]

    def add(self, path: Path) -> str:
        """Put the record of a drill into the backup in the store, and return where it is; raises `StoreError`.

        Nothing that is there is replaced, and where the backup is gone nothing is added.
        """
        name = f"{self._place}/{path.name}"
        if self._store.facts(f"{self._place}/{layout.MANIFEST_FILE}") is None:
            raise StoreError(f"{self._store.where(self._place)} was removed meanwhile")
        with storage_errors(path, "reading"):
            content = read_small_file(path, LARGEST_RECORD)
        upload = Upload(path, name, len(content), hashlib.sha256(content).hexdigest())
        self._store.arrival(self._place, _Unmeasured()).put(upload)
        return self._store.where(name)

    def beside(self, place: str) -> CopiedFiles:
        """Return the archives of another backup of the same copy."""
        return CopiedFiles(self._store, place, self._patience, self._spend)


class _Unmeasured:
    """The meter of what is small."""

    def count(self, size: int) -> None:
        """Nothing waits for it."""


class _CountedReader:
    """Reads, and tells at its end how many bytes that were."""

    def __init__(self, reader: Reader, spend: Callable[[int], None]) -> None:
        self._reader = reader
        self._spend = spend
        self._read = 0

    def read(self, size: int) -> bytes:
        block = self._reader.read(size)
        self._read += len(block)
        return block

    def close(self) -> None:
        self._reader.close()
        self._spend(self._read)
        self._read = 0
