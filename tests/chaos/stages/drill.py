# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drill of the newest backup: a server of its own, restore, compare, record."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from support.drills import drill_all, servers_in

from chaos import checks
from chaos.child import Ended
from chaos.stages.stage import Stage


class Drill(Stage):
    """A drill of one database."""

    name = "drill"
    LEAVES_DATA_WHEN_KILLED = True  # the folder of its server

    def prepare(self) -> None:
        self.world.new_case()
        self._work_dir.mkdir(mode=0o711)

    @property
    def _work_dir(self) -> Path:
        return self.world.case / "work"

    def work(self) -> Mapping[str, Any]:
        return drill_all(self.world.repository, work_dir=str(self._work_dir))

    def judge(self, ended: Ended, fault: str) -> Iterator[str]:
        world = self.world
        yield from checks.earlier_are_unchanged(world.repository, world.before)
        if servers_in(self._work_dir):
            yield "a server of the drill is still at work"
        if not ended.killed and not ended.crash and fault not in ("unlink", "list", "open"):
            left = sorted(path.name for path in self._work_dir.iterdir())
            if left:
                yield f"the drill left {left}"
        if ended.status == "ok":
            yield from self._is_recorded()

    def _is_recorded(self) -> Iterator[str]:
        records = [path for path in self.world.repository.rglob("*drill*.json") if path.is_file()]
        if not records:
            yield "the drill is ok and left no record"
        for record in records:
            json.loads(record.read_bytes())

    def judge_again(self, ended: Ended) -> Iterator[str]:
        if ended.status != "ok":
            yield f"the next run is {ended.status}: {ended.message()}"
        left = sorted(path.name for path in self._work_dir.iterdir())
        if left:
            yield f"the next drill left {left}"
