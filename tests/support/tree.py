# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a folder, to be compared before and after: `assert folder_state(path) == before`."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """One file, folder or link; `sha256` is of the content, or of a link's target."""

    mode: str
    size: int
    mtime_ns: int
    sha256: str


def folder_state(folder: Path) -> dict[str, Entry]:
    """Everything below `folder`, and the folder itself as `.`, by path relative to it."""
    paths = [folder, *sorted(folder.rglob("*"))]
    return {str(path.relative_to(folder)): _entry(path) for path in paths}


def _entry(path: Path) -> Entry:
    status = path.lstat()
    content = b""
    if path.is_symlink():
        content = os.fsencode(path.readlink())
    elif path.is_file():
        content = path.read_bytes()
    # A folder's size is the filesystem's business.
    size = 0 if stat.S_ISDIR(status.st_mode) else status.st_size
    digest = hashlib.sha256(content).hexdigest()
    return Entry(mode=stat.filemode(status.st_mode), size=size, mtime_ns=status.st_mtime_ns, sha256=digest)
