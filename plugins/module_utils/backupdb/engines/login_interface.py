# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What managing the backup login asks of an engine, and the values it speaks in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

from ..connection.server import Server
from ..errors import ConnectionFailed, QueryFailed
from ..system.acting_as import can_act_as

PASSWORD = "password"  # noqa: S105  a way to log in, not a secret
SOCKET = "socket"  # by the operating system's user of the same name: peer, unix_socket, auth_socket


@dataclass(frozen=True)
class WantedLogin:
    """The login as requested.

    `host` is from where it may log in; PostgreSQL says that in pg_hba.conf instead. The last three are about rights of
    MySQL and MariaDB that let it change something beside; a backup does without them, but is less.
    """

    name: str
    host: str = "localhost"
    auth: str = PASSWORD
    password: str | None = field(default=None, repr=False)
    triggers: bool = True
    events: bool = True
    read_lock: bool = True


@dataclass(frozen=True)
class Step:
    """One statement for the administrator to carry out, in a database where that matters.

    `if_refused` makes a refusal bearable: it is what to warn of when the server does not let us.
    """

    sql: str = field(repr=False)  # may hold the hash of a password
    database: str | None = None
    if_refused: str | None = None


@dataclass(frozen=True)
class RequiredPrivilege:
    """Something that the login lacks, and the steps that give it."""

    what: str
    steps: Sequence[Step]


@dataclass(frozen=True)
class ExcessPrivilege:
    """A right beyond those that a backup needs.

    `steps` is empty where taking it away would change more than this login. `writes`: it lets the login change
    something, or it cannot be told that it does not.
    """

    what: str
    writes: bool
    steps: Sequence[Step] = ()
    advice: str | None = None  # how to mend it where there are no steps


@dataclass(frozen=True)
class LoginState:
    """The login as it is."""

    exists: bool
    needs: Sequence[RequiredPrivilege] = ()
    surplus: Sequence[ExcessPrivilege] = ()
    warnings: Sequence[str] = ()


@dataclass(frozen=True)
class Attempt:
    """One attempt to write as the login. `refused` is None where it failed for another reason than a missing right."""

    statement: str
    database: str | None
    refused: bool | None
    said: str  # the server's words, "" when it was carried out


@dataclass(frozen=True)
class WriteProbe:
    """All attempts, and how they were made: as whom, or why there are none."""

    attempts: Sequence[Attempt]
    how: str
    warnings: Sequence[str] = ()


class LoginManager(Protocol):
    """The server, as seen by who manages its backup login."""

    @property
    def account(self) -> str:
        """The login's full name, for messages."""

    @property
    def rights_needed(self) -> str:
        """What the administrator's login needs, for a refusal's message."""

    def protected(self) -> str | None:
        """Say why this account must not be managed; None for an ordinary one."""

    def look(self) -> LoginState:
        """See what the login is, lacks, and has beyond what it needs; changes nothing."""

    def removal(self) -> Sequence[Step]:
        """Make the steps that remove the login; raises `LoginRefused` where something else would go with it."""

    def session(self, database: str | None) -> AbstractContextManager[Callable[[str], None]]:
        """Lend a session of the administrator as a function that carries out one statement; raises `QueryFailed`."""

    def is_refusal(self, error: QueryFailed) -> bool:
        """Tell whether the server refused a statement because the administrator's login may not do that."""

    def try_to_write(self, state: LoginState) -> WriteProbe:
        """Try to write as the login. What should succeed is rolled back or touches no row."""


@contextmanager
def logged_in(server: Server, wanted: WantedLogin) -> Iterator[Server]:
    """Log in as the backup login at the administrator's endpoint; raises `ConnectionFailed` where that does not work.

    By the socket that takes root, or the user himself.
    """
    instance = server.instance
    by_socket = wanted.auth == SOCKET
    if by_socket and not (instance.unix_socket and can_act_as(wanted.name)):
        raise ConnectionFailed(
            f"only root can log in through the socket as the operating system's user {wanted.name}, if there is one"
        )
    login = replace(
        instance,
        user=wanted.name,
        password=None if by_socket else wanted.password,
        system_user=wanted.name if by_socket else None,
    )
    with server.like(login) as own:
        own.value("SELECT 1")
        yield own
