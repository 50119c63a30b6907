# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at every process of the machine, again and again, to prove that a secret never shows in argv or environ.

    with ProcessWatch() as watch:
        run_the_backup()
    assert watch.find(password) == []

A sampler can miss a process that lives shorter than one round (a few milliseconds), so a test that relies on it first
shows that the clients it cares about were seen (`watch.programs()`).
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Sample:
    """A process as it was seen: argv and environ exactly as the kernel shows them, NUL between the items."""

    pid: int
    argv: bytes
    environ: bytes

    @property
    def program(self) -> str:
        return Path(os.fsdecode(self.argv.split(b"\0")[0])).name

    def __str__(self) -> str:
        return f"{self.pid} {self.argv.replace(bytes(1), b' ').decode(errors='replace')}"


class ProcessWatch:
    """Samples from entering the `with` block to leaving it, every `interval` seconds at most."""

    def __init__(self, *, interval: float = 0.003) -> None:
        self.interval = interval
        self.samples: set[Sample] = set()
        self.rounds = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> ProcessWatch:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def find(self, secret: str | bytes) -> list[Sample]:
        """The samples that show `secret` in argv or environ."""
        wanted = secret.encode() if isinstance(secret, str) else secret
        return [sample for sample in self.samples if wanted in sample.argv or wanted in sample.environ]

    def programs(self) -> set[str]:
        """Names (argv[0] without folders) of all that was seen."""
        return {sample.program for sample in self.samples}

    def _watch(self) -> None:
        while not self._stop.is_set():
            started = time.monotonic()
            self._look()
            self.rounds += 1
            self._stop.wait(max(0.0, self.interval - (time.monotonic() - started)))

    def _look(self) -> None:
        for name in os.listdir("/proc"):  # noqa: PTH208  # the fastest way, a few hundred times a second
            if name.isdigit():
                argv = _read(f"/proc/{name}/cmdline")
                if argv:  # kernel threads have none
                    self.samples.add(Sample(pid=int(name), argv=argv, environ=_read(f"/proc/{name}/environ")))


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # see above
            return file.read()
    except OSError:  # it ended in between, or belongs to somebody else
        return b""
