# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chaos suite: one thing goes wrong on purpose in each case, and what is left is looked at."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from pathlib import Path

from support import run_state

from chaos import shim, table
from chaos.lane import STAGES, Lane, chosen
from chaos.verdict import Verdict, read_line
from chaos.world import KINDS

LOG = Path(__file__).parents[2] / ".cache" / "chaos.jsonl"  # a line for each case, while it goes on


def main() -> int:
    """Run it; the exit status is 1 when something was violated, or a lane did not come to its end."""
    parser = argparse.ArgumentParser(prog="./tools/chaos", description=__doc__)
    parser.add_argument("--case", action="append", default=[], help="only this one, as a violation names it")
    parser.add_argument("--stage", action="append", default=[], help=f"only this work: {', '.join(STAGES)}, ...")
    parser.add_argument("--engine", action="append", choices=list(KINDS), default=[], help="only this engine")
    parser.add_argument("--quick", action="store_true", help="a quarter of the cases")
    parser.add_argument("--write", action="store_true", help="write the table of docs/reliability.md")
    parser.add_argument("--lane", choices=list(KINDS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.lane:
        return _lane(options)
    LOG.write_bytes(b"")
    library = shim.build(run_state.new_folder("shim"))
    engines = options.engine or list(KINDS)
    verdicts: list[Verdict] = []
    threads = [_Lane(engine, library.as_posix(), verdicts) for engine in engines]
    ended = [thread.ended() for thread in threads]  # each is waited for
    complete = all(ended)
    _tell(verdicts)
    if options.write and complete:
        table.write(sorted(verdicts, key=lambda verdict: list(KINDS).index(verdict.parsed().engine)))
    return 0 if complete and not any(verdict.violations for verdict in verdicts) else 1


def _lane(options: argparse.Namespace) -> int:
    """Be one lane: print a line for each verdict."""
    lane = Lane(options.lane)
    try:
        for case in chosen(lane, options.case, options.stage, quick=options.quick):
            print(lane.run(case).line(), flush=True)
    finally:
        lane.close()
    return 0


class _Lane(threading.Thread):
    """Runs a lane in a process of its own, with the shim preloaded, and collects its verdicts."""

    def __init__(self, engine: str, library: str, verdicts: list[Verdict]) -> None:
        super().__init__()
        self._verdicts = verdicts
        command = [sys.executable, "-m", "chaos", "--lane", engine, *sys.argv[1:]]
        environment = {**os.environ, "LD_PRELOAD": library}
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        self.start()

    def run(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            verdict = read_line(line)
            self._verdicts.append(verdict)
            with LOG.open("a", encoding="utf-8") as log:
                log.write(line)
            if verdict.violations:
                text = "\n".join(f"    {violation}" for violation in verdict.violations)
                print(f"VIOLATION ({verdict.outcome})  ./tools/chaos --case {verdict.case}\n{text}", flush=True)

    def ended(self) -> bool:
        """Wait for the end, and return whether it came to it."""
        self.join()
        return self._process.wait() == 0


def _tell(verdicts: list[Verdict]) -> None:
    """Print one line for each class."""
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    seconds: Counter[str] = Counter()
    for verdict in verdicts:
        case = verdict.parsed()
        name = f"{case.stage}/{case.engine}/{case.fault}"
        outcomes[name][verdict.outcome] += verdict.tried
        seconds[name] += round(verdict.seconds * 1000)
    for name, counts in outcomes.items():
        text = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
        print(f"{name}: {text} ({seconds[name] / 1000:.1f} s)")
    print(*table.sums(verdicts), sep="\n")


if __name__ == "__main__":
    raise SystemExit(main())
