# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pinning a backup, so that no policy removes it, and letting it go again."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InvalidOption, RepositoryError
from ..repository import find as sources
from ..repository.find import BackupSelector
from ..repository.lock import readers_lock
from ..repository.pins import LONGEST_REASON, Pin, read_pin, remove_pin, write_pin
from ..repository.problems import Problems
from ..repository.sealed import ROOT, is_of_root
from ..system.text import utc_now


@dataclass(frozen=True)
class PinRequest:
    """Whether a backup is to be pinned, and which: by its `path`, or by names (no database: accounts) and its id.

    Without a `reason` a pin keeps the one that it has.
    """

    present: bool
    reason: str | None = None
    repository: str | None = None
    path: str | None = None
    host: str | None = None
    instance: str | None = None
    database: str | None = None
    backup_id: str | None = None

    def __post_init__(self) -> None:
        if self.path is None and (self.instance is None or self.backup_id is None or self.repository is None):
            raise InvalidOption("say which backup: by its path, or by repository, instance, database and backup_id")
        if self.reason is not None and len(self.reason) > LONGEST_REASON:
            raise InvalidOption(f"the reason has {len(self.reason)} characters; {LONGEST_REASON} are enough")


def run(request: PinRequest, *, check_mode: bool = False) -> dict[str, Any]:
    """Pin or unpin and return what is now; in check mode nothing is written.

    Raises `BackupNotFound`, `ManifestDamaged`, `LockBusy` while backups are being removed, and `RepositoryError`.
    """
    wanted = BackupSelector(
        path=request.path,
        host=request.host,
        instance=request.instance,
        database=request.database,
        backup_id=request.backup_id,
    )
    backup = sources.find(Path(request.repository) if request.repository is not None else None, wanted).backup
    problems = Problems()
    with readers_lock(backup.instance_folder) as unlocked:
        before = read_pin(backup.folder, problems)
        after = _wanted(request, before)
        changed = before != after or bool(problems.lines)
        if changed and not check_mode:
            if is_of_root(backup.folder) and os.geteuid() != ROOT:
                raise RepositoryError(f"{backup.folder} belongs to root, so only root can pin it or let it go")
            if after is None:
                remove_pin(backup.folder)
            else:
                write_pin(backup.folder, after.reason, utc_now())
    return {
        "changed": changed,
        "path": str(backup.folder),
        "backup_id": backup.folder.name,
        "pinned": after is not None,
        "reason": None if after is None else after.reason,
        "message": f"{backup.folder} is {_text(after)}",
        "warnings": [*unlocked, *problems.lines],
        "diff": {
            "before": f"{backup.folder}: {_text(before)}\n",
            "after": f"{backup.folder}: {_text(after)}\n",
        },
    }


def _wanted(request: PinRequest, before: Pin | None) -> Pin | None:
    if not request.present:
        return None
    if before is not None and request.reason in (None, before.reason):
        return before
    return Pin(request.reason or "")


def _text(pin: Pin | None) -> str:
    if pin is None:
        return "not pinned"
    return f"pinned: {pin.reason}" if pin.reason else "pinned"
