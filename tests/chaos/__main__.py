# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chaos suite: `./tools/chaos --help` says how it is run."""

from __future__ import annotations

import argparse
import collections
import os
import sys
from pathlib import Path

from support import run_state

from chaos import case, plan, shim
from chaos.lane import STAGES, Lane, Verdict


def main() -> int:
    """Run it; the exit status is 1 when something was violated."""
    parser = argparse.ArgumentParser(prog="./tools/chaos", description=__doc__)
    parser.add_argument("--case", action="append", default=[])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--engine", default="postgresql")
    parser.add_argument("--stage", action="append", choices=sorted(STAGES), default=[])
    options = parser.parse_args()
    if "chaos_arm" not in Path("/proc/self/environ").read_text(errors="replace") and not os.environ.get("LD_PRELOAD"):
        library = shim.build(run_state.new_folder("shim"))
        shim.preloaded_again(library, ["-m", "chaos", *sys.argv[1:]])
    lane = Lane(options.engine)
    cases = [case.parse(text) for text in options.case]
    if not cases:
        cases = [*lane.cases(options.stage or list(STAGES))]
    if options.quick:
        cases = plan.third(cases)
    counts: collections.Counter[str] = collections.Counter()
    seconds: collections.Counter[str] = collections.Counter()
    bad = 0
    for one in cases:
        verdict: Verdict = lane.run(one)
        counts[f"{one.stage}/{one.engine}/{one.fault} {verdict.outcome}"] += 1
        seconds[f"{one.stage}/{one.engine}/{one.fault}"] += verdict.seconds  # type: ignore[assignment]
        if verdict.violations:
            bad += 1
            print(f"VIOLATION ./tools/chaos --case {one}: {verdict.outcome}")
            for line in verdict.violations:
                print(f"    {line}")
        sys.stdout.flush()
    for key, number in sorted(counts.items()):
        print(number, key)
    print(len(cases), "cases", bad, "violated", dict(seconds))
    lane.close()
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
