# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of modules whose work runs on the host by itself, while the task follows it to its end.

A dump or a restore takes hours, a connection may not live that long. So the work is started as a process of its own,
which the task asks about in short calls: a call that fails because the connection is lost is made again. What the task
returns is what the module returns that runs from beginning to end, as it does in check mode and with a task's `async`.
"""

from __future__ import annotations

import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

from ansible import context
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.detached import folder_of

FOLLOW = "vya.backupdb.detached_run"

INTERVAL = 30  # seconds between lines, unless `backupdb_progress_interval` says otherwise
LONGEST_WAIT = 30  # seconds that a call waits on the host
LONGEST_CALL = 300  # seconds on top of that: transfer, a busy host, a slow link
PATIENCE = 900  # seconds that a host may be out of reach
START_PATIENCE = 120  # the same while it is not known whether the run has begun
LOST = ("RunLost", "RunUnknown")  # what is left of those is worth looking at
LONGEST_PAUSE = 15  # seconds between tries to reach it again

display = Display()


class ConnectionSilent(BaseException):
    """A call did not come back in time. Not an Exception: connection plugins make a try of their own of those."""


class DetachedAction(ActionBase):
    """Runs attached in check mode and with `async`, else detached.

    A subclass says which module it is for, which of its options names the work in a line of progress, and where a
    person finds what a run that was lost sight of has done.
    """

    MODULE: ClassVar[str]
    SUBJECT: ClassVar[str]
    LOOK_FOR: ClassVar[str]

    _supports_check_mode = True
    _supports_async = True
    _options_on_host = False  # the files of the start are still there, with the secrets among its options

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Do the work; returns what the module documents."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        if self._task.async_val or self._task.check_mode:
            wrap_async = bool(self._task.async_val and not self._connection.has_native_async)
            return {
                **result,
                **self._execute_module(module_name=self.MODULE, task_vars=variables, wrap_async=wrap_async),
            }
        return {**result, **self._detached(variables)}

    def _detached(self, variables: dict[str, Any]) -> dict[str, Any]:
        """Start the run and follow it to its end."""
        run_id = uuid.uuid4().hex
        interval = int(self._templar.template(variables.get("backupdb_progress_interval", INTERVAL)))
        wait = min(interval, LONGEST_WAIT) if interval > 0 else LONGEST_WAIT
        said, first = time.monotonic(), True
        result = self._started(run_id, variables)
        while "detached_run" in result:
            result = self._followed(run_id, variables, wait=wait, patience=PATIENCE)
            progress = result.get("detached_run", {}).get("progress")
            if progress and interval > 0 and time.monotonic() - said >= interval:
                said = time.monotonic()
                self._say(progress, variables)
                if first:  # whoever loses this task finds the run again
                    self._say(f"to follow it from elsewhere: {FOLLOW}, run_id={run_id}", variables)
                first = False
        if result.get("error_kind") not in LOST:
            self._forget(run_id)
        return result

    def _forget(self, run_id: str) -> None:
        """Remove what is left of a run on the host, now that its result is here; a run that is alive keeps it.

        Where that fails, a later run does it.
        """
        folder = folder_of(run_id)
        with suppress(AnsibleError, ConnectionSilent), self._deadline(LONGEST_CALL):
            self._low_level_execute_command(f"test -d {folder} && flock -n {folder}/lock rm -rf {folder}")

    def _started(self, run_id: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Start the run; when the call was cut off, find out whether it has begun."""
        arguments = {**self._task.args, "detached_run_id": run_id}
        # Only a host that was reached before is worth waiting for; one that is away fails here, as with any module.
        with self._deadline(LONGEST_CALL):
            self._low_level_execute_command("true", sudoable=False)
        lost: BaseException | None = None
        result: dict[str, Any] = {}
        self._options_on_host = True
        try:
            result = self._call(self.MODULE, arguments, variables, seconds=LONGEST_CALL)
        except (AnsibleConnectionFailure, ConnectionSilent) as error:
            lost = error
        if lost is None and _understood(result):
            return result
        patience = PATIENCE if lost is not None else 0
        try:
            followed = self._followed(run_id, variables, wait=0, patience=patience)
        except AnsibleConnectionFailure:
            if patience:
                raise
        else:
            if followed.get("error_kind") != "RunUnknown":
                return followed
        if lost is not None:
            raise AnsibleConnectionFailure(str(lost)) from lost
        return result

    def _followed(self, run_id: str, variables: dict[str, Any], *, wait: int, patience: float) -> dict[str, Any]:
        """Wait for the end on the host; a host that cannot be reached is tried again as long as `patience` lasts."""
        pause = 1.0
        give_up: float | None = None
        while True:
            try:
                if self._options_on_host:
                    self._remove_options()
                result = self._call(FOLLOW, {"run_id": run_id, "wait": wait}, variables, seconds=wait + LONGEST_CALL)
                if _understood(result):
                    return result
                problem = str(result.get("msg"))
            except (AnsibleError, ConnectionSilent) as error:
                problem = str(error)
            if give_up is None:
                give_up = time.monotonic() + patience
                if patience:
                    self._say("the connection is lost; the work goes on on the host, which is tried again", variables)
            if time.monotonic() >= give_up:
                raise AnsibleConnectionFailure(
                    f"The host was out of reach for {patience:g} seconds, while run {run_id} goes on there by itself. "
                    f"{self.LOOK_FOR}. The last problem: {problem}"
                )
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            self._connection.reset()

    def _remove_options(self) -> None:
        with self._deadline(LONGEST_CALL):
            self._remove_tmp_path(self._connection._shell.tmpdir)
        self._options_on_host = False

    def _call(
        self, module: str, arguments: dict[str, Any], variables: dict[str, Any], *, seconds: float
    ) -> dict[str, Any]:
        with self._deadline(seconds):
            result: dict[str, Any] = self._execute_module(
                module_name=module, module_args=arguments, task_vars=variables
            )
        return result

    @contextmanager
    def _deadline(self, seconds: float) -> Iterator[None]:
        """Raise `ConnectionSilent` in the block after that time: a dead link keeps ssh waiting for hours.

        The timer is one for the whole process, and Ansible's own when the task has a `timeout`.
        """
        if self._task.timeout:
            yield
            return
        previous = signal.signal(signal.SIGALRM, _silent)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)

    def _say(self, text: str, variables: dict[str, Any]) -> None:
        """Show a line; none in ad-hoc commands, whose output is read by programs."""
        if not context.CLIARGS.get("module_name"):
            host = variables.get("inventory_hostname")
            subject = self._task.args.get(self.SUBJECT)
            display.display(": ".join(map(str, filter(None, (host, subject, text)))), stderr=True)


def _understood(result: dict[str, Any]) -> bool:
    """Tell whether the module spoke; of one that was killed Ansible returns what else there was to hear."""
    return "module_stdout" not in result


def _silent(_number: int, _frame: Any) -> None:
    raise ConnectionSilent("the connection does not answer any more")
