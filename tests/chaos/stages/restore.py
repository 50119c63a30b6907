# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore in the place of a database that is there, with the backup of that one before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from backupdb.restore import run as restore
from support.restores import restore_request

from chaos import checks
from chaos.child import Ended
from chaos.stages.stage import Stage
from chaos.world import DATABASE

# The rows of both tables: in the database that is there, and in the backup.
OLD = [[1, 2], [1, 2]]
NEW = [[1], [1]]
_UNKNOWN = "is not there, or not known to be whole; the same restore, loaded and compared, is in"
_GONE = (_UNKNOWN, "may have lost tables")
_AS_IT_WAS = ("is as it was", "nothing is changed", "nothing of it is left on the server")


class Restore(Stage):
    """A restore with `replace`."""

    name = "restore"

    def prepare(self) -> None:
        self.world.new_case()
        if self.world.databases() != {DATABASE} or self.world.rows(DATABASE) != OLD:
            self.world.reset_database(rows=2)

    def work(self) -> Mapping[str, Any]:
        world = self.world
        request = restore_request(
            world.server, world.repository, DATABASE, target=DATABASE, replace=True, confirm=DATABASE
        )
        return restore.run(request)

    def judge(self, ended: Ended, fault: str) -> Iterator[str]:
        world = self.world
        yield from checks.earlier_are_unchanged(world.repository, world.before)
        rows = world.rows(DATABASE)
        whole = {OLD[0][-1]: "old", NEW[0][-1]: "new"}.get(rows[0][-1] if rows in (OLD, NEW) and rows else 0)
        others = sorted(world.databases() - {DATABASE})
        if whole is None and not (_may_be_gone(ended, world.engine) and self._is_elsewhere(others)):
            yield f"{DATABASE} is neither the old nor the new one: {rows}; there are {others}: {ended.message()}"
        if ended.killed or ended.crash:
            return
        yield from _is_told(ended, whole)
        for name in others:
            if name not in ended.text():
                yield f"the database {name} is left, and nobody says so: {ended.message()}"

    def _is_elsewhere(self, others: list[str]) -> bool:
        """Whether both are to be had: the restored one under its other name, the old one in the safety backup."""
        safe = [folder for folder in checks.backups_in(self.world.repository) if "before-restore" in str(folder)]
        return any(self.world.rows(name) == NEW for name in others) and bool(safe)

    def judge_again(self, ended: Ended) -> Iterator[str]:
        if ended.status != "restored" or self.world.rows(DATABASE) != NEW:
            yield f"the next run is {ended.status}, with {self.world.rows(DATABASE)}: {ended.message()}"


def _may_be_gone(ended: Ended, engine: str) -> bool:
    """Only where databases cannot be renamed, and then it is said, unless nothing could be said any more."""
    return engine == "mariadb" and (ended.killed or any(words in ended.message() for words in _GONE))


def _is_told(ended: Ended, whole: str | None) -> Iterator[str]:
    message = ended.message()
    if ended.status == "restored" and whole != "new":
        yield f"it is told as restored, and is not: {message}"
    if ended.error is not None and whole != "old":
        yield f"it was refused, and {DATABASE} is not as it was: {message}"
    if ended.status == "failed":
        told = {
            "old": any(words in message for words in _AS_IT_WAS),
            "new": "is the restored database" in message or _UNKNOWN in message,
            None: True,  # which is judged above
        }[whole]
        if not told:
            yield f"{DATABASE} is the {whole} one, and the message does not say so: {message}"
