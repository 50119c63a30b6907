# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A piece of work in a forked child: the library is imported once, and a case costs what its work costs."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backupdb.errors import BackupDbError

from chaos.shim import Shim

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_LONGEST = 90.0  # seconds; no work here takes a tenth of that
_ORPHANS_END = 6.0  # seconds that a killed process's clients have
_POLL = 0.005

Work = Callable[[], Mapping[str, Any]]
Meanwhile = Callable[["Running"], None]


@dataclass(frozen=True)
class Ended:
    """How a child ended: with the result of its work, with a proper error, with a crash, or by a signal."""

    result: Mapping[str, Any] | None = None
    error: str | None = None
    error_kind: str | None = None
    crash: str | None = None
    signal: int = 0
    hung: bool = False
    stderr: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    hits: int = 0
    left_open: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def killed(self) -> bool:
        """Whether it was killed, so that it could neither clear up nor say anything."""
        return self.signal != 0

    @property
    def status(self) -> str:
        """One word for the table."""
        if self.killed:
            return "killed"
        if self.result is not None:
            return str(self.result["status"])
        return "refused" if self.error is not None else "crashed"

    def text(self) -> str:
        """Everything that was said."""
        return json.dumps(self.result, default=str) if self.result is not None else self.error or ""

    def message(self) -> str:
        """The sentence for a person."""
        return str(self.result.get("message", "")) if self.result is not None else self.error or ""


class Running:
    """A child at work."""

    def __init__(self, pid: int, pipe: int, noise: Path) -> None:
        self.pid = pid
        self._pipe = pipe
        self._noise = noise
        self._began = time.monotonic()
        self._status: int | None = None

    def seconds(self) -> float:
        """How long it has been at work."""
        return time.monotonic() - self._began

    def is_over(self) -> bool:
        """Look whether it has ended."""
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = status
        return self._status is not None

    def send(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if not self.is_over():
            os.kill(self.pid, number)

    def ended(self, servers: set[int], *, orphans: bool = True) -> Ended:
        """Wait for the end, and with `orphans` for that of all that it has started."""
        hung = False
        answer = b""
        os.set_blocking(self._pipe, False)
        while not self.is_over():
            with contextlib.suppress(BlockingIOError):
                answer += os.read(self._pipe, 1 << 16)
            if self.seconds() > _LONGEST:
                hung = True
                self.send(signal.SIGKILL)
            time.sleep(_POLL)
        seconds = self.seconds()
        with contextlib.suppress(BlockingIOError):
            while more := os.read(self._pipe, 1 << 16):
                answer += more
        os.close(self._pipe)
        told = json.loads(answer) if answer else {}
        told["left_open"] = tuple(told.get("left_open", ()))
        number = os.WTERMSIG(self._status or 0) if os.WIFSIGNALED(self._status or 0) else 0
        if not told.get("result") and not told.get("error") and not told.get("crash") and not number:
            told["crash"] = "it ended without a word"
        return Ended(
            signal=number,
            hung=hung,
            stderr=self._noise.read_text(encoding="utf-8", errors="replace"),
            orphans=tuple(_orphans(servers)) if orphans else (),
            seconds=seconds,
            **told,
        )


class Forge:
    """Makes children. What they leave behind becomes a child of this process, so that it is seen."""

    def __init__(self, shim: Shim, noise: Path) -> None:
        self._shim = shim
        self._noise = noise
        self._number = 0
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def start(
        self,
        work: Work,
        *,
        folder: Path,
        temporary: Path,
        fault: tuple[str, int, str] | None = None,
        prepare: Callable[[], None] | None = None,
    ) -> Running:
        """Fork a child that arms the shim and does the work."""
        self._number += 1
        noise = self._noise / f"noise{self._number % 4}"
        noise.write_bytes(b"")
        reading, writing = os.pipe()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            self._child(work, writing, noise, folder, temporary, fault, prepare)
        os.close(writing)
        return Running(pid, reading, noise)

    def _child(
        self,
        work: Work,
        writing: int,
        noise: Path,
        folder: Path,
        temporary: Path,
        fault: tuple[str, int, str] | None,
        prepare: Callable[[], None] | None,
    ) -> None:
        try:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            descriptor = os.open(noise, os.O_WRONLY | os.O_APPEND)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
            os.environ.pop("LD_PRELOAD", None)
            if prepare is not None:
                prepare()
            told = _told(work, self._shim, fault)
            told["left_open"] = _open_below(folder)
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(json.dumps(told, default=str).encode())
        except BaseException:  # noqa: BLE001  # whatever it is, the parent must see it
            traceback.print_exc()
        os._exit(0)


def _told(work: Work, shim: Shim, fault: tuple[str, int, str] | None) -> dict[str, Any]:
    told: dict[str, Any] = {}
    shim.arm(*(fault or (None,)))
    try:
        told["result"] = dict(work())
    except BackupDbError as error:
        told.update(error=str(error), error_kind=type(error).__name__)
    except BaseException:  # noqa: BLE001  # that is what is looked for
        shim.disarm()
        told["crash"] = traceback.format_exc()
    shim.disarm()
    told["counts"] = dict(shim.counts())
    told["hits"] = shim.hits()
    return told


def _open_below(folder: Path) -> list[str]:
    """Paths below the folder that this process still has open; an open lock is a held one."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            path = os.readlink(entry)  # noqa: PTH115  # a deleted file is no path
            if path.startswith(f"{folder}/"):
                found.append(path)
    return found


def children() -> set[int]:
    """The processes whose parent this one is, or has become."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


def _orphans(servers: set[int]) -> list[str]:
    """Wait until all that was started has ended; return, and end, what does not."""
    end = time.monotonic() + _ORPHANS_END
    while True:
        left = []
        for pid in children() - servers:
            with contextlib.suppress(ChildProcessError):
                if os.waitpid(pid, os.WNOHANG)[0] == 0:
                    left.append(pid)
        if not left:
            return []
        if time.monotonic() > end:
            break
        time.sleep(_POLL)
    names = []
    for pid in left:
        with contextlib.suppress(OSError):
            names.append(
                Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")[:200]
            )
            os.kill(pid, signal.SIGKILL)
    return names
