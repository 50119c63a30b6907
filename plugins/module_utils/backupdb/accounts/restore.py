# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restoring accounts: export what is there, compare with the backup, carry out what is missing, export again.

An account that cannot be restored gets its message and does not stop the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..connection.server import Server
from ..engines.accounts_interface import AccountTarget, Step
from ..engines.interface import Engine
from ..engines.values import DumpOptions, ServerFacts
from ..errors import Interrupted, InvalidOption, QueryFailed
from ..outcome import Outcome, diff_of
from ..system.text import counted, were
from .compare import difference, key_of
from .masking import masked, without_hashes
from .plan import AccountPlan, Choice, Plan, make_plan

_ACTIONS = {"create": "created", "update": "updated", "unchanged": "unchanged", "skip": "skipped", "fail": "failed"}


def restore_accounts(
    engine: Engine,
    document: Mapping[str, Any],
    *,
    patterns: Sequence[str] = ("*",),
    existing: str = "skip",
    include_reserved: bool = False,
    databases: set[str] | None = None,
    object_grants_for: set[str] | None = None,
    check_mode: bool = False,
) -> Outcome:
    """Restore accounts from a document into a server and return what came of each, without any hash.

    The arguments are those of `Choice`. Beside what every outcome has: `accounts`, `statements` (hashes masked),
    `waiting` (rights on objects that are not there yet: call again with `object_grants_for` when they are),
    `difference` (of the accounts that were restored, to a fresh export) and `errors`. `status` is ok, planned, partial
    or failed. Raises `InvalidOption` for another vendor's document, and what planning and exporting raise.
    """
    server = engine.server
    check_vendor(document, engine.facts, server.instance.where())
    choice = Choice(engine.ACCOUNTS, tuple(patterns), existing, include_reserved, databases, object_grants_for)
    fresh = export(engine)
    target = engine.account_target(document, fresh)
    target.warnings.extend(f"the backup lacks {text}" for text in document["missing"])
    plan = make_plan(document, fresh, target, choice)
    target.warnings.extend(_dead(plan, choice))
    if check_mode:
        created = [entry.name for entry in plan.accounts if entry.action == "create"]
        plan.steps.extend(target.clean_up(created, document))
        return _result(plan, target, plan.steps, changed=bool(plan.steps), planned=True, errors=_refused(plan))
    done, errors = _carry_out(plan, target, document, server)
    after = export(engine) if done else fresh
    # What was done shows in the export, but for passwords that it may not read.
    changed = bool(done) and (bool(fresh["missing"]) or _content(after) != _content(fresh))
    missed = _difference(plan, document, after, choice)
    return _result(plan, target, done, changed=changed, errors=[*_refused(plan), *errors], missed=missed)


def _refused(plan: Plan) -> list[tuple[str, str]]:
    return [(name or "the instance", words) for name, words in plan.refused]


def _dead(plan: Plan, choice: Choice) -> list[str]:
    """Tell once which rights are left out, because the source had nothing any more that they could be on."""
    if choice.object_grants_for is not None:
        return []
    return [
        f"left out, since it is on something that was gone at the source: {entry.name}: {statement['sql']}"
        for entry in plan.accounts
        for statement in entry.account["statements"]
        if statement.get("dead")
    ]


def export(engine: Engine) -> Mapping[str, Any]:
    """Export the accounts that are there, by the client that a backup would use."""
    client = engine.usable_dump_client(DumpOptions(allow_newer_client=True))
    return engine.export_accounts(client).document


def check_vendor(document: Mapping[str, Any], facts: ServerFacts, where: str) -> None:
    """Refuse accounts of another vendor: their statements mean something else here, or nothing."""
    if document["vendor"] != facts.vendor:
        raise InvalidOption(
            f"{where}: the backup holds accounts of {document['vendor']} {document['server_version']}, the server is "
            f"{facts.vendor} {facts.version}; accounts can only be restored into the same kind of server"
        )


class _Steps:
    """Steps being carried out: those that worked, and per failed one the account and the server's words."""

    def __init__(self, target: AccountTarget, server: Server, carry_out: Callable[[str], None]) -> None:
        self.done: list[Step] = []
        self.errors: list[tuple[str, str]] = []
        self.lost: set[str | None] = set()  # accounts whose identity could not be made: nothing else of theirs can work
        self._target = target
        self._server = server
        self._carry_out = carry_out

    def carry_out(self, steps: Sequence[Step]) -> None:
        """Do the steps in order; one that is refused does not stop those of other accounts."""
        for step in steps:
            if step.account is not None and step.account in self.lost:
                continue
            if self._server.cancel.is_set():
                where = self._server.instance.where()
                raise Interrupted(f"{where}: stopped after {len(self.done)} statements; run again to go on")
            try:
                self._attempt(step)
                self.done.append(step)
            except (QueryFailed, UnicodeEncodeError) as error:
                words = without_hashes(str(error), step.sql)
                self.errors.append((step.account or "the instance", f"{masked(step.sql)}: {words}"))
                if step.kind == "identity":
                    self.lost.add(step.account)

    def _attempt(self, step: Step) -> None:
        try:
            self._carry_out(step.sql)
        except QueryFailed:
            if step.if_refused is None:
                raise
            self._carry_out(step.if_refused)
            self._target.warnings.append(str(step.warning))


def _carry_out(
    plan: Plan, target: AccountTarget, document: Mapping[str, Any], server: Server
) -> tuple[list[Step], list[tuple[str, str]]]:
    """Carry out the plan; returns the steps that worked, and per failed one the account and the server's words."""
    with target.session() as carry_out:
        steps = _Steps(target, server, carry_out)
        if plan.steps:
            steps.carry_out(plan.steps)
            created = {entry.name for entry in plan.accounts if entry.action == "create"} - steps.lost
            steps.carry_out(target.clean_up({str(name) for name in created}, document))
    return steps.done, steps.errors


def _result(
    plan: Plan,
    target: AccountTarget,
    done: Sequence[Step],
    *,
    changed: bool,
    planned: bool = False,
    errors: Sequence[tuple[str, str]] = (),
    missed: Sequence[str] = (),
) -> Outcome:
    accounts = [_account(entry, errors, done) for entry in plan.accounts]
    failed = [entry["account"] for entry in accounts if entry["action"] == "failed"]
    faults = [f"{name}: {words}" for name, words in errors]
    faults += [f"{entry.name}: {entry.reason}" for entry in plan.accounts if entry.action == "fail"]
    worked = [entry for entry in accounts if entry["action"] in ("created", "updated")]
    status = "planned" if planned else "ok"
    if faults:
        status = "failed" if failed and not worked else "partial"
    message = f"{counted(len(worked), 'account')} {'would be' if planned else were(len(worked))} restored"
    if faults:
        message += f"; {len(failed)} failed; {len(faults)} faults in all, the first: {faults[0]}"
    return Outcome(
        status=status,
        changed=changed,
        message=message,
        warnings=[*target.warnings, *_waiting_warning(plan)],
        diff=_diff(accounts),
        facts={
            "accounts": accounts,
            "statements": [masked(step.sql) for step in done],
            "waiting": [f"{masked(sql)} -- needs {needed}" for _name, sql, needed in plan.waiting],
            "difference": list(missed),
            "errors": faults,
        },
    )


def _account(entry: AccountPlan, errors: Sequence[tuple[str, str]], done: Sequence[Step]) -> dict[str, Any]:
    mine = [words for name, words in errors if name == entry.name]
    worked = sum(step.account == entry.name for step in done)
    action = _ACTIONS[entry.action]
    if action in ("created", "updated") and not worked:
        action = "failed" if mine else "unchanged"  # what it lacks waits for its objects
    return {
        "account": entry.name,
        "kind": entry.account["kind"],
        "action": action,
        "reason": entry.reason,
        "statements": worked,
        "beside": entry.beside,
        "errors": mine,
    }


def _difference(plan: Plan, document: Mapping[str, Any], after: Mapping[str, Any], choice: Choice) -> list[str]:
    """Compare what was restored; what waits for its objects is known to be missing."""
    waiting = {sql for _name, sql, _needed in plan.waiting}
    handled = {key_of(entry.account) for entry in plan.accounts if entry.action in ("create", "update", "unchanged")}
    restored = {
        **document,
        "accounts": [
            {
                **account,
                "reserved": False,
                "statements": [
                    entry for entry in account["statements"] if entry["sql"] not in waiting and choice.concerns(entry)
                ],
            }
            for account in document["accounts"]
            if key_of(account) in handled
        ],
        "instance": [],
    }
    return difference(restored, {**after, "instance": []})


def _diff(accounts: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    acted = {"created": "not there", "updated": "there, and different from the backup"}
    changed = [entry for entry in accounts if entry["action"] in acted]
    return diff_of(
        [f"{entry['account']}: {acted[entry['action']]}" for entry in changed],
        [f"{entry['account']}: as in the backup" for entry in changed],
    )


def _waiting_warning(plan: Plan) -> list[str]:
    if not plan.waiting:
        return []
    return [
        f"{len(plan.waiting)} rights wait for databases or objects that are not there; restore these first, then run "
        "again with object_grants_for"
    ]


def _content(document: Mapping[str, Any]) -> Any:
    accounts = {
        (key_of(account), statement["sql"]) for account in document["accounts"] for statement in account["statements"]
    }
    names = {key_of(account) for account in document["accounts"]}
    return accounts, names, {statement["sql"] for statement in document["instance"]}
