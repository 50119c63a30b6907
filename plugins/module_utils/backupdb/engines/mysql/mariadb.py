# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine for MariaDB: what it has otherwise than MySQL; the work itself is in the mysql_*.py files.

Sources: MariaDB documentation "GRANT", "SHOW BINLOG STATUS", "SHOW ALL REPLICAS STATUS", "mariadb-dump".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from ...connection.drivers import verification_bundle
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

VENDORS = ("mariadb",)
DEFAULT_DATABASE: str | None = None
SWAPS = False  # a database has no other name to be given
DATA_DIRECTORY_QUERY = "SELECT @@datadir"

_ACCOUNTS = """
    SELECT user AS name, host AS host, IF(is_role = 'Y', 'role', 'user') AS kind FROM mysql.user ORDER BY 3, 1, 2"""


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
    return "MariaDB's client: mariadb-client (Debian, Ubuntu), mariadb (EL)"


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


def _coordinates_right(version: tuple[int, ...]) -> Right:
    name = "BINLOG MONITOR" if version >= (10, 5, 2) else "REPLICATION CLIENT"
    return Right(names=(name, "SUPER"), grant=name)


def _definer_right(version: tuple[int, ...]) -> Right:
    name = "SET USER" if version >= (10, 5, 2) else "SUPER"
    return Right(names=(name, "SUPER"), grant=name)


def _missing_routine_right(version: tuple[int, ...], grants: Grants, database: str) -> str | None:
    """Return what to grant so that the bodies of others' routines are seen, or None when they are.

    From 11.3 on there is a right of its own for it; the older way, reading mysql.proc, serves as well.
    """
    if grants.has_on_table("SELECT", "mysql", "proc"):
        return None
    if version < (11, 3):
        return "SELECT ON `mysql`.`proc`"
    return None if grants.has_on_database("SHOW CREATE ROUTINE", database) else "SHOW CREATE ROUTINE ON {database}.*"


def _tls_lines(instance: Instance, known: frozenset[str]) -> Sequence[str]:
    """Write the TLS lines of the option file. Verifying always includes the host name in this client."""
    if instance.unix_socket or instance.ssl_mode == "disable":
        return ("skip-ssl",)
    verified = instance.ssl_mode in ("verify_ca", "verify_full")
    bundle = verification_bundle(instance)
    files = {"ssl-ca": bundle, "ssl-cert": instance.client_cert, "ssl-key": instance.client_key}
    return (
        *(("ssl",) if instance.ssl_mode != "prefer" else ()),
        # From 11.4 on the client verifies unless it is told not to.
        "ssl-verify-server-cert" if verified else "skip-ssl-verify-server-cert",
        *(f"{name}={option_value(path)}" for name, path in files.items() if path),
    )


def _client_fits(vendor: str, version: tuple[int, ...], server: tuple[int, ...]) -> tuple[bool, str]:
    if vendor != "mariadb":
        return False, "it is MySQL's client, which does not know MariaDB's sequences and history rows"
    if version[:2] == server[:2]:
        return True, "it is of the server's own series"
    return True, "it is newer than the server" if version > server else "it is older than the server"


FAMILY = Family(
    vendor="mariadb",
    dump_programs=("mariadb-dump", "mysqldump"),
    restore_programs=("mariadb", "mysql"),
    settings=(
        *COMMON_SETTINGS,
        "gtid_domain_id",
        "gtid_strict_mode",
        "gtid_current_pos",
        "system_versioning_alter_history",
    ),
    gtid_variable="gtid_binlog_pos",
    binlog_status=("SHOW BINLOG STATUS", "SHOW MASTER STATUS"),
    replica_status=("SHOW ALL REPLICAS STATUS", "SHOW ALL SLAVES STATUS"),
    session_settings=(
        "SET SESSION max_statement_time = 0",
        "SET SESSION idle_transaction_timeout = 0",
        "SET SESSION idle_readonly_transaction_timeout = 0",
    ),
    lock_waits_for_long_statements=False,
    lock_right=lambda version: Right(names=("RELOAD",), grant="RELOAD"),
    coordinates_right=_coordinates_right,
    missing_routine_right=_missing_routine_right,
    tls_lines=_tls_lines,
    client_fits=_client_fits,
    # In a fresh session this names the login's own grants, those of its default role and those of PUBLIC.
    grants_statement=lambda server: "SHOW GRANTS",
    account_list=(_ACCOUNTS,),
    account_session=(),
    literal_database_grants=lambda server: False,
    restore_session=(b"SET SESSION max_statement_time = 0;\n",),
    definer_right=_definer_right,
    protected_accounts=None,
    trusted_creators=("SUPER", "BINLOG ADMIN"),
)
