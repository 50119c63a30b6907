# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compressing archives: zstd, gzip, or not at all.

The default levels are measured, not guessed: zstd 1 keeps up with a dump client on the same core; level 3
costs twice the CPU for a few percent of size, and is worth it where the network is the limit.
"""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import threading
import zlib
from dataclasses import dataclass
from typing import Any

from ..errors import CommandFailed, InvalidOption, RequirementMissing
from .transform import Transform

COMPRESSION_METHODS = ("zstd", "gzip", "none")
DEFAULT_LEVELS = {"zstd": 1, "gzip": 6}
SUFFIXES = {"zstd": ".zst", "gzip": ".gz", "none": ""}
_LEVELS = {"zstd": range(1, 20), "gzip": range(1, 10)}
_GZIP_WINDOW = 31  # zlib's windowBits for a gzip header and trailer
_PACKAGES = (
    "python3-zstandard (Debian, Ubuntu 24.04; EPEL on EL), zstandard on PyPI, or the program zstd (package zstd)"
)


@dataclass(frozen=True)
class Compression:
    """How archives are compressed. `level` None is the method's default; `threads` is for zstd only."""

    method: str = "zstd"
    level: int | None = None
    threads: int = 1

    def __post_init__(self) -> None:
        if self.method not in COMPRESSION_METHODS:
            raise InvalidOption(f"compression {self.method!r} is not known; use {', '.join(COMPRESSION_METHODS)}")
        levels = _LEVELS.get(self.method)
        if self.level is not None and levels is not None and self.level not in levels:
            raise InvalidOption(f"compression_level {self.level} is outside {levels[0]}..{levels[-1]} of {self.method}")


def compressor(compression: Compression) -> Transform | None:
    """Make the transform for one archive; None for no compression.

    Raises `RequirementMissing` for zstd when neither the Python library nor the program is there.
    """
    level = compression.level or DEFAULT_LEVELS.get(compression.method, 0)
    if compression.method == "none":
        return None
    if compression.method == "gzip":
        return _Buffered(zlib.compressobj(level, zlib.DEFLATED, _GZIP_WINDOW))
    try:
        import zstandard
    except ImportError:
        return _ZstdProgram(level, compression.threads)
    return _Buffered(
        # One thread is this one: zstd would start a worker for it, which costs 25 MiB.
        zstandard.ZstdCompressor(
            level=level, threads=compression.threads if compression.threads > 1 else 0, write_checksum=True
        ).compressobj()
    )


class _Buffered:
    """A `compressobj` of zlib or zstandard as a transform."""

    def __init__(self, compressobj: Any) -> None:
        self._compressobj = compressobj

    def update(self, data: Any) -> bytes:
        output: bytes = self._compressobj.compress(data)
        return output

    def finish(self) -> bytes:
        output: bytes = self._compressobj.flush()
        return output


class _ZstdProgram:
    """The `zstd` program as a transform, for hosts that have no Python library for it; the format is the same."""

    def __init__(self, level: int, threads: int) -> None:
        program = shutil.which("zstd")
        if program is None:
            raise RequirementMissing(
                f"compression zstd needs {_PACKAGES}; or set compression to gzip",
                library="zstandard",
            )
        self._process = subprocess.Popen(
            [program, "-q", f"-{level}", f"-T{threads}", "-c"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},  # ours may hold secrets
            bufsize=0,
        )
        self._output: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, name="zstd", daemon=True)
        self._reader.start()

    def update(self, data: Any) -> bytes:
        stdin = self._process.stdin
        view = memoryview(data)
        while stdin is not None and view:
            try:
                view = view[stdin.write(view) :]
            except BrokenPipeError as error:
                raise CommandFailed(f"zstd ended before its input did (exit {self._process.wait()})") from error
        return self._available()

    def finish(self) -> bytes:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._reader.join()
        status = self._process.wait()
        if status != 0:
            raise CommandFailed(f"zstd failed with exit status {status}")
        return self._available()

    def end(self) -> None:
        """Give up: what was put in is of no use any more."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _read(self) -> None:
        if self._process.stdout is None:
            return
        with self._process.stdout as stdout:
            for block in iter(lambda: stdout.read(1 << 20), b""):
                self._output.put(block)

    def _available(self) -> bytes:
        blocks = []
        while not self._output.empty():
            blocks.append(self._output.get())
        return b"".join(blocks)
