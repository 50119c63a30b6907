# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much will a backup take? Three figures and how far to believe them.

Without an earlier backup there is only the size of the database, which says little: indexes and the room of deleted
rows are in it and not in a dump, rows compress well or not at all. The shares below were measured on the databases of
tests/support/schemas/applications and on tables of one kind, on PostgreSQL 15, MariaDB 10.11 and MySQL 9. Of the size
that is more than an empty database's, an archive took with zstd or gzip: 0.1 % where nearly all rows were deleted, 1 to
15 % of the applications, 7 % of numbers with indexes, 14 % of log lines, 26 % of random identifiers, 95 % of random
bytes; uncompressed 2 to 100 % of most applications, and 190 % of random bytes, which are dumped as digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..engines.values import Database
from ..repository.catalogue import StoredBackup
from ..system.text import human_size

LEAST = 4 * 4096  # bytes: an archive or two, the checksums and the manifest, each in a block of its own
# The least, the likely and the greatest share of the size that an archive takes.
_COMPRESSED = (0.02, 0.25, 1.1)
_PLAIN = (0.05, 0.8, 4.0)
_SINCE_LAST = (0.5, 1.1, 2.0)  # the same of the last backup's size, scaled as the database has grown
_OF_PLAIN = (0.02, 0.25, 1.1)  # compressed now, of the bytes that the last dump had
_STEADY = 1 << 20  # bytes: less of a change says nothing about growth


@dataclass(frozen=True)
class Forecast:
    """What the next backup will take, in bytes: at least, likely, and at most. `basis` says where that is from."""

    least: int
    likely: int
    most: int
    confidence: str  # high (from an earlier backup) or low (a guess)
    basis: str

    @property
    def text(self) -> str:
        """Say it in a clause."""
        return (
            f"likely {human_size(self.likely)}, at most {human_size(self.most)}, with {self.confidence} confidence: "
            f"{self.basis}"
        )


def forecast(database: Database, last: StoredBackup | None, *, compression: str, empty_bytes: int) -> Forecast | None:
    """Return what the next backup of a database will take; None where nothing tells.

    `compression` is the method that it will be made with, `empty_bytes` the size that an empty database has.
    """
    if last is None:
        if database.size_bytes is None:
            return None
        content = max(0, database.size_bytes - empty_bytes)
        basis = f"guessed from the size of the database, {human_size(database.size_bytes)}, as there is no backup of it"
        return _of(content, _PLAIN if compression == "none" else _COMPRESSED, "low", basis)
    growth = _growth(database.size_bytes, last.manifest.get("size_bytes"), empty_bytes)
    changed = "" if growth == 1 else ", scaled as the database has changed since"
    if _compression_of(last.manifest) == compression:
        stored = float(last.manifest["stored_bytes"]) * growth
        return _of(stored, _SINCE_LAST, "high", f"from its last backup of {human_size(int(stored / growth))}{changed}")
    plain = float(last.manifest["plain_bytes"]) * growth
    basis = f"from the {human_size(int(plain / growth))} of its last dump, which was compressed otherwise{changed}"
    return _of(plain, _SINCE_LAST if compression == "none" else _OF_PLAIN, "low", basis)


def _of(size: float, shares: tuple[float, float, float], confidence: str, basis: str) -> Forecast:
    least, likely, most = (max(LEAST, int(size * share)) for share in shares)
    return Forecast(least, likely, most, confidence, basis)


def _growth(size: int | None, size_then: Any, empty_bytes: int) -> float:
    """Say by how much the content has grown; 1 where that is not known."""
    if not size or not isinstance(size_then, int) or size_then <= 0:
        return 1
    content, before = (max(0, value - empty_bytes) + _STEADY for value in (size, size_then))
    return content / before


def _compression_of(manifest: Mapping[str, Any]) -> str:
    return next((str(archive["compression"]) for archive in manifest["archives"]), "")
