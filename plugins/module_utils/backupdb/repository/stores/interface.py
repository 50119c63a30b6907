# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a store is: a place elsewhere that keeps copies of backups, as files with names below one top.

Names are paths with slashes, made of what `layout` makes: `db1/shop-pg/orders/20261124T021500Z-3f0c9a52/manifest.json`.
Whatever a store says may be another's work; it is read as such.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Protocol

YES = "yes"
NO = "no"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class StoredObject:
    """A file in a store.

    `time` is when it arrived, by the clock of the store. Where versions are kept this is the first one: `later` is how
    many versions and removals came after it, and `current` says whether its name leads to it.
    """

    name: str
    size: int  # bytes
    time: datetime | None = None
    version: str | None = None
    later: int = 0
    current: bool = True


@dataclass(frozen=True)
class Upload:
    """A file of this host on its way: its name below the top, and what its content must be."""

    path: Path
    name: str
    size: int  # bytes
    sha256: str  # hexadecimal


@dataclass(frozen=True)
class Right:
    """What is known of a right: `known` is yes, no or unknown, `detail` says from what, or what follows from it."""

    name: str
    known: str
    detail: str = ""


class Reader(Protocol):
    """The bytes of a file of a store, from some position on."""

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes, none at the end; raises `StoreError`."""

    def close(self) -> None:
        """End it; harmless when it has ended."""


class Meter(Protocol):
    """Is told of all bytes that go out. It may wait, for a limit of bandwidth, and raises what ends the copying."""

    def count(self, size: int) -> None:
        """`size` bytes have been handed over."""


class Arrival(ABC):
    """One backup on its way into a store; it exists there only after `finish`.

    An arrival that was broken off is gone on with by the next one of the same backup: what is there is not sent again.
    """

    @abstractmethod
    def put(self, upload: Upload) -> None:
        """Send one file, unless it is there with this size and content.

        Raises `ArchiveDamaged` when the file of this host is not what it must be; nothing of that name is then in the
        store. Raises `StoreError` when another file is there by this name: nothing is ever replaced.
        """

    @abstractmethod
    def finish(self) -> None:
        """Make the backup exist. All its files have been put, the manifest last."""


class Store(ABC):
    """A place elsewhere. Every method raises `StoreError` in one of its kinds, and nothing else on purpose."""

    TYPE: ClassVar[str]
    HAS_VERSIONS: ClassVar[bool] = False
    MEDIA: ClassVar[str]  # what it rests on, for the count of media: disk, object store, another host

    @abstractmethod
    def where(self, name: str = "") -> str:
        """Say for people where a file, or the top, is: `s3://acme-db/hosts/db1/...`. Never a secret."""

    @abstractmethod
    def entries(self, under: str = "", after: str = "") -> Iterator[StoredObject]:
        """Yield the files below the folder `under`, those after the name `after` only, by name.

        What is hidden by a later version or a removal is listed too. Raises when the list is not whole.
        """

    @abstractmethod
    def facts(self, name: str) -> StoredObject | None:
        """Look at one file; None when there is none by this name."""

    @abstractmethod
    def open(self, wanted: StoredObject, offset: int = 0) -> Reader:
        """Begin to read a file at `offset`."""

    @abstractmethod
    def arrival(self, place: str, meter: Meter) -> Arrival:
        """Begin, or go on with, a backup whose folder is to be `place`."""

    @abstractmethod
    def remove(self, place: str, objects: Sequence[StoredObject]) -> None:
        """Remove a backup: the manifest first, so that no half of it looks whole."""

    def clear_arrivals(self, under: str, going_on: Container[str], before: datetime) -> Sequence[str]:
        """Remove what arrivals that were broken off have left below the folder `under`, host/instance; return where.

        Only of this host, and only what nobody goes on with: the places in `going_on` stay, and, where others may see
        to it, what was written at or after `before` by the store's clock. A store that leaves nothing removes nothing.
        """
        return ()

    @abstractmethod
    def rights(self) -> Sequence[Right]:
        """Say which rights the key has, as far as that is seen without writing anything."""

    def policy(self) -> str | None:
        """Return the text that gives a host's key the least rights, to be pasted where rights are given; None: none."""
        return None

    def requests_for(self, size: int) -> int:
        """Return in how many requests a file of this size goes."""
        return 1

    def locked_until(self, wanted: StoredObject) -> datetime | None:
        """Return until when the store itself keeps a file; None for one that is not kept, or where nobody can know."""
        return None

    def close(self) -> None:  # noqa: B027  most have nothing to let go of
        """Let go of connections."""
