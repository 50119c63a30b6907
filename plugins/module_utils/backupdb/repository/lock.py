# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time over an instance's folder, and a note of its holder.

The lock is `flock` on a file that stays; holding it is the proof that unpublished folders are dead. Process ids
and boot ids would lie over NFS and across containers, so the owner record is for people only.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ..errors import LockBusy, RepositoryError
from ..system.files import open_regular
from ..system.locking import try_lock, write_owner
from ..system.text import iso, utc_now
from .files import storage_errors
from .layout import LOCK_FILE, READERS_FILE

_POLL = 0.25  # seconds
_READERS_PATIENCE = 60.0  # seconds; a removal takes far less
_UNLOCKED = "{} cannot be locked, so nothing keeps a backup from being removed while it is read"


@contextmanager
def run_lock(folder: Path, *, run_id: str, timeout: float, cancel: threading.Event) -> Iterator[None]:
    """Hold the instance folder's lock for one run.

    Waits at most `timeout` seconds, then raises `LockBusy` which names the owner.
    """
    path = folder / LOCK_FILE
    descriptor = _opened(path)
    try:
        give_up = time.monotonic() + timeout
        while not _taken(descriptor, path):
            if cancel.is_set() or time.monotonic() >= give_up:
                raise _busy(path, _owner_text(descriptor))
            cancel.wait(_POLL)
        _write_owner(descriptor, run_id)
        yield
        with suppress(OSError):  # it is for people only, and no reason to lose what the run has done
            os.ftruncate(descriptor, 0)  # nobody holds it now; an emptied file says so
    finally:
        os.close(descriptor)


@contextmanager
def removal_lock(folder: Path, *, run_id: str, timeout: float, cancel: threading.Event) -> Iterator[None]:
    """Hold an instance's folder for one run, and its backups alone: nobody makes, reads, pins or drills one meanwhile.

    Waits at most `timeout` seconds, then raises `LockBusy`. While it waits it holds neither lock, so that whoever reads
    for hours keeps no run from beginning, nor the other way round.
    """
    give_up = time.monotonic() + timeout
    while True:
        with ExitStack() as held:
            try:
                held.enter_context(run_lock(folder, run_id=run_id, timeout=0, cancel=cancel))
                held.enter_context(_alone(folder))
            except LockBusy:
                if cancel.is_set() or time.monotonic() >= give_up:
                    raise
            else:
                yield
                return
        cancel.wait(_POLL)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the readers' lock alone; raises `LockBusy` at once when anybody reads."""
    path = folder / READERS_FILE
    descriptor = _opened(path)
    try:
        if not _taken(descriptor, path):
            raise LockBusy(
                f"backups in {folder} are being read (verified, restored or drilled), so none is removed now; the next "
                "prune does it, or give repository_lock_timeout the time to wait"
            )
        yield
    finally:
        os.close(descriptor)


@contextmanager
def readers_lock(instance_folder: Path | None, *, timeout: float = _READERS_PATIENCE) -> Iterator[list[str]]:
    """Hold an instance's backups as a reader, so that none of them is removed meanwhile; gives warnings.

    Readers share it; only what removes backups takes it alone. Where it cannot be taken (a read-only repository, or
    None: a backup that was copied out of one) reading goes on without it. Waits at most `timeout` seconds for a
    removal to end, then raises `LockBusy`.
    """
    if instance_folder is None:
        yield []
        return
    path = instance_folder / READERS_FILE
    descriptor = _opened_for_readers(path)
    if descriptor is None:
        yield [_UNLOCKED.format(path)]
        return
    try:
        yield [] if _shared(descriptor, path, timeout) else [_UNLOCKED.format(path)]
    finally:
        os.close(descriptor)


def check_lock(folder: Path, *, timeout: float) -> str:
    """Find out whether a run could take the lock now; takes and changes nothing.

    Returns who holds it, "" when it is free. Raises `LockBusy` as `run_lock` would do that does not wait, and
    `RepositoryError` for a lock that cannot be opened.
    """
    path = folder / LOCK_FILE
    with storage_errors(path, "opening the lock"):
        try:
            os.close(open_regular(path, os.O_RDWR))
        except FileNotFoundError:
            return ""
    owner = lock_owner(folder)
    if owner and timeout <= 0:
        raise _busy(path, owner)
    return owner


def lock_owner(folder: Path) -> str:
    """Name the holder of the lock, for a plan; "" when it is free or was never taken. Takes and changes nothing."""
    try:
        descriptor = open_regular(folder / LOCK_FILE)
    except OSError:
        return ""
    try:
        return "" if try_lock(descriptor, shared=True) else _owner_text(descriptor)
    except OSError:
        return _owner_text(descriptor)
    finally:
        os.close(descriptor)


def _busy(path: Path, owner: str) -> LockBusy:
    return LockBusy(
        f"another run holds {path}: {owner}; wait for its end, or give repository_lock_timeout the time to wait for it"
    )


def _opened(path: Path) -> int:
    """Open a lock's file for taking it alone, made if it is not there."""
    with storage_errors(path, "opening the lock"):
        return _opened_or_made(path, os.O_RDWR)


def _opened_for_readers(path: Path) -> int | None:
    """Open the readers' file, made if that is possible; reading it is enough for sharing its lock."""
    try:
        return _opened_or_made(path, os.O_RDONLY)
    except OSError:
        return None


def _opened_or_made(path: Path, mode: int) -> int:
    """Open a file that stays, made if it is not there; raises OSError.

    Not with O_CREAT at once: in a sticky folder Linux can refuse that, even to root, for a file of somebody else
    (fs.protected_regular).
    """
    try:
        return open_regular(path, mode)
    except FileNotFoundError:
        pass
    try:
        descriptor = open_regular(path, mode | os.O_CREAT | os.O_EXCL)
    except FileExistsError:  # somebody was faster
        return open_regular(path, mode)
    _hand_over(descriptor, path.parent)
    return descriptor


def _hand_over(descriptor: int, folder: Path) -> None:
    """Let those who work in the folder open a lock's file that root has made there."""
    if os.geteuid() != 0:
        return
    with suppress(OSError):  # a network filesystem where root is nobody
        status = folder.stat()
        os.fchown(descriptor, status.st_uid, status.st_gid)
        if status.st_mode & stat.S_ISVTX:  # a sealed repository: the backup user is in the group
            os.fchmod(descriptor, 0o660)


def _shared(descriptor: int, path: Path, timeout: float) -> bool:
    """Take the lock as one of many; False where the filesystem has no locks."""
    give_up = time.monotonic() + timeout
    try:
        while not try_lock(descriptor, shared=True):
            if time.monotonic() >= give_up:
                raise LockBusy(
                    f"{path} is held by a run that removes backups, for more than {timeout:g} seconds; try again later"
                )
            time.sleep(_POLL)
    except OSError:
        return False
    return True


def _taken(descriptor: int, path: Path) -> bool:
    try:
        return try_lock(descriptor)
    except OSError as error:
        raise RepositoryError(
            f"{path} cannot be locked: {error.strerror}; the filesystem must support flock"
        ) from error


def _write_owner(descriptor: int, run_id: str) -> None:
    owner = {"run_id": run_id, "host": socket.gethostname(), "pid": os.getpid(), "uid": os.getuid()}
    write_owner(descriptor, json.dumps({**owner, "since": iso(utc_now().replace(microsecond=0))}))


def _owner_text(descriptor: int) -> str:
    try:
        owner = json.loads(os.pread(descriptor, 4096, 0))
        return f"run {owner['run_id']} on {owner['host']}, pid {owner['pid']}, since {owner['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "its owner left no name"
