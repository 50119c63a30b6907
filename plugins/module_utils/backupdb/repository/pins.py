# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pins: backups that stay whatever the policy says, noted beside the manifest, which is never rewritten.

A pin is `pin.json`. It appears, changes and vanishes whole. One that cannot be read is a pin all the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ..system.files import read_small_file
from ..system.json_text import read_json
from ..system.text import iso
from .files import remove_file, replace_file, sync_folder
from .problems import Problems

FILE = "pin.json"
SCHEMA = 1
LONGEST_REASON = 1000  # characters
_LARGEST_PIN = 1 << 20  # bytes


@dataclass(frozen=True)
class Pin:
    """Why a backup stays, and since when (a text of `text.iso`); both may be empty."""

    reason: str
    since: str = ""


def read_pin(folder: Path, problems: Problems) -> Pin | None:
    """Return the pin of a backup; one that cannot be read is reported and pins without a reason."""
    path = folder / FILE
    try:
        record = read_json(read_small_file(path, _LARGEST_PIN))
        return Pin(reason=str(record["reason"]), since=str(record["since"]))
    except FileNotFoundError:
        return None
    except OSError as error:
        problems.add(f"{path} cannot be read, so it counts as a pin: {error.strerror}")
    except (ValueError, KeyError, TypeError) as error:
        problems.add(f"{path} is not whole, so it counts as a pin: {error}")
    return Pin("")


def write_pin(folder: Path, reason: str, since: datetime) -> None:
    """Pin a backup, or give its pin another reason; raises `RepositoryError` or `NotEnoughSpace`."""
    record = {"schema": SCHEMA, "backup_id": folder.name, "reason": reason, "since": iso(since)}
    replace_file(folder / FILE, (json.dumps(record, indent=2, sort_keys=True) + "\n").encode("ascii"))


def remove_pin(folder: Path) -> None:
    """Let a backup go the way of the others; raises `RepositoryError`."""
    remove_file(folder / FILE)
    sync_folder(folder)
