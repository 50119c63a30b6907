# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Being another user of the operating system for a short time: that is whom a server's socket then sees (unix(7))."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager


def can_act_as(user: str) -> bool:
    """Return whether we may be this user: root may be any one that there is."""
    try:
        account = pwd.getpwnam(user)
    except (KeyError, ValueError):
        return False
    return os.geteuid() in (0, account.pw_uid)


@contextmanager
def acting_as(user: str) -> Iterator[None]:
    """Be the user inside the block, with all threads. Only for what needs no file of ours."""
    account = pwd.getpwnam(user)
    before = os.geteuid(), os.getegid()
    if account.pw_uid == before[0]:
        yield
        return
    os.setegid(account.pw_gid)
    os.seteuid(account.pw_uid)
    try:
        yield
    finally:
        os.seteuid(before[0])
        os.setegid(before[1])
