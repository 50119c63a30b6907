# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a database will take: as its drills did, else by a stated rate."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ..repository.catalogue import StoredBackup, backups
from ..repository.drill_records import is_proof, newest_drill
from ..repository.problems import Problems

_LOOKED_AT = 20  # backups, until one has been drilled
_AT_LEAST = 1.0  # seconds: connecting, comparing and the like
_MOST = 1e9  # seconds
DRILL = "drill"
RATE = "rate"


@dataclass(frozen=True)
class Prediction:
    """Seconds, and whether a drill or the stated rate says so."""

    seconds: float
    source: str


def predict(backup: StoredBackup, folder: Path, rate: int) -> Prediction:
    """Predict the restore of a backup from the newest drill of its database that succeeded."""
    size = int(backup.manifest["plain_bytes"])
    for drilled in islice(backups(folder, Problems()), _LOOKED_AT):
        record = newest_drill(drilled.folder, Problems())
        took = _seconds(record) if record is not None and is_proof(record) else None
        if took is not None:
            grown = size / max(1, int(drilled.manifest["plain_bytes"]))
            return Prediction(round(took * max(1.0, grown), 1), DRILL)
    return Prediction(round(_AT_LEAST + size / rate, 1), RATE)


def _seconds(record: dict[str, Any]) -> float | None:
    """Return what restoring and comparing took; a record is a file that anybody may have written."""
    seconds = record.get("seconds")
    if not isinstance(seconds, dict):
        return None
    total = 0.0
    for part in (seconds.get("restore"), seconds.get("compare") or 0.0):
        if not isinstance(part, (int, float)) or isinstance(part, bool) or not 0 <= part < _MOST:
            return None
        total += part
    return total
