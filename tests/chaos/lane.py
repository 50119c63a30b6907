# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All cases of one engine, one after the other, each with its verdict."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence

from chaos import flips, moments, plan, room, together
from chaos.case import Case, parse
from chaos.child import Ended, Running, Work, children
from chaos.known import is_left_out
from chaos.shim import CALLS, Shim
from chaos.stages.accounts import Accounts
from chaos.stages.backup import Backup
from chaos.stages.drill import Drill
from chaos.stages.job import JobRun
from chaos.stages.prune import Prune
from chaos.stages.restore import Restore
from chaos.stages.stage import Stage
from chaos.verdict import NOT_REACHED, Verdict
from chaos.world import World

STAGES: dict[str, type[Stage]] = {stage.name: stage for stage in (Prune, Backup, Accounts, JobRun, Restore, Drill)}
FINE = ("ok", "restored")


class Lane:
    """One engine, with a server of its own."""

    def __init__(self, engine: str) -> None:
        self._shim = Shim()
        self.world = World(engine, self._shim)
        self._stages = {name: stage(self.world) for name, stage in STAGES.items()}
        self._usual: dict[str, float] = {}  # seconds that the work of a stage takes
        over = together.Over(self.world)
        self._works: dict[str, Work] = {name: stage.work for name, stage in self._stages.items()}
        self._beside: dict[str, Work] = {**self._works, "prune": over.prune, "verify": over.verify}

    def cases(self, only: Sequence[str] = ()) -> Iterator[Case]:
        """Yield all cases, or those of some stages; which ones depends on how many calls their work has."""
        engine = self.world.engine
        for name in self._stages:
            if not only or name in only:
                yield from plan.injected(name, engine, self._at_rest(name).counts)
                yield from moments.cases(name, engine)
                yield from room.cases(name, engine)
        beside = [*together.cases(engine), *flips.cases(self.world)]
        yield from (case for case in beside if not only or case.stage in only)

    def run(self, case: Case) -> Verdict:
        """Let a case happen, and judge it."""
        began = time.monotonic()
        tried = 1
        if case.stage == flips.STAGE:
            tried, violations = flips.run(case, self.world)
            outcome = "found"
        elif case.fault == together.FAULT:
            outcome, violations = self._two(case)
        else:
            outcome, violations = self._one(case)
        return Verdict(str(case), outcome, violations, round(time.monotonic() - began, 3), tried)

    def _one(self, case: Case) -> tuple[str, list[str]]:
        world, stage = self.world, self._stages[case.stage]
        if case.fault == moments.FAULT:
            self._usual.setdefault(case.stage, self._at_rest(case.stage).seconds)
        stage.prepare()
        space = room.Room(case, world)
        try:
            running = self._start(stage.work, case, space)
            if case.fault == moments.FAULT:
                moments.happen(case, running, world, self._usual[case.stage])
            ended = running.ended(world.servers)
            self._serve_again()
            violations = [*stage.violations(ended, case.fault)]
            space.relieve()
            if ended.status not in FINE:
                again = self._start(stage.work).ended(world.servers)
                violations += [f"next run: {line}" for line in stage.violations_again(again)]
        finally:
            space.leave()
        reached = case.fault not in CALLS or ended.killed or ended.hits
        return ended.status if reached else NOT_REACHED, violations

    def _two(self, case: Case) -> tuple[str, list[str]]:
        world = self.world
        names = case.stage.split("+")
        stage = self._stages[names[0]] if names[0] in self._stages else self._stages["backup"]
        usual = self._usual.setdefault(names[0], self._at_rest(names[0]).seconds if names[0] in self._stages else 0.1)
        stage.prepare()
        first = self._start(self._beside[names[0]])
        while first.seconds() < usual * case.number / 100 and not first.is_over():
            time.sleep(0.002)
        second = self._start(self._beside[names[1]])
        ended = {}
        for number, (name, running) in enumerate(zip(names, (first, second)), 1):
            others = world.servers | ({second.pid} if number == 1 else set())
            ended[f"{number} {name}"] = running.ended(others, orphans=number == len(names))
        violations = [*together.violations(case, stage, ended)]
        again = self._start(stage.work).ended(world.servers)
        if again.status not in FINE:
            violations.append(f"next run: it is {again.status}: {again.message()}")
        return " and ".join(sorted(one.status for one in ended.values())), violations

    def _start(self, work: Work, case: Case | None = None, space: room.Room | None = None) -> Running:
        fault = (case.fault, case.number, case.deed) if case is not None and case.fault in CALLS else None
        prepare = space.prepare if space is not None else None
        world = self.world
        return world.forge.start(work, folder=world.case, temporary=world.temporary, fault=fault, prepare=prepare)

    def _at_rest(self, name: str) -> Ended:
        """Do the work of a stage with nothing in its way."""
        self._stages[name].prepare()
        ended = self._start(self._works[name]).ended(self.world.servers)
        if ended.status not in FINE:
            raise RuntimeError(f"{name} does not work with nothing in its way: {ended}")
        self._usual[name] = ended.seconds
        return ended

    def _serve_again(self) -> None:
        """Start the server, if it was killed."""
        if self.world.server.pid is None:
            self.world.server.start()
            self.world.servers = children()

    def close(self) -> None:
        """End the server."""
        with contextlib.suppress(OSError):
            self.world.close()


def chosen(lane: Lane, wanted: Sequence[str], only: Sequence[str], *, quick: bool) -> list[Case]:
    """Return the cases to run: the wanted ones, or all of some stages, or a quarter of all."""
    if wanted:
        return [case for case in map(parse, wanted) if case.engine == lane.world.engine]
    found = [case for case in lane.cases(only) if not is_left_out(case)]
    return plan.quick(found) if quick else found
