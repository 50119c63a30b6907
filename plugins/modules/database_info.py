#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module database_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: database_info
short_description: Show what a backup of a database server would find
version_added: 1.0.0
description:
  - Logs in to a PostgreSQL, MySQL or MariaDB server and returns what it is, which databases it has, which of them a
    backup would take and why, which privileges the login lacks (with the statement that grants them), and which dump
    clients are installed.
  - Changes nothing, neither on the host nor on the server.
author:
  - vya.backupdb contributors (@vya)
extends_documentation_fragment:
  - vya.backupdb.attributes
  - vya.backupdb.attributes.info_module
  - vya.backupdb.attributes.actiongroup_login
  - vya.backupdb.connection
  - vya.backupdb.selection
  - vya.backupdb.dump
seealso:
  - module: vya.backupdb.database_backup
"""

EXAMPLES = r"""
---
- name: See which databases a backup of this PostgreSQL server would take
  vya.backupdb.database_info:
    instance: shop-pg
    engine: postgresql
    login_unix_socket: /var/run/postgresql
    login_user: backupdb
  register: server

- name: Show the privileges that the login lacks
  ansible.builtin.debug:
    msg: "{{ server.missing_privileges | map(attribute='grant') | list }}"

- name: Ask a MariaDB server over TCP with a checked certificate
  vya.backupdb.database_info:
    instance: wiki-db
    engine: mariadb
    login_host: db.example.org
    login_user: backupdb
    login_password: "{{ vault_wiki_db_password }}"
    ssl_mode: verify_full
    databases: ["wiki*"]
    exclude: ["*_scratch"]
"""

RETURN = r"""
instance:
  description: The O(instance) asked for.
  returned: always
  type: str
  sample: shop-pg
engine:
  description: The server's actual engine, one of the choices of O(engine).
  returned: success
  type: str
  sample: postgresql
server:
  description: What the server says about itself.
  returned: success
  type: dict
  contains:
    vendor:
      description: The same as RV(engine).
      type: str
      sample: postgresql
    version:
      description: Version as people write it.
      type: str
      sample: "15.20"
    role:
      description: V(primary) or V(replica).
      type: str
      sample: primary
    data_bytes:
      description: Size of all its databases in bytes. V(null) when the server does not say.
      type: int
      sample: 7340032
    settings:
      description: Settings that a restore must match.
      type: dict
      sample: {"server_encoding": "UTF8"}
latency_ms:
  description: Milliseconds that a query and its answer took.
  returned: success
  type: float
  sample: 0.42
databases:
  description: Every database of the server, ordered by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the database.
      type: str
      sample: orders
    size_bytes:
      description: Size on the server. V(null) when the login may not see it.
      type: int
      sample: 8032931
    owner:
      description: Owner (PostgreSQL).
      type: str
      sample: shop
    encoding:
      description: Character set.
      type: str
      sample: UTF8
    collation:
      description: Collation.
      type: str
      sample: C.UTF-8
    tables:
      description: Number of tables. V(null) when counting needs a connection to the database.
      type: int
      sample: 12
    is_system:
      description: Whether it belongs to the server itself.
      type: bool
      sample: false
    connectable:
      description: Whether the server lets anybody connect to it.
      type: bool
      sample: true
    on_request:
      description: Whether it is taken only when named exactly, as PostgreSQL's V(postgres) and templates of databases.
      type: bool
      sample: false
    unaddressable:
      description: Whether it has a name by which the server cannot be queried for it.
      type: bool
      sample: false
    selected:
      description: Whether a backup with these options takes it.
      type: bool
      sample: true
    reason:
      description: Why it is selected or not.
      type: str
      sample: selected by databases
    filters:
      description:
        - What a backup would leave out, as its manifest would have it. Patterns stand under the names of their options,
          and what they mean under RV(ignore:left_out). V(null) when nothing is to be left out.
      type: dict
      sample:
        exclude_tables: ["audit.*"]
        left_out:
          tables: {count: 1, names: [audit.log]}
          table_data: {count: 0, names: []}
          schemas: {count: 0, names: []}
missing_privileges:
  description: Privileges that the login lacks for a whole backup of the selected databases. Empty when there are none.
  returned: success
  type: list
  elements: dict
  contains:
    privilege:
      description: The privilege.
      type: str
      sample: SELECT on table public.orders
    severity:
      description:
        - With V(fatal) the database cannot be backed up, with V(partial) a named piece is missing,
          with V(degraded) the backup is whole but taken in a lesser way.
      type: str
      sample: fatal
    effect:
      description: What is lost without it.
      type: str
      sample: the table cannot be dumped
    grant:
      description: The statement that an administrator runs.
      type: str
      sample: GRANT pg_read_all_data TO backupdb;
    database:
      description: The database concerned. V(null) stands for the whole instance.
      type: str
      sample: orders
clients:
  description: Installed dump clients, the one that would be used first.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The program.
      type: str
      sample: /usr/lib/postgresql/15/bin/pg_dump
    vendor:
      description: Vendor of the client.
      type: str
      sample: postgresql
    version:
      description: Its version.
      type: str
      sample: "15.20"
    major:
      description: Its major version.
      type: int
      sample: 15
    usable:
      description: Whether it fits this server.
      type: bool
      sample: true
    reason:
      description: Why it is usable or not.
      type: str
      sample: same major version as the server
warnings:
  description: Warnings before a backup.
  returned: when there is something
  type: list
  elements: str
  sample: ["no usable dump client on this host; install postgresql-client-15"]
error_kind:
  description: Kind of the failure, such as V(ConnectionFailed). The text is in RV(ignore:msg).
  returned: failure
  type: str
  sample: ConnectionFailed
status:
  description: V(failed).
  returned: failure
  type: str
  sample: failed
"""

from ansible_collections.vya.backupdb.plugins.module_utils.ansible_module import AnsibleModule
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.backup import info as information
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.backup.options import (
    INFO_OPTIONS,
    dump_options_from,
    selection_from,
)
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.connection.options import instance_from
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.constraints import (
    CONNECTION_CONSTRAINTS,
)
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.spec import to_spec
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.run_module import finish_with


def main() -> None:
    """Ask the server and end with its answers."""
    module = AnsibleModule(argument_spec=to_spec(INFO_OPTIONS), supports_check_mode=True, **CONNECTION_CONSTRAINTS)
    options = module.params
    finish_with(
        module,
        lambda: information.collect(instance_from(options), selection_from(options), dump_options_from(options)),
        instance=options["instance"],
    )


if __name__ == "__main__":
    main()
