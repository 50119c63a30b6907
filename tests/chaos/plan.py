# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cases there are: each call of a kind where there are few of them, else some chosen by a seed."""

from __future__ import annotations

import random
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


# How many calls of a kind are tried for each deed: fewer where the work takes long.
_MOST = {"prune": 12, "backup": 3, "accounts": 3, "job": 2, "restore": 1, "drill": 1}
_OF_DRILLS = (("write", "EIO"), ("rename", "EIO"), ("create", "ENOSPC"), ("open", "SIGKILL"))
# One of how many cases of a stage are run in the quick part; four where nothing is said.
_SHARE = {"prune": 3, "restore": 8, "drill": 6}


def injected(stage: str, engine: str, counts: Mapping[str, int]) -> Iterator[Case]:
    """Yield the cases of a stage whose work has that many calls of each kind."""
    for fault, deeds in DEEDS.items():
        for deed in deeds:
            if stage == "drill" and (fault, deed) not in _OF_DRILLS:
                continue
            for number in _numbers(counts.get(fault, 0), _MOST[stage], f"{stage}/{engine}/{fault}/{deed}"):
                yield Case(stage, engine, fault, number, deed)


def _numbers(count: int, most: int, seed: str) -> list[int]:
    if count <= most:
        return list(range(1, count + 1))
    chosen = random.Random(seed).sample(range(1, count + 1), most)  # noqa: S311  # no secret
    return sorted(chosen)


def quick(cases: Sequence[Case]) -> list[Case]:
    """Return about a quarter of the cases, always the same ones: fewer of those that take long."""
    chosen = []
    by_stage: dict[str, list[Case]] = {}
    for case in cases:
        by_stage.setdefault(case.stage, []).append(case)
    for stage, group in by_stage.items():
        # Every n-th in the order of the faults has something of each of them.
        chosen += group[:: _SHARE.get(stage, 4)]
    return chosen
