# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A prune that keeps the two newest of six backups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from backupdb.retention import prune
from backupdb.retention.decide import RetentionPolicy
from support import stored

from chaos import checks
from chaos.child import Ended
from chaos.stages.stage import Stage

_THERE, _KEPT = 6, 2


class Prune(Stage):
    """The retention of one database."""

    name = "prune"

    def prepare(self) -> None:
        world = self.world
        world.new_case(with_backups=False)
        for number in range(_THERE):
            stored.store(
                world.repository,
                time=stored.TIME + timedelta(days=number),
                content=stored.DUMP[-2000:],
                envelope=stored.SEALED,
                engine=world.engine,
            )
        world.remember()
        self._names = [self._name(folder) for folder in checks.backups_in(world.repository)]

    def _name(self, folder: Path) -> str:
        return str(folder.relative_to(self.world.repository))

    def work(self) -> Mapping[str, Any]:
        return prune.run(
            prune.PruneRequest(repository=str(self.world.repository), policy=RetentionPolicy(keep_last=_KEPT))
        )

    def judge(self, ended: Ended, fault: str) -> Iterator[str]:
        world = self.world
        there = [self._name(folder) for folder in checks.backups_in(world.repository)]
        gone = [name for name in self._names[:-_KEPT] if name not in there]
        yield from checks.earlier_are_unchanged(world.repository, world.before, gone=gone)
        if ended.result is not None and ended.result["databases"] and ended.result["removed"] != len(gone):
            yield f"{len(gone)} backups are gone, but {ended.result['removed']} are told: {ended.message()}"
        if ended.result is not None and ended.result["status"] == "ok" and len(there) != _KEPT:
            yield f"the status is ok, but {len(there)} backups are there"
        if ended.error is not None and gone:
            yield f"{gone} are gone, but it was refused: {ended.error}"

    def judge_again(self, ended: Ended) -> Iterator[str]:
        there = [self._name(folder) for folder in checks.backups_in(self.world.repository)]
        if ended.status != "ok" or there != self._names[-_KEPT:]:
            yield f"the next run is {ended.status} and leaves {there}: {ended.message()}"
        yield from checks.earlier_are_unchanged(self.world.repository, self.world.before, gone=self._names[:-_KEPT])
