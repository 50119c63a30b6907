# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Definitions that a server writes otherwise than it got them, as PostgreSQL does once with some expressions.

`x IN ('a', 'b')` of a varchar column comes back with other casts, and then stays as it is. So where nothing but
expressions differ, line by line and with the same values in them, the definitions of the restored database are restored
once more: if they then stay the same, they were only written otherwise. A line that is missing is always a difference.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import IO

from ..engines.values import ArchiveSource, Part
from ..engines.workplace import work_dir_of
from .compare import Findings, StreamDifferences, compare_streams
from .dump import dumped
from .restore import RestoredServer, load_database

_BLOCK = 1 << 20


def confirm_rewrites(state: RestoredServer, findings: Findings, stream: StreamDifferences) -> None:
    """Judge the differences of the two dumps; they end up in the findings as differences or as rewritten.

    The restored database is replaced by a copy of its definitions, so this is the last look at it.
    """
    if not stream.differences:
        return
    if stream.rewritten and not findings.differences and _stays_the_same(state):
        findings.rewritten = stream.differences
    else:
        findings.differences += stream.differences


def _stays_the_same(state: RestoredServer) -> bool:
    limits = state.context.limits
    errors = len(state.errors)
    with ExitStack() as files:
        kept = []
        for part in state.support.dump_definitions(state.engine.server, state.dump_client, state.context.manifest):
            spool = files.enter_context(tempfile.TemporaryFile(dir=work_dir_of(state.context.work_dir)))
            for block in dumped(part, limits):
                spool.write(block)
            kept.append(_source(part, spool))
        state.engine.drop_database(state.name)
        load_database(state, kept)
        again = state.support.dump_definitions(state.engine.server, state.dump_client, state.context.manifest)
        same = all(
            compare_streams(state, source.open, partial(dumped, part, limits)).equal
            for source, part in zip(kept, again)
        )
    return same and len(state.errors) == errors


def _source(part: Part, spool: IO[bytes]) -> ArchiveSource:
    def blocks() -> Iterator[bytes]:
        spool.seek(0)
        return iter(lambda: spool.read(_BLOCK), b"")

    return ArchiveSource(
        part=part.name, format=part.format, plain_bytes=spool.tell(), longest_statement_bytes=None, open=blocks
    )
