# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate: which databases are there, what is known of their backups, and which of them do not pass. It only reads."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ..backup.selection import matches, select
from ..engines.registry import open_engine
from ..monitoring.copies import CopyState, KnownCopies
from ..monitoring.freshness import EXPECTED, WAITING, DatabaseState, InstanceState, collect
from ..monitoring.status import MAX_AGE
from ..outcome import Outcome
from ..repository.problems import Problems
from ..system.text import utc_now
from .judge import Verdict, judge
from .request import GateRequest

_SHOWN = 10
_NAME = "correct the name, or leave it out"

_States = Mapping[str, Sequence[tuple[InstanceState, DatabaseState]]]


def run(request: GateRequest) -> dict[str, Any]:
    """Judge every database and return the result as plain values; `status` is ok or failed.

    Raises what connecting, and reading a repository, raise, and `SelectionError` for names that mean no database.
    """
    now = utc_now()
    problems = Problems()
    limit = MAX_AGE if request.max_age is None else request.max_age
    host = None if request.repository is None else request.host
    state = collect(request.jobs_with_limit(), repository=request.repository, host=host, max_age=limit, now=now)
    states = _states(state.instances, request)
    names, faults, notes = _on_server(request) if request.ask_server else _as_known(request, states)
    known = KnownCopies(problems)
    verdicts = [*faults, *(_best(name, states.get(name, ()), request, known, now) for name in names)]
    rows = [verdict.row(request, now) for verdict in sorted(verdicts, key=lambda one: one.database)]
    failing = [row for row in rows if not row["passed"]]
    return Outcome(
        status="failed" if failing else "ok",
        changed=False,
        message=_message(request, rows, failing),
        warnings=[*notes, *state.problems, *problems.lines],
        facts={"instance": request.instance.id, "rows": rows, "lines": [_line(row) for row in failing]},
    ).to_dict()


def _states(instances: Sequence[InstanceState], request: GateRequest) -> _States:
    """Return what is known of each database of the instance, in every repository that has it."""
    found: dict[str, list[tuple[InstanceState, DatabaseState]]] = {}
    for instance in instances:
        if (instance.place.host, instance.place.instance) == (request.host, request.instance.id):
            for state in instance.databases:
                if state.subject.database is not None:
                    found.setdefault(state.subject.database, []).append((instance, state))
    return found


def _on_server(request: GateRequest) -> tuple[list[str], list[Verdict], list[str]]:
    """Return the databases of the server that are wanted, those that are named and cannot pass, and notes."""
    with open_engine(request.instance) as engine:
        selected, skipped = select(engine.databases(), request.selection, where=request.instance.where())
    faults = [Verdict(one.name, [one.reason], _NAME) for one in skipped if one.fault]
    notes = [f"{one.name!r} was not looked at: {one.reason}" for one in skipped if one.unavailable and not one.fault]
    return [one.name for one in selected], faults, notes


def _as_known(request: GateRequest, states: _States) -> tuple[list[str], list[Verdict], list[str]]:
    """Do the same by what runs and jobs expect, without the server."""
    wanted = request.selection
    expected = sorted(
        name for name, found in states.items() if any(state.verdict in (*EXPECTED, WAITING) for _one, state in found)
    )
    names = [
        name
        for name in expected
        if any(matches(entry, name) for entry in wanted.include)
        and not any(matches(entry, name) for entry in wanted.exclude)
    ]
    absent = [entry for entry in wanted.include if not any(matches(entry, name) for name in expected)]
    return names, [Verdict(entry, [_absent(entry, expected)], _NAME) for entry in absent], []


def _absent(entry: str, known: Sequence[str]) -> str:
    by_lower = {name.lower(): name for name in known}
    nearest = difflib.get_close_matches(entry.lower(), list(by_lower), n=1, cutoff=0.0)
    hint = f"the nearest name is {by_lower[nearest[0]]!r}" if nearest else "nothing of this instance is"
    return f"it is none of the databases that are backed up; {hint}"


def _best(
    name: str,
    found: Sequence[tuple[InstanceState, DatabaseState]],
    request: GateRequest,
    known: KnownCopies,
    now: datetime,
) -> Verdict:
    """Judge a database in each place that has it: one in which it passes is enough."""
    verdicts = [
        judge(name, state, [*state.copies, *_copies(instance, state, request, known, now)], request, now)
        for instance, state in found
    ]
    if not verdicts:
        return judge(name, None, (), request, now)
    return next((one for one in verdicts if not one.reasons), verdicts[0])


def _copies(
    instance: InstanceState, state: DatabaseState, request: GateRequest, known: KnownCopies, now: datetime
) -> Iterator[CopyState]:
    """Look at the copies that no job of the database has."""
    have = {copy.name for copy in state.copies}
    for copy in request.copies:
        if copy.name not in have:
            yield known.state_of(
                request.with_limit(copy),
                request.state_dir,
                instance.place.folder / state.subject.folder,
                max_age=state.max_age,
                expected=True,
                now=now,
            )


def _message(request: GateRequest, rows: Sequence[Mapping[str, Any]], failing: Sequence[Mapping[str, Any]]) -> str:
    where = f"{request.host}/{request.instance.id}"
    if not rows:
        return f"{where}: there is no database to be looked at"
    if not failing:
        return f"{where}: all {len(rows)} databases pass"
    more = f" (and {len(failing) - _SHOWN} more)" if len(failing) > _SHOWN else ""
    return f"{len(failing)} of {len(rows)} databases do not pass: {'; '.join(map(_line, failing[:_SHOWN]))}{more}"


def _line(row: Mapping[str, Any]) -> str:
    name = f"{row['host']}/{row['instance']}/{row['database']}"
    return f"{name}: {'; '.join(row['reasons'])} -> {row['next_step']}"
