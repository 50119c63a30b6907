# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two pieces of work at once over the same repository, and the same server.

The stage of such a case names both, `backup+prune`. Its number is when the second one begins, in percent of the time
that the first one usually takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from backupdb.retention import prune
from backupdb.retention.decide import RetentionPolicy
from backupdb.verify import run as verify
from support.library import KEYS

from chaos import checks
from chaos.case import Case
from chaos.child import Ended
from chaos.stages.restore import NEW, OLD
from chaos.stages.stage import Stage
from chaos.world import DATABASE, World

FAULT, DEED = "together", "BOTH"
_PAIRS = (
    "backup+backup",
    "backup+prune",
    "verify+prune",
    "verify+backup",
    "restore+prune",
    "restore+backup",
    "job+job",
)
_BEGINS = (0, 30, 60)
# A restore may find the database that another piece of work holds; then it says so and has changed nothing.
_BUSY = ("LockBusy", "BackupNotFound")
_WORDS = ("another run holds", "being read", "is held by a run")


def cases(engine: str) -> Iterator[Case]:
    """Yield all cases of this kind."""
    for pair in _PAIRS:
        for begins in _BEGINS:
            yield Case(pair, engine, FAULT, begins, DEED)


class Over:
    """Work over the repository as the other stages leave it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def prune(self) -> Mapping[str, Any]:
        """Keep one backup of each."""
        policy = RetentionPolicy(keep_last=1)
        return prune.run(prune.PruneRequest(repository=str(self._world.repository), policy=policy))

    def verify(self) -> Mapping[str, Any]:
        """Read all that is there."""
        return verify.run(verify.VerifyRequest(level="decrypt", repository=str(self._world.repository), keys=KEYS))


def violations(case: Case, stage: Stage, both: Mapping[str, Ended]) -> Iterator[str]:
    """Say what is wrong after both have ended; the keys are `1 backup` and `2 prune`."""
    world = stage.world
    yield from checks.published_are_whole(world.repository, world.before)
    yield from checks.nothing_is_plain(world.case, stage.secrets())
    yield from checks.nothing_unfinished(world.repository)
    if "prune" not in case.stage and "job" not in case.stage:
        yield from checks.earlier_are_unchanged(world.repository, world.before)
    for name, ended in both.items():
        lines = [*checks.ended_properly(ended, secrets=stage.secrets(), named=stage.named())]
        if ended.status not in ("ok", "restored", "busy") and ended.error_kind not in _BUSY and not _is_busy(ended):
            lines.append(f"it is {ended.status}: {ended.message()}")
        yield from (f"{name}: {line}" for line in lines)
    if all(ended.status not in ("ok", "restored") for ended in both.values()):
        yield "neither of them succeeded"
    if "restore" in case.stage and world.rows(DATABASE) not in (OLD, NEW):
        yield f"{DATABASE} is neither the old nor the new one: {world.rows(DATABASE)}"


def _is_busy(ended: Ended) -> bool:
    """Whether a part of the work was left out because the other one had the repository."""
    return ended.status in ("partial", "failed") and (
        "another run holds" in ended.text() or "being read" in ended.text()
    )
