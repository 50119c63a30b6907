# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files with secrets: read only while nobody else can, replaced whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import CredentialsMissing
from ..system.text import human_size

_LARGEST_FILE = 1 << 20  # bytes
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def is_there(path: Path) -> bool:
    """Tell whether there is such a file that this user can see; never raises."""
    return os.path.exists(path)  # noqa: PTH110  Path.exists raises where a folder above is closed


def read_private_file(path: Path, *, must_be_private: bool = True, must_be_mine: bool = True) -> bytes:
    """Read a small regular file that is closed to everybody but its owner, who is this user or root.

    Raises `CredentialsMissing`, which says what is wrong with the file and never what is in it. Never waits for a
    writer. Without `must_be_private` its mode is not looked at, without `must_be_mine` its owner.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            status = os.fstat(descriptor)
            _check_kind(path, status)
            if must_be_private:
                _check_mode(path, status)
            if must_be_mine:
                _check_owner(path, status)
            return file.read()
    except OSError as error:
        advice = {
            errno.ENOENT: "write it with the role schedule or the module credential_store",
            errno.EACCES: f"it must belong to the user who runs the job (now uid {os.geteuid()}), with mode 0600",
        }.get(error.errno or 0, "check its path, owner and mode")
        raise CredentialsMissing(f"the credentials in {path} cannot be read: {error.strerror}; {advice}") from error


def _check_kind(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise CredentialsMissing(f"the credentials in {path} cannot be read: it is not a regular file; check the path")
    if status.st_size > _LARGEST_FILE:
        raise CredentialsMissing(
            f"the credentials in {path} cannot be read: {human_size(status.st_size)} is too large; check the path"
        )


def _check_mode(path: Path, status: os.stat_result) -> None:
    if status.st_mode & _OTHERS:
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
    temporary = path.parent / f".{secrets.token_hex(8)}.partial"
    try:
        try:
            _write(temporary, content, owner_of=path)
            temporary.replace(path)
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()
        _sync_folder(path.parent)
    except OSError as error:
        raise CredentialsMissing(
            f"{path} cannot be written: {error.strerror}; check owner, mode and free space of {path.parent}"
        ) from error


def remove_private_file(path: Path) -> None:
    """Remove a file; raises `CredentialsMissing`."""
    try:
        path.unlink()
        _sync_folder(path.parent)
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


def _write(path: Path, content: bytes, *, owner_of: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with suppress(FileNotFoundError):
            before = owner_of.stat()
            if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(descriptor, before.st_uid, before.st_gid)
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
