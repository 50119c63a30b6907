# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast and how frugal age encryption is: a long stream through encryption, a pipe and decryption.

    tools/bench-age [--gib N] [--limit-mib N]

The stream is made on the fly (no block twice) and compared with itself at the other end. Reported are the rate of
each stage alone (CPU time), the rate of the whole (wall time), and the peak memory of the three processes, as the sum
of their high-water marks (VmHWM), which is an upper bound of what they ever used together. The exit status is 1 when
that sum is above the limit.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "plugins" / "module_utils"))

from backupdb.age.stream import Decryptor, Encryptor, X25519Identity, X25519Recipient

BLOCK_SIZE = 1024 * 1024
MIB = 1024 * 1024
GIB = 1024 * MIB


def plain_blocks(size: int) -> Iterator[memoryview]:
    """The test stream: one buffer of fixed noise, stamped with the block's number at its beginning and end."""
    buffer = bytearray(BLOCK_SIZE)
    for start in range(0, BLOCK_SIZE, 8):
        buffer[start : start + 8] = (start * 0x9E3779B97F4A7C15 % 2**64).to_bytes(8, "big")
    view = memoryview(buffer)
    for number in range(-(-size // BLOCK_SIZE)):
        buffer[:8] = buffer[-8:] = number.to_bytes(8, "big")
        yield view[: min(BLOCK_SIZE, size - number * BLOCK_SIZE)]


def peak_memory() -> int:
    """High-water mark of this process's resident memory, in bytes (proc(5))."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("/proc/self/status has no VmHWM: this command needs Linux")


def encrypt(recipient: str, size: int) -> None:
    """Stage one: the test stream, encrypted, to standard output."""
    encryptor = Encryptor([X25519Recipient(recipient)])
    spent = 0.0
    with os.fdopen(sys.stdout.fileno(), "wb", buffering=0, closefd=False) as output:
        for block in plain_blocks(size):
            started = time.thread_time()
            sealed = encryptor.update(block)
            spent += time.thread_time() - started
            write_all(output.fileno(), sealed)
        write_all(output.fileno(), encryptor.finish())
    report(spent)


def decrypt(size: int) -> None:
    """Stage two: decrypt the identity's stream from standard input and compare it with the test stream."""
    decryptor = Decryptor([X25519Identity(os.environ["BENCH_AGE_IDENTITY"])])
    buffer = bytearray(BLOCK_SIZE)
    spent, received, expected, pending = 0.0, 0, plain_blocks(size), memoryview(b"")

    def compare(plain: bytes) -> None:
        nonlocal pending
        view = memoryview(plain)
        while view:
            pending = pending or next(expected, memoryview(b""))
            count = min(len(view), len(pending))
            # As bytes: comparing views goes element by element.
            if not count or bytes(view[:count]) != bytes(pending[:count]):
                raise SystemExit(f"the stream differs near byte {received}")
            view, pending = view[count:], pending[count:]

    with os.fdopen(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as source:
        while count := source.readinto(buffer):
            started = time.thread_time()
            plain = decryptor.update(memoryview(buffer)[:count])
            spent += time.thread_time() - started
            compare(plain)
            received += len(plain)
    last = decryptor.finish()
    compare(last)
    received += len(last)
    if received != size:
        raise SystemExit(f"{received} bytes came out instead of {size}")
    report(spent)


def write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def report(cpu_seconds: float) -> None:
    sys.stderr.write(json.dumps({"cpu_seconds": cpu_seconds, "peak": peak_memory()}) + "\n")


def result_of(process: subprocess.Popen[bytes], name: str) -> dict[str, Any]:
    _output, errors = process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"{name} failed: {errors.decode()}")
    return dict(json.loads(errors))


def measure(size: int, limit: int) -> int:
    """Run both stages with a pipe between them; the exit status."""
    identity = X25519Identity.generate()
    me, stages = [sys.executable, str(Path(__file__).resolve())], {}
    started = time.monotonic()
    encryption = subprocess.Popen(
        [*me, "encrypt", identity.recipient, str(size)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    decryption = subprocess.Popen(
        [*me, "decrypt", str(size)],
        stdin=encryption.stdout,
        stderr=subprocess.PIPE,
        env={**os.environ, "BENCH_AGE_IDENTITY": identity.reveal()},
    )
    if encryption.stdout:
        encryption.stdout.close()
        encryption.stdout = None
    for name, process in (("decrypt", decryption), ("encrypt", encryption)):
        stages[name] = result_of(process, name)
    wall = time.monotonic() - started
    peaks = {"parent": peak_memory(), **{name: stage["peak"] for name, stage in stages.items()}}
    print(f"stream      {size / GIB:.2f} GiB, through encryption, a pipe and decryption, compared: equal")
    for name in ("encrypt", "decrypt"):
        print(f"{name}     {size / 1e6 / stages[name]['cpu_seconds']:.0f} MB/s (CPU time of the stage alone)")
    print(f"together    {size / 1e6 / wall:.0f} MB/s (wall time, {wall:.1f} s)")
    print("peak memory " + ", ".join(f"{name} {peak / MIB:.1f} MiB" for name, peak in peaks.items()))
    total = sum(peaks.values())
    verdict = "within" if total <= limit else "ABOVE"
    print(f"in all      {total / MIB:.1f} MiB, {verdict} the limit of {limit / MIB:.0f} MiB")
    return 0 if total <= limit else 1


def main() -> int:
    if sys.argv[1:2] == ["encrypt"]:
        encrypt(sys.argv[2], int(sys.argv[3]))
        return 0
    if sys.argv[1:2] == ["decrypt"]:
        decrypt(int(sys.argv[2]))
        return 0
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gib", type=float, default=2.5, help="size of the stream (default 2.5)")
    parser.add_argument("--limit-mib", type=int, default=128, help="most memory of all processes (default 128)")
    options = parser.parse_args()
    return measure(int(options.gib * GIB) + 12345, options.limit_mib * MIB)


if __name__ == "__main__":
    raise SystemExit(main())
