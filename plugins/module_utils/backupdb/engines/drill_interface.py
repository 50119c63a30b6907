# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a drill asks of an engine beside the restore: a private server, a second dump, and how to read dumps.

Each vendor's file has these functions; `proving_of` finds the file.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Callable, Protocol

from ..errors import InvalidOption
from .mysql import drill as proving_mysql
from .postgresql import drill as proving_postgresql

if TYPE_CHECKING:
    from ..connection.server import Server
    from .drill_dialects import Dialect
    from .interface import ArchiveSource, Client, Part
    from .private_server import PrivateServer
    from .workplace import Workplace


class Proving(Protocol):
    """The function set of a vendor's file (a Python module satisfies it). `manifest` is that of the backup."""

    @property
    def SOCKET_NAME(self) -> str:
        """The longest file name that the server makes in its socket folder."""

    @property
    def UNCOMPARED_PROPERTIES(self) -> Sequence[str]:
        """Properties of a database that belong to the place where it is, not to itself."""

    @property
    def dialect(self) -> Callable[[], Dialect]:
        """How the lines of a dump's text are read."""

    def series(self, version: str) -> str:
        """Return the part of a version within which dumps of equal databases are equal."""

    def program(self, manifest: Mapping[str, Any]) -> str:
        """Name the server program that a drill would start; raises `ClientMissing`."""

    def private_server(
        self,
        manifest: Mapping[str, Any],
        accounts: Mapping[str, Any] | None,
        *,
        place: Workplace,
        cancel: threading.Event,
    ) -> AbstractContextManager[PrivateServer]:
        """Start a server for the backup until the block is left."""

    def stand_ins(self, server: Server, manifest: Mapping[str, Any], sources: Sequence[ArchiveSource]) -> list[str]:
        """Make the accounts that a restore needs and that are not here; return their names."""

    def dump_again(self, server: Server, client: Client, manifest: Mapping[str, Any]) -> list[Part]:
        """Return the calls that dump the restored database as the archives of the backup were dumped."""

    def dump_definitions(self, server: Server, client: Client, manifest: Mapping[str, Any]) -> list[Part]:
        """Return the calls that dump its definitions only, in the order of their restore."""

    def text(self, client: Client, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Turn the plain stream of an archive into the text that is compared, in blocks."""


_PROVING: Mapping[str, Proving] = {
    "postgresql": proving_postgresql,
    "mariadb": proving_mysql,
    "mysql": proving_mysql,
}


def proving_of(manifest: Mapping[str, Any]) -> Proving:
    """Return the file of the backup's vendor; raises `InvalidOption` for one that is not known."""
    found = _PROVING.get(str(manifest["engine"]))
    if found is None:
        raise InvalidOption(f"the backup is of {manifest['engine']!r}, for which there are no drills")
    return found
