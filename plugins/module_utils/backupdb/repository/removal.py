# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removing backups so that each is whole or gone, whenever that is interrupted.

They lose their names first, each in one step. Once the disk has confirmed that, for all of them at once, their files
are removed. What is under such a name no longer exists for anybody, and is finished by the next who removes.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ..errors import RepositoryError
from ..system.files import rename_new
from ..system.parallel import result_of
from ..system.text import counted
from . import layout
from .drill_records import remove_notes
from .files import remove_tree, storage_errors, sync_folder


def take_name(folder: Path) -> Path:
    """Let a backup exist no longer, and return where its files are; when it raises, it is as it was.

    Only for the holder of both locks; raises `RepositoryError`. Should a power cut undo it, the backup is there again:
    no file of it is touched before `remove_files` has made the disk confirm the new name.
    """
    removing = folder.with_name(layout.REMOVING_PREFIX + folder.name)
    with storage_errors(folder, "removing"):
        try:
            rename_new(folder, removing, durable=False)
        except FileExistsError:
            raise RepositoryError(f"{removing} is in the way, so {folder.name} was not removed; look into it") from None
    return removing


def remove_files(database_folder: Path, removing: Sequence[Path], cancel: threading.Event) -> list[str]:
    """Remove the files of backups that have lost their names, and what is noted beside them; return what went wrong.

    What cannot be removed stops no other. What stays, also because of `cancel`, is left to the next who removes.
    """
    if not removing:
        return []
    unconfirmed = result_of(partial(sync_folder, database_folder)).error
    if unconfirmed is not None:
        return [f"{unconfirmed}; {left_text(removing)}"]
    remove_notes(database_folder, [path.name[len(layout.REMOVING_PREFIX) :] for path in removing])
    faults: list[str] = []
    for path in removing:
        if cancel.is_set():
            break
        error = result_of(partial(remove_tree, path)).error
        if error is not None:
            faults.append(str(error))
    return faults


def unfinished_removals(database_folder: Path) -> list[Path]:
    """Return what dead removals left."""
    return sorted(database_folder.glob(f"{layout.REMOVING_PREFIX}*"))


def left_text(removing: Sequence[Path]) -> str:
    """Say that these files are still there, and for whom."""
    return f"the files of {counted(len(removing), 'removed backup')} are left to the next prune"
