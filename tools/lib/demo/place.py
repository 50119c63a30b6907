# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the demo keeps everything it makes: one folder per user and checkout, with a short path.

Not in the checkout: a unix socket's path has at most 107 bytes, and when root runs the demo the servers run as
other users, who could not enter a checkout under /root.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# Another folder, so that a test does not take a person's demo away.
FOLDER_VARIABLE = "BACKUPDB_DEMO_FOLDER"


def demo_folder() -> Path:
    """The folder of this user and this checkout, whether it is there or not."""
    if os.environ.get(FOLDER_VARIABLE):
        return Path(os.environ[FOLDER_VARIABLE])
    digest = hashlib.sha256(os.fsencode(ROOT)).hexdigest()[:8]
    return Path(f"/var/tmp/vya-demo-{os.geteuid()}-{digest}")  # noqa: S108  # its owner is checked


def make_folder(folder: Path) -> None:
    """Make the demo's folder: others may pass through it (servers do), and see nothing."""
    folder.mkdir(mode=0o711, exist_ok=True)
    check_owner(folder)
    folder.chmod(0o711)


def check_owner(folder: Path) -> None:
    """Everybody can write to /var/tmp: never trust a folder there that somebody else made."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError(f"{folder} belongs to somebody else; have it removed")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
