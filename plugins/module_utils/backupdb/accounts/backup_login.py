# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The backup login's own story: look, give what is missing, take what is too much, look again, try to write.

What a login needs is what the check before each backup asks for, and nothing else. That it cannot write is not
concluded from its rights alone: it is tried.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from ..connection.instance import Instance
from ..engines.login_interface import (
    PASSWORD,
    ExcessPrivilege,
    LoginManager,
    LoginState,
    RequiredPrivilege,
    Step,
    WantedLogin,
    WriteProbe,
)
from ..engines.registry import open_engine
from ..engines.values import ServerFacts
from ..errors import InvalidOption, LoginRefused, PrivilegeMissing, QueryFailed
from ..outcome import Outcome, diff_of
from ..system.stopping import stop_signals
from ..system.text import counted, were
from .masking import masked, without_hashes

_PASSES = 3  # what one right hides (a superuser lacks nothing) comes to light when it has gone


@dataclass(frozen=True)
class LoginRequest:
    """Which login, on which server (with an administrator's login), and what is to become of it."""

    instance: Instance
    login: WantedLogin
    absent: bool = False
    remove_surplus: bool = False

    def __post_init__(self) -> None:
        name, password = self.login.name, self.login.password
        if not name or "\0" in name:
            raise InvalidOption("option name: it is empty, or holds a character that no server takes")
        if self.absent:
            return
        if self.login.auth == PASSWORD and not password:
            raise InvalidOption("option password: it is needed with auth password; use auth socket for a login without")
        if password is not None and any(character in password for character in "\n\r\0"):
            raise InvalidOption("option password: it has a line break, which dump clients cannot be given")


def manage(request: LoginRequest, *, check_mode: bool = False) -> dict[str, Any]:
    """Make the login as requested and return the result as plain values; in check mode the plan.

    Raises `BackupDbError` when the server cannot be asked, or refuses a statement.
    """
    cancel = threading.Event()
    with stop_signals(cancel), open_engine(request.instance, cancel) as engine:
        facts = engine.facts
        manager = engine.login_manager(request.login)
        where = request.instance.where()
        with _told_of_rights(manager, where):
            reason = manager.protected()
            if reason:
                raise LoginRefused(
                    f"{where}: {manager.account} is not managed: {reason}; give the backup its own login"
                )
            work = _remove if request.absent else _provide
            outcome = work(request, manager, facts, check_mode)
    about = {"instance": request.instance.id, "engine": facts.vendor, "server_version": facts.version}
    return replace(outcome, facts={**about, "account": manager.account, **outcome.facts}).to_dict()


def _remove(request: LoginRequest, manager: LoginManager, facts: ServerFacts, check_mode: bool) -> Outcome:
    steps = manager.removal()
    _refuse_on_replica(facts, steps, request)
    if not check_mode:
        _carry_out(manager, steps, request.instance.where())
    done = "would be removed" if check_mode else "was removed"
    return Outcome(
        status="planned" if check_mode and steps else "ok",
        changed=bool(steps),
        message=f"{manager.account} {done if steps else 'is not there'}",
        diff=diff_of(["there" if steps else "not there"], ["not there"]),
        facts={
            "statements": [_shown(step) for step in steps],
            "missing": [],
            "surplus": [],
            "write_refused": None,
            "write_attempts": [],
        },
    )


def _provide(request: LoginRequest, manager: LoginManager, facts: ServerFacts, check_mode: bool) -> Outcome:
    before = state = manager.look()
    tried: list[Step] = []
    carried: list[Step] = []
    warnings: list[str] = []
    for _pass in range(_PASSES):
        steps = _steps(state, request.remove_surplus)
        steps = [step for step in steps if step not in tried]  # what did not help once does not help again
        _refuse_on_replica(facts, steps, request)
        tried += steps
        if check_mode or not steps:
            break
        refused = _carry_out(manager, steps, request.instance.where())
        carried += [step for step in steps if step not in refused]
        warnings += [f"{manager.account}: {step.if_refused}" for step in refused]
        state = manager.look()
    if check_mode:
        carried = tried
    probe = manager.try_to_write(state) if state.exists and not check_mode else WriteProbe([], "not tried")
    return _outcome(request, manager, before, state, carried, probe, [*warnings, *state.warnings], check_mode)


def _steps(state: LoginState, remove_surplus: bool) -> list[Step]:
    """First who it is, then what it must lose, then what it must get: a REVOKE may take more than was meant."""
    identity = [] if state.exists else [step for need in state.needs[:1] for step in need.steps]
    lost = [step for entry in state.surplus for step in entry.steps] if remove_surplus else []
    given = [step for need in state.needs for step in need.steps if step not in identity]
    return [*identity, *lost, *given]


def _refuse_on_replica(facts: ServerFacts, steps: Sequence[Step], request: LoginRequest) -> None:
    """A replica that is also written to, as in a ring, is one on which accounts can be made."""
    if steps and facts.role == "replica" and facts.settings.get("read_only") not in (0, "OFF"):
        raise LoginRefused(
            f"{request.instance.where()}: it is a replica; manage the login on the primary, from where it comes here"
        )


def _carry_out(manager: LoginManager, steps: Sequence[Step], where: str) -> list[Step]:
    """Carry the steps out in order; returns those whose refusal is bearable. Raises what the server says of others."""
    refused = []
    with ExitStack() as stack:
        sessions: dict[str | None, Callable[[str], None]] = {}
        for number, step in enumerate(steps):
            if step.database not in sessions:
                stack.close()  # one at a time: there may be thousands of databases
                sessions = {step.database: stack.enter_context(manager.session(step.database))}
            try:
                sessions[step.database](step.sql)
            except QueryFailed as error:
                if step.if_refused is not None and manager.is_refusal(error):
                    refused.append(step)
                    continue
                kind = PrivilegeMissing if manager.is_refusal(error) else QueryFailed
                advice = f"; log in as {manager.rights_needed}" if kind is PrivilegeMissing else ""
                raise kind(
                    f"{where}: {_shown(step)} was refused: {without_hashes(str(error), step.sql)}{advice}; {number} of "
                    f"{len(steps)} statements were carried out, a new run does the rest"
                ) from error
    return refused


@contextmanager
def _told_of_rights(manager: LoginManager, where: str) -> Iterator[None]:
    """Name the rights that the administrator's login needs when it may not even look."""
    try:
        yield
    except QueryFailed as error:
        if not manager.is_refusal(error):
            raise
        raise PrivilegeMissing(
            f"{where}: the login may not look at accounts ({error}); log in as {manager.rights_needed}"
        ) from error


def _outcome(
    request: LoginRequest,
    manager: LoginManager,
    before: LoginState,
    after: LoginState,
    carried: Sequence[Step],
    probe: WriteProbe,
    warnings: Sequence[str],
    check_mode: bool,
) -> Outcome:
    found = [*before.surplus, *(entry for entry in after.surplus if entry not in before.surplus)]
    removed = [
        entry
        for entry in found
        if (request.remove_surplus and entry.steps if check_mode else entry not in after.surplus)
    ]
    kept = [entry for entry in found if entry not in removed]
    lacking = [] if check_mode else [need for need in after.needs if not _is_bearable(need)]
    refused = _write_refused(kept, probe)
    problems = [
        *(f"it still lacks {need.what}, which {manager.rights_needed} can give" for need in lacking),
        *(f"it can change something: {_told(entry, request.remove_surplus)}" for entry in kept if entry.writes),
        *(
            f"it was let write: {attempt.statement}" + (f" in database {attempt.database}" if attempt.database else "")
            for attempt in probe.attempts
            if attempt.refused is False
        ),
    ]
    harmless = [
        f"{manager.account} has more than it needs: {_told(entry, request.remove_surplus)}"
        for entry in kept
        if not entry.writes
    ]
    facts = {
        "statements": [_shown(step) for step in carried],
        "missing": [need.what for need in before.needs],
        "surplus": [
            {
                "right": entry.what,
                "writes": entry.writes,
                "removed": entry in removed,
                "statements": [_shown(step) for step in entry.steps],
                "advice": entry.advice,
            }
            for entry in found
        ],
        "write_refused": refused,
        "write_attempts": [
            {"statement": one.statement, "database": one.database, "refused": one.refused, "said": one.said}
            for one in probe.attempts
        ],
    }
    return Outcome(
        status="failed" if problems else "planned" if check_mode and carried else "ok",
        changed=bool(carried),
        message=_message(manager.account, problems, carried, probe, refused, check_mode),
        warnings=[*warnings, *probe.warnings, *harmless],
        diff=diff_of(_described(before), _described(LoginState(True, surplus=kept))),
        facts=facts,
    )


def _write_refused(kept: Sequence[ExcessPrivilege], probe: WriteProbe) -> bool | None:
    """False: it can write. True: every write was refused, as far as one could be tried. None: nothing was tried."""
    answers = [attempt.refused for attempt in probe.attempts]
    if False in answers or any(entry.writes for entry in kept):
        return False
    return True if True in answers else None


def _is_bearable(need: RequiredPrivilege) -> bool:
    return all(step.if_refused is not None for step in need.steps)


def _told(entry: ExcessPrivilege, remove_surplus: bool) -> str:
    if entry.advice:
        return f"{entry.what}; {entry.advice}"
    how = "the server kept it" if remove_surplus else "set remove_surplus, or"
    return f"{entry.what}; {how} {' '.join(_shown(step) for step in entry.steps)}"


def _message(
    account: str,
    problems: Sequence[str],
    carried: Sequence[Step],
    probe: WriteProbe,
    refused: bool | None,
    check_mode: bool,
) -> str:
    if problems:
        return f"{account}: {'; '.join(problem.rstrip(';') for problem in problems)}"
    statements, verb = counted(len(carried), "statement"), "would be" if check_mode else were(len(carried))
    done = f"{statements} {verb} carried out" if carried else "as requested"
    proof = f", and {len(probe.attempts)} attempts to write were refused ({probe.how})" if refused else ""
    return f"{account}: {done}{proof}"


def _described(state: LoginState) -> list[str]:
    if not state.exists:
        return ["not there"]
    lines = [*(f"lacks {need.what}" for need in state.needs), *(f"has beyond {one.what}" for one in state.surplus)]
    return ["there", *lines]


def _shown(step: Step) -> str:
    sql = masked(step.sql)
    return sql if step.database is None else f"{sql} -- in database {step.database}"
