# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command costs: time, processor and memory of it and all its children, and how these compare in a round."""

from __future__ import annotations

import os
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_LOOK_EVERY = 0.05  # seconds


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, seconds of processor, and MiB at most; without what a database server took."""

    wall: float
    processor: float
    peak: float


def cost_of(argv: Sequence[str], environment: Mapping[str, str]) -> Cost:
    """Run a command to its end. Raises `SystemExit` when it fails."""
    began = time.monotonic()
    process = subprocess.Popen(argv, env=dict(environment), stdout=subprocess.DEVNULL)
    ended = threading.Event()
    looks = [0.0]

    def look() -> None:
        while not ended.wait(_LOOK_EVERY):
            looks.append(sum(_shares(process.pid)) / 1024)

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    _pid, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    ended.set()
    looking.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(argv)} ended with {process.returncode}; its messages are above")
    # A child that is just being started shows the memory of its parent once more, for less than one look.
    peak = max(map(min, looks, [*looks[1:], 0.0]))
    return Cost(wall, used.ru_utime + used.ru_stime, peak)


def _shares(pid: int) -> Iterator[int]:
    """The proportional shares (PSS) of a process and all below it, in KiB."""
    with suppress(OSError, IndexError):  # it has ended
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        yield int(rollup.partition("\nPss:")[2].split()[0])
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in children.read_text(encoding="ascii").split():
                yield from _shares(int(child))


def table(rounds: Sequence[Mapping[str, Cost]], ours: Sequence[str], hosts: int | None = None) -> str:
    """A table in Markdown: medians, and what our wall time is of each other one's, median and range over the rounds.

    With `hosts`, the processor time is that of one of them, with its least, and the ratios are of it.
    """
    names = list(rounds[0])
    measure = "wall" if hosts is None else "processor"
    processor = "processor" if hosts is None else "processor a host (least)"
    titles = ["", "wall", processor, "peak memory", *(f"{name} : it" for name in ours)]
    lines = [titles, ["---", *["---:"] * (len(titles) - 1)]]
    for name in names:
        costs = [one[name] for one in rounds]
        line = [name, f"{statistics.median(cost.wall for cost in costs):.2f} s", _processor(costs, hosts)]
        line.append(f"{max(cost.peak for cost in costs):.0f} MiB")
        for mine in ours:
            ratios = [getattr(one[mine], measure) / getattr(one[name], measure) for one in rounds]
            same = mine == name
            line.append("" if same else f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})")
        lines.append(line)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _processor(costs: Sequence[Cost], hosts: int | None) -> str:
    taken = [cost.processor / (hosts or 1) for cost in costs]
    least = "" if hosts is None else f" ({min(taken):.2f})"
    return f"{statistics.median(taken):.2f} s{least}"
