# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether one database passes: the judgement of the status, and what a gate asks besides, each with the next step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..monitoring.complaints import reason
from ..monitoring.copies import FRESH as FRESH_COPY
from ..monitoring.copies import CopyState
from ..monitoring.copies_told import failures
from ..monitoring.copies_told import reason as reason_of_copy
from ..monitoring.freshness import FRESH, GONE, LEFT_OUT, OK, WAITING, DatabaseState
from ..system.text import human_duration, iso
from .request import GateRequest

_BACK_UP = "back it up: ansible-playbook vya.backupdb.backup"
_DRILL = "prove one: ansible-playbook vya.backupdb.drill"
_COPY = "send it: ansible-playbook vya.backupdb.copy"


@dataclass(frozen=True)
class Verdict:
    """What a gate says of one database. `reasons` are empty for one that passes, as is `next_step`."""

    database: str
    reasons: Sequence[str] = ()
    next_step: str = ""
    state: DatabaseState | None = None
    proven: datetime | None = None
    copies: Sequence[str] = ()  # names of those that have a fresh backup

    def row(self, request: GateRequest, now: datetime) -> dict[str, Any]:
        """Return it as plain values."""
        state = self.state
        newest = None if state is None else state.stored.newest
        age = None if state is None else state.age
        return {
            "host": request.host,
            "instance": request.instance.id,
            "database": self.database,
            "passed": not self.reasons,
            "reasons": list(self.reasons),
            "next_step": self.next_step,
            "newest": None if newest is None else iso(newest.time),
            "age_seconds": None if age is None else round(age),
            "proven": None if self.proven is None else iso(self.proven),
            "proven_age_seconds": None if self.proven is None else round((now - self.proven).total_seconds()),
            "copies": list(self.copies),
        }


def judge(
    database: str, state: DatabaseState | None, copies: Sequence[CopyState], request: GateRequest, now: datetime
) -> Verdict:
    """Judge a database of the server by what is known of its backups, None: nothing, and of its copies."""
    if state is None:
        return Verdict(database, ["there is no backup, and no run has seen it yet"], _back_up(request))
    proven = max((time for time in (state.stored.proven, *(copy.proven for copy in copies)) if time), default=None)
    found = [
        *((why, _back_up(request)) for why in _freshness(state)),
        *((why, _DRILL) for why in _proof(state, proven, request, now)),
        *((why, _COPY) for why in _copying(copies, request)),
    ]
    return Verdict(
        database,
        reasons=[why for why, _step in found],
        next_step="; ".join(dict.fromkeys(step for _why, step in found)),
        state=state,
        proven=proven,
        copies=[copy.name for copy in copies if copy.verdict in FRESH_COPY],
    )


def _back_up(request: GateRequest) -> str:
    names = [job.name for job in request.jobs if any(one["instance"] == request.instance.id for one in job.backups)]
    return _BACK_UP + "".join(f", or on the host backupdb run {name}" for name in names[:1])


def _freshness(state: DatabaseState) -> Iterator[str]:
    if state.verdict == WAITING:
        yield "there is no backup yet: the first run of its job is still to come"
    elif state.verdict == LEFT_OUT:
        yield "it is on the server, and no run backs it up any more"
    elif state.verdict == GONE:
        yield "the newest run did not find it on the server, so what is there now has no backup"
    elif state.verdict != OK:
        yield reason(state)


def _proof(state: DatabaseState, proven: datetime | None, request: GateRequest, now: datetime) -> Iterator[str]:
    # Of one without a fresh backup the other reason says all.
    if not request.proven or state.verdict not in FRESH:
        return
    drill = state.stored.last_drill
    if proven is None:
        last = "" if drill is None else f"; the last drill ended {drill.verdict}"
        yield f"no drill has proven any of its backups{last}"
        return
    age = (now - proven).total_seconds()
    if request.proven_max_age is not None and age > request.proven_max_age:
        allowed = human_duration(request.proven_max_age)
        yield f"the newest proven backup is {human_duration(age)} old, {allowed} are allowed"


def _copying(copies: Sequence[CopyState], request: GateRequest) -> Iterator[str]:
    for copy in copies:
        if request.demands(copy.name, required=copy.required):
            if copy.verdict not in FRESH_COPY:
                yield reason_of_copy(copy)
            elif copy.tampered:
                yield from failures(copy)
    known = [copy.name for copy in copies]
    for name in request.required_copies or ():
        if name not in known:
            yield f"copy {name} is not known for it; there are: {', '.join(known) or 'none'}"
