# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MySQL: only how it differs from MariaDB.

Sources: MySQL manual "Privileges Provided by MySQL", "SHOW BINARY LOG STATUS", "mysqldump", "Partial Revokes".
"""

from __future__ import annotations

from collections.abc import Sequence

from ...connection.drivers import verification_bundle
from ...connection.instance import Instance
from ...errors import QueryFailed
from .base import MysqlBase
from .commands import option_value
from .drill import MysqlFamilyDrill
from .family import MysqlFamily, comment_version, compared_with_server
from .grants import Grants, Right
from .password_hashes import CACHING_SHA2_PLUGIN, NATIVE_PLUGIN, caching_sha2_hash, native_hash
from .server_program import MysqlProgram
from .statements import quoted_text

# A role is an account like any other: one that was granted, or locked and without password as CREATE ROLE makes it.
_ACCOUNTS_AND_ROLES = """
    SELECT u.user AS name, u.host AS host,
           IF(EXISTS (SELECT 1 FROM mysql.role_edges e WHERE e.from_user = u.user AND e.from_host = u.host)
              OR (u.account_locked = 'Y' AND u.password_expired = 'Y' AND u.authentication_string = ''),
              'role', 'user') AS kind
      FROM mysql.user u ORDER BY 3, 1, 2"""
_ACCOUNTS = "SELECT user AS name, host AS host, 'user' AS kind FROM mysql.user ORDER BY 1, 2"  # before 8.0

_SSL_MODES = {
    "prefer": "PREFERRED",
    "disable": "DISABLED",
    "require": "REQUIRED",
    "verify_ca": "VERIFY_CA",
    "verify_full": "VERIFY_IDENTITY",
}


def _tls_lines(instance: Instance, known: frozenset[str]) -> Sequence[str]:
    """Write the TLS lines of the option file; without TLS, the password is sent under the server's RSA key."""
    plain = ("get-server-public-key",) if "get-server-public-key" in known else ()
    if instance.unix_socket or instance.ssl_mode == "disable":
        return ("ssl-mode=DISABLED", *plain)
    files = {
        "ssl-ca": verification_bundle(instance),
        "ssl-cert": instance.client_cert,
        "ssl-key": instance.client_key,
    }
    return (
        f"ssl-mode={_SSL_MODES[instance.ssl_mode]}",
        *(plain if instance.ssl_mode == "prefer" else ()),
        *(f"{name}={option_value(path)}" for name, path in files.items() if path),
    )


class MysqlDrill(MysqlFamilyDrill):
    """Drills of MySQL."""

    SERVER_BYTES = 384 << 20
    PROGRAM = MysqlProgram()
    tls_lines = staticmethod(_tls_lines)


class MysqlEngine(MysqlBase):
    """MySQL, and whatever takes itself for it, such as Percona Server."""

    VENDOR = "mysql"
    DRILL = MysqlDrill()
    SETTINGS = (
        *MysqlFamily.SETTINGS,
        "gtid_mode",
        "enforce_gtid_consistency",
        "gtid_executed",
        "explicit_defaults_for_timestamp",
    )
    DUMP_PROGRAMS = ("mysqldump",)
    RESTORE_PROGRAMS = ("mysql",)
    GTID_VARIABLE = "gtid_executed"
    BINLOG_STATUS = ("SHOW BINARY LOG STATUS", "SHOW MASTER STATUS")
    REPLICA_STATUS = ("SHOW REPLICA STATUS", "SHOW SLAVE STATUS")
    SESSION_SETTINGS = ("max_execution_time = 0",)
    SESSION_LISTS = (
        "SELECT id, user, db, command, time FROM performance_schema.processlist",  # since 8.0.22
        *MysqlFamily.SESSION_LISTS,
    )
    LOCK_WAITS_FOR_LONG_STATEMENTS = True
    LOAD_SESSION = (
        *MysqlFamily.LOAD_SESSION,
        "SET SESSION sql_require_primary_key = OFF",
        "SET SESSION sql_generate_invisible_primary_key = OFF",
        "SET SESSION restrict_fk_on_non_standard_key = OFF",
    )
    SESSION_SETTINGS_RIGHT = "SESSION_VARIABLES_ADMIN"
    PROTECTED_ACCOUNTS = "SELECT CONCAT(user, '@', host) FROM mysql.global_grants WHERE priv = 'SYSTEM_USER'"
    ACCOUNT_LIST = (_ACCOUNTS_AND_ROLES, _ACCOUNTS)
    ACCOUNT_SESSION = ("SET SESSION print_identified_with_as_hex = ON",)
    KEEPS_GRANT_OPTION_IN_MEMORY = True
    SOCKET_PLUGIN = "auth_socket"
    LOAD_SOCKET_PLUGIN = "INSTALL PLUGIN auth_socket SONAME 'auth_socket.so';"
    SOCKET_CLAUSE = f"IDENTIFIED WITH {SOCKET_PLUGIN}"
    tls_lines = staticmethod(_tls_lines)

    def package_hint(self) -> str:
        series = ".".join(str(part) for part in self.facts.version_number[:2])
        return (
            f"Oracle's mysqldump {series} or newer: mysql-client (Ubuntu), mysql (EL) or mysql-community-client"
            " (from MySQL's own repositories); Debian's default-mysql-client is MariaDB's"
        )

    def judge_dump_client(self, vendor: str, version: tuple[int, ...]) -> tuple[bool, str]:
        server = self.facts.version_number
        if vendor != self.VENDOR:
            return False, "it is MariaDB's client, which does not know MySQL's accounts, functional indexes and more"
        if version < server and version[:2] != server[:2]:
            return False, "it is older than the server and does not know all of its objects"
        return True, compared_with_server(version, server)

    def runs_comment(self, *, of_mariadb: bool, version: int) -> bool:
        return not of_mariadb and version <= comment_version(self.facts.version_number)

    def lock_right(self) -> Right:
        """Name the smaller right where there is one: RELOAD also lets a login throw the binary logs away."""
        if self.facts.version_number >= (8, 0, 23):
            return Right("FLUSH_TABLES", "RELOAD")
        return Right("RELOAD", "FLUSH_TABLES")

    def coordinates_right(self) -> Right:
        return Right("REPLICATION CLIENT", "SUPER")

    def definer_right(self) -> Right:
        if self.facts.version_number >= (8, 2):
            return Right("SET_ANY_DEFINER", "SUPER")
        return Right("SET_USER_ID" if self._is_modern() else "SUPER", "SUPER")

    def missing_routine_right(self, grants: Grants, database: str) -> str | None:
        """Before 8.0 the bodies stand in mysql.proc; 8.0.20 brought a right of its own."""
        if not self._is_modern():
            return None if grants.has_on_table("SELECT", "mysql", "proc") else "SELECT ON `mysql`.`proc`"
        if grants.has_global("SHOW_ROUTINE") or grants.has_global("SELECT"):
            return None
        return "SHOW_ROUTINE ON *.*" if self.facts.version_number >= (8, 0, 20) else "SELECT ON *.*"

    def grants_statement(self) -> str:
        roles = self.server.value("SELECT CURRENT_ROLE()") if self._is_modern() else "NONE"
        return "SHOW GRANTS" if roles in (None, "NONE") else f"SHOW GRANTS FOR CURRENT_USER() USING {roles}"

    def literal_database_grants(self) -> bool:
        try:
            return self.server.value("SELECT @@GLOBAL.partial_revokes") in (1, "ON")
        except QueryFailed:
            return False  # before 8.0.16

    def password_clause(self, password: str) -> str:
        if not self._is_modern():
            return f"IDENTIFIED WITH {NATIVE_PLUGIN} AS {quoted_text(native_hash(password))}"
        return f"IDENTIFIED WITH {CACHING_SHA2_PLUGIN} AS {quoted_text(caching_sha2_hash(password).decode())}"

    def failed_logins_clause(self) -> str | None:
        return "FAILED_LOGIN_ATTEMPTS 0 PASSWORD_LOCK_TIME 0" if self.facts.version_number >= (8, 0, 19) else None

    def _is_modern(self) -> bool:
        """Tell whether it is 8.0 or newer: with roles, dynamic rights and a dictionary of its own."""
        return self.facts.version_number >= (8,)
