# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time over an instance's folder, and a word about who holds it.

The lock is `flock` on a file that stays; holding it is the proof that unpublished folders are dead. Process ids
and boot ids would lie over NFS and across containers, so the owner record is for people only.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import LockBusy, RepositoryError
from ..text import iso, utc_now
from .files import storage_error
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
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise storage_error(error, path, "opening the lock") from error
    try:
        give_up = time.monotonic() + timeout
        while not _taken(descriptor, path):
            if cancel.is_set() or time.monotonic() >= give_up:
                raise LockBusy(
                    f"another run holds {path}: {_owner_text(descriptor)}; wait for its end, or give "
                    "repository_lock_timeout the time to wait for it"
                )
            cancel.wait(_POLL)
        _write_owner(descriptor, run_id)
        yield
        os.ftruncate(descriptor, 0)  # nobody holds it now; an emptied file says so
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


def lock_owner(folder: Path) -> str:
    """Say who holds the lock, for a plan; "" when it is free or was never taken. Takes and changes nothing."""
    try:
        descriptor = os.open(folder / LOCK_FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _owner_text(descriptor)
    finally:
        os.close(descriptor)
    return ""


def _opened_for_readers(path: Path) -> int | None:
    """Open the readers' file, made if that is possible; reading it is enough for sharing its lock."""
    for flags in (os.O_RDWR | os.O_CREAT, os.O_RDONLY):
        try:
            return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError:
            continue
    return None


def _shared(descriptor: int, path: Path, timeout: float) -> bool:
    """Take the lock as one of many; False where the filesystem has no locks."""
    give_up = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= give_up:
                raise LockBusy(
                    f"{path} is held by a run that removes backups, for more than {timeout:g} seconds; try again later"
                ) from None
            time.sleep(_POLL)
        except OSError:
            return False
        else:
            return True


def _taken(descriptor: int, path: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise RepositoryError(
            f"{path} cannot be locked: {error.strerror}; the filesystem must support flock"
        ) from error
    return True


def _write_owner(descriptor: int, run_id: str) -> None:
    owner = {"run_id": run_id, "host": socket.gethostname(), "pid": os.getpid(), "uid": os.getuid()}
    record = json.dumps({**owner, "since": iso(utc_now().replace(microsecond=0))}).encode()
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, record, 0)
    except OSError:
        pass  # a full disk: the lock itself holds, only the words about its owner are missing


def _owner_text(descriptor: int) -> str:
    try:
        owner = json.loads(os.pread(descriptor, 4096, 0))
        return f"run {owner['run_id']} on {owner['host']}, pid {owner['pid']}, since {owner['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "its owner left no name"
