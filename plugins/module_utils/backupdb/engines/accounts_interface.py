# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore of accounts asks of an engine, and the values it speaks in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Step:
    """One statement to carry out. `account` is None where it belongs to the whole instance."""

    account: str | None
    kind: str
    sql: str = field(repr=False)  # may hold the hash of a password
    instead: str | None = field(default=None, repr=False)  # tried when the server refuses `sql`
    warning: str | None = None  # what differs when `instead` was carried out


class Target(Protocol):
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
