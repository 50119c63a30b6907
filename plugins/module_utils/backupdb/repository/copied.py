# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a backup of this host is in a copy, told by its shadow: no store is asked."""

from __future__ import annotations

import os
from pathlib import Path

from ..system.files import read_small_file
from . import layout
from .catalogue import LARGEST_MANIFEST


def is_copied(backup: Path, copied: Path) -> bool:
    """Return whether the backup in the folder `backup` is the one in `copied`, its folder in a shadow.

    The manifests are compared, which have the checksums of all the rest; a name alone could be taken by others.
    """
    try:
        ours = read_small_file(backup / layout.MANIFEST_FILE, LARGEST_MANIFEST)
        return ours == read_small_file(copied / layout.MANIFEST_FILE, LARGEST_MANIFEST)
    except OSError:
        return False


def backup_ids(database_folder: Path) -> set[str]:
    """Return the ids of the backups in the folder of a database; none where it is not there, or cannot be listed."""
    try:
        names = os.listdir(database_folder)  # noqa: PTH208  names, not paths
    except OSError:
        return set()
    exist = (name for name in names if os.path.lexists(database_folder / name / layout.MANIFEST_FILE))
    return {name for name in exist if layout.parse_backup_folder(name)}
