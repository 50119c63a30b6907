# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cases there are: each call of a kind where there are few of them, else some chosen by a seed."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator, Mapping, Sequence

from chaos.case import Case

# What can happen to a call of each kind. "+" behind it: to all later ones as well.
_DISK = ("EIO", "ENOSPC", "SIGKILL")
DEEDS: Mapping[str, Sequence[str]] = {
    "write": ("EIO", "ENOSPC", "EDQUOT", "EINTR", "SHORT", "SIGKILL", "SIGTERM", "ENOSPC+"),
    "fsync": (*_DISK, "EIO+"),
    "rename": (*_DISK, "SIGTERM", "EROFS"),
    "mkdir": (*_DISK, "EDQUOT"),
    "create": (*_DISK, "EMFILE", "EACCES", "SIGTERM"),
    "unlink": ("EIO", "EACCES", "SIGKILL"),
    "flock": ("EIO", "ENOLCK", "EINTR", "SIGKILL"),
    "ftruncate": ("EIO", "SIGKILL"),
    "open": ("EIO", "EMFILE", "EACCES", "SIGKILL", "EMFILE+"),
    "read": ("EIO", "EINTR", "SHORT", "SIGKILL"),
    "list": ("EIO", "EMFILE", "SIGKILL"),
    "send": ("ECONNRESET", "EPIPE", "EINTR", "SHORT", "SIGKILL", "SIGINT"),
    "recv": ("ECONNRESET", "ETIMEDOUT", "EOF", "EINTR", "SHORT", "SIGKILL", "SIGTERM"),
    "connect": ("ECONNREFUSED", "ETIMEDOUT", "EMFILE", "SIGKILL"),
    "clock": ("+86400", "-86400", "+3600", "-7200"),
}


def injected(stage: str, engine: str, counts: Mapping[str, int], *, most: int) -> Iterator[Case]:
    """Yield the cases of a stage whose work has that many calls of each kind; `most` calls of a kind for each deed."""
    for fault, deeds in DEEDS.items():
        for deed in deeds:
            for number in _numbers(counts.get(fault, 0), most, f"{stage}/{engine}/{fault}/{deed}"):
                yield Case(stage, engine, fault, number, deed)


def _numbers(count: int, most: int, seed: str) -> list[int]:
    if count <= most:
        return list(range(1, count + 1))
    chosen = random.Random(seed).sample(range(1, count + 1), most)  # noqa: S311  # no secret
    return sorted(chosen)


def third(cases: Sequence[Case]) -> list[Case]:
    """Return every third case, of each fault at least one."""
    by_fault: dict[tuple[str, str, str], list[Case]] = {}
    for case in cases:
        by_fault.setdefault((case.stage, case.engine, case.fault), []).append(case)
    chosen = []
    for group in by_fault.values():
        ordered = sorted(group, key=lambda case: zlib.crc32(str(case).encode()))
        chosen += ordered[: -(-len(ordered) // 3)]
    return sorted(chosen)
