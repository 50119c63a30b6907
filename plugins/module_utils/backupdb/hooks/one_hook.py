# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running one hook: a command in a clean environment, or one statement; both end when their time is up."""

from __future__ import annotations

import os
import pwd
import shutil
import threading
import time
from collections.abc import Mapping
from contextlib import closing, suppress

from ..engines.interface import Engine
from ..errors import BackupDbError, CommandFailed
from ..streams.pipeline import Limits
from ..system.process import Running, StandardError, describe_status, start
from ..system.text import one_line
from .values import Hook, HookResult

_POLL = 0.1  # seconds
_AFTERWARDS = 1.0  # seconds for what a program said last; a daemon that it left behind may keep its output open
_OUTPUT = 4096  # characters that are kept
_IN_ERROR = 300  # characters of what a program said last, in the message


def run_hook(
    hook: Hook, engine: Engine, database: str | None, facts: Mapping[str, str], cancel: threading.Event, timeout: float
) -> HookResult:
    """Run a hook; whatever goes wrong with it is in what is returned. `timeout` is in seconds."""
    began = time.monotonic()
    limits = Limits.within(timeout, cancel)
    output, error = "", None
    try:
        if hook.command:
            output = _run_command(hook, facts, limits)
        else:
            _run_statement(hook, engine, database, limits)
    except _ProgramFailed as failure:
        output, error = failure.output, str(failure)
    except BackupDbError as failure:
        error = str(failure)
    return HookResult(hook, database, time.monotonic() - began, output, error)


def unusable(hook: Hook) -> str | None:
    """Say why a hook cannot run, as far as that can be told without running it; None when nothing speaks against it."""
    if hook.command and shutil.which(hook.command[0]) is None:
        return f"{hook.command[0]} is not a program that the user {_user_name()} can run on this host"
    return None


class _ProgramFailed(CommandFailed):
    def __init__(self, message: str, output: str) -> None:
        super().__init__(message)
        self.output = output


def _run_command(hook: Hook, facts: Mapping[str, str], limits: Limits) -> str:
    """Run a program and return what it said on standard output and standard error."""
    program, reason = hook.command[0], unusable(hook)
    if reason is not None:
        raise CommandFailed(reason)
    environment = {"HOME": _home(), "LC_ALL": "C.UTF-8", **facts}
    with closing(start(hook.command, environment=environment)) as running:
        said = StandardError(running.stdout, {})
        try:
            status = _wait(running, limits)
        finally:
            running.end()
            for reader in (said, running.stderr):
                reader.join(_AFTERWARDS)
        output = "\n".join([*said.lines(), *running.stderr.lines()])[-_OUTPUT:]
    if status != 0:
        last = one_line(output[-_IN_ERROR:].strip())
        raise _ProgramFailed(f"{program}: {describe_status(status)}{f': {last}' if last else ''}", output)
    return output


def _wait(running: Running, limits: Limits) -> int:
    while not running.ended():
        limits.check()
        time.sleep(_POLL)
    return running.status()


def _run_statement(hook: Hook, engine: Engine, database: str | None, limits: Limits) -> None:
    ours = engine.using(engine.server.stopped_by(limits.abort))
    with limits.watched():
        try:
            ours.run_statement(hook.sql or "", database)
        finally:
            if limits.abort.is_set():  # MySQL's SLEEP() that is ended is no error, and returns 1
                limits.check()


def _user_name() -> str:
    with suppress(KeyError):
        return pwd.getpwuid(os.geteuid()).pw_name
    return str(os.geteuid())


def _home() -> str:
    with suppress(KeyError):
        return pwd.getpwuid(os.geteuid()).pw_dir
    return "/"
