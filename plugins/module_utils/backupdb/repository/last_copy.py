# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the last copying into a copy ended, kept beside its shadow for whoever looks at the state of things."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ..system.files import read_small_file
from ..system.json_text import count, read_json
from ..system.text import iso, parse_iso
from .files import replace_file

_LARGEST = 1 << 20  # bytes
_LONGEST = 2000  # characters of an error that are kept
_SCHEMA = 1


@dataclass(frozen=True)
class LastCopy:
    """When it ended, what went wrong (None: nothing), and how many backups of this host are still missing there."""

    time: datetime
    error: str | None
    missing: int


def write_last(home: Path, last: LastCopy) -> None:
    """Remember it; raises `RepositoryError`."""
    values = {
        "schema": _SCHEMA,
        "time": iso(last.time),
        "error": None if last.error is None else last.error[:_LONGEST],
        "missing": last.missing,
    }
    replace_file(home / "last.json", json.dumps(values, sort_keys=True).encode("ascii"))


def read_last(home: Path) -> LastCopy | None:
    """Return what is remembered; None when nothing is, or nothing that can be read."""
    try:
        values = read_json(read_small_file(home / "last.json", _LARGEST))
        error, missing = values["error"], values["missing"]
        if values["schema"] != _SCHEMA or not isinstance(error, (str, type(None))):
            return None
        return LastCopy(parse_iso(values["time"]), error, count(missing))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
