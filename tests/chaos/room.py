# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of room: a filesystem that becomes full of bytes or of files, and a limit for the size of a file.

The number of such a case is how much is left: KiB, files, or bytes of a file.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator

from chaos.case import Case
from chaos.world import World

_BYTES, _FILES, _LIMIT = "disk", "inodes", "limit"
FAULTS = (_BYTES, _FILES, _LIMIT)
_DEEDS = {_BYTES: "FULL", _FILES: "FULL", _LIMIT: "FSIZE"}
_STAGES = ("backup",)
_LEFT = {_BYTES: (0, 4, 8, 12, 16, 20, 24, 32), _FILES: (0, 1, 2, 3, 5, 7, 9, 11), _LIMIT: (0, 64, 512, 1024, 2048)}


def cases(stage: str, engine: str) -> Iterator[Case]:
    """Yield the cases of a stage; only root mounts filesystems."""
    if stage not in _STAGES:
        return
    for fault in FAULTS if os.geteuid() == 0 else (_LIMIT,):
        for left in _LEFT[fault]:
            yield Case(stage, engine, fault, left, _DEEDS[fault])


class Room:
    """The room that a case has. `prepare` is for the child."""

    def __init__(self, case: Case, world: World) -> None:
        self._world = world
        self._mounted = False
        self.prepare: Callable[[], None] | None = None
        if case.fault == _LIMIT:
            self.prepare = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (case.number, resource.RLIM_INFINITY))
        elif case.fault in FAULTS:
            self._mount()
            used = os.statvfs(world.repository)
            if case.fault == _BYTES:
                kib = (used.f_blocks - used.f_bfree) * used.f_frsize // 1024
                self._resize(f"size={max(kib + case.number, 4)}k")
            else:
                self._resize(f"nr_inodes={used.f_files - used.f_ffree + case.number}")

    def _mount(self) -> None:
        """Put the repository of the case onto a filesystem of its own."""
        aside = self._world.home / "aside"
        shutil.move(self._world.repository, aside)
        self._world.repository.mkdir(mode=0o700)
        options = "size=64m,nr_inodes=10000,mode=0700"
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self._world.repository)]
        subprocess.run(command, check=True)
        self._mounted = True
        shutil.copytree(aside, self._world.repository, dirs_exist_ok=True)
        shutil.rmtree(aside)
        self._world.remember()

    def _resize(self, option: str) -> None:
        if self._mounted:
            subprocess.run(["mount", "-o", f"remount,{option}", str(self._world.repository)], check=True)

    def relieve(self) -> None:
        """Let there be room again."""
        self._resize("size=64m,nr_inodes=10000")

    def leave(self) -> None:
        """Take the filesystem away."""
        if self._mounted:
            subprocess.run(["umount", "-l", str(self._world.repository)], check=True)
            self._mounted = False
