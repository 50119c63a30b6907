# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of when backups arrived in a copy, by the store's clock; kept beside the shadow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ..system.files import read_small_file
from ..system.json_text import count, read_json
from ..system.text import iso, parse_iso
from .files import replace_file

_LARGEST_FILE = 256 << 20  # bytes; of 100,000 backups it has some 15 MB
_SCHEMA = 1


@dataclass(frozen=True)
class Arrived:
    """How a backup's manifest came into a store.

    `time` is None where this host has sent it and may not look. `later` is how many versions and removals came after
    the first, `current` False says that its name no longer leads to it. `stored_bytes` are those of all its files.
    """

    time: datetime | None
    version: str | None = None
    later: int = 0
    current: bool = True
    stored_bytes: int = 0

    @property
    def tampered(self) -> bool:
        """Whether somebody wrote over the manifest or removed it; no run of ours does the one, nor leaves the other."""
        return self.later > 0 or not self.current

    def values(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "time": None if self.time is None else iso(self.time),
            "version": self.version,
            "later": self.later,
            "current": self.current,
            "stored_bytes": self.stored_bytes,
        }


@dataclass(frozen=True)
class Arrivals:
    """All that is known of a copy, by place (`host/instance/database/backup id`).

    `listed` is when a folder of the store (a host, or host/instance; "" is all of it) was last read whole.
    """

    of: Mapping[str, Arrived]
    listed: Mapping[str, datetime] = field(default_factory=dict)


def read_arrivals(path: Path) -> Arrivals:
    """Read them; a file that is not there or not whole is as good as none: the store is then read anew."""
    try:
        values = read_json(read_small_file(path, _LARGEST_FILE))
        if values["schema"] != _SCHEMA:
            return Arrivals({})
        of = {str(place): _arrived(entry) for place, entry in values["of"].items()}
        return Arrivals(of, {str(folder): parse_iso(time) for folder, time in values["listed"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Arrivals({})


def write_arrivals(path: Path, arrivals: Arrivals) -> None:
    """Write them in one step; raises `RepositoryError`."""
    values = {
        "schema": _SCHEMA,
        "listed": {folder: iso(time) for folder, time in arrivals.listed.items()},
        "of": {place: entry.values() for place, entry in arrivals.of.items()},
    }
    replace_file(path, json.dumps(values, sort_keys=True).encode("ascii"))


def _arrived(entry: Mapping[str, Any]) -> Arrived:
    version, later, current, stored = (entry[key] for key in ("version", "later", "current", "stored_bytes"))
    if not isinstance(version, (str, type(None))) or not isinstance(current, bool):
        raise ValueError("it is not of this version")
    time = entry["time"]
    return Arrived(None if time is None else parse_iso(time), version, count(later), current, count(stored))
