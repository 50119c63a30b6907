# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies in a folder of this host: a second disk, or a share that is mounted."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, ClassVar

from ...errors import ArchiveDamaged, StoreError, StoreFull, StoreRefused, StoreUnavailable
from ...system import files
from ...system.text import human_size
from ..local import space_of
from .interface import NO, YES, Meter, Reader, Right, Upload
from .outgoing import outgoing
from .patience import Patience
from .settings import CopySettings
from .tree import FILE, FOLDER, ODD, Entry, TreeStore

_BLOCK = 1 << 20  # bytes
_AWAY = (errno.ESTALE, errno.EIO, errno.ETIMEDOUT, errno.ENOTCONN, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN)
_GONE = (errno.ENOENT, errno.ENOTDIR)


class LocalStore(TreeStore):
    """The store of a copy of type local."""

    TYPE: ClassVar[str] = "local"
    MEDIA: ClassVar[str] = "disk"

    def __init__(self, copy: CopySettings, patience: Patience) -> None:
        super().__init__(patience)
        self._root = Path(copy.place["path"])

    def where(self, name: str = "") -> str:
        return str(self._root / name)

    def check_top(self) -> None:
        if not files.is_folder(self._root):
            raise StoreError(f"{self._root} is not there; mount it, or make it with mode 0700 for the backup user")

    def look(self, name: str) -> Entry | None:
        path = self._path(name)
        with _store_errors(path, "looking at"):
            return _entry(path)

    def contents(self, folders: Sequence[str]) -> list[dict[str, Entry] | None]:
        return [self._entries(self._path(folder)) for folder in folders]

    def _entries(self, folder: Path) -> dict[str, Entry] | None:
        with _store_errors(folder, "reading"):
            if folder != self._root and folder.is_symlink():
                return None
            try:
                names = [path.name for path in folder.iterdir()]
            except OSError as error:
                if error.errno in _GONE:
                    return None
                raise
            found = ((name, _entry(folder / name)) for name in names)
            return {name: entry for name, entry in found if entry is not None}

    def make_folder(self, name: str) -> None:
        path = self._path(name)
        with _store_errors(path, "making"):
            files.make_folder(path)

    def send(self, upload: Upload, name: str, there: Entry | None, meter: Meter) -> None:
        path = self._path(name)
        with _store_errors(path, "writing"):
            if there is not None and there.kind == FILE:
                with suppress(ArchiveDamaged):  # what is there may be what is damaged
                    self._send(upload, path, meter)
                    return
                files.remove_file(path)
            try:
                self._send(upload, path, meter)
            except ArchiveDamaged:
                files.remove_file(path)
                raise

    def _send(self, upload: Upload, path: Path, meter: Meter) -> None:
        """Go on with a file; raises `ArchiveDamaged` when it and what would follow are not what they must be."""
        descriptor = files.open_regular(path, os.O_RDWR | os.O_CREAT)
        try:
            there = os.fstat(descriptor).st_size
            digest = self._hash(descriptor, there)
            if there >= upload.size > 0:
                if there > upload.size or digest.hexdigest() != upload.sha256:
                    raise ArchiveDamaged(f"{path} is not {upload.path}")
            else:
                self._append(upload, descriptor, there, digest, meter)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        files.sync_folder(path.parent)

    def _append(self, upload: Upload, descriptor: int, there: int, digest: Any, meter: Meter) -> None:
        with outgoing(upload) as source:
            os.lseek(descriptor, there, os.SEEK_SET)
            for block in source.blocks(there, _BLOCK, digest):
                self.patience.check()
                meter.count(len(block))
                files.write_all(descriptor, block)

    def is_same(self, upload: Upload, name: str) -> bool:
        path = self._path(name)
        with _store_errors(path, "reading"):
            descriptor = files.open_regular(path)
            try:
                return bool(self._hash(descriptor, upload.size).hexdigest() == upload.sha256)
            finally:
                os.close(descriptor)

    def _hash(self, descriptor: int, length: int) -> Any:
        digest = hashlib.sha256()
        for offset in range(0, length, _BLOCK):
            self.patience.check()
            digest.update(os.pread(descriptor, min(_BLOCK, length - offset), offset))
        return digest

    def rename_new(self, source: str, target: str) -> None:
        path = self._path(target)
        with _store_errors(path, "publishing"):
            try:
                files.rename_new(self._path(source), path)
            except FileExistsError:
                raise StoreError(f"{path} is there already, and nothing is ever replaced; look at it") from None

    def remove_file(self, name: str) -> None:
        path = self._path(name)
        with _store_errors(path, "removing"):
            files.remove_file(path)

    def remove_folder(self, name: str) -> None:
        path = self._path(name)
        with _store_errors(path, "removing"), suppress(FileNotFoundError):
            path.rmdir()

    def open_file(self, name: str, offset: int, size: int) -> Reader:
        path = self._path(name)
        with _store_errors(path, "reading"):
            return _FileReader(path, offset, size)

    def further_rights(self) -> Sequence[Right]:
        writable = os.access(self._root, os.W_OK | os.X_OK)
        own = self._root.stat().st_dev != Path("/").stat().st_dev
        return [
            Right("read", YES),
            Right("write", YES if writable else NO, "" if writable else f"{self._root} is not writable"),
            Right("overwrite", YES, "whoever is the backup user, or root, can change what is there"),
            Right("remove", YES, "whoever is the backup user, or root, can remove what is there"),
            Right("lock", NO),
            Right(
                "own disk",
                YES if own else NO,
                "" if own else f"{self._root} is on the filesystem of /: is the disk mounted that should be there?",
            ),
        ]

    def _path(self, name: str) -> Path:
        """Return the path of a name; raises when a folder above it is a link, which could lead anywhere."""
        path = self._root / name
        for above in path.parents:
            if above == self._root or self._root not in above.parents:
                break
            if above.is_symlink():
                raise StoreRefused(f"{above} is a link, and copies are never behind one; look at it, and remove it")
        return path


class _FileReader:
    """Reads a file, not beyond the size that it had."""

    def __init__(self, path: Path, offset: int, size: int) -> None:
        self._path = path
        self._left = size - offset
        self._file = os.fdopen(files.open_regular(path), "rb", buffering=0)
        self._file.seek(offset)

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes, none at the end; raises `StoreError`."""
        with _store_errors(self._path, "reading"):
            block = self._file.read(max(0, min(size, self._left)))
        self._left -= len(block)
        return block

    def close(self) -> None:
        """End it."""
        self._file.close()


def _entry(path: Path) -> Entry | None:
    try:
        status = path.lstat()
    except OSError as error:
        if error.errno in _GONE:
            return None
        raise
    kind = FILE if stat.S_ISREG(status.st_mode) else FOLDER if stat.S_ISDIR(status.st_mode) else ODD
    return Entry(kind, status.st_size, datetime.fromtimestamp(status.st_mtime, timezone.utc))


@contextmanager
def _store_errors(path: Path, doing: str) -> Iterator[None]:
    """Turn an OSError of the block into the kind of `StoreError` that says what to do."""
    try:
        yield
    except OSError as error:
        raise _store_error(error, path, doing) from error


def _store_error(error: OSError, path: Path, doing: str) -> StoreError:
    text = f"{doing} {path}: {error.strerror or error}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        space = space_of(path.parent)
        free = f" ({human_size(space[0])} free)" if space else ""
        return StoreFull(f"{doing} {path}: that filesystem is full{free}; free space there, or keep fewer copies")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StoreRefused(f"{text} for uid {os.geteuid()}; give the backup user this folder, writable and mode 0700")
    if error.errno in _AWAY:
        return StoreUnavailable(f"{text}; look whether the disk or the share is still there")
    return StoreError(f"{text}; look at it")
