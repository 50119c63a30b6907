# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Will it fit? The forecast of a backup's stored size, and the space promised to backups under way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..engines.values import Database
from ..errors import NotEnoughSpace
from ..repository.catalogue import StoredBackup
from ..repository.local import free_bytes, require_room_for_files
from ..system.text import human_size

_FILES = 6  # of one backup at least, with its folders
_LEAST = 4 * 4096  # bytes: an archive or two, the checksums and the manifest, each in a block of its own
_MARGIN = 1.1  # a database is never quite like its last backup


def forecast(database: Database, last: StoredBackup | None) -> int | None:
    """Return how many bytes the next backup will likely take; None where nothing tells.

    From the last backup: its stored size, scaled as the database has grown. Without one: the size of the
    database, which is more than a compressed dump takes.
    """
    if last is None:
        return database.size_bytes
    stored = float(last.manifest["stored_bytes"])
    size_then = last.manifest.get("size_bytes")
    if database.size_bytes and isinstance(size_then, int) and size_then > 0:
        stored *= database.size_bytes / size_then
    return int(stored * _MARGIN)


class Space:
    """The free space of a repository, shared out among the backups of one run."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._promised = 0
        self._guard = threading.Lock()

    @contextmanager
    def promise(self, needed: int | None) -> Iterator[None]:
        """Keep `needed` bytes for the block; raises `NotEnoughSpace` with the numbers when they are not there.

        None, or less, counts as the least that any backup takes.
        """
        needed = max(needed or 0, _LEAST)
        with self._guard:
            require_room_for_files(self._root, _FILES)
            free = free_bytes(self._root)
            if needed > free - self._promised:
                others = f", {human_size(self._promised)} of it promised to others" if self._promised else ""
                raise NotEnoughSpace(
                    f"about {human_size(needed)} are needed and {human_size(free)} are free{others} in {self._root}; "
                    "free space or move the repository"
                )
            self._promised += needed
        try:
            yield
        finally:
            with self._guard:
                self._promised -= needed
