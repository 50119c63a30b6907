# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hooks of one run: which are next, in which order, and what follows from one that fails.

Before the work, hooks run in their order, and the first required one that fails ends it. After work that failed or
lacks something come those of `on_failure`. Those of `after` come last and always, once `before` was tried: they put
right what `before` has changed. They still run when a run is asked to stop, within a shorter time.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Callable, TypeVar

from ..engines.interface import Engine
from ..errors import HookFailed
from ..system.parallel import error_of
from .one_hook import run_hook, unusable
from .values import AFTER, BEFORE, ON_FAILURE, RUN, Hook, HookResult

T = TypeVar("T")
_WHEN_STOPPED = 10.0  # seconds for a hook of a run that must end


def look_at_hooks(hooks: Sequence[Hook]) -> list[str]:
    """Say which hooks cannot run, as far as that is seen without running them.

    Raises `HookFailed` for one without which the run would not begin.
    """
    reasons = [(hook, reason) for hook in hooks for reason in [unusable(hook)] if reason is not None]
    for hook, reason in reasons:
        if hook.required and hook.when == BEFORE and hook.per == RUN:
            raise HookFailed(f"hook before the run: {reason}")
    return [f"hook {hook.when} each {hook.per}: {reason}" for hook, reason in reasons]


class Hooks:
    """All hooks of a run and, in `results`, what came of them; several databases may be at work at once."""

    def __init__(
        self, hooks: Sequence[Hook], engine: Engine, facts: Mapping[str, str], cancel: threading.Event
    ) -> None:
        """`facts` are what every hook is told, as the endings of the names of variables."""
        self._hooks = hooks
        self._engine = engine
        self._facts = facts
        self._cancel = cancel
        self.results: list[HookResult] = []

    def around(
        self, work: Callable[[], T], outcome: Callable[[T], Mapping[str, str]], database: str | None = None
    ) -> T:
        """Do the work of a run, or of a database, between its hooks, and return what it returns.

        `outcome` tells hooks about it: `STATUS`, of which all but ok and complete are failures, and more. Raises
        `HookFailed` when a required hook before it fails, and what the work raises.
        """
        try:
            self._before(database)
            done = work()
        except Exception as error:
            self._afterwards({"STATUS": "failed", "MESSAGE": str(error_of(error))}, database)
            raise
        self._afterwards(outcome(done), database)
        return done

    def problems(self, *, required: bool) -> list[str]:
        """Say which hooks failed afterwards, or failed without being required."""
        return [
            f"{result.where} failed: {result.error}"
            for result in self.results
            if result.error is not None
            and result.hook.required == required
            and not (required and result.hook.when == BEFORE)  # that is why its work failed, and is told there
        ]

    def _before(self, database: str | None) -> None:
        for hook in self._next(BEFORE, database):
            result = self._run(hook, database, {}, self._cancel, hook.timeout)
            if result.error is not None and hook.required:
                raise HookFailed(f"not begun, because {result.where} failed: {result.error}")

    def _afterwards(self, outcome: Mapping[str, str], database: str | None) -> None:
        well = outcome["STATUS"] in ("ok", "complete")
        for hook in [*([] if well else self._next(ON_FAILURE, database)), *self._next(AFTER, database)]:
            timeout = min(hook.timeout, _WHEN_STOPPED) if self._cancel.is_set() else hook.timeout
            # Not ended by the order to stop, which is what it has to react to.
            self._run(hook, database, outcome, threading.Event(), timeout)

    def _next(self, when: str, database: str | None) -> list[Hook]:
        return [hook for hook in self._hooks if hook.is_for(when, database)]

    def _run(
        self,
        hook: Hook,
        database: str | None,
        outcome: Mapping[str, str],
        cancel: threading.Event,
        timeout: float,
    ) -> HookResult:
        told = {**self._facts, "HOOK": hook.when, **({} if database is None else {"DATABASE": database}), **outcome}
        variables = {f"BACKUPDB_{name}": value.replace("\0", "") for name, value in told.items()}
        result = run_hook(hook, self._engine, database, variables, cancel, timeout)
        self.results.append(result)
        return result
