# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every stage has: how it is prepared, what it does, what must be true afterwards."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chaos import checks
from chaos.child import Ended
from chaos.world import CANARY, DATABASE, World

_STOPPED = ("stopped by SIG", "asked to stop")  # then the reason is no place


class Stage(ABC):
    """One piece of work. `name` is its word in cases."""

    name: str

    def __init__(self, world: World) -> None:
        self.world = world

    @abstractmethod
    def prepare(self) -> None:
        """Make everything as it is before the work."""

    LEAVES_DATA_WHEN_KILLED = False  # until the next run, which clears it away

    @abstractmethod
    def work(self) -> Mapping[str, Any]:
        """Do it; called in a forked child."""

    @abstractmethod
    def judge(self, ended: Ended, fault: str) -> Iterator[str]:
        """Say what is wrong afterwards, beside what is wrong for every stage."""

    @abstractmethod
    def judge_again(self, ended: Ended) -> Iterator[str]:
        """Say what is wrong after the work was done a second time, with nothing in its way."""

    def secrets(self) -> Sequence[str]:
        """What must not be told."""
        return (self.world.server.password, CANARY)

    def named(self) -> Sequence[str]:
        """One of these must be in each message."""
        return (str(self.world.case), f"127.0.0.1:{self.world.server.port}", repr(DATABASE), *_STOPPED)

    def violations(self, ended: Ended, fault: str) -> Iterator[str]:
        """Say all that is wrong."""
        world = self.world
        yield from checks.ended_properly(ended, secrets=self.secrets(), named=self.named())
        yield from checks.published_are_whole(world.repository, world.before)
        if not (ended.killed and self.LEAVES_DATA_WHEN_KILLED):
            yield from checks.nothing_is_plain(world.case, self.secrets())
        yield from self.judge(ended, fault)

    def violations_again(self, ended: Ended) -> Iterator[str]:
        """Say all that is wrong after the second time."""
        world = self.world
        yield from checks.ended_properly(ended, secrets=self.secrets(), named=self.named())
        yield from checks.published_are_whole(world.repository, world.before)
        yield from checks.nothing_unfinished(world.repository)
        yield from checks.nothing_is_plain(world.case, self.secrets())
        yield from self.judge_again(ended)
