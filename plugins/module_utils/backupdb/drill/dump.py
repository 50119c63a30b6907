# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plain stream of a second dump, while its client runs."""

from __future__ import annotations

from collections.abc import Iterator

from ..engines.values import Part
from ..errors import CommandFailed
from ..streams.pipeline import TAIL_BYTES, Limits
from ..system.process import describe_status, start

_BLOCK = 1 << 20
_SAID = 3  # lines of the client


def dumped(part: Part, limits: Limits) -> Iterator[bytes]:
    """Run the client of a part and yield what it writes; raises `CommandFailed` unless it ended well."""
    client = start(part.argv, environment=part.environment, secret=part.secret, patterns={"fatal": part.fatal_stderr})
    tail = b""
    try:
        for block in iter(lambda: client.stdout.read(_BLOCK), b""):
            limits.check()
            tail = (tail + block)[-TAIL_BYTES:]
            yield block
        status = client.wait()
    finally:
        client.close()
    said = "; ".join(client.stderr.lines()[:_SAID]) or "it said nothing"
    if status != 0 or "fatal" in client.stderr.found:
        raise CommandFailed(f"{client.name} of the restored database ended with {describe_status(status)}: {said}")
    if part.completion_mark is not None and part.completion_mark not in tail:
        raise CommandFailed(f"{client.name} of the restored database ended without its completion mark: {said}")
