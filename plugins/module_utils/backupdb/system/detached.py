# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that goes on by itself, and what another process can see of it.

The run is a forked process in a session of its own, so that neither the end of the process that started it nor a lost
connection reaches it. What it was given stays in its memory. On the disk there is a folder of the run, which holds
nothing secret: how far it is, what it wrote to its standard output once it has ended, and a lock that the kernel
gives free when the process is no more, however it ended.

The folder is in /var/tmp: a place that every user has, one without a home too, and that outlives a session and a
restart of the host. Its name is the run's id, which nobody can guess and so nobody can occupy.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import stat
import sys
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from ..errors import RunLost, RunUnknown
from .files import ODD_FILE, PRIVATE, PRIVATE_FOLDER, open_regular, read_small_file, replace_file
from .json_text import read_json
from .locking import try_lock
from .run_id import check_run_id, is_run_id

BASE = Path("/var/tmp")  # noqa: S108  see above
_PREFIX = "backupdb-run-"
_LOCK, _BEGUN, _PROGRESS, _OUTPUT, _LOG = "lock", "begun.json", "progress.json", "output", "log"
_POLL = 0.1  # seconds
_PROGRESS_EVERY = 2.0  # seconds
_KEPT_SECONDS = 86400.0
_LOG_SHOWN = 2000  # bytes of the end of the log
_LARGEST_NOTE = 1 << 20  # bytes
_LARGEST_OUTPUT = 256 << 20  # bytes


@dataclass(frozen=True)
class RunStatus:
    """A run as others see it: its output once it has ended, and until then its last progress report."""

    run_id: str
    seconds: float = 0.0  # since it began
    progress: str = ""
    output: str | None = None


class DetachedRun:
    """The run, for the process that starts it."""

    def __init__(self, run_id: str, facts: Mapping[str, Any]) -> None:
        """Make the run's folder and take its lock; raises OSError. Folders of old runs are removed.

        `facts` are what can be said of the run before it has a result, see `initial_facts`.
        """
        remove_old_runs()
        self.run_id = run_id
        self._folder = folder_of(run_id)
        self._reported = 0.0
        self._folder.mkdir(mode=PRIVATE_FOLDER)
        self._lock = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        _write(self._folder / _BEGUN, dict(facts))

    def start(self, work: Callable[[], None]) -> None:
        """Fork a process that does the work, which ends by SystemExit; what it prints is the output of the run.

        Call it before any thread is started. What the work imports must be there when the caller has ended.
        """
        if os.fork():
            os.close(self._lock)  # the run holds it now
            return
        status = 1
        try:
            os.setsid()
            self._redirect()
            with suppress(SystemExit):
                work()
            sys.stdout.flush()
            (self._folder / f".{_OUTPUT}").replace(self._folder / _OUTPUT)
            status = 0
        except BaseException:  # noqa: BLE001  whatever it is, it must not get into the code of the caller
            traceback.print_exc()
        finally:
            with suppress(OSError, ValueError):
                sys.stderr.flush()
            os._exit(status)  # without the end that the caller's process has prepared for itself

    def report(self, progress: str) -> None:
        """Note how far the run is; seldom enough to be no burden, and never a reason to fail."""
        if time.monotonic() - self._reported >= _PROGRESS_EVERY:
            self._reported = time.monotonic()
            with suppress(OSError):
                _write(self._folder / _PROGRESS, {"text": progress})

    def _redirect(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
        for path, number in (
            (Path(os.devnull), 0),
            (self._folder / f".{_OUTPUT}", 1),
            (self._folder / _LOG, 2),
        ):
            descriptor = os.open(path, os.O_RDONLY if number == 0 else flags, PRIVATE)
            os.dup2(descriptor, number)
            os.close(descriptor)


def folder_of(run_id: str) -> Path:
    """Return the folder of a run; its lock is the file `lock` in it. Raises `InvalidOption` for what is no id."""
    return BASE / f"{_PREFIX}{check_run_id(run_id)}"


def initial_facts(run_id: str) -> dict[str, Any]:
    """Return the facts that a run was started with; none when there is no such run."""
    return _read(folder_of(run_id) / _BEGUN) if is_run_id(run_id) else {}


def look(run_id: str, seconds: float) -> RunStatus:
    """Wait at most `seconds` for the end of a run of this user, and return its status.

    Raises `RunLost` when its process is no more and left no output, and `RunUnknown` when there is no such run.
    """
    folder = folder_of(run_id)
    give_up = time.monotonic() + seconds
    while _is_locked(folder, run_id):
        if time.monotonic() >= give_up:
            return RunStatus(
                run_id=run_id,
                seconds=_age(folder / _LOCK),
                progress=_progress(folder),
            )
        time.sleep(_POLL)
    output = _output(folder)
    if output is not None:
        return RunStatus(run_id=run_id, output=output)
    raise RunLost(_lost_text(folder, run_id))


def remove_old_runs() -> None:
    """Remove the folders of runs of this user that ended long ago; what is broken or not ours never stops a new run."""
    for folder in BASE.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            found = folder.lstat()
            old = time.time() - found.st_mtime > _KEPT_SECONDS
            if old and _is_ours(found) and _is_dead(folder):
                shutil.rmtree(folder)


def _is_ours(found: os.stat_result) -> bool:
    return found.st_uid == os.geteuid() and stat.S_ISDIR(found.st_mode)


def _is_dead(folder: Path) -> bool:
    try:
        return not _is_locked(folder, "")
    except RunUnknown as error:  # a run takes its lock as soon as it has its folder: this one never got so far
        return isinstance(error.__cause__, FileNotFoundError)


def _is_locked(folder: Path, run_id: str) -> bool:
    try:
        descriptor = _open_lock(folder)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise RunUnknown(
            f"this host knows nothing of run {run_id} ({folder} is not there, or is none of a run): it did not begin, "
            "or was cleared away; "
            "look into the repository for what it made, and run again"
        ) from error
    try:
        return not try_lock(descriptor, shared=True)
    except OSError:
        return False  # a filesystem without locks: then no run can have taken one
    finally:
        os.close(descriptor)


def _open_lock(folder: Path) -> int:
    """Open a run's lock; NotADirectoryError where the folder or the lock is none that a run of this user has made."""
    if not _is_ours(folder.lstat()):
        raise NotADirectoryError(errno.ENOTDIR, "it is no folder of this user")
    try:
        return open_regular(folder / _LOCK)
    except OSError as error:
        if error.errno in (*ODD_FILE, errno.EISDIR):
            raise NotADirectoryError(errno.ENOTDIR, f"its lock is no file: {error.strerror}") from error
        raise


def _lost_text(folder: Path, run_id: str) -> str:
    progress = _progress(folder)
    log = _end_of(folder / _LOG)
    instance = _read(folder / _BEGUN).get("instance", "?")
    return "".join(
        (
            f"instance {instance}: the process of run {run_id} is no more and left no result: it was killed (out of "
            "memory?), the host was restarted, or its disk is full. ",
            f"It was last seen at: {progress}. " if progress else "",
            f"Its last words: {log}. " if log else "",
            "What it published is whole and counts; nothing else does. Run again",
        )
    )


def _output(folder: Path) -> str | None:
    """Return what a run that has ended wrote; None when that is not there, or not whole.

    It is whole under its own name. Under the one that it is written under it is, if it is one JSON object: then only
    the rename failed, and a result that was made is told.
    """
    with suppress(OSError, ValueError):
        return read_small_file(folder / _OUTPUT, _LARGEST_OUTPUT).decode("utf-8")
    with suppress(OSError, ValueError):
        text = read_small_file(folder / f".{_OUTPUT}", _LARGEST_OUTPUT).decode("utf-8")
        return text if isinstance(read_json(text.encode("utf-8")), dict) else None
    return None


def _progress(folder: Path) -> str:
    text = _read(folder / _PROGRESS).get("text", "")
    return text if isinstance(text, str) else ""


def _age(path: Path) -> float:
    try:
        return max(0.0, time.time() - path.lstat().st_mtime)
    except OSError:
        return 0.0


def _end_of(log: Path) -> str:
    try:
        descriptor = open_regular(log)
    except OSError:
        return ""
    try:
        start = max(0, os.fstat(descriptor).st_size - _LOG_SHOWN)
        return os.pread(descriptor, _LOG_SHOWN, start).decode("utf-8", "replace").strip()
    except OSError:
        return ""
    finally:
        os.close(descriptor)


def _write(path: Path, value: Mapping[str, Any]) -> None:
    replace_file(path, json.dumps(value).encode("ascii"), durable=False)


def _read(path: Path) -> dict[str, Any]:
    try:
        value = read_json(read_small_file(path, _LARGEST_NOTE))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
