# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MySQL server from Debian sid, unpacked into a folder of its own by tools/lib/mysql_sid.sh."""

from __future__ import annotations

from pathlib import Path

from support.binaries import MissingProgram

FOLDER = Path("/var/cache/vya-backupdb/sid")


def programs() -> Path:
    """Folder with mysqld, mysql and mysqldump."""
    if not (FOLDER / ".complete").exists():
        raise MissingProgram(f"{FOLDER} holds no MySQL: run ./tools/test mysql as root")
    return FOLDER / "bin"
