# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private files and folders: closed to others from their creation, complete or absent, safely on the disk.

Everything here raises OSError. Each caller turns it into its own error, which says what the file is for and what to do.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, Callable

from .text import human_size

PRIVATE = 0o600
PRIVATE_FOLDER = 0o700
OTHERS = stat.S_IRWXG | stat.S_IRWXO  # the rights of everybody but the owner

ODD_FILE = (errno.ELOOP, errno.EINVAL)  # of `open_regular`: a link, or a pipe, device or socket

_TEMPORARY = re.compile(r"\.(?:.*\.)?(?:[0-9a-f]{16}|[0-9a-f]{8})\.partial", re.DOTALL)
_DEAD_AFTER = 3600.0  # seconds
_BLOCK = 1 << 16  # bytes
_MOST_ENTRIES = 100_000

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_NO_RENAMEAT2 = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)


def is_there(path: Path) -> bool:
    """Say whether there is something at `path` that this user can see; never raises."""
    return os.path.exists(path)  # noqa: PTH110  Path.exists raises where a folder above is closed


def is_folder(path: Path) -> bool:
    """Say whether there is a folder that this user can see; never raises."""
    return os.path.isdir(path)  # noqa: PTH112  Path.is_dir raises where a folder above is closed


def is_gone(path: Path) -> bool:
    """Say whether something that was listed was removed since, while the folder that held it is still there."""
    try:
        path.lstat()
    except FileNotFoundError:
        return is_folder(path.parent)
    except OSError:
        return False
    return False


def open_regular(path: Path, flags: int = os.O_RDONLY, *, follow: bool = False) -> int:
    """Open a regular file and return its descriptor; whatever else has the name is refused without waiting for it.

    A folder is an OSError with EISDIR, a link one with ELOOP unless `follow` is set, a pipe, device or socket one with
    EINVAL. The file is looked at before it is opened, since opening a device can do something, and after
    that again. For what others can write into: a repository, a folder of records.
    """
    if not flags & os.O_CREAT:
        _refuse_odd(path.stat() if follow else path.lstat())
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW), PRIVATE)
    try:
        _refuse_odd(os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _refuse_odd(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if stat.S_ISLNK(status.st_mode):
        raise OSError(errno.ELOOP, "it is a symbolic link, not a regular file")
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")


def read_small_file(
    path: Path, limit: int, *, check: Callable[[os.stat_result], None] | None = None, follow: bool = False
) -> bytes:
    """Read a regular file of at most `limit` bytes; never waits for a writer, and follows no link unless told to.

    `check` sees the opened file's status before a byte is read, and refuses the file by raising. A larger file
    is an OSError with EFBIG; else as `open_regular`.
    """
    descriptor = open_regular(path, follow=follow)
    try:
        if check is not None:
            check(os.fstat(descriptor))
        content = _read_at_most(descriptor, limit + 1)
    finally:
        os.close(descriptor)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"it is larger than {human_size(limit)}")
    return content


def _read_at_most(descriptor: int, size: int) -> bytes:
    """Read in blocks: asked for all of it at once, Python takes so much memory from the system and gives it back."""
    blocks: list[bytes] = []
    while size:
        block = os.read(descriptor, min(size, _BLOCK))
        if not block:
            break
        blocks.append(block)
        size -= len(block)
    return b"".join(blocks)


def create_file(path: Path) -> int:
    """Make a new file of mode 0600 and return its descriptor; whatever has the name already, a link too, is refused."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE)


def write_all(descriptor: int, data: Any) -> None:
    """Write all of `data`, however little of it the system takes at a time."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def write_file(
    path: Path, content: bytes, *, mode: int = PRIVATE, owner_of: Path | None = None, durable: bool = True
) -> None:
    """Write a small new file onto the disk. `owner_of` is a file whose owner it gets, if that file is there.

    Its mode is 0600 when it appears; another one is set at once, whatever the umask is. Without `durable` it may be
    lost in a power cut.
    """
    descriptor = create_file(path)
    try:
        if owner_of is not None:
            _give_owner(descriptor, owner_of)
        if mode != PRIVATE:
            os.fchmod(descriptor, mode)
        write_all(descriptor, content)
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(
    path: Path,
    content: bytes,
    *,
    mode: int = PRIVATE,
    keep_owner: bool = False,
    alone: bool = False,
    durable: bool = True,
) -> None:
    """Write a small file in one step, whether there is one or not; a reader sees the old one or the new one.

    With `keep_owner` the new file belongs to the old one's owner. `alone` is for a caller who holds a lock: what a
    killed writer left behind is then cleared away by the next one. Without `durable` a power cut may undo it, and empty
    the file. When it raises, the old file stays; a disk that does not confirm the new name is no reason to raise.
    """
    remove_dead(path.parent)
    temporary = _temporary_beside(path)
    if alone:
        temporary = path.with_name(f".{path.name.lstrip('.')}.partial")
        remove_file(temporary)
    with _removed_at_the_end(temporary):
        write_file(temporary, content, mode=mode, owner_of=path if keep_owner else None, durable=durable)
        temporary.replace(path)
    if durable:
        unconfirmed(path.parent)


def link_new_file(path: Path, content: bytes) -> None:
    """Write a small new file that appears whole or not at all; raises FileExistsError where there is one.

    The filesystem must have hard links: unlike a rename they never replace. When it raises, the file is not there.
    """
    remove_dead(path.parent)
    temporary = _temporary_beside(path)
    with _removed_at_the_end(temporary):
        write_file(temporary, content)
        os.link(temporary, path)
    unconfirmed(path.parent)


def rename_new(source: Path, target: Path, *, durable: bool = True) -> OSError | None:
    """Rename a file or folder to a name that must be free; raises FileExistsError, for an empty folder too.

    When it raises, nothing was renamed. Returns why the disk has not confirmed the new name, which a power cut may then
    undo; None is the rule. Without `durable` the disk is not asked, and the caller does it before he relies on it.

    Where the filesystem has no RENAME_NOREPLACE, the name is looked at before a plain rename: only a lock, or a name
    that nobody else chooses, keeps others from taking it in between.
    """
    _rename_new(source, target)
    return unconfirmed(target.parent) if durable else None


def _rename_new(source: Path, target: Path) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    renameat2 = getattr(library, "renameat2", None)
    if renameat2 is not None:
        status = renameat2(_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), _RENAME_NOREPLACE)
        number = ctypes.get_errno() if status != 0 else 0
        if not number:
            return
        if number == errno.ENOTEMPTY:
            number = errno.EEXIST
        if number not in _NO_RENAMEAT2:
            raise OSError(number, os.strerror(number))
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    source.rename(target)


def make_folder(path: Path, *, durable: bool = True) -> bool:
    """Make a folder with mode 0700 that lasts beyond a power cut; return False when it was there already.

    Without `durable` the disk is not asked. Raises FileExistsError where something else has its name, a link to a
    folder too. When it raises, it has made none.
    """
    try:
        path.mkdir(mode=PRIVATE_FOLDER)
    except FileExistsError:
        if not path.is_dir() or path.is_symlink():
            raise
        return False
    try:
        if durable:
            sync_folder(path.parent)
    except OSError:
        with suppress(OSError):
            path.rmdir()
        raise
    return True


def sync_folder(path: Path) -> None:
    """Make the entries of a folder last beyond a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network filesystems have no fsync for folders
            raise
    finally:
        os.close(descriptor)


def unconfirmed(path: Path) -> OSError | None:
    """As `sync_folder`, for what has been done and can only be told: return the error."""
    try:
        sync_folder(path)
    except OSError as error:
        return error
    return None


def remove_file(path: Path) -> None:
    """Remove a file if it is there."""
    with suppress(FileNotFoundError):
        path.unlink()


def remove_dead(folder: Path) -> None:
    """Remove the files of this user that killed writers have left in a folder; some hold secrets. Never raises.

    A writer needs its file for moments, so one that has not changed for an hour is nobody's any more. What is no plain
    file of our own with such a name is left alone.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in islice(entries, _MOST_ENTRIES):
            if _TEMPORARY.fullmatch(entry.name) and _is_dead(entry):
                with suppress(OSError):
                    os.unlink(entry.path)  # noqa: PTH108  an entry, not a path


def _is_dead(entry: os.DirEntry[str]) -> bool:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    ours = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
    return ours and time.time() - status.st_mtime > _DEAD_AFTER


def _temporary_beside(path: Path) -> Path:
    """Return a name in the same folder that nobody else uses.

    It is a short one of its own: the file's may already be as long as the filesystem allows.
    """
    return path.parent / f".{secrets.token_hex(8)}.partial"


@contextmanager
def _removed_at_the_end(path: Path) -> Iterator[None]:
    try:
        yield
    finally:
        remove_file(path)


def _give_owner(descriptor: int, owner_of: Path) -> None:
    with suppress(FileNotFoundError):
        before = owner_of.stat()
        if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(descriptor, before.st_uid, before.st_gid)
