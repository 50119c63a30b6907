# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting client programs: argv lists only, a minimal environment, a secret that never rests on a disk.

A client runs in its own process group and dies with us: `setpriv --pdeathsig` (util-linux) sets the parent-death
signal without code between fork and exec, which would not be safe in a process with threads. The kernel ties
that signal to the *thread* that started the client, so the thread that calls `start` must stay until it ended.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import IO, Callable, cast

from ..errors import ClientMissing, CommandFailed
from .acting_as import account_to_become, call_as

PIPE_BYTES = 1 << 20
SECRET_PATH = "@SECRET_PATH@"  # noqa: S105  a placeholder, not a secret
_F_SETPIPE_SZ = 1031  # fcntl.F_SETPIPE_SZ, which Python names from 3.10 on
_STDERR_BLOCK = 1 << 16  # bytes read at once, and the longest line that is not cut into several
_STDERR_HEAD = 100  # lines kept from the beginning and from the end of stderr
_STDERR_TAIL = 100
_STDERR_LINE = 2000  # characters kept of one line
_GRACE = 5.0  # seconds between SIGTERM and SIGKILL for a group that we end
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class RunAs:
    """Whose a program is: a user of the operating system, None for our own. `nice` is how far it steps back."""

    user: str | None = None
    nice: int = 0


_OURS = RunAs()


@dataclass(frozen=True)
class Captured:
    """What a short program said; the caller judges the status."""

    returncode: int
    stdout: bytes
    stderr: str


class StandardError(threading.Thread):
    """Reads a client's stderr to its end; keeps a bounded part of it and the first line that each pattern found.

    `watch` is called with every line, from the reading thread.
    """

    def __init__(
        self, stream: FileIO, patterns: Mapping[str, str | None], watch: Callable[[str], None] | None = None
    ) -> None:
        super().__init__(name="stderr", daemon=True)
        self._stream = stream
        self._watch = watch
        self._patterns = {name: re.compile(text) for name, text in patterns.items() if text}
        self._head: list[str] = []
        self._tail: deque[str] = deque(maxlen=_STDERR_TAIL)
        self.found: dict[str, str] = {}
        self.start()

    def run(self) -> None:
        # Whoever started the client may close the stream while a daemon that it left behind still holds the other end.
        with self._stream, suppress(ValueError):
            rest = b""
            while block := self._stream.read(_STDERR_BLOCK):
                *whole, rest = (rest + block).split(b"\n")
                for raw in whole:
                    self._see(raw)
                if len(rest) >= _STDERR_BLOCK:
                    self._see(rest)
                    rest = b""
            if rest:
                self._see(rest)

    def _see(self, raw: bytes) -> None:
        line = raw.decode("utf-8", "replace")[:_STDERR_LINE]
        for name, pattern in self._patterns.items():
            if name not in self.found and pattern.search(line):
                self.found[name] = line
        (self._head if len(self._head) < _STDERR_HEAD else self._tail).append(line)
        if self._watch is not None:
            self._watch(line)

    def lines(self) -> list[str]:
        """Return the kept lines; complete once the client has ended."""
        return [line for line in (*self._head, *self._tail) if line.strip()]


class Running:
    """A started client: its stdin where it was asked for, its stdout, its stderr, its end."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        *,
        name: str,
        patterns: Mapping[str, str | None],
        watch: Callable[[str], None] | None = None,
    ) -> None:
        self._process = process
        self.name = name
        self.stderr = StandardError(cast(FileIO, _pipe(process.stderr)), patterns, watch)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def stdout(self) -> FileIO:
        """The unbuffered reading end of the client's standard output."""
        return cast(FileIO, _pipe(self._process.stdout))

    @property
    def stdin(self) -> FileIO:
        """The unbuffered writing end of the client's standard input, of a client started with `stdin=PIPE`.

        Its `write` may take a part of what it is given. Closing it is the caller's affair, and the client's end of
        input.
        """
        return cast(FileIO, _pipe(self._process.stdin))

    def ended(self) -> bool:
        """Return whether the client has exited, well or badly."""
        return self._process.poll() is not None

    def end(self) -> None:
        """End the whole process group; harmless for one that has ended."""
        for number, patience in ((signal.SIGTERM, _GRACE), (signal.SIGKILL, _GRACE)):
            if self._process.poll() is not None:
                return
            try:
                os.killpg(self._process.pid, number)
            except ProcessLookupError:
                return
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                continue

    def status(self) -> int:
        """Wait for the exit status alone."""
        return self._process.wait()

    def wait(self) -> int:
        """Wait for the exit status and for the last line of stderr."""
        status = self._process.wait()
        self.stderr.join()
        return status

    def close(self) -> None:
        """End what still runs, and give the file descriptors back."""
        self.end()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self.stdout.close()
        self._process.wait()
        self.stderr.join(_GRACE)


def start(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    secret: bytes | None = None,
    run_as: RunAs = _OURS,
    patterns: Mapping[str, str | None] | None = None,
    watch: Callable[[str], None] | None = None,
    stdin: int | None = None,
    descriptors: Sequence[int] = (),
) -> Running:
    """Start a client with a pipe on its stdout.

    `SECRET_PATH` in `argv` and `environment` becomes the path of an in-memory file with mode 0600 that holds
    `secret`. `patterns` are looked for in stderr, see `StandardError.found`; `watch` sees each of its lines.
    `stdin` is as for `subprocess.Popen` (default: empty). `descriptors` are inherited: the client finds them as
    `/dev/fd/N`.
    """
    with _secret_file(secret, run_as.user) as descriptor:
        path = f"/dev/fd/{descriptor}"
        words = [word.replace(SECRET_PATH, path) for word in argv]
        variables = {name: value.replace(SECRET_PATH, path) for name, value in (environment or {}).items()}
        try:
            process = subprocess.Popen(
                [*_prefix(run_as), *words],
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**_minimal_environment(), **variables},
                pass_fds=(*descriptors, *([] if descriptor < 0 else [descriptor])),
                start_new_session=True,
                cwd="/",
                bufsize=0,
            )
        except (OSError, ValueError) as error:
            raise CommandFailed(f"{argv[0]} cannot be started: {error}") from error
    running = Running(process, name=Path(argv[0]).name, patterns=patterns or {}, watch=watch)
    if process.stdin is not None:
        with suppress(OSError):
            fcntl.fcntl(process.stdin.fileno(), _F_SETPIPE_SZ, PIPE_BYTES)
    with suppress(OSError):  # the user's pipe quota is used up: slower, not wrong
        fcntl.fcntl(running.stdout.fileno(), _F_SETPIPE_SZ, PIPE_BYTES)
    return running


def run_captured(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    secret: bytes | None = None,
    timeout: float = 60.0,
    max_bytes: int = 64 << 20,
    run_as: RunAs = _OURS,
) -> Captured:
    """Run a short program to its end and return what it said.

    Raises `CommandFailed` when it cannot be started, runs longer than `timeout` seconds or says more than
    `max_bytes`. Its exit status is for the caller to judge.
    """
    running = start(argv, environment=environment, secret=secret, run_as=run_as)
    late = threading.Event()

    def expire() -> None:
        late.set()
        running.end()

    timer = threading.Timer(timeout, expire)
    timer.start()
    try:
        output = _read_up_to(running.stdout, max_bytes + 1)
        if len(output) > max_bytes:
            raise CommandFailed(f"{argv[0]} wrote more than {max_bytes} bytes, which is not what was asked of it")
        status = running.wait()
    finally:
        timer.cancel()
        running.close()
    if late.is_set():
        raise CommandFailed(f"{argv[0]} did not end within {timeout:g} seconds and was stopped")
    return Captured(returncode=status, stdout=output, stderr="\n".join(running.stderr.lines()))


def describe_status(status: int) -> str:
    """Say in words how a program ended: "exit status 1", "killed by SIGKILL"."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"


def _read_up_to(stream: IO[bytes], limit: int) -> bytes:
    pieces: list[bytes] = []
    left = limit
    while left > 0:
        piece = stream.read(min(left, PIPE_BYTES))
        if not piece:
            break
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _prefix(run_as: RunAs) -> list[str]:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise ClientMissing("setpriv is missing on this host: install the package util-linux (2.33 or newer)")
    account = account_to_become(run_as.user)
    identity = [] if account is None else [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--init-groups"]
    prefix = [setpriv, *identity, "--pdeathsig", "KILL"]
    # ionice's class 2 (best effort) with the lowest priority: class 3 (idle) can starve a backup for ever.
    return [*prefix, "nice", "-n", str(run_as.nice), "ionice", "-c", "2", "-n", "7"] if run_as.nice else prefix


def _minimal_environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH") or _DEFAULT_PATH, "LC_ALL": "C", "HOME": "/nonexistent"}


@contextmanager
def _secret_file(secret: bytes | None, user: str | None) -> Iterator[int]:
    """Hold the secret in an anonymous file of the user's: nothing is left behind, whatever way we end."""
    if secret is None:
        yield -1
        return
    descriptor = -1
    try:
        try:
            descriptor = call_as(user, _memory_file)
            os.write(descriptor, secret)
        except OSError as error:
            raise CommandFailed(f"there is no file in memory for a client's login: {error.strerror}") from error
        yield descriptor
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _memory_file() -> int:
    descriptor = os.memfd_create("backupdb")
    os.fchmod(descriptor, 0o600)
    return descriptor


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise CommandFailed("internal: a client was started without pipes")
    return stream
