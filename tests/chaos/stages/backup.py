# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup of one database and the accounts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from backupdb.backup import run as backup
from support.library import instance_of, request_for

from chaos import checks
from chaos.child import Ended
from chaos.stages.stage import Stage
from chaos.world import DATABASE

# Who may not remove, list or open cannot clear up either; the next run does.
_HINDERS_CLEARING = ("unlink", "list", "open", "signal")


class Backup(Stage):
    """A run over the server."""

    name = "backup"

    def prepare(self) -> None:
        self.world.new_case()

    def work(self) -> Mapping[str, Any]:
        return backup.run(request_for(instance_of(self.world.server), self.world.repository, databases=[DATABASE]))

    def judge(self, ended: Ended, fault: str) -> Iterator[str]:
        world = self.world
        yield from checks.earlier_are_unchanged(world.repository, world.before)
        told: list[str] = []
        if ended.result is not None:
            yield from checks.result_is_true(ended.result)
            told = [str(entry["path"]) for entry in _entries(ended.result)]
        if not ended.killed and ended.crash is None:
            yield from checks.only_what_is_told_is_new(world.repository, world.before, told)
            if fault not in _HINDERS_CLEARING:
                yield from checks.nothing_unfinished(world.repository)

    def judge_again(self, ended: Ended) -> Iterator[str]:
        yield from checks.earlier_are_unchanged(self.world.repository, self.world.before)
        if ended.status != "ok":
            yield f"the next run is {ended.status}: {ended.message()}"


def _entries(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*result["databases"], *([result["accounts"]] if result["accounts"] else [])]
