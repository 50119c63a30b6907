# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each stage of a backup takes of the processor by itself, and with that the least that the whole can take."""

from __future__ import annotations

import hashlib
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from backupdb.archives.envelope import Compression, Encryption, Envelope
from backupdb.streams.pipeline import BLOCK_BYTES
from support.library import IDENTITY

from .contenders import Place, shell
from .data import fill
from .measure import cost_of

_SERVER = "the server, for one client"
_CLIENT = "the client"
_START = "the start and end of a job (an empty database)"


def measured(place: Place, mib: float, rounds: int) -> str:
    """Measure a database of `mib` MiB, and return a table in Markdown with what follows from it."""
    fill(place.server, "big", mib)
    place.server.sql("CREATE DATABASE small")
    seen = [_round(place) for _number in range(rounds)]
    return _table({name: [one[name] for one in seen] for name in seen[0]})


def _round(place: Place) -> dict[str, float]:
    taken: dict[str, float] = {}
    place.clear()
    with _adding(taken, _SERVER, lambda: _of_server(place.server.pid)):
        alone = cost_of(place.bare("big"), place.environment)
    taken["wall"] = alone.wall
    taken[_CLIENT] = alone.processor
    dump = place.target / "dump"
    cost_of(shell(f"{place.dump('big')} > {dump}"), place.environment)
    for name, seconds in _stages(dump):
        taken[name] = taken.get(name, 0.0) + seconds
    place.clear()
    taken[_START] = cost_of(place.job(["small"]), place.environment).processor
    return taken


def _stages(dump: Path) -> Iterator[tuple[str, float]]:
    """Send a dump through what an archive goes through, one stage after the other; yields their seconds."""
    envelope = Envelope(Compression(), Encryption(recipients=(IDENTITY.recipient,)))
    compress, encrypt = envelope.transforms()
    plain, stored = hashlib.sha256(), hashlib.sha256()
    with dump.open("rb", buffering=0) as source, dump.with_suffix(".age").open("wb", buffering=0) as target:
        ended = False
        while not ended:
            block, seconds = _timed(lambda: source.read(BLOCK_BYTES))
            yield "reading", seconds
            ended = not block
            yield "SHA-256 of what the client says", _timed(lambda data=block: plain.update(data))[1]
            small, seconds = _timed(compress.finish if ended else lambda data=block: compress.update(data))
            yield "zstd, level 1", seconds
            sealed, seconds = _timed(
                lambda data=small, last=ended: encrypt.update(data) + (encrypt.finish() if last else b"")
            )
            yield "age", seconds
            yield "SHA-256 of what is stored", _timed(lambda data=sealed: stored.update(data))[1]
            yield "writing", _timed(lambda data=sealed: target.write(data))[1]


def _timed(work: Callable[[], bytes | int | None]) -> tuple[bytes, float]:
    began = time.thread_time()
    done = work()
    return done if isinstance(done, bytes) else b"", time.thread_time() - began


@contextmanager
def _adding(taken: dict[str, float], name: str, clock: Callable[[], float]) -> Iterator[None]:
    began = clock()
    yield
    taken[name] = clock() - began


def _of_server(pid: int) -> float:
    """Seconds of processor of a server and all that it has started, also of what has ended."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    own = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    children = [int(child) for one in Path(f"/proc/{pid}/task").glob("*/children") for child in one.read_text().split()]
    return own + sum(map(_of_server, children))


def _table(taken: Mapping[str, list[float]]) -> str:
    found = {name: statistics.median(values) for name, values in taken.items()}
    alone = found.pop("wall")
    total, cores = sum(found.values()), len(os.sched_getaffinity(0))
    start = found[_START]
    spread = max(total - start, 0.0) / cores
    least = start + max(spread, found[_SERVER])
    rows = [("stage", "processor"), ("---", "---:"), *((name, f"{seconds:.2f} s") for name, seconds in found.items())]
    rows.append(("all", f"{total:.2f} s"))
    lines = "\n".join(f"| {name} | {seconds} |" for name, seconds in rows)
    return (
        f"{lines}\n\nThe client alone takes {alone:.2f} s of wall. On {cores} cores that are never idle, with one"
        f" client,\nall of it takes {least:.2f} s: {least / alone:.2f} of that."
    )
