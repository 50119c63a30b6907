# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sealing: published backups are taken out of the hands of the user who made them.

In a sealed (append-only) repository every folder belongs to root and is sticky (1770): the backup user's group can add
to it, and nobody but root renames or removes what root owns there. Published backups belong to root and are readable
for the group. What the user is making (`.partial-...`), and what was not sealed yet, is still the user's.

Root works here in folders that somebody else can change at any moment, so nothing is done by its path: everything is
opened without following links, looked at, and changed through what was opened.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Callable

from ..errors import RepositoryError
from ..system.text import counted, utc_now, were
from . import layout
from .catalogue import CLOCK_TOLERANCE
from .drill_records import is_drill_file
from .files import storage_errors
from .sealed import ROOT

_SHARED_FOLDER = 0o1770
_BACKUP_FOLDER = 0o550
_BACKUP_FILE = 0o440
_LOCK = 0o660
_LOCKS = (layout.LOCK_FILE, layout.READERS_FILE)
_SHOWN = 3


@dataclass
class _Sealing:
    """What one pass has done. `owner` is the user whose files may be taken, `group` who keeps reading them."""

    owner: int
    group: int
    now: datetime
    sealed: list[str] = field(default_factory=list)
    changed: bool = False
    backups: int = 0
    problems: list[str] = field(default_factory=list)


def seal(repository: str, owner_uid: int, owner_gid: int) -> dict[str, Any]:
    """Seal what is published and the folders above; returns what was done, and in `problems` what must be looked at.

    `owner_uid` is the backup user, whose group `owner_gid` keeps the right to read and to add. Only for root. What
    belongs to others is left alone. Raises `RepositoryError`.
    """
    if os.geteuid() != ROOT:
        raise RepositoryError(f"only root can seal {repository}; run this as root")
    if owner_uid == ROOT:
        raise RepositoryError(
            f"sealing {repository} protects nothing while root makes the backups; let a user without rights make them"
        )
    sealing = _Sealing(owner_uid, owner_gid, utc_now())
    root = Path(repository)
    _check_above(sealing, root)
    with storage_errors(root, "sealing"), _opened(root, None) as descriptor:
        if _take_folder(sealing, descriptor, root):
            _each(sealing, descriptor, root, _seal_host)
    return _result(sealing, repository)


def _seal_host(sealing: _Sealing, above: int, host: Path) -> None:
    with _opened(host, above) as descriptor:
        if _take_folder(sealing, descriptor, host):
            _each(sealing, descriptor, host, _seal_instance)


def _seal_instance(sealing: _Sealing, above: int, instance: Path) -> None:
    with _opened(instance, above) as descriptor:
        if _take_folder(sealing, descriptor, instance):
            for name in _LOCKS:
                _take_file(sealing, descriptor, instance / name, _LOCK)
            _each(sealing, descriptor, instance, _seal_database)


def _seal_database(sealing: _Sealing, above: int, database: Path) -> None:
    with _opened(database, above) as descriptor:
        if not _take_folder(sealing, descriptor, database):
            return
        names = [name for name in _folders(sealing, descriptor, database) if layout.parse_backup_folder(name)]
        uids = _uids(descriptor, names)
        names = list(uids)
        sealed = [name for name in names if uids[name] == ROOT]
        newest = _time(sealed[-1]) if sealed else None
        with _left_alone(sealing, database / layout.DRILLS_FOLDER):
            _seal_records(sealing, descriptor, database, sealed)
        for name in names:
            claim = None if uids[name] == ROOT else _wrong_claim(name, newest, sealing.now)
            if claim is None:
                with _left_alone(sealing, database / name):
                    _seal_backup(sealing, descriptor, database / name)
            else:
                sealing.problems.append(f"{database / name} {claim}")


def _uids(descriptor: int, names: list[str]) -> dict[str, int]:
    """Return whose these entries are, without those that are gone meanwhile."""
    uids = {}
    for name in names:
        with suppress(FileNotFoundError):
            uids[name] = os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_uid
    return uids


def _wrong_claim(name: str, newest: datetime | None, now: datetime) -> str | None:
    """Say what is wrong with the time of a backup that comes to be sealed; None when nothing is.

    Backups come one after the other. One that claims to be older could take the place of a true one in the policy.
    """
    time = _time(name)
    if newest is not None and time < newest:
        return (
            "appeared after a newer backup was sealed, so it was not made when it says, and was left alone; remove it, "
            "or give it to root once you know where it comes from"
        )
    if time - now > CLOCK_TOLERANCE:
        return "is dated in the future and was left alone; check the clocks"
    return None


def _time(name: str) -> datetime:
    parsed = layout.parse_backup_folder(name)
    if parsed is None:
        raise ValueError(f"{name!r} is not the name of a backup")
    return parsed.time


def _seal_backup(sealing: _Sealing, above: int, backup: Path) -> None:
    with _opened(backup, above) as descriptor:
        status = os.fstat(descriptor)
        if status.st_uid not in (ROOT, sealing.owner):
            sealing.problems.append(_foreign(backup, status))
            return
        sealing.backups += 1
        if status.st_uid != ROOT:
            sealing.sealed.append(str(backup))
        # The folder first: from now on nothing in it can be exchanged.
        _take(sealing, descriptor, status, _BACKUP_FOLDER)
        for name in _names(descriptor):
            _take_file(sealing, descriptor, backup / name, _BACKUP_FILE)


def _seal_records(sealing: _Sealing, above: int, database: Path, sealed: list[str]) -> None:
    """Put the records of drills that wait beside sealed backups in their place, where they are then sealed."""
    folder = database / layout.DRILLS_FOLDER
    if folder.name not in _names(above):
        return
    with _opened(folder, above) as source:
        if not _take_folder(sealing, source, folder):
            return
        for entry in _names(source):
            backup_id, _dot, name = entry.partition(".")
            if backup_id in sealed and is_drill_file(name):
                with _left_alone(sealing, folder / entry):
                    _place_record(sealing, source, above, folder / entry, backup_id)


def _place_record(sealing: _Sealing, source: int, above: int, path: Path, backup_id: str) -> None:
    name = path.name.partition(".")[2]
    status = os.stat(path.name, dir_fd=source, follow_symlinks=False)
    with _opened(path.parent.with_name(backup_id), above) as target:
        if name in _names(target) or not stat.S_ISREG(status.st_mode) or status.st_uid not in (ROOT, sealing.owner):
            sealing.problems.append(f"{path} was left alone: it is no new record of the backup user")
            return
        os.rename(path.name, name, src_dir_fd=source, dst_dir_fd=target)
        sealing.changed = True


def _take_folder(sealing: _Sealing, descriptor: int, path: Path) -> bool:
    """Make a folder one to which the group can add; False for one that belongs to somebody else."""
    status = os.fstat(descriptor)
    if status.st_uid not in (ROOT, sealing.owner):
        sealing.problems.append(_foreign(path, status))
        return False
    _take(sealing, descriptor, status, _SHARED_FOLDER)
    return True


def _take_file(sealing: _Sealing, above: int, path: Path, mode: int) -> None:
    """Take a file of a backup or a lock; what is not a plain file of the backup user or of root is a problem."""
    try:
        descriptor = os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=above)
    except FileNotFoundError:
        return
    except OSError as error:
        sealing.problems.append(f"{path} was left alone: {error.strerror}")
        return
    try:
        status = os.fstat(descriptor)
        # A second name of a file of root's may be one that the group must not read.
        if not stat.S_ISREG(status.st_mode) or (status.st_uid == ROOT and status.st_nlink != 1):
            sealing.problems.append(f"{path} was left alone: it is not a plain file with one name")
        elif status.st_uid not in (ROOT, sealing.owner):
            sealing.problems.append(_foreign(path, status))
        elif _take(sealing, descriptor, status, mode) and mode == _BACKUP_FILE and _is_open_for_writing(descriptor):
            sealing.problems.append(
                f"{path} is still open for writing in some process, which can change it; find out which (fuser), and "
                "verify this backup"
            )
    finally:
        os.close(descriptor)


def _take(sealing: _Sealing, descriptor: int, status: os.stat_result, mode: int) -> bool:
    """Give what is open to root and the group; returns whether that changed anything."""
    if (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (ROOT, sealing.group, mode):
        return False
    os.fchown(descriptor, ROOT, sealing.group)
    os.fchmod(descriptor, mode)
    sealing.changed = True
    return True


def _is_open_for_writing(descriptor: int) -> bool:
    """Return whether any process may still write: the kernel then refuses a read lease (fcntl(2))."""
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno in (errno.EAGAIN, errno.EWOULDBLOCK)  # anything else: no leases on this filesystem
    return False


def _check_above(sealing: _Sealing, root: Path) -> None:
    """Whoever can rename a folder above the repository can put another one in its place."""
    for folder in root.parents:
        status = folder.stat()
        writable = status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX
        if status.st_uid != ROOT or writable:
            sealing.problems.append(
                f"{folder}, above the repository, can be changed by others than root, who can exchange the repository "
                "as a whole; give it to root, or move the repository"
            )


def _each(sealing: _Sealing, descriptor: int, path: Path, action: Callable[[_Sealing, int, Path], None]) -> None:
    """Do it to every folder in a folder; one that changes under our hands stops no other."""
    for name in _folders(sealing, descriptor, path):
        with _left_alone(sealing, path / name):
            action(sealing, descriptor, path / name)


@contextmanager
def _left_alone(sealing: _Sealing, path: Path) -> Iterator[None]:
    """Name what is odd or changes under our hands; it stops nothing else."""
    try:
        yield
    except OSError as error:
        sealing.problems.append(f"{path} could not be sealed: {error.strerror}")


@contextmanager
def _opened(path: Path, above: int | None) -> Iterator[int]:
    """Open a folder by its name in the one that is open above it, without following a link."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path if above is None else path.name, flags, dir_fd=above)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _folders(sealing: _Sealing, descriptor: int, path: Path) -> list[str]:
    """Return the names of the folders in a folder, without hidden ones, sorted; links to folders are a problem."""
    found = []
    for name in _names(descriptor):
        if name.startswith("."):
            continue
        try:
            mode = os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode
        except FileNotFoundError:  # removed meanwhile
            continue
        if stat.S_ISDIR(mode):
            found.append(name)
        elif stat.S_ISLNK(mode):
            sealing.problems.append(f"{path / name} is a link and was left alone; repositories have none")
    return found


def _names(descriptor: int) -> list[str]:
    return sorted(os.listdir(descriptor))


def _foreign(path: Path, status: os.stat_result) -> str:
    return f"{path} belongs to uid {status.st_uid}, neither root nor the backup user, and was left alone"


def _result(sealing: _Sealing, repository: str) -> dict[str, Any]:
    count = len(sealing.sealed)
    text = f"{counted(count, 'backup')} in {repository} {were(count)} sealed, {sealing.backups} are now"
    more = f"; and {len(sealing.problems) - _SHOWN} more" if len(sealing.problems) > _SHOWN else ""
    text += f". {'; '.join(sealing.problems[:_SHOWN])}{more}" if sealing.problems else ""
    return {
        "status": "partial" if sealing.problems else "ok",
        "changed": sealing.changed,
        "message": text,
        "sealed": sealing.sealed,
        "backups": sealing.backups,
        "problems": sealing.problems,
        "warnings": [],
    }
