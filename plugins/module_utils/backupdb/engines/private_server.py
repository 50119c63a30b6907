# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private server: a process of our own that answers on a unix socket only and is gone when the block is left.

It is shut in as `box.py` says, runs as an unprivileged user, and dies with us: the kernel sends the program around it
a signal when the thread that started it ends, so the same thread must stay until the end.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from ..connection.instance import Instance
from ..errors import ClientMissing, CommandFailed, ConnectionFailed, Interrupted
from ..system.process import describe_status
from .box import boxed
from .workplace import Workplace

START_SECONDS = 120.0
INITIALISE_SECONDS = 300.0
_STOP_SECONDS = 40.0
_POLL = 0.1
_LOG_SHOWN = 1500  # characters
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class PrivateServer:
    """A running private server.

    `unmatched` names what of the source's settings it does not have, and why; `warnings` what of the manifest was
    refused, and what the server could not be kept from.
    """

    instance: Instance
    program: str
    unmatched: Sequence[str] = ()
    warnings: Sequence[str] = ()


@dataclass(frozen=True)
class Launch:
    """How a server is started. `stop` ends it at once and in order, where it is not simply gone with its namespaces."""

    argv: Sequence[str]
    stop: signal.Signals
    environment: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def running(launch: Launch, place: Workplace, answers: Callable[[], None], cancel: threading.Event) -> Iterator[None]:
    """Run the server until the block is left; enters the block when `answers` no longer raises `ConnectionFailed`."""
    log = place.home / "server.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*_dying_with_us(), *boxed(launch.argv, place, stop=launch.stop, death=launch.stop)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**_environment(place), **launch.environment},
            start_new_session=True,
            cwd=place.home,
        )
    try:
        _wait_until_it_answers(process, answers, log, cancel)
        yield
    finally:
        _end(process)


def initialise(
    argv: Sequence[str], place: Workplace, cancel: threading.Event, environment: Mapping[str, str] | None = None
) -> None:
    """Run the program that makes a new data folder; raises `CommandFailed` with its last words."""
    log = place.home / "initialise.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*_dying_with_us(), *boxed(argv, place)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**_environment(place), **(environment or {})},
            start_new_session=True,
            cwd=place.home,
        )
    try:
        give_up = time.monotonic() + INITIALISE_SECONDS
        while process.poll() is None and time.monotonic() < give_up and not cancel.wait(_POLL / 2):
            pass
    finally:
        late = process.poll() is None
        _end(process)
    if cancel.is_set():
        raise Interrupted("the drill was asked to stop")
    if late or process.returncode != 0:
        how = f"did not end within {INITIALISE_SECONDS:g} s" if late else describe_status(process.returncode)
        raise CommandFailed(f"{argv[0]} could not make a data folder for the drill ({how}): {_end_of(log)}")


def _wait_until_it_answers(
    process: subprocess.Popen[bytes], answers: Callable[[], None], log: Path, cancel: threading.Event
) -> None:
    give_up = time.monotonic() + START_SECONDS
    while True:
        if process.poll() is not None:
            raise CommandFailed(
                f"the private server ended at its start ({describe_status(process.returncode)}): {_end_of(log)}"
            )
        try:
            return answers()
        except ConnectionFailed as error:
            if time.monotonic() > give_up:
                raise CommandFailed(
                    f"the private server did not answer within {START_SECONDS:g} s ({error}): {_end_of(log)}"
                ) from error
        if cancel.wait(_POLL):
            raise Interrupted("the drill was asked to stop")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program around the server, which first ends all that runs in it; harmless for one that has ended."""
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _end_of(log: Path) -> str:
    try:
        return log.read_text(encoding="utf-8", errors="replace").strip()[-_LOG_SHOWN:] or "it said nothing"
    except OSError as error:
        return f"its log cannot be read: {error.strerror}"


def _dying_with_us() -> list[str]:
    setpriv = shutil.which("setpriv", path=_PATH)
    if setpriv is None:
        raise ClientMissing("setpriv is missing on this host: install the package util-linux (2.33 or newer)")
    return [setpriv, "--pdeathsig", "TERM", "--"]


def _environment(place: Workplace) -> dict[str, str]:
    return {"PATH": _PATH, "LC_ALL": "C", "TZ": "UTC", "HOME": str(place.home), "TMPDIR": str(place.home)}
