# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo shows: short headings, every command before it runs, and small tables.

A command is shown exactly as bash gets it, so it can be typed again in the demo's folder after `. ./environment`.
"""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Mapping
from pathlib import Path

ENVIRONMENT_FILE = "environment"

_numbers = itertools.count(1)


class StepFailed(RuntimeError):
    """A step did not do what it should; the message says which and what to look at."""


def heading(text: str) -> None:
    print(f"\n== {next(_numbers)}. {text}", flush=True)


def note(text: str) -> None:
    print(text, flush=True)


def shell(command: str, *, folder: Path, show: bool = True) -> str:
    """Run `command` by bash in `folder`, after showing it; a failure anywhere in a pipe is an error.

    Returns what it wrote to its standard output, which is shown too unless `show` is false.
    """
    print(f"$ {command}", flush=True)
    script = f"set -o pipefail\n. ./{ENVIRONMENT_FILE}\n{command}\n"
    done = subprocess.run(
        ["bash", "-c", script],  # bash for pipefail
        cwd=folder,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    if show or done.returncode != 0:
        print(done.stdout, end="", flush=True)
    if done.returncode != 0:
        raise StepFailed(f"the command ended with {done.returncode}, its words are above: {command}")
    return done.stdout


def compare(source: Mapping[str, int], restored: Mapping[str, int]) -> None:
    """Show both side by side; any difference is an error."""
    width = max(len(name) for name in [*source, *restored])
    print(f"{'':{width}}  {'source':>8}  {'restored':>8}")
    for name in sorted({*source, *restored}):
        there, here = source.get(name), restored.get(name)
        mark = "equal" if there == here else "DIFFERENT"
        print(f"{name:{width}}  {there!s:>8}  {here!s:>8}  {mark}")
    if dict(source) != dict(restored):
        raise StepFailed("the restored database is not what was backed up, see the table above")
