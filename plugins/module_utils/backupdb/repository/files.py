# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and folders of a repository: private from their creation, complete or absent, safely on the disk."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import secrets
import shutil
import stat
from pathlib import Path
from typing import Any

from ..errors import NotEnoughSpace, RepositoryError
from ..system.text import human_size

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_NO_RENAMEAT2 = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_PRIVATE = 0o600


def storage_error(error: OSError, path: Path, doing: str) -> Exception:
    """Turn an OSError of the repository's filesystem into an error that says what to do."""
    if error.errno in _FULL:
        return NotEnoughSpace(
            f"{doing} {path}: the filesystem is full ({_free(path)} free); free space or move the repository"
        )
    if error.errno == errno.EROFS:
        return RepositoryError(f"{doing} {path}: the filesystem is mounted read-only; remount it writable")
    if error.errno in (errno.EACCES, errno.EPERM):
        return RepositoryError(
            f"{doing} {path}: permission denied for uid {os.geteuid()}; give the backup user this folder (mode 0700)"
        )
    return RepositoryError(f"{doing} {path}: {error.strerror or error}")


def is_folder(path: Path) -> bool:
    """Tell whether there is a folder that this user can see; never raises."""
    return os.path.isdir(path)  # noqa: PTH112  Path.is_dir raises where a folder above is closed


def is_gone(path: Path) -> bool:
    """Tell whether something that was listed was removed since, while the folder that held it is still there."""
    try:
        path.lstat()
    except FileNotFoundError:
        return is_folder(path.parent)
    except OSError:
        return False
    return False


def make_folder(path: Path) -> None:
    """Make a folder with mode 0700, unless it is there; make it last beyond a power cut."""
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        if not path.is_dir() or path.is_symlink():
            raise RepositoryError(f"{path} is in the way: it should be a folder of the repository") from None
        return
    except OSError as error:
        raise storage_error(error, path, "making") from error
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the entries of a folder last beyond a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network filesystems have no fsync for folders
            raise storage_error(error, path, "syncing") from error
    finally:
        os.close(descriptor)


def publish_folder(source: Path, target: Path) -> None:
    """Rename `source` to `target`, which must not exist; never replaces, not even an empty folder.

    The caller holds the instance's lock, so the look before a plain rename (where the filesystem has no
    RENAME_NOREPLACE) cannot be overtaken.
    """
    taken = RepositoryError(f"{target} is there already, so this backup was not published; look at its manifest")
    library = ctypes.CDLL(None, use_errno=True)
    renameat2 = getattr(library, "renameat2", None)
    if renameat2 is not None:
        status = renameat2(_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), _RENAME_NOREPLACE)
        number = ctypes.get_errno() if status != 0 else 0
        if number in (errno.EEXIST, errno.ENOTEMPTY):
            raise taken
        if number and number not in _NO_RENAMEAT2:
            raise storage_error(OSError(number, os.strerror(number)), target, "publishing")
        if not number:
            sync_folder(target.parent)
            return
    if os.path.lexists(target):
        raise taken
    try:
        source.rename(target)
    except OSError as error:
        raise storage_error(error, target, "publishing") from error
    sync_folder(target.parent)


def remove_tree(path: Path) -> None:
    """Remove an unpublished folder and what is in it; links are removed, not followed."""
    try:
        if path.is_symlink() or path.is_file():
            path.unlink()
        else:
            shutil.rmtree(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise storage_error(error, path, "removing the leftover") from error


def remove_file(path: Path) -> None:
    """Remove a file if it is there."""
    try:
        path.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        raise storage_error(error, path, "removing") from error


class StoredFile:
    """A new file that counts and hashes what is written to it. `close` makes it last.

    Its mode is 0600 when it appears; another one is set at once, whatever the umask is.
    """

    def __init__(self, path: Path, *, mode: int = _PRIVATE) -> None:
        self.path = path
        self.stored_bytes = 0
        self._digest = hashlib.sha256()
        try:
            self._descriptor = os.open(
                path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, _PRIVATE
            )
        except OSError as error:
            raise storage_error(error, path, "creating") from error
        if mode != _PRIVATE:
            os.fchmod(self._descriptor, mode)

    def write(self, data: Any) -> None:
        """Write all of `data`; raises `NotEnoughSpace` or `RepositoryError`."""
        view = memoryview(data)
        self._digest.update(view)
        self.stored_bytes += len(view)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as error:
            raise storage_error(error, self.path, "writing") from error

    def close(self) -> None:
        """Wait until the bytes are on the disk, then close; raises as `write` does."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise storage_error(error, self.path, "writing") from error
        finally:
            self.discard()

    def discard(self) -> None:
        """Close without waiting for the disk; harmless after `close`."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def sha256(self) -> str:
        """Return the hexadecimal digest of what was written."""
        return self._digest.hexdigest()


def write_file(path: Path, content: bytes, *, mode: int = _PRIVATE) -> None:
    """Write a small new file onto the disk."""
    stored = StoredFile(path, mode=mode)
    try:
        stored.write(content)
        stored.close()
    finally:
        stored.discard()


def replace_file(path: Path, content: bytes, *, mode: int = _PRIVATE, alone: bool = False) -> None:
    """Write a small file in one step, whether there is one or not; a reader sees the old one or the new one.

    `alone` is for who holds a lock: what a killed writer left is then cleared away by the next one. Raises
    `RepositoryError` or `NotEnoughSpace`; the old file then stays.
    """
    unique = "" if alone else f".{secrets.token_hex(4)}"
    temporary = path.with_name(f".{path.name.lstrip('.')}{unique}.partial")
    if alone:
        remove_file(temporary)
    try:
        write_file(temporary, content, mode=mode)
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise storage_error(error, path, "writing") from error
    finally:
        remove_file(temporary)


def read_small_file(path: Path, limit: int) -> bytes:
    """Read a regular file of at most `limit` bytes; raises OSError, for anything else too. Never waits for a writer."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        if status.st_size > limit:
            raise OSError(errno.EFBIG, f"it is larger than {human_size(limit)}")
        return file.read()


def _free(path: Path) -> str:
    try:
        return human_size(shutil.disk_usage(path if path.exists() else path.parent).free)
    except OSError:
        return "unknown"
