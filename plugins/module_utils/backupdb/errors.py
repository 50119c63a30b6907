# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors of the library.

Contract: everything the library raises on purpose is a `BackupDbError`. It is raised where the fault is
understood and caught once, at the edge (a module, the command line) or where one database is isolated from
the others. The text says what happened, where, and what to do next, and never holds a secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

# Exit statuses of the command line for work that ended with an error.
FAILED = 2
CONFIGURATION = 3  # options, a job's file, or programs and libraries that are not installed
CREDENTIALS = 4  # a job's secrets are not there; a login that the server refuses is a failure
BUSY = 75  # another run is in progress; EX_TEMPFAIL of sysexits.h


class BackupDbError(Exception):
    """Root of all errors raised on purpose; `str()` of it is the message for the user.

    Results name the class of the error that ended the work as `error_kind`.
    """

    exit_status: ClassVar[int] = FAILED


class InvalidOption(BackupDbError):
    """An option has a value that cannot be used, or two options contradict each other."""

    exit_status = CONFIGURATION


class CredentialsMissing(BackupDbError):
    """A job's secrets are not there, cannot be read, or are not what they should be."""

    exit_status = CREDENTIALS


class RequirementMissing(BackupDbError):
    """A Python library that the work needs is not installed.

    `library` is the import name; the message names the packages to install.
    """

    exit_status = CONFIGURATION

    def __init__(self, message: str, *, library: str) -> None:
        super().__init__(message)
        self.library = library


class ClientMissing(BackupDbError):
    """No usable dump client is installed on this host; the message names the package."""

    exit_status = CONFIGURATION


class ConnectionFailed(BackupDbError):
    """The server cannot be reached or refuses the login.

    `kind` is one of: wrong_password, access_denied, unknown_host, refused, timeout, tls, no_socket,
    too_many_connections, starting_up, unknown_database, lost, other.
    """

    def __init__(self, message: str, *, kind: str = "other") -> None:
        super().__init__(message)
        self.kind = kind


class QueryFailed(BackupDbError):
    """The server refused a statement of ours; the message has the server's own words.

    `code` is the SQLSTATE (PostgreSQL) or the error number as text (MySQL, MariaDB), or "".
    """

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class PrivilegeMissing(BackupDbError):
    """The login lacks a right without which the backup would be silently incomplete."""


class LoginRefused(BackupDbError):
    """The account is not one that may be managed as the backup login, or must not be removed; nothing was done."""


class SelectionError(BackupDbError):
    """The databases asked for are not there, or nothing is selected."""


class CommandFailed(BackupDbError):
    """A program that we started ended badly: exit status, signal, fatal line or missing completion mark."""


class HookFailed(BackupDbError):
    """A hook of the user that had to succeed before the work did not, so the work was not begun."""


class SnapshotLost(BackupDbError):
    """The schema changed under the dump, so its snapshot no longer holds; trying again may succeed."""


class RunTimeout(BackupDbError):
    """The time that the user allowed has passed."""


class Interrupted(BackupDbError):
    """The run was asked to stop (SIGTERM, SIGINT, SIGHUP)."""


class LockBusy(BackupDbError):
    """Another run holds the lock of this instance and repository."""

    exit_status = BUSY


class Postponed(BackupDbError):
    """The work may not begin at this time of the day; nothing was done."""

    exit_status = BUSY


class NotEnoughSpace(BackupDbError):
    """The repository's filesystem is, or would become, full."""


class SystemRefused(BackupDbError):
    """The operating system refused what the work needs, such as one more open file; the message has its words."""


class RepositoryError(BackupDbError):
    """The repository is missing, not writable, or holds something that does not belong there."""


class RepositoryMissing(RepositoryError):
    """There is no repository where one should be: nobody made it, or its filesystem is not mounted."""


class ManifestDamaged(RepositoryError):
    """A manifest cannot be read, or is not one of ours."""


class StoreError(RepositoryError):
    """A store of copies cannot do what was asked; trying the same again does not help."""


class StoreRefused(StoreError):
    """A store refuses a right, a key or a host; the message says what to change."""


class StoreFull(StoreError):
    """A store has no room; nothing more can be sent until there is some."""


class StoreUnavailable(StoreError):
    """A store gives no answer, or says that it is busy; trying again may succeed."""


class ArchiveDamaged(BackupDbError):
    """Stored bytes are not what was written: truncated, altered or not of the expected format."""


class WrongKey(BackupDbError):
    """None of the given identities or passphrases opens the archive."""


class SignatureRefused(BackupDbError):
    """A signature is demanded, and the backup is unsigned, not as it was signed, or signed by another key."""


class BackupNotFound(BackupDbError):
    """No backup is what was asked for; the message says what there is instead."""


class RetentionRefused(BackupDbError):
    """Removing old backups of a database would not be safe, so none of its backups is removed."""


class RestoreRefused(BackupDbError):
    """The restore would harm or be incomplete, and nothing was done; the message says what would allow it."""


class RestoreFailed(BackupDbError):
    """The restore stopped on the way; the message has the server's own words and what is in place now."""


class RestoreUnknown(RestoreFailed):
    """The server gave no answer when a restored database was to take its place; the message has both possibilities."""


class RunLost(BackupDbError):
    """A detached run ended without a result: its process was killed or its host restarted."""


class RunUnknown(RunLost):
    """This host has no trace of the detached run."""


class NotificationFailed(BackupDbError):
    """A message did not reach its recipient; `temporary` says that trying again may succeed."""

    def __init__(self, message: str, *, temporary: bool = False) -> None:
        super().__init__(message)
        self.temporary = temporary


def exit_status_of(error_kind: str) -> int:
    """Return the exit status of the class that a result names as its `error_kind`."""
    return next((kind.exit_status for kind in _kinds(BackupDbError) if kind.__name__ == error_kind), FAILED)


def _kinds(root: type[BackupDbError]) -> Iterator[type[BackupDbError]]:
    yield root
    for kind in root.__subclasses__():
        yield from _kinds(kind)
