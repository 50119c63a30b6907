# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between MySQL and MariaDB, by name: the class that both engines fill in.

The other files of this folder take an engine of this class and ask it, never the vendor's name. Where several
statements stand in a row the first that works is used: versions renamed them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from ...connection.instance import Instance
from ..interface import Engine
from .accounts_rules import MysqlAccountRules
from .driver import PyMysql
from .grants import Grants, Right


class MysqlFamily(Engine):
    """An engine of this family; what the two have in common is in base.py."""

    DRIVER = PyMysql()
    ACCOUNTS = MysqlAccountRules()
    SOCKET_ADMINISTRATOR = "root"
    SYSTEM_DATABASES: ClassVar[Mapping[str, str]] = {
        "mysql": "the server's own tables; users, roles and grants are exported as accounts",
        "information_schema": "views over the server's memory, nothing is stored in it",
        "performance_schema": "measurements of the running server, nothing is stored in it",
        "sys": "views over performance_schema that the server makes itself",
    }
    DATA_DIRECTORY_QUERY = "SELECT @@datadir"

    # Global variables that a restore or a drill server must match, or should know. They go into the manifest, but for
    # those that a version does not know.
    SETTINGS: ClassVar[Sequence[str]] = (
        "max_allowed_packet",
        "lower_case_table_names",
        "sql_mode",
        "character_set_server",
        "collation_server",
        "time_zone",
        "system_time_zone",
        "innodb_page_size",
        "innodb_default_row_format",
        "innodb_strict_mode",
        "log_bin",
        "log_bin_trust_function_creators",
        "default_storage_engine",
        "event_scheduler",
        "default_authentication_plugin",
        "read_only",
    )

    # Client programs, by the names under which they are installed

    DUMP_PROGRAMS: ClassVar[Sequence[str]]
    RESTORE_PROGRAMS: ClassVar[Sequence[str]]

    @abstractmethod
    def judge_dump_client(self, vendor: str, version: tuple[int, ...]) -> tuple[bool, str]:
        """Tell whether a dump client may be used for this server, and why, or why not."""

    def judge_restore_client(self, vendor: str, version: tuple[int, ...]) -> tuple[bool, str]:
        """Tell the same of a restore client: any version of the server's own vendor can pass the statements on."""
        if vendor != self.VENDOR:
            return False, f"it is not {self.VENDOR}'s client and may not be able to log in"
        return True, compared_with_server(version, self.facts.version_number)

    @staticmethod
    @abstractmethod
    def tls_lines(instance: Instance, known: frozenset[str]) -> Sequence[str]:
        """Write the TLS lines of a client's option file; `known` are the client's options."""

    # Snapshots

    GTID_VARIABLE: ClassVar[str]
    BINLOG_STATUS: ClassVar[Sequence[str]]
    REPLICA_STATUS: ClassVar[Sequence[str]]
    SESSION_SETTINGS: ClassVar[Sequence[str]]  # "name = value": no time limits; versions know some of them
    # List the sessions without their statements. One that lists none is switched off, and the next one is asked.
    SESSION_LISTS: ClassVar[Sequence[str]] = ("SELECT id, user, db, command, time FROM information_schema.processlist",)
    # Whether a waiting FLUSH TABLES stalls everybody who uses the tables of a long statement.
    LOCK_WAITS_FOR_LONG_STATEMENTS: ClassVar[bool] = False

    # Rights

    @abstractmethod
    def lock_right(self) -> Right:
        """Return the right to take the global read lock."""

    @abstractmethod
    def coordinates_right(self) -> Right:
        """Return the right to read the binary log's position."""

    @abstractmethod
    def definer_right(self) -> Right:
        """Return the right to define views and programs in the name of another account."""

    @abstractmethod
    def missing_routine_right(self, grants: Grants, database: str) -> str | None:
        """Return what to grant so that the bodies of others' routines are seen, or None when they are.

        "{database}" in it stands for the quoted database.
        """

    @abstractmethod
    def grants_statement(self) -> str:
        """Return the statement that lists the rights that a new session of the login has."""

    @abstractmethod
    def runs_comment(self, *, of_mariadb: bool, version: int) -> bool:
        """Tell whether the server runs what stands in `/*!version ... */`, or in `/*M!version ... */`."""

    # Whether the columns of a view are shown only to those who may execute the functions that it calls.
    VIEWS_NEED_EXECUTE: ClassVar[bool] = False

    def literal_database_grants(self) -> bool:
        """Tell whether "_" and "%" in a database grant are characters, not wildcards."""
        return False

    # Accounts

    ACCOUNT_LIST: ClassVar[Sequence[str]]  # columns name, host, kind (user or role)
    ACCOUNT_SESSION: ClassVar[Sequence[str]] = ()  # settings for SHOW CREATE USER
    ACCOUNT_LIMITS: ClassVar[Sequence[str]] = (
        "MAX_QUERIES_PER_HOUR",
        "MAX_UPDATES_PER_HOUR",
        "MAX_CONNECTIONS_PER_HOUR",
        "MAX_USER_CONNECTIONS",
    )
    CREATOR_ADMINISTERS_ROLE: ClassVar[bool] = False  # whoever creates a role can grant it from then on
    # Whether dynamic rights keep a GRANT OPTION that was taken away until the tables of grants are read again.
    KEEPS_GRANT_OPTION_IN_MEMORY: ClassVar[bool] = False
    SOCKET_PLUGIN: ClassVar[str]  # logs a user of the operating system in
    LOAD_SOCKET_PLUGIN: ClassVar[str]
    SOCKET_CLAUSE: ClassVar[str]  # of CREATE USER

    @abstractmethod
    def password_clause(self, password: str) -> str:
        """Write the clause of CREATE USER for a login by this password, as its hash."""

    def plugin_advice(self, plugin: str) -> str:
        """Say how the server comes to an authentication plugin that it does not have."""
        return "load it"

    def failed_logins_clause(self) -> str | None:
        """Return the clause of ALTER USER that lifts the limit of failed logins; None where there is no such limit."""
        return None

    def everybody(self) -> str | None:
        """Name the role that every account has the rights of; None where there is none."""
        return None

    # Restores

    # For the sessions that load a backup: no limits, and none of the checks that the source may not have made, since
    # what was there must come back. A statement that a version or the login's rights do not allow is left out.
    LOAD_SESSION: ClassVar[Sequence[str]] = (
        "SET SESSION TRANSACTION READ WRITE",
        "SET SESSION autocommit = ON",
        "SET SESSION wait_timeout = 2147483",
        "SET SESSION net_read_timeout = 86400",
        "SET SESSION innodb_strict_mode = OFF",
    )
    SESSION_SETTINGS_RIGHT: ClassVar[str | None] = None  # without it some of them cannot be set
    PROTECTED_ACCOUNTS: ClassVar[str | None] = None  # lists the definers that only a holder of SYSTEM_USER may set
    TRUSTED_CREATORS: ClassVar[Sequence[str]] = ("SUPER",)  # rights to make functions while a binary log is written


def comment_version(version: tuple[int, ...]) -> int:
    """Write a server's version as conditional comments have it: 10.11.6 is 101106."""
    major, minor, patch = (*version, 0, 0)[:3]
    return major * 10000 + minor * 100 + patch


def compared_with_server(version: tuple[int, ...], server: tuple[int, ...]) -> str:
    """Say how a client's version stands to the server's."""
    if version[:2] == server[:2]:
        return "it is of the server's own series"
    return "it is newer than the server" if version > server else "it is older than the server"
