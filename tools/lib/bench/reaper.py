# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command and wait for all that it leaves behind, so that what this process has used counts that as well.

A backup of a play goes on without the process that started it, and would be counted by nobody. Its seconds of
processor are written down by themselves, too.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

_PR_SET_CHILD_SUBREAPER = 36


def main() -> int:
    """Return the exit status of the command in the arguments; the first of them is the file for the seconds."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl: orphans would not be counted")
    status = subprocess.run(sys.argv[2:], check=False).returncode
    with open(sys.argv[1], "a", encoding="ascii") as times:  # noqa: PTH123  it starts for each that is measured
        while True:
            try:
                used = os.wait3(0)[2]
            except ChildProcessError:
                return status
            times.write(f"{used.ru_utime + used.ru_stime}\n")


if __name__ == "__main__":
    raise SystemExit(main())
