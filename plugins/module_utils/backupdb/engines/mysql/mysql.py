# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine for MySQL: what it has otherwise than MariaDB; the work itself is in the mysql_*.py files.

Sources: MySQL manual "Privileges Provided by MySQL", "SHOW BINARY LOG STATUS", "mysqldump", "Partial Revokes".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from ...connection.drivers import verification_bundle
from ...errors import QueryFailed
from ..interface import (
    AccountsExport,
    ArchiveSource,
    Client,
    Database,
    DumpOptions,
    LoadReport,
    MissingPrivilege,
    RestoreOptions,
    ServerFacts,
    Snapshot,
)
from .accounts_export import export_accounts as export
from .backup_login import MysqlLoginKeeper
from .clients import find_clients
from .commands import option_value
from .facts import list_databases, read_facts
from .family import COMMON_SETTINGS, DEFAULT_PORT, DRIVER, SYSTEM_DATABASES, Family, Right, detect
from .grants import Grants
from .privileges import missing_privileges as find_missing_privileges
from .restore.checks import find_problems
from .restore.database import (
    create_database,
    drop_database,
    find_restore_clients,
    finish_database,
    replace_problems,
    swap,
)
from .restore.load import load_parts
from .restore.references import qualified_references
from .snapshot import take

if TYPE_CHECKING:
    from ...connection.instance import Instance
    from ...connection.server import Server
    from ...streams.pipeline import Limits
    from ..login_interface import LoginKeeper, WantedLogin

__all__ = [
    "DATA_DIRECTORY_QUERY",
    "DEFAULT_DATABASE",
    "DEFAULT_PORT",
    "DRIVER",
    "SWAPS",
    "SYSTEM_DATABASES",
    "VENDORS",
    "backup_login",
    "clients",
    "create_database",
    "databases",
    "detect",
    "drop_database",
    "export_accounts",
    "facts",
    "finish_database",
    "load",
    "missing_privileges",
    "package_hint",
    "qualified_references",
    "replace_problems",
    "restore_clients",
    "restore_package_hint",
    "restore_problems",
    "snapshot",
    "swap",
]

VENDORS = ("mysql",)
DEFAULT_DATABASE: str | None = None
SWAPS = False  # a database has no other name to be given
DATA_DIRECTORY_QUERY = "SELECT @@datadir"

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


def facts(server: Server) -> ServerFacts:
    """Ask the server for its vendor, version, role and the settings that matter."""
    return read_facts(server, FAMILY)


def databases(server: Server, facts: ServerFacts) -> list[Database]:
    """List every database, system ones included, in the order of their names."""
    return list_databases(server)


def missing_privileges(
    server: Server, facts: ServerFacts, databases: Sequence[Database], options: DumpOptions
) -> list[MissingPrivilege]:
    """Say which rights the login lacks for these databases and options."""
    return find_missing_privileges(server, facts, databases, options, family=FAMILY)


def clients(facts: ServerFacts, options: DumpOptions) -> list[Client]:
    """Look at every installed dump client; the one to use is the first with `usable`."""
    return find_clients(facts, family=FAMILY)


def package_hint(facts: ServerFacts) -> str:
    """Name the package that brings a usable client."""
    series = ".".join(str(part) for part in facts.version_number[:2])
    return (
        f"Oracle's mysqldump {series} or newer: mysql-client (Ubuntu), mysql (EL) or mysql-community-client"
        " (from MySQL's own repositories); Debian's default-mysql-client is MariaDB's"
    )


def snapshot(
    server: Server,
    facts: ServerFacts,
    client: Client,
    database: Database,
    options: DumpOptions,
    missing: Sequence[MissingPrivilege],
) -> AbstractContextManager[Snapshot]:
    """Take the moment, plan the dump, and hold the moment until the context is left."""
    return take(server, client, database, options, missing, family=FAMILY)


def export_accounts(server: Server, facts: ServerFacts, client: Client) -> AccountsExport:
    """Export users, roles and grants."""
    return export(server, facts, family=FAMILY)


def backup_login(server: Server, facts: ServerFacts, wanted: WantedLogin) -> LoginKeeper:
    """Give who makes, examines and removes the login that backups are made with."""
    return MysqlLoginKeeper(server, facts, wanted, family=FAMILY)


def restore_clients(facts: ServerFacts, manifest: Mapping[str, Any]) -> list[Client]:
    """Look at every installed client that can restore; the one to use is the first with `usable`."""
    return find_restore_clients(facts, family=FAMILY)


def restore_package_hint(facts: ServerFacts, manifest: Mapping[str, Any]) -> str:
    """Name the package that brings a usable restore client: the same that brings the dump client."""
    return package_hint(facts)


def restore_problems(
    server: Server, facts: ServerFacts, manifest: Mapping[str, Any], target: str, options: RestoreOptions
) -> tuple[list[str], list[MissingPrivilege], list[str]]:
    """Say what forbids the restore, which rights lack, and what to be warned of."""
    return find_problems(server, facts, manifest, target, options, family=FAMILY)


def load(
    server: Server,
    facts: ServerFacts,
    client: Client,
    name: str,
    sources: Sequence[ArchiveSource],
    manifest: Mapping[str, Any],
    options: RestoreOptions,
    limits: Limits,
) -> LoadReport:
    """Load all parts in their order; raises `RestoreFailed` at the first error before or in the data."""
    return load_parts(server, facts, client, name, sources, manifest, options, limits, family=FAMILY)


def _lock_right(version: tuple[int, ...]) -> Right:
    """Name the smaller right where there is one: RELOAD also lets a login throw the binary logs away."""
    return Right(names=("RELOAD", "FLUSH_TABLES"), grant="FLUSH_TABLES" if version >= (8, 0, 23) else "RELOAD")


def _coordinates_right(version: tuple[int, ...]) -> Right:
    return Right(names=("REPLICATION CLIENT", "SUPER"), grant="REPLICATION CLIENT")


def _definer_right(version: tuple[int, ...]) -> Right:
    if version >= (8, 2):
        return Right(names=("SET_ANY_DEFINER", "SUPER"), grant="SET_ANY_DEFINER")
    name = "SET_USER_ID" if version >= (8,) else "SUPER"
    return Right(names=(name, "SUPER"), grant=name)


def _missing_routine_right(version: tuple[int, ...], grants: Grants, database: str) -> str | None:
    """Return what to grant so that the bodies of others' routines are seen, or None when they are.

    Before 8.0 they stand in mysql.proc; 8.0.20 brought a right of its own.
    """
    if version < (8,):
        return None if grants.has_on_table("SELECT", "mysql", "proc") else "SELECT ON `mysql`.`proc`"
    if grants.has_global("SHOW_ROUTINE") or grants.has_global("SELECT"):
        return None
    return "SHOW_ROUTINE ON *.*" if version >= (8, 0, 20) else "SELECT ON *.*"


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


def _client_fits(vendor: str, version: tuple[int, ...], server: tuple[int, ...]) -> tuple[bool, str]:
    if vendor != "mysql":
        return False, "it is MariaDB's client, which does not know MySQL's accounts, functional indexes and more"
    if version[:2] == server[:2]:
        return True, "it is of the server's own series"
    if version < server:
        return False, "it is older than the server and does not know all of its objects"
    return True, "it is newer than the server"


def _grants_statement(server: Server) -> str:
    roles = server.value("SELECT CURRENT_ROLE()") if _knows_roles(server) else "NONE"
    return "SHOW GRANTS" if roles in (None, "NONE") else f"SHOW GRANTS FOR CURRENT_USER() USING {roles}"


def _knows_roles(server: Server) -> bool:
    return int(str(server.value("SELECT @@version")).split(".", maxsplit=1)[0]) >= 8


def _literal_database_grants(server: Server) -> bool:
    try:
        return server.value("SELECT @@GLOBAL.partial_revokes") in (1, "ON")
    except QueryFailed:
        return False  # before 8.0.16


FAMILY = Family(
    vendor="mysql",
    dump_programs=("mysqldump",),
    restore_programs=("mysql",),
    settings=(
        *COMMON_SETTINGS,
        "gtid_mode",
        "enforce_gtid_consistency",
        "gtid_executed",
        "explicit_defaults_for_timestamp",
    ),
    gtid_variable="gtid_executed",
    binlog_status=("SHOW BINARY LOG STATUS", "SHOW MASTER STATUS"),
    replica_status=("SHOW REPLICA STATUS", "SHOW SLAVE STATUS"),
    session_settings=("SET SESSION max_execution_time = 0",),
    lock_waits_for_long_statements=True,
    lock_right=_lock_right,
    coordinates_right=_coordinates_right,
    missing_routine_right=_missing_routine_right,
    tls_lines=_tls_lines,
    client_fits=_client_fits,
    grants_statement=_grants_statement,
    account_list=(_ACCOUNTS_AND_ROLES, _ACCOUNTS),
    account_session=("SET SESSION print_identified_with_as_hex = ON",),
    literal_database_grants=_literal_database_grants,
    restore_session=(),
    definer_right=_definer_right,
    protected_accounts="SELECT CONCAT(user, '@', host) FROM mysql.global_grants WHERE priv = 'SYSTEM_USER'",
    trusted_creators=("SUPER",),
)
