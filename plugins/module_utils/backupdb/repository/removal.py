# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removing a backup so that it is whole or gone, whenever that is interrupted.

It loses its name first, in one step that lasts beyond a power cut; only then is it removed. What is under such a name
no longer exists for anybody, and is finished by the next who removes.
"""

from __future__ import annotations

from pathlib import Path

from . import layout
from .drill_records import remove_notes
from .files import publish_folder, remove_tree


def take_name(folder: Path) -> Path:
    """Let a backup exist no longer, and return where its files are; when it raises, it is as it was.

    Only for the holder of both locks; raises `RepositoryError`. Should a power cut undo it, the backup is there again.
    """
    removing = folder.with_name(layout.REMOVING_PREFIX + folder.name)
    publish_folder(folder, removing)
    return removing


def remove_files(folder: Path, removing: Path) -> None:
    """Remove the files of a backup that was `folder`; raises `RepositoryError`, and then the next removal goes on."""
    remove_tree(removing)
    remove_notes(folder)


def unfinished_removals(database_folder: Path) -> list[Path]:
    """Return what dead removals left."""
    return sorted(database_folder.glob(f"{layout.REMOVING_PREFIX}*"))
