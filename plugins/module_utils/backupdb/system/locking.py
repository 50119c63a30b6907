# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks of the operating system (flock(2)): the kernel gives them free when their process is no more."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Take the lock of an open file, alone or as one of many, without waiting; False when somebody else holds it.

    Raises OSError where the filesystem has no locks.
    """
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_owner(descriptor: int, text: str) -> None:
    """Write into a lock's file who holds it. On a full disk the lock holds all the same, without that note."""
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)
