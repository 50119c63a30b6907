# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores of copies as tests use them: opened from a server's options, with files to send and a count of bytes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from backupdb.repository.stores.interface import Store, StoredObject, Upload
from backupdb.repository.stores.notes import Notes
from backupdb.repository.stores.patience import Patience, SteadyReader
from backupdb.repository.stores.registry import open_store
from backupdb.repository.stores.settings import CopySettings, copy_from

PLACE = "db1/shop-pg/orders/20261124T021500Z-3f0c9a52"
PATIENCE = 5.0  # seconds


class Count:
    """A meter that only counts."""

    def __init__(self) -> None:
        self.sent = 0

    def count(self, size: int) -> None:
        """Count bytes that are handed over."""
        self.sent += size


def settings_of(copy: Mapping[str, Any], **changes: Any) -> CopySettings:
    """The settings of a server's `copy`; `changes` are options."""
    return copy_from({**copy["options"], **changes}, "copies[0]", copy["secrets"])


@contextmanager
def opened(
    copy: Mapping[str, Any], *, patience: float = PATIENCE, notes: Notes | None = None, **changes: Any
) -> Iterator[Any]:
    """Open the store of a server's `copy`."""
    with closing(open_store(settings_of(copy, **changes), Patience(patience), notes)) as store:
        yield store


def upload(folder: Path, name: str, content: bytes | int, *, place: str = PLACE) -> Upload:
    """A file of this host on its way, with its content or so many random bytes."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else os.urandom(content))
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return Upload(path, f"{place}/{name}", path.stat().st_size, digest.hexdigest())


def put(store: Store, *uploads: Upload) -> int:
    """Send files as one backup; returns how many bytes went out."""
    meter = Count()
    arrival = store.arrival(uploads[0].name.rpartition("/")[0], meter)
    for one in uploads:
        arrival.put(one)
    arrival.finish()
    return meter.sent


def content_of(store: Store, found: StoredObject) -> bytes:
    """Read a file of a store to its end."""
    reader = SteadyReader(store, found, Patience(PATIENCE))
    try:
        return b"".join(iter(lambda: reader.read(1 << 20), b""))
    finally:
        reader.close()


def names_in(store: Store, under: str = "", after: str = "") -> list[str]:
    """The names that a store lists."""
    return [entry.name for entry in store.entries(under, after)]
