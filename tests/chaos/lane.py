# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All cases of one engine, one after the other, each with its verdict."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from chaos import plan
from chaos.case import Case
from chaos.shim import CALLS, Shim
from chaos.stages.accounts import Accounts
from chaos.stages.backup import Backup
from chaos.stages.drill import Drill
from chaos.stages.job import JobRun
from chaos.stages.prune import Prune
from chaos.stages.restore import Restore
from chaos.stages.stage import Stage
from chaos.world import World

STAGES: dict[str, type[Stage]] = {stage.name: stage for stage in (Backup, Prune, Restore, Accounts, JobRun, Drill)}
MOST = 6  # calls of a kind for each deed


@dataclass(frozen=True)
class Verdict:
    """What came of a case."""

    case: str
    outcome: str
    violations: tuple[str, ...]
    seconds: float

    def line(self) -> str:
        """Return it as a line of JSON."""
        return json.dumps(asdict(self))


class Lane:
    """One engine, with a server of its own."""

    def __init__(self, engine: str) -> None:
        self._shim = Shim()
        self.world = World(engine, self._shim)
        self._stages = {name: stage(self.world) for name, stage in STAGES.items()}

    def cases(self, stages: Sequence[str]) -> Iterator[Case]:
        """Yield all cases of the stages; what they are depends on how many calls their work has."""
        for name in stages:
            stage = self._stages[name]
            stage.prepare()
            running = self.world.forge.start(stage.work, folder=self.world.case, temporary=self.world.temporary)
            ended = running.ended(self.world.servers)
            if ended.status not in ("ok", "restored"):
                raise RuntimeError(f"{name} does not work with nothing in its way: {ended}")
            yield from plan.injected(name, self.world.engine, ended.counts, most=MOST)

    def run(self, case: Case) -> Verdict:
        """Let a case happen, and judge it."""
        began = time.monotonic()
        world, stage = self.world, self._stages[case.stage]
        stage.prepare()
        fault = {"call": case.fault, "number": case.number, "deed": case.deed} if case.fault in CALLS else {}
        running = world.forge.start(stage.work, folder=world.case, temporary=world.temporary, **fault)  # type: ignore[arg-type]
        ended = running.ended(world.servers)
        violations = [*stage.violations(ended, case.fault)]
        running = world.forge.start(stage.work, folder=world.case, temporary=world.temporary)
        again = running.ended(world.servers)
        violations += [f"next run: {line}" for line in stage.violations_again(again)]
        return Verdict(str(case), ended.status, tuple(violations), round(time.monotonic() - began, 3))

    def close(self) -> None:
        """End the server."""
        self.world.close()
