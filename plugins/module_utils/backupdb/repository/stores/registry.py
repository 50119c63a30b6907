# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place that knows which stores there are."""

from __future__ import annotations

from .interface import Store
from .notes import Notes
from .patience import Patience
from .settings import CopySettings


def open_store(copy: CopySettings, patience: Patience, notes: Notes | None = None) -> Store:
    """Return the store of a copy; connects at the first use. `notes` keeps what a broken upload is gone on with by.

    Raises `RequirementMissing` or `ClientMissing` with the package that is missing, and `InvalidOption`.
    """
    if copy.type == "s3":
        from .s3 import S3Store

        return S3Store(copy, patience, notes)
    if copy.type == "sftp":
        from .sftp import SftpStore

        return SftpStore(copy, patience)
    if copy.type == "rclone":
        from .rclone import RcloneStore

        return RcloneStore(copy, patience, notes)
    from .local import LocalStore

    return LocalStore(copy, patience)
