# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Building shim.c, and telling it what to do in a forked child."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(__file__).with_name("shim.c")
# In the order of shim.c.
CALLS = (
    *("write", "fsync", "rename", "mkdir", "create", "unlink", "flock", "ftruncate", "open", "read", "list"),
    *("send", "recv", "connect", "clock"),
)
_FAIL, _SHORT, _SIGNAL, _LEAP = 1, 2, 3, 4
_SIGNALS = {"SIGKILL": signal.SIGKILL, "SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT}
_WORDS = {"SHORT": (_SHORT, 0), "EOF": (_FAIL, 0)}
_ALWAYS = "+"  # behind a deed: this call and all later ones


class ShimFailed(RuntimeError):
    """The shim cannot be built or is not there."""


def build(folder: Path) -> Path:
    """Compile the shim and return the library."""
    target = folder / "shim.so"
    command = ["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", str(target), str(SOURCE), "-ldl"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise ShimFailed(f"cc could not build {SOURCE.name}: {done.stderr}")
    return target


def meaning(deed: str) -> tuple[int, int, bool]:
    """Return what the shim is told for a deed: an errno's name, SHORT, EOF, a signal, or seconds such as +86400."""
    always = deed.endswith(_ALWAYS)
    word = deed.rstrip(_ALWAYS)
    if word in _WORDS:
        return (*_WORDS[word], always)
    if word in _SIGNALS:
        return _SIGNAL, int(_SIGNALS[word]), always
    if word.lstrip("+-").isdigit():
        return _LEAP, int(word), always
    return _FAIL, int(getattr(errno, word)), always


class Shim:
    """The preloaded library of this process."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)
        if not hasattr(self._library, "chaos_arm"):
            raise ShimFailed("the shim is not preloaded")
        self._library.chaos_count.restype = ctypes.c_long
        self._library.chaos_arm.argtypes = [ctypes.c_int, ctypes.c_long, ctypes.c_int, ctypes.c_int, ctypes.c_int]

    def watch(self, folder: Path, port: int) -> None:
        """Say what counts: paths below the folder, and connections to the port."""
        self._library.chaos_watch(os.fsencode(folder) + b"/", 0)
        self._library.chaos_port(port, 0)

    def arm(self, call: str | None, number: int = 0, deed: str = "") -> None:
        """Begin to count; the call of that number does what the deed says. None: only count."""
        if call is None:
            self._library.chaos_arm(-1, 0, 0, 0, 0)
            return
        kind, value, always = meaning(deed)
        self._library.chaos_arm(CALLS.index(call), number, kind, value, int(always))

    def disarm(self) -> None:
        """Count no longer, and let every call be as usual."""
        self._library.chaos_disarm()

    def counts(self) -> Mapping[str, int]:
        """Return how many calls there were since it was armed."""
        return {name: int(self._library.chaos_count(index)) for index, name in enumerate(CALLS)}

    def hits(self) -> int:
        """Return how many calls the deed was done to."""
        return int(self._library.chaos_hits())
