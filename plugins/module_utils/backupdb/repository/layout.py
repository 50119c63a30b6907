# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things lie in a repository, and how names from servers become safe path components.

`<repository>/<host>/<instance>/<database>/<YYYYMMDDTHHMMSSZ>-<run_id8>/`; accounts rest in `@accounts`.
Encoding: every byte outside a-z 0-9 _ . - becomes %xx, and so does a leading dot or dash. Capitals are encoded
as well, since `Shop` and `shop` would be one folder on a filesystem that ignores case. Two different names
never meet: short ones are encoded one to one, long ones end in a digest of the whole name.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timezone
from functools import lru_cache
from typing import NamedTuple

from ..errors import InvalidOption
from ..system.text import is_reckonable

ACCOUNTS_FOLDER = "@accounts"  # no encoded name begins with @
LOCK_FILE = ".lock"
READERS_FILE = ".readers"
MANIFEST_FILE = "manifest.json"
CHECKSUM_FILE = "manifest.json.sha256"
SIGNATURE_FILE = "manifest.json.sig"  # raw bytes, where the host signs its backups
PARTIAL_PREFIX = ".partial-"
REMOVING_PREFIX = ".removing-"
DRILLS_FOLDER = ".drills"  # of a database: what is noted of drills and cannot lie in the backups' own folders
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_.-")
_LEADING_ENCODED = frozenset(b".-")
_LONGEST = 200  # bytes; filesystems allow 255, and a temporary name needs room too
_KEPT = 160
_DIGEST = 16  # hexadecimal digits
_STAMP = "%Y%m%dT%H%M%SZ"
_STAMP_FORM = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", re.ASCII)
_RUN = re.compile(r"[0-9a-f]{8}", re.ASCII)


class BackupName(NamedTuple):
    """The two facts in a backup's folder name."""

    time: datetime
    run: str  # first 8 characters of the run id


@lru_cache(maxsize=4096)  # a catalogue asks for the same names at every backup
def encode_name(name: str) -> str:
    """Return the path component for a database, instance or host; at most 200 bytes, never hidden, never "..".

    Raises `InvalidOption` for an empty name.
    """
    if not name:
        raise InvalidOption("an empty name cannot be a folder of a repository")
    raw = name.encode("utf-8", "surrogateescape")
    encoded = "".join(
        chr(byte) if byte in _PLAIN and not (position == 0 and byte in _LEADING_ENCODED) else f"%{byte:02x}"
        for position, byte in enumerate(raw)
    )
    if len(encoded) <= _LONGEST:
        return encoded
    return f"{encoded[:_KEPT]}~{hashlib.sha256(raw).hexdigest()[:_DIGEST]}"


def stamp(time: datetime) -> str:
    """Write a time as names have it, to the second: 20261124T050607Z."""
    return time.astimezone(timezone.utc).strftime(_STAMP)


def backup_folder(time: datetime, run_id: str) -> str:
    """Return the folder name of a backup begun at `time` by run `run_id`."""
    return f"{stamp(time)}-{run_id[:8]}"


def parse_stamp(text: str) -> datetime | None:
    """Read a time that `stamp` has written; None for anything else."""
    match = _STAMP_FORM.fullmatch(text)
    if match is None:
        return None
    try:
        year, month, day, hour, minute, second = map(int, match.groups())
        moment = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError:
        return None
    return moment if is_reckonable(moment) else None


def parse_backup_folder(name: str) -> BackupName | None:
    """Read a backup's folder name; None for anything else."""
    text, _dash, run = name.partition("-")
    time = parse_stamp(text)
    if time is None or _RUN.fullmatch(run) is None:
        return None
    return BackupName(time, run)
