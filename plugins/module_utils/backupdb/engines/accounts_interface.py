# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What restoring, comparing and showing accounts asks of an engine, and the values it speaks in.

The statements of a stored document are the engine's own SQL; whoever reads or compares them asks the `AccountRules` of
the document's vendor.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol


@dataclass(frozen=True)
class Step:
    """One statement to carry out. `account` is None where it belongs to the whole instance."""

    account: str | None
    kind: str
    sql: str = field(repr=False)  # may hold the hash of a password
    if_refused: str | None = field(default=None, repr=False)  # tried when the server refuses `sql`
    warning: str | None = None  # what differs when `if_refused` was carried out


class AccountTarget(Protocol):
    """The server that accounts are restored into, as seen by the plan."""

    @property
    def login(self) -> str:
        """The account that we are logged in as, by its full name."""

    @property
    def warnings(self) -> list[str]:
        """What was met while statements were made; filled by the other functions."""

    def problem(self, account: Mapping[str, Any]) -> str | None:
        """Say why this account can never be made here; None where nothing speaks against it."""

    def waits_for(self, statement: Mapping[str, Any]) -> str | None:
        """Name the database or object that the statement needs and that is not there yet; None where all is there."""

    def step(self, account: str | None, statement: Mapping[str, Any]) -> Step:
        """Make the step that carries out a statement of an account that is new, or that needs no more care."""

    def update(
        self, account: str, identity: Sequence[Mapping[str, Any]], there: Sequence[Mapping[str, Any]], *, keep: bool
    ) -> list[Step]:
        """Make the steps that give an account that is `there` the identity of the backup.

        With `keep` the passwords are not to be touched, because the backup or the server does not show them.
        """

    def role_of(self, statement: Mapping[str, Any]) -> str | None:
        """Return the account that a statement of the whole instance is about; None for none."""

    def session(self) -> AbstractContextManager[Callable[[str], None]]:
        """Lend a session of its own as a function that carries out one statement; it raises `QueryFailed`."""

    def clean_up(self, created: Collection[str], document: Mapping[str, Any]) -> list[Step]:
        """Make the steps that take back what creating these accounts gave to the login by itself."""


class AccountComparison:
    """How the statements of two documents, a stored one and a fresh export, are made comparable."""

    def __init__(self, stored: Mapping[str, Any], fresh: Mapping[str, Any]) -> None:
        # An export that may not read the hashes says nothing about them.
        self.without_passwords = any(
            text.startswith("passwords of ") for document in (stored, fresh) for text in document["missing"]
        )

    def normal(self, statement: Mapping[str, Any]) -> str:
        """Return the statement as it is compared: without what differs between equal servers."""
        return str(statement["sql"])

    def absent(self, wanted: Sequence[Mapping[str, Any]], there: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Return those of the wanted statements that are not there."""
        known = {self.normal(statement) for statement in there}
        return [statement for statement in wanted if self.normal(statement) not in known]


class AccountRules(ABC):
    """How the statements of an account are read. One object for each engine, with no server of its own."""

    NAMES_HOSTS: ClassVar[bool] = False  # whether an account says from which host it may log in

    def comparison(self, stored: Mapping[str, Any], fresh: Mapping[str, Any]) -> AccountComparison:
        """Make what compares two documents of this vendor."""
        return AccountComparison(stored, fresh)

    @abstractmethod
    def authentication(self, identity: Sequence[str]) -> list[str]:
        """Name the ways in which the account with these identity statements logs in."""

    @abstractmethod
    def granted_roles(self, sql: str) -> list[str]:
        """Name the roles that a membership statement grants."""

    @abstractmethod
    def refusal(self, account: Mapping[str, Any], statement: Mapping[str, Any]) -> str | None:
        """Say why a statement of an account's block is none that an export writes about this account; None if it is.

        A document may be written by others: nothing of a block is carried out that was not looked at here.
        """

    def begins_with_making(self, account: Mapping[str, Any]) -> bool:
        """Tell whether the first identity statement of a block makes the account, so that it fails where one is there.

        Names that differ in a document may be one on the server, which cuts them off or takes another case for the
        same. When the account cannot be made, nothing else of its block is carried out.
        """
        identity = [str(one["sql"]) for one in account["statements"] if one["kind"] == "identity"]
        return bool(identity) and identity[0].startswith(("CREATE ROLE ", "CREATE USER "))

    @abstractmethod
    def instance_refusal(self, statement: Mapping[str, Any]) -> str | None:
        """Say the same of a statement about the whole instance."""

    def object_of(self, statement: Mapping[str, Any]) -> str | None:
        """Name the table that a right is on, without its database; None for all other statements."""
        return None

    def covers_database(self, granted_on: str, database: str) -> bool:
        """Tell whether a right that was granted on `granted_on` is one on this database."""
        return granted_on == database
