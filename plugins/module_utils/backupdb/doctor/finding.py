# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is found at one link of a job: how it is, what was seen, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Callable

from ..errors import BackupDbError
from ..system.parallel import result_of

OK, UNKNOWN, WARNING, FAILED = "ok", "unknown", "warning", "failed"
STATES = (OK, UNKNOWN, WARNING, FAILED)  # from good to bad


@dataclass(frozen=True)
class Finding:
    """`unknown` is what cannot be seen by looking alone. `subject` is the instance, copy or notification concerned.

    `next_step` is what to do, where something is to be done.
    """

    link: str
    state: str  # one of STATES
    what: str
    next_step: str | None = None
    subject: str | None = None


def failed(link: str, error: BackupDbError, subject: str | None = None) -> Finding:
    """Return an error as a finding; its advice, behind the first semicolon outside of brackets, is the next step."""
    what, advice = _parts(str(error))
    return Finding(link, FAILED, what, advice or None, subject)


def _parts(text: str) -> tuple[str, str]:
    depth = 0
    for position, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth <= 0 and text.startswith("; ", position):
            return text[:position], text[position + 2 :]
    return text, ""


def tried(link: str, look: Callable[[], Iterable[Finding]], subject: str | None = None) -> Iterator[Finding]:
    """Yield what a look finds; whatever goes wrong is a finding as well, and stops no other look."""
    found: list[Finding] = []

    def collect() -> None:
        for finding in look():
            found.append(finding)

    error = result_of(collect).error
    yield from found
    if error is not None:
        yield failed(link, error, subject)
