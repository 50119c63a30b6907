# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the C library keeps freed memory. By default each thread has a heap of its own, and hands little of it back."""

from __future__ import annotations

import ctypes
from contextlib import suppress

# Of glibc's mallopt(3). Setting the second and third also ends that they grow with what a program has freed.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_LARGE = 1 << 20  # bytes; buffers of our pipelines are that large, and are given back when a dump has ended
_SPARE = 4 << 20  # bytes that stay, so that blocks that come and go cost no system call each


def keep_memory_small() -> None:
    """Have all threads share one heap, and large blocks go back to the system: a run has many short threads.

    For the whole process, and before its threads begin. Another C library than glibc is left as it is.
    """
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for option, value in ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _SPARE)):
            mallopt(option, value)
