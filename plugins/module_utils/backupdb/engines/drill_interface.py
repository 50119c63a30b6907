# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a drill asks of an engine beside the restore: a private server, a second dump, and how to read dumps.

One object for each engine, with no server of its own: a drill needs it before there is one.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Protocol

from ..connection.server import Server
from .private_server import PrivateServer
from .values import ArchiveSource, Client, Part
from .workplace import Workplace


class DumpReader(Protocol):
    """Reads the lines of one dump in their order; what it says of them is about the line looked at last.

    `rewritable` lines belong to definitions with expressions, which a server may write otherwise than it got them.
    A dump is a sequence of entries, whose order means nothing. `is_row` lines hold rows whose order means nothing.
    `is_setting` lines belong to no entry: they say what holds from there on. `setting` is what of it holds for the
    entry that has begun.
    """

    place: str
    in_data: bool
    rewritable: bool
    begins_entry: bool
    is_row: bool
    is_setting: bool
    setting: bytes

    def look(self, line: bytes) -> bool:
        """Take the next line (its beginning is enough); tell whether it counts."""

    def canonical(self, line: bytes) -> bytes:
        """Return the line looked at last without an order that means nothing; a piece of a long one stays as it is."""

    def rows_until(self, lines: Sequence[bytes], start: int) -> int:
        """Return the end of the lines from `start` on that are rows for sure, and need not be looked at."""

    def rows_in(self, line: bytes, begins: bool) -> Iterator[tuple[bytes | None, bool]]:
        """Yield the rows of a line, or of a further piece of one, in pieces, each with whether the row ends with it.

        None instead of a piece ends the row before, if there is one.
        """


class DrillSupport(ABC):
    """Drills of one engine. `manifest` is that of the backup."""

    SOCKET_NAME: ClassVar[str]  # the longest file name that the server makes in its socket folder
    SERVER_BYTES: ClassVar[int]  # what an empty private server takes on the disk
    UNCOMPARED_PROPERTIES: ClassVar[Sequence[str]] = ()  # those that belong to the place of a database, not to itself

    @abstractmethod
    def reader(self) -> DumpReader:
        """Make a reader for one dump's text."""

    @abstractmethod
    def series(self, version: str) -> str:
        """Return the part of a version within which dumps of equal databases are equal."""

    @abstractmethod
    def program(self, manifest: Mapping[str, Any]) -> str:
        """Name the server program that a drill would start; raises `ClientMissing`."""

    @abstractmethod
    def private_server(
        self,
        manifest: Mapping[str, Any],
        accounts: Mapping[str, Any] | None,
        *,
        place: Workplace,
        cancel: threading.Event,
    ) -> AbstractContextManager[PrivateServer]:
        """Start a server for the backup until the block is left."""

    @abstractmethod
    def placeholder_accounts(
        self, server: Server, manifest: Mapping[str, Any], sources: Sequence[ArchiveSource]
    ) -> list[str]:
        """Make the accounts that a restore needs and that are not here; return their names."""

    @abstractmethod
    def dump_again(self, server: Server, client: Client, manifest: Mapping[str, Any]) -> list[Part]:
        """Return the calls that dump the restored database as the archives of the backup were dumped."""

    @abstractmethod
    def dump_definitions(self, server: Server, client: Client, manifest: Mapping[str, Any]) -> list[Part]:
        """Return the calls that dump its definitions only, in the order of their restore."""

    def text(self, client: Client, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Turn the plain stream of an archive into the text that is compared, in blocks; most are their own text."""
        return blocks
