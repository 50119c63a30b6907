# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Being another user of the operating system for one piece of work: that is whom a server's socket then sees (unix(7)).

Users belong to threads in Linux; it is the C library that changes all of a process at once (nptl(7)). So root lends a
thread of its own to the work, changes that thread alone by the system call itself, and lets it end: nothing has to be
changed back, and what other threads do meanwhile, such as reading a repository, they do as before.
"""

from __future__ import annotations

import ctypes
import os
import platform
import pwd
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from ..errors import InvalidOption, SystemRefused

Value = TypeVar("Value")

_KEPT = -1  # of an id that a call leaves as it is
# The numbers of setresuid and setresgid, those with ids of 32 bits.
_GENERIC = (147, 149)
_OF_32_BITS = (208, 210)
_NUMBERS = {
    "x86_64": (117, 119),
    "aarch64": _GENERIC,
    "riscv64": _GENERIC,
    "loongarch64": _GENERIC,
    "ppc64le": (164, 169),
    "s390x": _OF_32_BITS,
}
_NUMBERS_OF_32_BITS = {name: _OF_32_BITS for name in ("x86_64", "i386", "i686", "armv6l", "armv7l", "armv8l")}


def can_act_as(user: str) -> bool:
    """Return whether we may be this user: root may be any one that there is."""
    try:
        account = pwd.getpwnam(user)
    except (KeyError, ValueError):
        return False
    return os.geteuid() in (0, account.pw_uid)


def account_to_become(user: str | None) -> pwd.struct_passwd | None:
    """Return the account to change to for being this user; None where we are that user, or no one was named.

    Raises `InvalidOption` where we cannot be that user.
    """
    if user is None:
        return None
    try:
        account = pwd.getpwnam(user)
    except (KeyError, ValueError) as error:
        raise InvalidOption(
            f"the operating system has no user {user!r}, as whom to log in; name the one who administers the server"
        ) from error
    if account.pw_uid == os.geteuid():
        return None
    if os.geteuid() != 0:
        raise InvalidOption(
            f"only root can log in as the operating system's user {user}, and this is uid {os.geteuid()}; run it as "
            "root, or give an account with a password"
        )
    return account


def call_as(user: str | None, work: Callable[[], Value]) -> Value:
    """Call `work` as this user of the operating system, in a thread of its own; return or raise what it does.

    Only the effective ids are changed: as the real ones are root's, nobody else may trace or signal that thread. Where
    there is nothing to change, it is called here. Raises `InvalidOption` where we cannot be that user.
    """
    account = account_to_become(user)
    if account is None:
        return work()
    values: list[Value] = []
    errors: list[BaseException] = []

    def work_as_user() -> None:
        try:
            _become(account)
            values.append(work())
        except BaseException as error:  # noqa: BLE001  it is raised where the work was asked for
            errors.append(error)

    thread = threading.Thread(target=work_as_user, name=f"as {user}", daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return values[0]


def _become(account: pwd.struct_passwd) -> None:
    """Change the effective ids of this thread alone."""
    change_user, change_group = _numbers()
    library = ctypes.CDLL(None, use_errno=True)
    for number, wanted in ((change_group, account.pw_gid), (change_user, account.pw_uid)):
        ids = (ctypes.c_long(number), ctypes.c_long(_KEPT), ctypes.c_long(wanted), ctypes.c_long(_KEPT))
        if library.syscall(*ids) != 0:
            reason = os.strerror(ctypes.get_errno())
            raise SystemRefused(f"the operating system does not let us be its user {account.pw_name}: {reason}")


def _numbers() -> tuple[int, int]:
    machine = platform.machine()
    known = _NUMBERS if sys.maxsize > 2**32 else _NUMBERS_OF_32_BITS
    if machine not in known:
        raise SystemRefused(
            f"how a thread becomes another user is not known for {machine}; give an account with a password, or run "
            "this as the user who logs in"
        )
    return known[machine]


def give_to(descriptor: int, user: str | None) -> None:
    """Make an open file that user's, who shall open it as /dev/fd/N; raises as `account_to_become`, and OSError."""
    account = account_to_become(user)
    if account is not None:
        os.fchown(descriptor, account.pw_uid, account.pw_gid)


@contextmanager
def files_of_owner(folder: Path) -> Iterator[None]:
    """Inside the block what root does in this thread, and in threads that begin here, is done with files as the owner
    of a folder would: what is made belongs to him. Nothing changes for others than root, or where root is the owner.

    Programs that are started meanwhile are root's as before.
    """
    try:
        status = folder.stat()
    except OSError:  # whoever writes there says what is wrong
        status = None
    if os.geteuid() != 0 or status is None or status.st_uid == 0:
        yield
        return
    library = ctypes.CDLL(None)
    before = library.setfsgid(status.st_gid), library.setfsuid(status.st_uid)  # they return the former id
    try:
        yield
    finally:
        library.setfsuid(before[1])
        library.setfsgid(before[0])
