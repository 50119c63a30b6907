# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and folders of a repository: what `system.files` does, with errors that say what to do about the storage."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import NotEnoughSpace, RepositoryError
from ..system import files
from ..system.text import human_size

_FULL = (errno.ENOSPC, errno.EDQUOT)


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


@contextmanager
def storage_errors(path: Path, doing: str) -> Iterator[None]:
    """Turn an OSError of the block into what `storage_error` makes of it."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, path, doing) from error


def make_folder(path: Path, *, durable: bool = True) -> None:
    """Make a folder with mode 0700, unless it is there; make it last beyond a power cut if it is to be `durable`."""
    with storage_errors(path, "making"):
        try:
            files.make_folder(path, durable=durable)
        except FileExistsError:
            raise RepositoryError(f"{path} is in the way: it should be a folder of the repository") from None


def sync_folder(path: Path) -> None:
    """Make the entries of a folder last beyond a power cut."""
    with storage_errors(path, "syncing"):
        files.sync_folder(path)


def publish_folder(source: Path, target: Path) -> str | None:
    """Rename `source` to `target`, which must not exist; never replaces, not even an empty folder.

    Only for the holder of the instance's lock, see `system.files.rename_new`. When it raises, there is no `target`.
    Returns in words that the disk did not confirm the new name.
    """
    with storage_errors(target, "publishing"):
        try:
            error = files.rename_new(source, target)
        except FileExistsError:
            raise RepositoryError(
                f"{target} is there already, so this backup was not published; look at its manifest"
            ) from None
    if error is None:
        return None
    return f"{target} is there, but the disk did not confirm its name ({error.strerror}), so a power cut may undo that"


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
    with storage_errors(path, "removing"):
        files.remove_file(path)


class StoredFile:
    """A new file of mode 0600 that counts and hashes what is written to it. `close` makes it last.

    Whoever makes one closes or discards it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stored_bytes = 0
        self._digest = hashlib.sha256()
        with storage_errors(path, "creating"):
            self._descriptor = files.create_file(path)

    def write(self, data: Any) -> None:
        """Write all of `data`; raises `NotEnoughSpace` or `RepositoryError`."""
        view = memoryview(data)
        self._digest.update(view)
        self.stored_bytes += len(view)
        with storage_errors(self.path, "writing"):
            files.write_all(self._descriptor, view)

    def close(self) -> None:
        """Wait until the bytes are on the disk, then close; raises as `write` does. Harmless for a closed one."""
        if self._descriptor < 0:
            return
        try:
            with storage_errors(self.path, "writing"):
                os.fsync(self._descriptor)
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


def write_file(path: Path, content: bytes) -> None:
    """Write a small new file onto the disk."""
    with storage_errors(path, "writing"):
        files.write_file(path, content)


def replace_file(path: Path, content: bytes, *, mode: int = files.PRIVATE, alone: bool = False) -> None:
    """Write a small file in one step, see `system.files.replace_file`; raises `RepositoryError` or `NotEnoughSpace`."""
    with storage_errors(path, "writing"):
        files.replace_file(path, content, mode=mode, alone=alone)


def _free(path: Path) -> str:
    try:
        return human_size(shutil.disk_usage(path if path.exists() else path.parent).free)
    except OSError:
        return "unknown"
