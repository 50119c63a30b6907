# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults at a moment of the work: a signal, or the end of sessions, client programs or the server.

The number of such a case is how far the work has come, in percent of the time that it usually takes.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator

from support.library import descendants

from chaos.case import Case
from chaos.child import Running
from chaos.world import World

FAULT = "moment"
_STEP = 0.002
_DEEDS = ("SIGTERM", "SIGINT", "SIGKILL", "SESSIONS", "CLIENT", "SERVER")
# The stages that talk to the server of the lane, and how many moments of each deed are tried.
_MOMENTS = {"backup": 6, "restore": 4, "accounts": 4, "job": 3, "drill": 1, "prune": 0}


def cases(stage: str, engine: str) -> Iterator[Case]:
    """Yield the cases of a stage."""
    count = _MOMENTS[stage]
    for deed in _DEEDS:
        if stage == "drill" and deed not in ("SIGTERM", "SIGKILL"):
            continue  # a drill has a server of its own, and each takes long
        if deed == "SERVER" and stage not in ("backup", "restore"):
            continue
        for number in range(count):
            yield Case(stage, engine, FAULT, (2 * number + 1) * 100 // (2 * count), deed)


def happen(case: Case, running: Running, world: World, usual: float) -> None:
    """Wait for the moment, and do the deed."""
    while running.seconds() < usual * case.number / 100:
        if running.is_over():
            return
        time.sleep(_STEP)
    if case.deed.startswith("SIG"):
        running.send(getattr(signal, case.deed))
    elif case.deed == "SESSIONS":
        world.end_sessions()
    elif case.deed == "CLIENT":
        for pid in descendants(running.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    else:
        world.server.kill()
