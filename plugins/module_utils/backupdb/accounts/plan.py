# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a restore of accounts: which statements, for which account, in which order; nothing is changed here.

Two passes. The first makes identities, memberships, settings and rights on the instance and on databases, and those
on objects that are there already. The second, for databases that came back since, gives the rights on their objects.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..engines.accounts_document import full_name
from ..engines.accounts_interface import AccountComparison, AccountRules, AccountTarget, Step
from ..errors import InvalidOption, RestoreRefused, SelectionError
from .choice import covers, names
from .compare import concerns, key_of
from .masking import refused_text

POLICIES = ("skip", "update", "fail")

# In the order of replay: a statement needs only what stands before it. Memberships keep the order of the document,
# in which a role comes after those that granted it something.
_ORDER = (
    *("identity", "limit", "membership", "default_role", "settings"),
    *("global_grant", "proxy", "database_grant", "object_grant"),
)
# Memberships and rights here are those of the server's own roles. Tablespaces are folders of another host.
_OF_INSTANCE = (
    *("foreign_server", "loadable_function", "spatial_reference_system"),
    *("membership", "global_grant", "parameter_grant", "instance_setting", "role_in_database_setting"),
)
_SECOND_PASS = ("object_grant", "role_in_database_setting")


@dataclass(frozen=True)
class Choice:
    """Which accounts, and what becomes of those that are there already.

    `rules` are those of the engine. `databases` are those whose rights are restored (None: all). `object_grants_for`
    asks for the second pass over these databases, for accounts that are there, whatever `existing` says.
    """

    rules: AccountRules
    patterns: Sequence[str] = ("*",)
    existing: str = "skip"
    include_reserved: bool = False
    databases: Collection[str] | None = None
    object_grants_for: Collection[str] | None = None

    def __post_init__(self) -> None:
        if self.existing not in POLICIES:
            raise InvalidOption(f"existing is {self.existing!r}; use one of {', '.join(POLICIES)}")

    def wants(self, statement: Mapping[str, Any]) -> bool:
        """Tell whether a statement belongs to this pass and these databases."""
        if self.object_grants_for is not None:
            if statement.get("dead"):
                return False
            return statement["kind"] in _SECOND_PASS and statement["database"] in self.object_grants_for
        return self.concerns(statement)

    def concerns(self, statement: Mapping[str, Any]) -> bool:
        """Tell whether a statement is about the instance or about one of the databases."""
        databases = (None,) if self.databases is None else self.databases
        return any(concerns(statement, database, self.rules) for database in databases)


@dataclass(frozen=True)
class AccountPlan:
    """What becomes of one account; `action` is create, update, unchanged, skip or fail."""

    account: Mapping[str, Any]
    action: str
    reason: str
    statements: Sequence[Mapping[str, Any]] = ()  # still to be carried out, in the words of the backup
    beside: int = 0  # statements that only the server's account has; they are left as they are

    @property
    def name(self) -> str:
        return full_name(self.account)


@dataclass(frozen=True)
class Plan:
    """All of it. `waiting` are statements whose database or object is not there yet, each with what it needs."""

    accounts: list[AccountPlan]
    steps: list[Step] = field(default_factory=list)
    waiting: list[tuple[str | None, str, str]] = field(default_factory=list)  # account, SQL, what it needs
    refused: list[tuple[str | None, str]] = field(default_factory=list)  # account, and which statement and why


def make_plan(document: Mapping[str, Any], fresh: Mapping[str, Any], target: AccountTarget, choice: Choice) -> Plan:
    """Compare the backup's document with a fresh export and say what has to be done.

    Raises `SelectionError` for a pattern that meets no account, and `RestoreRefused` for an existing account that
    differs where `existing` is fail.
    """
    comparison = choice.rules.comparison(document, fresh)
    there = {key_of(account): account for account in fresh["accounts"]}
    plan = Plan([_account(account, there, comparison, target, choice) for account in _chosen(document, choice)])
    differing = [entry.name for entry in plan.accounts if entry.action == "refuse"]
    if differing:
        raise RestoreRefused(
            f"{len(differing)} accounts are there already and differ from the backup: {', '.join(differing[:10])}; "
            "nothing was changed; set existing to update or skip, or name other accounts"
        )
    acting = [entry for entry in plan.accounts if entry.action in ("create", "update")]
    if comparison.without_passwords and choice.existing == "update":
        target.warnings.append(
            "accounts that are there already keep their passwords: this login, or that of the backup, cannot read them"
        )
    for kind in _ORDER:
        for entry in acting:
            wanted = [statement for statement in entry.statements if statement["kind"] == kind]
            if kind == "identity" and wanted and entry.action == "update":
                found = there[key_of(entry.account)]["statements"]
                identity = [statement for statement in entry.account["statements"] if statement["kind"] == kind]
                keep = comparison.without_passwords
                _add_steps(plan, target.update(entry.name, identity, found, keep=keep), entry.account, choice.rules)
                continue
            for statement in wanted:
                _add(plan, target, entry.name, statement)
    _add_of_instance(plan, document, fresh, comparison, target, choice)
    return plan


def _chosen(document: Mapping[str, Any], choice: Choice) -> list[Mapping[str, Any]]:
    accounts: list[Mapping[str, Any]] = document["accounts"]
    for pattern in choice.patterns:
        if pattern != "*" and not any(covers((pattern,), account) for account in accounts):
            raise SelectionError(
                f"no account of the backup is called {pattern!r}; there are: "
                f"{', '.join(full_name(account) for account in accounts[:30]) or 'none at all'}"
            )
    return [account for account in accounts if covers(choice.patterns, account)]


def _refused(account: Mapping[str, Any], found: Mapping[str, Any] | None, rules: AccountRules) -> str | None:
    """Name the first statement that is not about this account alone; what the server itself says of it may stay."""
    known = set() if found is None else {statement["sql"] for statement in found["statements"]}
    for statement in account["statements"]:
        why = None if statement["sql"] in known else rules.refusal(account, statement)
        if why is not None:
            return refused_text(statement["sql"], why)
    return None


def _add_steps(plan: Plan, steps: Sequence[Step], account: Mapping[str, Any], rules: AccountRules) -> None:
    """Add statements that were made of others, unless they have become something else."""
    for step in steps:
        why = rules.refusal(account, {"kind": step.kind, "sql": step.sql, "database": None})
        if why is None:
            plan.steps.append(step)
        else:
            plan.refused.append((step.account, refused_text(step.sql, why)))


def _account(
    account: Mapping[str, Any],
    there: Mapping[Any, Any],
    comparison: AccountComparison,
    target: AccountTarget,
    choice: Choice,
) -> AccountPlan:
    """Plan an account, and give it up when its block holds what no export writes about it: no part of that is run."""
    found = there.get(key_of(account))
    protected = _protection(account, found, target)
    if protected and not (choice.include_reserved or names(choice.patterns, account)):
        return AccountPlan(account, "skip", protected)
    wanted = [statement for statement in account["statements"] if choice.wants(statement)]
    if found is None and choice.object_grants_for is not None:
        return _second_pass(account, found, wanted, comparison)
    refused = _refused(account, found, choice.rules)
    if refused is None:
        entry = _wanted(account, found, wanted, comparison, target, choice)
        if entry.action != "create" or choice.rules.begins_with_making(account):
            return entry
        refused = "it does not begin with the statement that makes the account"
    return AccountPlan(account, "fail", f"its block was refused, and nothing of it was carried out: {refused}")


def _wanted(
    account: Mapping[str, Any],
    found: Mapping[str, Any] | None,
    wanted: Sequence[Mapping[str, Any]],
    comparison: AccountComparison,
    target: AccountTarget,
    choice: Choice,
) -> AccountPlan:
    if choice.object_grants_for is not None:
        return _second_pass(account, found, wanted, comparison)
    if found is None:
        return _new(account, wanted, target)
    return _existing(account, found, wanted, comparison, target, choice)


def _second_pass(
    account: Mapping[str, Any],
    found: Mapping[str, Any] | None,
    wanted: Sequence[Mapping[str, Any]],
    comparison: AccountComparison,
) -> AccountPlan:
    if found is None:
        return AccountPlan(account, "skip", "it is not there, so it gets no rights on objects")
    absent = comparison.absent(wanted, found["statements"])
    return AccountPlan(account, "update" if absent else "unchanged", "rights on objects", absent)


def _new(account: Mapping[str, Any], wanted: Sequence[Mapping[str, Any]], target: AccountTarget) -> AccountPlan:
    if not wanted:
        return AccountPlan(account, "unchanged", "nothing of it is about these databases")
    problem = target.problem(account)
    if problem:
        return AccountPlan(account, "fail", problem)
    return AccountPlan(account, "create", "it is not there", wanted)


def _existing(
    account: Mapping[str, Any],
    found: Mapping[str, Any],
    wanted: Sequence[Mapping[str, Any]],
    comparison: AccountComparison,
    target: AccountTarget,
    choice: Choice,
) -> AccountPlan:
    absent = comparison.absent(wanted, found["statements"])
    beside = len(comparison.absent(found["statements"], account["statements"]))
    if not absent:
        return AccountPlan(account, "unchanged", "it is there as in the backup", beside=beside)
    differs = f"it is there and lacks {len(absent)} statements of the backup"
    if choice.existing == "update":
        problem = target.problem(account)
        if problem:
            return AccountPlan(account, "fail", problem)
        return AccountPlan(account, "update", differs, absent, beside)
    # Only waiting for objects that are not there yet is no difference.
    waits = all(target.waits_for(statement) for statement in absent)
    if choice.existing == "fail" and not waits:
        return AccountPlan(account, "refuse", differs)
    return AccountPlan(account, "skip", f"{differs}; existing is {choice.existing}", beside=beside)


def _protection(account: Mapping[str, Any], found: Mapping[str, Any] | None, target: AccountTarget) -> str | None:
    if account["reserved"]:
        return "it is the server's own; name it to restore it"
    if found is not None and found["reserved"]:
        return "here it is the server's own; name it to restore it"
    if full_name(account) == target.login:
        return "it is the login in use; name it to restore it"
    return None


def _add(plan: Plan, target: AccountTarget, name: str | None, statement: Mapping[str, Any]) -> None:
    needed = target.waits_for(statement)
    if needed:
        plan.waiting.append((name, str(statement["sql"]), needed))
    else:
        plan.steps.append(target.step(name, statement))


def _add_of_instance(
    plan: Plan,
    document: Mapping[str, Any],
    fresh: Mapping[str, Any],
    comparison: AccountComparison,
    target: AccountTarget,
    choice: Choice,
) -> None:
    """Settings of roles in databases go with their role, unless it is left alone; rights of everybody with `*`."""
    excluded = ("skip", "fail") if choice.object_grants_for is None else ("fail",)
    handled = {entry.name for entry in plan.accounts if entry.action not in excluded}
    known = {statement["sql"] for statement in fresh["instance"]}
    wanted = []
    for statement in document["instance"]:
        role = target.role_of(statement)
        chosen = role in handled if role is not None else "*" in choice.patterns
        if statement["kind"] in _OF_INSTANCE and chosen and choice.wants(statement):
            why = choice.rules.instance_refusal(statement)
            if why is None:
                wanted.append(statement)
            elif statement["sql"] not in known:
                plan.refused.append((role, f"this is not carried out: {refused_text(statement['sql'], why)}"))
    for statement in comparison.absent(wanted, fresh["instance"]):
        _add(plan, target, target.role_of(statement), statement)
