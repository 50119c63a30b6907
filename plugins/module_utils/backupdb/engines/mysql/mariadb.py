# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB: only how it differs from MySQL.

Sources: MariaDB documentation "GRANT", "SHOW BINLOG STATUS", "SHOW ALL REPLICAS STATUS", "mariadb-dump".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from ...connection.drivers import TLS_VERIFIED, verification_bundle
from ...connection.instance import Instance
from .base import MysqlBase
from .commands import option_value
from .drill import MysqlFamilyDrill
from .family import MysqlFamily, comment_version, compared_with_server
from .grants import Grants, Right
from .password_hashes import NATIVE_PLUGIN, native_hash
from .server_program import MariadbProgram
from .statements import quoted_text


def _tls_lines(instance: Instance, known: frozenset[str]) -> Sequence[str]:
    """Write the TLS lines of the option file. Verifying always includes the host name in this client."""
    if instance.unix_socket or instance.ssl_mode == "disable":
        return ("skip-ssl",)
    bundle = verification_bundle(instance)
    files = {"ssl-ca": bundle, "ssl-cert": instance.client_cert, "ssl-key": instance.client_key}
    return (
        *(("ssl",) if instance.ssl_mode != "prefer" else ()),
        # From 11.4 on the client verifies unless it is told not to.
        "ssl-verify-server-cert" if instance.ssl_mode in TLS_VERIFIED else "skip-ssl-verify-server-cert",
        *(f"{name}={option_value(path)}" for name, path in files.items() if path),
    )


class MariadbDrill(MysqlFamilyDrill):
    """Drills of MariaDB."""

    SERVER_BYTES = 256 << 20
    PROGRAM = MariadbProgram()
    tls_lines = staticmethod(_tls_lines)


class MariadbEngine(MysqlBase):
    """MariaDB, as servers say that they are it."""

    VENDOR = "mariadb"
    DRILL = MariadbDrill()
    SETTINGS = (
        *MysqlFamily.SETTINGS,
        "gtid_domain_id",
        "gtid_strict_mode",
        "gtid_current_pos",
        "system_versioning_alter_history",
    )
    DUMP_PROGRAMS = ("mariadb-dump", "mysqldump")
    RESTORE_PROGRAMS = ("mariadb", "mysql")
    GTID_VARIABLE = "gtid_binlog_pos"
    BINLOG_STATUS = ("SHOW BINLOG STATUS", "SHOW MASTER STATUS")
    REPLICA_STATUS = ("SHOW ALL REPLICAS STATUS", "SHOW ALL SLAVES STATUS")
    SESSION_SETTINGS = (
        "max_statement_time = 0",
        "idle_transaction_timeout = 0",
        "idle_readonly_transaction_timeout = 0",
    )
    LOAD_SESSION = (
        *MysqlFamily.LOAD_SESSION,
        "SET SESSION max_statement_time = 0",
        "SET SESSION idle_transaction_timeout = 0",
        "SET SESSION check_constraint_checks = OFF",
        "SET SESSION enforce_storage_engine = NULL",
        "SET SESSION alter_algorithm = DEFAULT",
    )
    TRUSTED_CREATORS = ("SUPER", "BINLOG ADMIN")
    ACCOUNT_LIST = (
        "SELECT user AS name, host AS host, IF(is_role = 'Y', 'role', 'user') AS kind FROM mysql.user ORDER BY 3, 1, 2",
    )
    ACCOUNT_LIMITS = (*MysqlFamily.ACCOUNT_LIMITS, "MAX_STATEMENT_TIME")
    CREATOR_ADMINISTERS_ROLE = True
    VIEWS_NEED_EXECUTE = True
    SOCKET_PLUGIN = "unix_socket"
    LOAD_SOCKET_PLUGIN = "INSTALL SONAME 'auth_socket';"
    SOCKET_CLAUSE = f"IDENTIFIED VIA {SOCKET_PLUGIN}"
    tls_lines = staticmethod(_tls_lines)

    _PLUGIN_LIBRARIES: ClassVar[Mapping[str, str]] = {
        "ed25519": "auth_ed25519",
        "pam": "auth_pam",
        "gssapi": "auth_gssapi",
        "parsec": "auth_parsec",
    }

    def package_hint(self) -> str:
        return "MariaDB's client: mariadb-client (Debian, Ubuntu), mariadb (EL)"

    def judge_dump_client(self, vendor: str, version: tuple[int, ...]) -> tuple[bool, str]:
        if vendor != self.VENDOR:
            return False, "it is MySQL's client, which does not know MariaDB's sequences and history rows"
        return True, compared_with_server(version, self.facts.version_number)

    def runs_comment(self, *, of_mariadb: bool, version: int) -> bool:
        """Those of MySQL from 5.7 on are for features that MariaDB has in another way, and are left out."""
        return version <= comment_version(self.facts.version_number) and (of_mariadb or not 50700 <= version <= 99999)

    def lock_right(self) -> Right:
        return Right("RELOAD")

    def coordinates_right(self) -> Right:
        return Right("BINLOG MONITOR" if self._splits_super() else "REPLICATION CLIENT", "SUPER")

    def definer_right(self) -> Right:
        return Right("SET USER" if self._splits_super() else "SUPER", "SUPER")

    def missing_routine_right(self, grants: Grants, database: str) -> str | None:
        """From 11.3 on there is a right of its own for it; the older way, reading mysql.proc, serves as well."""
        if grants.has_on_table("SELECT", "mysql", "proc"):
            return None
        if self.facts.version_number < (11, 3):
            return "SELECT ON `mysql`.`proc`"
        if grants.has_on_database("SHOW CREATE ROUTINE", database):
            return None
        return "SHOW CREATE ROUTINE ON {database}.*"

    def grants_statement(self) -> str:
        """In a fresh session it names the login's own grants, those of its default role and those of PUBLIC."""
        return "SHOW GRANTS"

    def password_clause(self, password: str) -> str:
        return f"IDENTIFIED VIA {NATIVE_PLUGIN} USING {quoted_text(native_hash(password))}"

    def plugin_advice(self, plugin: str) -> str:
        library = self._PLUGIN_LIBRARIES.get(plugin.lower())
        return f"INSTALL SONAME '{library}';" if library else "install and load it"

    def everybody(self) -> str | None:
        return "PUBLIC" if self.facts.version_number >= (10, 11) else None

    def _splits_super(self) -> bool:
        return self.facts.version_number >= (10, 5, 2)
