# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore of one account that is gone from the server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from backupdb.accounts import run as accounts
from backupdb.repository.find import BackupSelector
from support.library import KEYS, instance_of

from chaos import checks
from chaos.child import Ended
from chaos.stages.stage import Stage


class Accounts(Stage):
    """A restore of accounts."""

    name = "accounts"

    def prepare(self) -> None:
        self.world.new_case()
        self.world.drop_account()

    def work(self) -> Mapping[str, Any]:
        world = self.world
        source = accounts.StoredAccounts(BackupSelector(instance="test"), str(world.repository), KEYS)
        request = accounts.AccountRestoreRequest(
            instance_of(world.server), source, patterns=(world.account(),), existing="update"
        )
        return accounts.restore(request)

    def named(self) -> list[str]:
        return [*super().named(), self.world.account()]

    def judge(self, ended: Ended, fault: str) -> Iterator[str]:
        yield from checks.earlier_are_unchanged(self.world.repository, self.world.before)
        if ended.status == "ok" and not self.world.can_log_in():
            yield f"the account is told as restored, and cannot log in: {ended.message()}"
        if ended.result is not None and not ended.result["changed"] and self.world.has_account():
            yield f"the account is there, and nothing is told as changed: {ended.message()}"

    def judge_again(self, ended: Ended) -> Iterator[str]:
        if ended.status != "ok" or not self.world.can_log_in():
            yield f"the next run is {ended.status}: {ended.message()}"
