# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder in which one test run keeps its servers, and the removal of what a dead run left.

Every run has `/tmp/vyabdb-<uid>/<pid>-<start time of that process>/`. The name tells whether its owner still lives:
a pid alone does not, because pids are used again. Paths are short because a unix socket's path has at most 107 bytes.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import itertools
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

# Not TMPDIR: it may be long.
BASE = Path(f"/tmp/vyabdb-{os.geteuid()}")  # noqa: S108  # made 0711 and its owner is checked

_numbers = itertools.count(1)


def start_time(pid: int) -> str | None:
    """When the process `pid` started, in clock ticks since boot; None when there is none, or only its remains."""
    try:
        # The name in parentheses may hold anything, so count from the last one.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in ("Z", "X") else fields[19]


def is_alive(pid: int) -> bool:
    return start_time(pid) is not None


def processes_working_in(folder: Path) -> list[int]:
    """Pids of the processes whose working directory is `folder`; database servers change into their data folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and works_in(int(entry.name), folder):
            found.append(int(entry.name))
    return found


def works_in(pid: int, folder: Path) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/cwd") == str(folder)  # noqa: PTH115  # a deleted folder is no path
    except OSError:
        return False


def wait_until_gone(pids: list[int], *, seconds: float) -> bool:
    """Wait until none of `pids` runs; False when some still do after `seconds`."""
    deadline = time.monotonic() + seconds
    while any(is_alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@functools.cache
def run_folder() -> Path:
    """The folder of this run; removes the leftovers of dead runs, and itself at the end of this process."""
    BASE.mkdir(mode=0o711, exist_ok=True)
    if BASE.is_symlink() or BASE.stat().st_uid != os.geteuid():
        raise RuntimeError(f"{BASE} belongs to somebody else: remove it")
    BASE.chmod(0o711)
    for folder in BASE.iterdir():
        pid, _dash, started = folder.name.partition("-")
        if not (pid.isdigit() and start_time(int(pid)) == started):
            remove_with_servers(folder)
    mine = BASE / f"{os.getpid()}-{start_time(os.getpid())}"
    mine.mkdir(mode=0o711, exist_ok=True)
    mine.chmod(0o711)
    atexit.register(_remove_at_exit, mine, os.getpid())
    return mine


def _remove_at_exit(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked child runs this too
        remove_with_servers(folder)


def new_folder(prefix: str) -> Path:
    """A new, empty folder of this run that only its owner can enter."""
    folder = run_folder() / f"{prefix}{next(_numbers)}"
    folder.mkdir(mode=0o700)
    return folder


def remove_with_servers(folder: Path) -> None:
    """Remove the folder of a run: end the servers that work in it, unmount what is mounted in it, delete it."""
    for pid in _processes_below(folder):
        with contextlib.suppress(ProcessLookupError):  # its parent's end may have taken it along
            os.kill(pid, signal.SIGKILL)
    wait_until_gone(_processes_below(folder), seconds=10)
    for mount in mounts_below(folder):
        subprocess.run(["umount", "-l", str(mount)], check=False)
    shutil.rmtree(folder, ignore_errors=True)


def _processes_below(folder: Path) -> list[int]:
    """Pids of the servers that work below `folder`: only data folders count, not the shell of a curious person."""
    data_folders = [path for path in folder.glob("*/data") if path.is_dir()]
    return [pid for data in data_folders for pid in processes_working_in(data)]


def mounts_below(folder: Path) -> list[Path]:
    """What is mounted below `folder`, deepest first."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    points = [line.split()[4].encode().decode("unicode_escape") for line in lines]
    return sorted((Path(point) for point in points if Path(point).is_relative_to(folder)), reverse=True)
