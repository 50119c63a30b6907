# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test needs beside Python: root, or programs.

Root's run leaves nothing out: what is missing there is a failure that names what to install. The run of any other user
leaves out the tests that cannot work, and says at its end how many and why.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterable

import pytest

from . import binaries


def root(why: str) -> None:
    """Leave the test out when it is not root who runs it; `why` is a clause, "only root mounts filesystems"."""
    if os.geteuid() != 0:
        pytest.skip(f"needs root: {why}")


def program(name: str, package: str) -> None:
    """Leave the test out when the program is missing, unless it is root who runs it; root's test fails."""
    if shutil.which(name) is None:
        missing = binaries.MissingProgram(f"the program {name} is not there: apt-get install {package}")
        if os.geteuid() == 0:
            raise missing
        pytest.skip(f"needs a program: {missing}")


def left_out(reasons: Iterable[str]) -> list[str]:
    """Lines for the end of a run that left tests out for these reasons; none when it left nothing out."""
    counts = Counter(reasons)
    if not counts:
        return []
    lines = [f"{number} left out, {reason}" for reason, number in sorted(counts.items())]
    return [*lines, "Run as root on Debian 12 (./tools/test unit), where nothing is left out."]
