# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a dump client (or bytes in memory) to an archive: read, compress, encrypt, hash, write, all at once.

Two threads share the work over a bounded queue of reused buffers: one reads and hashes the plain stream, the
other transforms and writes. zstandard, cryptography and hashlib release the interpreter lock, so both run.
Memory does not grow with the stream.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Callable, Protocol

from ..errors import Interrupted, RunTimeout
from ..system.stopping import polling
from .transform import Program, Transform

BLOCK_BYTES = 1 << 20
_BUFFERS = 4
_POLL = 0.25  # seconds between looks at the clock and the cancel flag while no data comes
TAIL_BYTES = 4096
_SMALL_READ = 1 << 17  # bytes
_PIPE_PAUSE = 0.001  # seconds, in which no client fills a pipe of 1 MiB
_F_GETPIPE_SZ = 1032  # fcntl.F_GETPIPE_SZ, which Python names from 3.10 on


class Sink(Protocol):
    """Where stored bytes go; the writer counts and hashes them."""

    def write(self, data: Any) -> None:
        """Write all of `data`."""


class Source(Protocol):
    """What plain bytes come from; a file object in raw mode satisfies it."""

    def readinto(self, buffer: Any, /) -> int | None:
        """Fill the buffer with what there is; 0 at the end."""


@dataclass(frozen=True)
class PlainStream:
    """What was seen of the plain bytes while they passed."""

    plain_bytes: int
    sha256: str
    longest_line: int  # bytes; in an SQL dump the longest statement a server must accept in one packet
    tail: bytes  # the last 4 KiB


class _Observer:
    """Hashes and measures the plain stream in the reading thread."""

    def __init__(self, *, measure_lines: bool) -> None:
        self._digest = hashlib.sha256()
        self._measure_lines = measure_lines
        self._count = 0
        self._line = 0
        self._longest = 0
        self._tail = b""

    def see(self, buffer: bytearray, count: int) -> None:
        """Take the first `count` bytes of the buffer as the next ones of the stream."""
        data = memoryview(buffer)[:count]
        self._digest.update(data)
        self._count += count
        self._tail = bytes(data[-TAIL_BYTES:]) if count >= TAIL_BYTES else (self._tail + bytes(data))[-TAIL_BYTES:]
        if self._measure_lines:
            self._measure(buffer, count)

    def _measure(self, buffer: bytearray, count: int) -> None:
        """Look for lines that are longer than any so far.

        From the beginning of a line we look as many bytes ahead as the longest one has: what ends within them is no
        longer, so that most lines are never looked at.
        """
        begin = -self._line  # of the line that goes on, before this buffer
        while True:
            ahead = begin + self._longest + 1
            end = buffer.rfind(b"\n", max(begin, 0), min(ahead, count)) if ahead > 0 else -1
            if end < 0:
                end = buffer.find(b"\n", max(ahead, 0), count) if ahead < count else -1
                if end < 0:
                    break
                self._longest = end - begin
            begin = end + 1
        self._line = count - begin

    def result(self) -> PlainStream:
        return PlainStream(self._count, self._digest.hexdigest(), max(self._longest, self._line), self._tail)


class Limiter:
    """Holds a whole run to so many stored bytes a second, and counts them; shared by its threads."""

    def __init__(self, bytes_per_second: int | None) -> None:
        self._rate = bytes_per_second
        self._free_at = time.monotonic()
        self._guard = threading.Lock()
        self.passed = 0

    def take(self, count: int) -> float:
        """Reserve the time for `count` bytes; return how many seconds from now they may pass."""
        with self._guard:
            self.passed += count
            if not self._rate:
                return 0.0
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + count / self._rate
            return self._free_at - now


@dataclass(frozen=True)
class Limits:
    """What may stop or slow the work on one database: the end of the run, of its time, or of a part of it.

    `deadline` is a `time.monotonic()` value. `abort` is set for whichever of them comes, while `watched`.
    """

    cancel: threading.Event
    limiter: Limiter
    abort: threading.Event = field(default_factory=threading.Event)
    deadline: float | None = None
    timeout: float | None = None  # the same as the user gave it, for the message

    @classmethod
    def within(cls, timeout: float | None, cancel: threading.Event, *, limiter: Limiter | None = None) -> Limits:
        """Return the limits of work that begins now and may take `timeout` seconds, or as long as it will (None).

        Without `limiter` it may be as fast as it can.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        return cls(cancel=cancel, limiter=limiter or Limiter(None), deadline=deadline, timeout=timeout)

    def check(self) -> None:
        """Raise `Interrupted` or `RunTimeout` when it is time to stop."""
        if self.cancel.is_set():
            raise Interrupted("the run was asked to stop")
        if self._late():
            raise RunTimeout(f"not finished within timeout ({self.timeout:g} seconds)")
        if self.abort.is_set():
            raise Interrupted("stopped because another part of the database failed")

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Set `abort` as soon as `check` would raise, for those who can only look at an event."""

        def look() -> bool:
            over = self.cancel.is_set() or self._late()
            if over:
                self.abort.set()
            return over

        with polling(look, name="limits"):
            yield

    def _late(self) -> bool:
        return self.deadline is not None and time.monotonic() > self.deadline


def pump(
    source: Source,
    transforms: Sequence[Transform],
    sink: Sink,
    *,
    limits: Limits,
    end_source: Callable[[], None],
    measure_lines: bool = False,
) -> PlainStream:
    """Move the whole of `source` through the transforms into `sink`.

    `end_source` must make `source` come to its end (kill the client); it is called when anything fails.
    Raises what the transforms and the sink raise, `Interrupted` and `RunTimeout`. A clean return means that the
    stream ended and every stage was closed; whether the client ended well is for the caller to find out.
    """
    reader = _Reader(source, measure_lines=measure_lines)
    reader.start()
    try:
        while True:
            limits.check()
            block = reader.next(_POLL)
            if block is None:
                continue
            if not block:
                break
            _through(transforms, block, sink, limits)
            reader.give_back(block)
        _close(transforms, sink)
    except BaseException:
        end_source()
        reader.abandon()
        for transform in transforms:
            if isinstance(transform, Program):
                transform.end()
        raise
    reader.join()
    return reader.observer.result()


def _is_large_pipe(source: Source) -> bool:
    """Tell whether the source is a pipe that takes a block while nobody reads; other pipes would hold the client up."""
    try:
        return fcntl.fcntl(source.fileno(), _F_GETPIPE_SZ) >= BLOCK_BYTES  # type: ignore[attr-defined]
    except (AttributeError, OSError):
        return False


class _Reader(threading.Thread):
    def __init__(self, source: Source, *, measure_lines: bool) -> None:
        super().__init__(name="reader", daemon=True)
        self.observer = _Observer(measure_lines=measure_lines)
        self._source = source
        self._pause = _PIPE_PAUSE if _is_large_pipe(source) else 0.0
        self._filled: queue.Queue[Any] = queue.Queue()
        self._free: queue.Queue[bytearray | None] = queue.Queue()
        self._made = 0  # buffers; a short stream needs one

    def run(self) -> None:
        try:
            while True:
                buffer = self._buffer()
                if buffer is None:
                    return
                view = memoryview(buffer)
                count = self._fill(view)
                if count:
                    self.observer.see(buffer, count)
                    self._filled.put(view[:count])
                if count < len(view):
                    self._filled.put(b"")
                    return
        except (OSError, ValueError) as error:
            self._filled.put(error)

    def _buffer(self) -> bytearray | None:
        """Return one to read into; None when nobody wants the rest."""
        if self._free.empty() and self._made < _BUFFERS:
            self._made += 1
            return bytearray(BLOCK_BYTES)
        return self._free.get()

    def _fill(self, view: memoryview) -> int:
        """Read until the buffer is full or the source has ended.

        Clients write as little as 4 KiB at a time. Who reads each at once is woken 160,000 times for a GB; so a large
        pipe is left alone for a moment after each small read.
        """
        count = 0
        while count < len(view):
            more = self._source.readinto(view[count:])
            if not more:
                break
            count += more
            if self._pause and more < _SMALL_READ and count < len(view):
                time.sleep(self._pause)
        return count

    def next(self, patience: float) -> Any:
        """Return the next block, an empty one at the end, or None when none came within `patience` seconds."""
        try:
            block = self._filled.get(timeout=patience)
        except queue.Empty:
            return None
        if isinstance(block, Exception):
            raise block
        return block

    def give_back(self, block: memoryview) -> None:
        self._free.put(block.obj)  # type: ignore[arg-type]

    def abandon(self) -> None:
        self._free.put(None)


def _through(transforms: Sequence[Transform], data: Any, sink: Sink, limits: Limits) -> None:
    for transform in transforms:
        data = transform.update(data)
    if len(data):
        passes = time.monotonic() + limits.limiter.take(len(data))
        while time.monotonic() < passes:
            limits.check()  # a slow limit makes the wait long, and neither a signal nor the deadline may wait for it
            limits.cancel.wait(min(_POLL, max(0.0, passes - time.monotonic())))
        sink.write(data)


def _close(transforms: Sequence[Transform], sink: Sink) -> None:
    for position, transform in enumerate(transforms):
        data = transform.finish()
        for later in transforms[position + 1 :]:
            data = later.update(data)
        if data:
            sink.write(data)


def open_bytes(data: bytes) -> io.BytesIO:
    """Offer bytes in memory as a source."""
    return io.BytesIO(data)
