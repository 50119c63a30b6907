# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program around a drill's server: it shuts it in, waits for it, and leaves nothing of it behind.

It is run by its text (`python -c`), so it imports nothing of ours. Its only argument is a plan in JSON, see `box.py`.

With namespaces the server has its own processes, network, IPC and root folder, in which there is nothing but system
programs and its own two folders. The first process in there is ours; when it ends, the kernel ends all others. Without
namespaces we adopt whatever the server leaves, and end it.

SIGTERM ends all of it in good order; it comes by itself when the drill dies.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

_NEW_MOUNTS, _NEW_HOST_NAME, _NEW_IPC = 0x00020000, 0x04000000, 0x08000000
_NEW_USERS, _NEW_PROCESSES, _NEW_NETWORK = 0x10000000, 0x20000000, 0x40000000
_NAMESPACES = _NEW_MOUNTS | _NEW_HOST_NAME | _NEW_IPC | _NEW_PROCESSES | _NEW_NETWORK
_READ_ONLY, _NO_SETUID, _NO_DEVICES, _NO_EXECUTION = 1, 2, 4, 8  # MS_ flags; the first four are also those of statvfs
_REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 32, 4096, 16384, 1 << 18
_KEPT = {1: 1, 2: 2, 4: 4, 8: 8, 1024: 1024, 2048: 2048, 4096: 1 << 21}  # flags of statvfs -> those of mount
_DETACH = 2
_SET_DEATH_SIGNAL, _SET_DUMPABLE, _SET_NO_NEW_PRIVILEGES, _SET_ADOPTING = 1, 4, 38, 36
_DEVICES = ("null", "zero", "full", "random", "urandom")
_OLD = "/.old"
_FAILED = 70
_PATIENCE = 15.0  # seconds for a server to end in good order, and for its leftovers to be gone
_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}

libc = ctypes.CDLL(None, use_errno=True)


def complain(text: str) -> None:
    """Tell whoever started this program."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def check(result: int, what: str) -> None:
    """Raise OSError for a call of the C library that failed."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def prctl(option: int, value: int) -> None:
    check(libc.prctl(option, *map(ctypes.c_ulong, (value, 0, 0, 0))), "prctl")


def mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    words = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    data = None if options is None else options.encode()
    check(libc.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), data), f"mount {target}")


def become(plan: Mapping[str, Any]) -> None:
    """Give up root for good."""
    if plan["uid"] is not None:
        os.setgroups([])
        os.setresgid(plan["gid"], plan["gid"], plan["gid"])
        os.setresuid(plan["uid"], plan["uid"], plan["uid"])


def enter_namespaces() -> None:
    """Enter new namespaces as an ordinary user, who is the same one in there. Raises OSError."""
    prctl(_SET_DUMPABLE, 1)  # or the files below would be root's
    uid, gid = os.geteuid(), os.getegid()
    check(libc.unshare(_NEW_USERS | _NAMESPACES), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


class Root:
    """The new root folder while it is built; paths are those that programs in there will see."""

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self.plan = plan

    def build(self) -> None:
        """Change to a root folder of our own; nothing else of the host's is left. Raises OSError."""
        mount(None, "/", None, _PRIVATE | _RECURSIVE)
        place = self.plan["home"]
        mount("tmpfs", place, "tmpfs", _NO_SETUID | _NO_DEVICES, "mode=0755,size=1m")
        os.chdir(place)
        os.mkdir("." + _OLD)
        check(libc.pivot_root(b".", os.fsencode("." + _OLD)), "pivot_root")
        os.chdir("/")
        self._memory("/tmp", "64m")
        self._fill_etc()
        for path in self.plan["shown"]:
            self._show(path)
        self._fill_dev()
        self._fill_proc()
        for path in self.plan["hidden"]:
            self._hide(path)
        for there, path in self.plan["written"]:
            os.makedirs(path, exist_ok=True)
            mount(_OLD + there, path, None, _BIND)
        check(libc.umount2(_OLD.encode(), _DETACH), "umount")
        os.rmdir(_OLD)
        mount(None, "/", None, _REMOUNT | _READ_ONLY | _NO_SETUID | _NO_DEVICES, "mode=0755,size=1m")

    def _memory(self, path: str, size: str) -> None:
        os.makedirs(path, exist_ok=True)
        mount("tmpfs", path, "tmpfs", _NO_SETUID | _NO_DEVICES, f"mode=1777,size={size}")

    def _show(self, path: str) -> None:
        """Let a folder or file of the host be read, or make the same link; what is not there is passed over."""
        there = _OLD + path
        if os.path.lexists(path) or not os.path.lexists(there):
            return
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.islink(there):
            os.symlink(os.readlink(there), path)
            return
        if os.path.isdir(there):
            os.mkdir(path)
        else:
            _touch(path)
        mount(there, path, None, _BIND | _RECURSIVE)
        for point in _mounts_below(path):
            kept = sum(flag for known, flag in _KEPT.items() if os.statvfs(point).f_flag & known)
            with suppress(OSError):  # rights of files still hold
                mount(None, point, None, _BIND | _REMOUNT | _READ_ONLY | _NO_SETUID | kept)

    def _fill_etc(self) -> None:
        uid, gid, home = os.geteuid(), os.getegid(), self.plan["home"]
        if self.plan["uid"] is not None:
            uid, gid = self.plan["uid"], self.plan["gid"]
        os.makedirs("/etc", exist_ok=True)
        _touch("/etc/passwd", f"drill:x:{uid}:{gid}::{home}:/bin/sh\n")
        _touch("/etc/group", f"drill:x:{gid}:\n")
        _touch("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n")
        _touch("/etc/hosts", "127.0.0.1 localhost\n")

    def _fill_dev(self) -> None:
        os.mkdir("/dev")
        for name in _DEVICES:
            _touch(f"/dev/{name}")
            mount(f"{_OLD}/dev/{name}", f"/dev/{name}", None, _BIND)
        os.symlink("/proc/self/fd", "/dev/fd")
        self._memory("/dev/shm", "50%")

    def _fill_proc(self) -> None:
        os.mkdir("/proc")
        with suppress(OSError):  # refused where the host's own is covered in part; then there is none
            mount("proc", "/proc", "proc", _NO_SETUID | _NO_DEVICES | _NO_EXECUTION)

    def _hide(self, path: str) -> None:
        if os.path.isdir(path):
            self._memory(path, "64k")
        elif os.path.exists(path):
            mount("/dev/null", path, None, _BIND)


def _touch(path: str, text: str = "") -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _mounts_below(path: str) -> list[str]:
    found = []
    with open(f"{_OLD}/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            point = line.split(" ")[4].encode("latin-1", "replace").decode("unicode_escape")
            if point == path or point.startswith(path + "/"):
                found.append(point)
    return found


def execute(plan: Mapping[str, Any]) -> None:
    """Become the server; returns never."""
    try:
        become(plan)
        prctl(_SET_NO_NEW_PRIVILEGES, 1)
        prctl(_SET_DEATH_SIGNAL, plan["death"])
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        os.chdir(plan["home"])
        os.execvpe(plan["argv"][0], plan["argv"], os.environ)  # noqa: S606  there is none on purpose
    except OSError as error:
        complain(f"{plan['argv'][0]} cannot be started: {error}")
    finally:
        os._exit(_FAILED)


def status_of(wait_status: int) -> int:
    return 128 + os.WTERMSIG(wait_status) if os.WIFSIGNALED(wait_status) else os.WEXITSTATUS(wait_status)


def first_process(plan: Mapping[str, Any], alive: int) -> int:
    """Be the first process of the namespaces: start the server, reap everything, end with the server."""
    prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.read(alive, 1) != b"+":  # our parent died before we said what we want then
        return _FAILED
    given = os.umask(0o022)
    Root(plan).build()
    os.umask(given)
    if not plan["argv"]:
        return 0
    server = os.fork()
    if server == 0:
        execute(plan)
    while True:
        ended, wait_status = os.wait()
        if ended == server:
            return status_of(wait_status)


def signal_as(plan: Mapping[str, Any], processes: Sequence[int], number: int) -> None:
    """Signal processes as the user whose they are: a service's root may have no right to signal others."""
    sender = os.fork()
    if sender == 0:
        with suppress(OSError):
            become(plan)
            for process in processes:
                with suppress(OSError):
                    os.kill(process, number)
        os._exit(0)
    os.waitpid(sender, 0)


def run_as_user(plan: Mapping[str, Any]) -> int:
    """Run all as the server's user, and stay to pass signals on: not every root may signal others."""
    runner = os.fork()
    if runner == 0:
        status = _FAILED
        try:
            become(plan)
            prctl(_SET_DEATH_SIGNAL, signal.SIGTERM)  # not before: giving up root takes it away
            status = run_in_namespaces({**plan, "uid": None})
        except OSError as error:
            complain(f"no namespaces: {error}")
        finally:
            os._exit(status)
    while signal.sigwait(_SIGNALS) == signal.SIGCHLD:
        ended, wait_status = os.waitpid(runner, os.WNOHANG)
        if ended:
            return status_of(wait_status)
    signal_as(plan, [runner], signal.SIGTERM)
    return status_of(os.waitpid(runner, 0)[1])


def run_in_namespaces(plan: Mapping[str, Any]) -> int:
    is_root = os.geteuid() == 0
    if is_root and libc.unshare(_NAMESPACES) != 0:
        return run_as_user(plan)
    if not is_root:
        enter_namespaces()
    alive, say = os.pipe()
    first = os.fork()
    if first == 0:
        os.close(say)
        status = _FAILED
        try:
            status = first_process(plan, alive)
        except OSError as error:
            complain(f"no namespaces: {error}")
        finally:
            os._exit(status)
    if not is_root:
        prctl(_SET_DUMPABLE, 0)
    os.write(say, b"+")
    while signal.sigwait(_SIGNALS) == signal.SIGCHLD:
        ended, wait_status = os.waitpid(first, os.WNOHANG)
        if ended:
            return status_of(wait_status)
    os.kill(first, signal.SIGKILL)  # the kernel ends all the others before we are told of its end
    return status_of(os.waitpid(first, 0)[1])


def children() -> list[int]:
    """Return our children: in the end all that the server has started, as who loses its parent becomes ours."""
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def reap(server: int) -> int | None:
    """Wait for all that have ended; return the server's status if it was among them."""
    status = None
    with suppress(ChildProcessError):
        while True:
            ended, wait_status = os.waitpid(-1, os.WNOHANG)
            if not ended:
                break
            if ended == server:
                status = status_of(wait_status)
    return status


def run_adopting(plan: Mapping[str, Any]) -> int:
    """Run the server without namespaces."""
    prctl(_SET_ADOPTING, 1)
    server = os.fork()
    if server == 0:
        execute(plan)
    status = None
    while status is None and signal.sigwait(_SIGNALS) == signal.SIGCHLD:
        status = reap(server)
    if status is None:
        signal_as(plan, [server], plan["stop"])
        give_up = time.monotonic() + _PATIENCE
        while status is None and time.monotonic() < give_up:
            signal.sigtimedwait([signal.SIGCHLD], 0.1)
            status = reap(server)
    give_up = time.monotonic() + _PATIENCE
    while children() and time.monotonic() < give_up:
        for number in (signal.SIGSTOP, signal.SIGKILL):  # first none of them may start another
            signal_as(plan, children(), number)
        reap(server)
        time.sleep(0.005)
    return _FAILED if status is None else status


def main(words: Sequence[str]) -> int:
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    plan = json.loads(words[1])
    if os.getppid() != plan["parent"]:
        return _FAILED  # the drill died before we could be told
    try:
        return run_in_namespaces(plan) if plan["namespaces"] else run_adopting(plan)
    except OSError as error:
        complain(f"no box: {error}")
        return _FAILED


if __name__ == "__main__":
    raise SystemExit(main(sys.argv))
