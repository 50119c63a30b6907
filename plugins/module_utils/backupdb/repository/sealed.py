# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is sealed: whether a repository is append-only, and whether something in it is out of its maker's hands."""

from __future__ import annotations

import stat
from pathlib import Path

from .files import storage_errors

ROOT = 0  # the uid


def is_sealed(root: Path) -> bool:
    """Return whether a repository is append-only for all but root; raises `RepositoryError`."""
    with storage_errors(root, "looking at"):
        status = root.stat()
    return status.st_uid == ROOT and bool(status.st_mode & stat.S_ISVTX)


def is_of_root(path: Path) -> bool:
    """Return whether something in a sealed repository was sealed: a link, or what belongs to another, was not."""
    try:
        status = path.lstat()
    except OSError:
        return False
    return status.st_uid == ROOT and not stat.S_ISLNK(status.st_mode)
