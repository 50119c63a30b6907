# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files with secrets: read only while nobody else can, replaced whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import CredentialsMissing
from ..system.files import OTHERS, read_small_file, replace_file, sync_folder
from ..system.text import human_size

_LARGEST_FILE = 1 << 20  # bytes


def read_private_file(path: Path, *, must_be_private: bool = True, must_be_mine: bool = True) -> bytes:
    """Read a small regular file that is closed to everybody but its owner, who is this user or root.

    Raises `CredentialsMissing`, which says what is wrong with the file and never what is in it. Never waits for a
    writer. Without `must_be_private` its mode is not looked at, without `must_be_mine` its owner.
    """

    def check(status: os.stat_result) -> None:
        _check_size(path, status)
        if must_be_private:
            _check_mode(path, status)
        if must_be_mine:
            _check_owner(path, status)

    try:
        return read_small_file(path, _LARGEST_FILE, check=check, follow=True)
    except OSError as error:
        advice = {
            errno.ENOENT: "write it with the role schedule or the module credential_store",
            errno.EACCES: f"it must belong to the user who runs the job (now uid {os.geteuid()}), with mode 0600",
            errno.EINVAL: "check the path",  # it is no regular file
        }.get(error.errno or 0, "check its path, owner and mode")
        raise CredentialsMissing(f"the credentials in {path} cannot be read: {error.strerror}; {advice}") from error


def _check_size(path: Path, status: os.stat_result) -> None:
    if status.st_size > _LARGEST_FILE:
        raise CredentialsMissing(
            f"the credentials in {path} cannot be read: {human_size(status.st_size)} is too large; check the path"
        )


def _check_mode(path: Path, status: os.stat_result) -> None:
    if status.st_mode & OTHERS:
        raise CredentialsMissing(
            f"the credentials in {path} have mode {stat.S_IMODE(status.st_mode):04o}: others than their owner can "
            f"reach them; run `chmod 0600 {path}`, and change the passwords if somebody may have read them"
        )


def _check_owner(path: Path, status: os.stat_result) -> None:
    if status.st_uid not in (os.geteuid(), 0):
        raise CredentialsMissing(
            f"the credentials in {path} belong to uid {status.st_uid}, who can change them; "
            f"they must belong to root or to the user who runs the job (now uid {os.geteuid()})"
        )


def replace_private_file(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 in one step; one that is there keeps its owner. Raises `CredentialsMissing`."""
    try:
        replace_file(path, content, keep_owner=True)
    except OSError as error:
        raise CredentialsMissing(
            f"{path} cannot be written: {error.strerror}; check owner, mode and free space of {path.parent}"
        ) from error


def remove_private_file(path: Path) -> None:
    """Remove a file; raises `CredentialsMissing`."""
    try:
        path.unlink()
        sync_folder(path.parent)
    except OSError as error:
        raise CredentialsMissing(
            f"{path} cannot be removed: {error.strerror}; check owner and mode of its folder"
        ) from error


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Let one process at a time read and replace a file of this folder, so that no change is lost."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise CredentialsMissing(f"the directory {folder} cannot be used: {error.strerror}; make it first") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
