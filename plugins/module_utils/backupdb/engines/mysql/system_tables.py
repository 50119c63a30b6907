# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in the database `mysql`, and what becomes of each table of it. docs/coverage.md says the same to people."""

from __future__ import annotations

from collections.abc import Mapping

TAKEN = "taken"
NAMED = "named"  # as missing, or as a setting that a restore needs: nothing is lost without a word
IRRELEVANT = "irrelevant"

_ACCOUNTS = "users, roles and grants, in the accounts"
_REPLICATION = "the server's own part in a replication, which another one does not have"
_STATISTICS = "statistics that a server makes anew"
_HELP = "texts that every server has"
_LOGS = "logs"
_ZONES = "time zones of the operating system, loaded by mysql_tzinfo_to_sql"
_PROGRAMS = "in the database that they belong to"
_PLUGINS = "plugins of the source are in the manifest, and a restore warns of those that are not there"

# Table, what becomes of it, and why or where.
TABLES: Mapping[str, tuple[str, str]] = {
    "columns_priv": (TAKEN, _ACCOUNTS),
    "db": (TAKEN, _ACCOUNTS),
    "default_roles": (TAKEN, _ACCOUNTS),
    "global_grants": (TAKEN, _ACCOUNTS),
    "global_priv": (TAKEN, _ACCOUNTS),
    "host": (IRRELEVANT, "not used by any server that is still maintained"),
    "procs_priv": (TAKEN, _ACCOUNTS),
    "proxies_priv": (TAKEN, _ACCOUNTS),
    "role_edges": (TAKEN, _ACCOUNTS),
    "roles_mapping": (TAKEN, _ACCOUNTS),
    "tables_priv": (TAKEN, _ACCOUNTS),
    "user": (TAKEN, _ACCOUNTS),
    "event": (TAKEN, _PROGRAMS),
    "proc": (TAKEN, _PROGRAMS),
    "servers": (TAKEN, "CREATE SERVER, in the accounts, with its password"),
    "func": (TAKEN, "CREATE FUNCTION ... SONAME, in the accounts; the library is not"),
    "plugin": (NAMED, _PLUGINS),
    "component": (NAMED, "components of the source are in the manifest's settings"),
    "engine_cost": (NAMED, "costs that were changed are named as missing in the accounts"),
    "server_cost": (NAMED, "costs that were changed are named as missing in the accounts"),
    "password_history": (IRRELEVANT, "hashes of former passwords; rules about their use begin anew"),
    "column_stats": (IRRELEVANT, _STATISTICS),
    "index_stats": (IRRELEVANT, _STATISTICS),
    "table_stats": (IRRELEVANT, _STATISTICS),
    "innodb_index_stats": (IRRELEVANT, _STATISTICS),
    "innodb_table_stats": (IRRELEVANT, _STATISTICS),
    "general_log": (IRRELEVANT, _LOGS),
    "slow_log": (IRRELEVANT, _LOGS),
    "help_category": (IRRELEVANT, _HELP),
    "help_keyword": (IRRELEVANT, _HELP),
    "help_relation": (IRRELEVANT, _HELP),
    "help_topic": (IRRELEVANT, _HELP),
    "time_zone": (IRRELEVANT, _ZONES),
    "time_zone_leap_second": (IRRELEVANT, _ZONES),
    "time_zone_name": (IRRELEVANT, _ZONES),
    "time_zone_transition": (IRRELEVANT, _ZONES),
    "time_zone_transition_type": (IRRELEVANT, _ZONES),
    "transaction_registry": (IRRELEVANT, "when transactions of the source ended; history by time is in the databases"),
    "gtid_executed": (IRRELEVANT, _REPLICATION),
    "gtid_slave_pos": (IRRELEVANT, _REPLICATION),
    "ndb_binlog_index": (IRRELEVANT, _REPLICATION),
    "ndb_replication": (IRRELEVANT, _REPLICATION),
    "replication_asynchronous_connection_failover": (IRRELEVANT, _REPLICATION),
    "replication_asynchronous_connection_failover_managed": (IRRELEVANT, _REPLICATION),
    "replication_group_configuration_version": (IRRELEVANT, _REPLICATION),
    "replication_group_member_actions": (IRRELEVANT, _REPLICATION),
    "slave_master_info": (IRRELEVANT, _REPLICATION),
    "slave_relay_log_info": (IRRELEVANT, _REPLICATION),
    "slave_worker_info": (IRRELEVANT, _REPLICATION),
    "wsrep_allowlist": (IRRELEVANT, _REPLICATION),
    "wsrep_cluster": (IRRELEVANT, _REPLICATION),
    "wsrep_cluster_members": (IRRELEVANT, _REPLICATION),
    "wsrep_streaming_log": (IRRELEVANT, _REPLICATION),
}
# MariaDB makes one for each engine that keeps positions of a replication.
_PREFIXES = ("gtid_slave_pos_",)


def is_known(table: str) -> bool:
    """Tell whether the server made the table; people's own tables in this database are in no backup."""
    return table.lower() in TABLES or table.lower().startswith(_PREFIXES)
