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
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    hosts: float = 0.0  # of `processor`, what Python took on the hosts of a play
    calls: int = 0  # of modules, on all of them


def cost_of(argv: Sequence[str], environment: Mapping[str, str], host_times: Path | None = None) -> Cost:
    """Run a command to its end. Raises `SystemExit` when it fails.

    In `host_times` the hosts of a play write down what they have used.
    """
    if host_times is not None:
        host_times.write_text("", encoding="ascii")
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
    # A child that is just being started shows the memory of its parent once more. That lasts for less than one look,
    # but where hundreds are started two looks may each meet one.
    peak = max(map(min, looks, [*looks[1:], 0.0], [*looks[2:], 0.0, 0.0]))
    hosts, calls = (0.0, 0) if host_times is None else _on_hosts(host_times.read_text(encoding="ascii"))
    return Cost(wall, used.ru_utime + used.ru_stime, peak, hosts, calls)


def _on_hosts(times: str) -> tuple[float, int]:
    """Add up what the shell's `times` has written after each call, and lines with the seconds of those left behind."""
    found = [line.split() for line in times.splitlines()]
    called = [[_seconds(word) for word in words] for words in found if len(words) == 2]
    return sum(map(sum, called)) + sum(float(words[0]) for words in found if len(words) == 1), len(called) // 2


def _seconds(text: str) -> float:
    minutes, seconds = text.rstrip("s").split("m")
    return 60 * float(minutes) + float(seconds)


def _shares(pid: int) -> Iterator[int]:
    """The proportional shares (PSS) of a process and all below it, in KiB."""
    with suppress(OSError, IndexError):  # it has ended
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        yield int(rollup.partition("\nPss:")[2].split()[0])
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in children.read_text(encoding="ascii").split():
                yield from _shares(int(child))


def table(rounds: Sequence[Mapping[str, Cost]], ours: Sequence[str]) -> str:
    """A table in Markdown: medians, and what ours takes of each other one's, median and range over the rounds."""
    titles = ["", "wall", "processor", "peak memory", *(f"{name} : it" for name in ours)]
    lines = [titles, ["---", *["---:"] * (len(titles) - 1)]]
    for name in rounds[0]:
        costs = [one[name] for one in rounds]
        line = [name, f"{_median(cost.wall for cost in costs)} s", f"{_median(cost.processor for cost in costs)} s"]
        lines.append([*line, f"{max(cost.peak for cost in costs):.0f} MiB", *_ratios(rounds, ours, name, "wall")])
    return _markdown(lines)


def table_of_plays(rounds: Sequence[Mapping[str, Cost]], ours: Sequence[str], hosts: int, own: str) -> str:
    """The same for plays: seconds of processor are those for one host, and the ratios are of them.

    `own` is the work without a play; `over it` is how much longer a play takes than that in the same round.
    """
    named = ["", "wall", "over it", "processor a host (least)", "controller", "host", "calls a host", "peak memory"]
    titles = [*named, *(f"{name} : it" for name in ours)]
    lines = [titles, ["---", *["---:"] * (len(titles) - 1)]]
    for name in rounds[0]:
        costs = [one[name] for one in rounds]
        line = [name, f"{_median(cost.wall for cost in costs)} s"]
        line.append("" if name == own else f"{_median(one[name].wall - one[own].wall for one in rounds)} s")
        least = min(cost.processor for cost in costs) / hosts
        line.append(f"{_median(cost.processor / hosts for cost in costs)} s ({least:.2f})")
        if any(cost.calls for cost in costs):
            line.append(f"{_median((cost.processor - cost.hosts) / hosts for cost in costs)} s")
            line.append(f"{_median(cost.hosts / hosts for cost in costs)} s")
            line.append(f"{statistics.median(cost.calls / hosts for cost in costs):g}")
        else:
            line += ["", "", ""]
        lines.append([*line, f"{max(cost.peak for cost in costs):.0f} MiB", *_ratios(rounds, ours, name, "processor")])
    return _markdown(lines)


def _median(values: Iterable[float]) -> str:
    return f"{statistics.median(values):.2f}"


def _ratios(rounds: Sequence[Mapping[str, Cost]], ours: Sequence[str], name: str, measure: str) -> Iterator[str]:
    for mine in ours:
        ratios = [getattr(one[mine], measure) / getattr(one[name], measure) for one in rounds]
        yield "" if mine == name else f"{_median(ratios)} ({min(ratios):.2f}-{max(ratios):.2f})"


def _markdown(lines: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
