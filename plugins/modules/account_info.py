#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module account_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: account_info
short_description: Show the users, roles and grants of a server or a backup
version_added: 1.0.0
description:
  - Returns the users and roles of a PostgreSQL, MySQL or MariaDB server, or those in a backup of the accounts, with how
    they log in, which roles they have, and what they may do.
  - For a server give O(login_host) or O(login_unix_socket). For a backup give O(path), or O(repository) and O(instance)
    with one of O(latest), O(at) and O(backup_id).
  - Hashes of passwords are masked unless O(show_hashes) asks for them.
  - Changes nothing.
notes:
  - With a PostgreSQL server C(pg_dumpall) must be installed on the host where the module runs. The error names the
    package.
author:
  - vya.backupdb contributors (@vya)
extends_documentation_fragment:
  - vya.backupdb.attributes
  - vya.backupdb.attributes.info_module
  - vya.backupdb.attributes.actiongroup_login_repository
  - vya.backupdb.connection
  - vya.backupdb.repository
  - vya.backupdb.source
  - vya.backupdb.identity
  - vya.backupdb.signature
options:
  instance:
    description:
      - Your name for the database server, or for the server of the backup.
      - Required, unless O(path) is given.
    type: str
    required: false
  engine:
    description:
      - What kind of server it is. Required for a server; a backup records it.
      - V(mysql) and V(mariadb) are interchangeable; the server is asked which of the two it is.
    type: str
    required: false
    choices: [postgresql, mysql, mariadb]
  accounts:
    description:
      - Accounts to return, as exact names or shell-style patterns (C(*), C(?), C([a-z])). V(app) means every account of
        that name, V(app@localhost) the one for that host.
    type: list
    elements: str
    default: ['*']
  show_hashes:
    description:
      - B(Shows secrets.) Whether RV(accounts[].statements) hold the hashes of passwords. Whoever has a hash can try
        passwords offline, and some hashes are as good as the password.
      - Use C(no_log) for a task that sets this.
    type: bool
    default: false
seealso:
  - module: vya.backupdb.account_restore
  - module: vya.backupdb.database_info
"""

EXAMPLES = r"""
---
- name: Show who may do what on a server
  vya.backupdb.account_info:
    instance: wiki-db
    engine: mariadb
    login_unix_socket: /run/mysqld/mysqld.sock
    login_user: root
  register: here

- name: Show which accounts the newest backup has
  vya.backupdb.account_info:
    repository: /var/backups/backupdb
    instance: wiki-db
    latest: true
    identity_file: /root/backup-identity.txt
  register: stored

- name: Show the accounts that the server has and the backup lacks
  ansible.builtin.debug:
    msg: >-
      {{ here.accounts | map(attribute='account')
         | difference(stored.accounts | map(attribute='account')) }}
"""

RETURN = r"""
instance:
  description: The O(instance) asked for.
  returned: always
  type: str
  sample: wiki-db
engine:
  description: The server's actual engine, now or when it was backed up, one of the choices of O(engine).
  returned: success
  type: str
  sample: mariadb
server_version:
  description: Version of the server, now or when it was backed up.
  returned: success
  type: str
  sample: "10.11.19"
backup_id:
  description: Id of the backup.
  returned: when a backup was asked for
  type: str
  sample: 20261124T021500Z-3f0c9a52
path:
  description: Folder of the backup.
  returned: when a backup was asked for
  type: str
  sample: /var/backups/backupdb/db1/wiki-db/@accounts/20261124T021500Z-3f0c9a52
signature:
  description:
    - C(status) is V(verified) when O(signed_by) demanded a signature and it is right.
    - It is V(unchecked) when none was demanded, and V(unsigned) for a backup without one.
    - C(key) is the public key, or V(null).
  returned: when a backup was asked for
  type: dict
  sample: {"status": "verified", "key": "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="}
accounts:
  description: The users and roles.
  returned: success
  type: list
  elements: dict
  contains:
    account:
      description: The name, with the host where accounts have one.
      type: str
      sample: app@%
    name:
      description: The name alone.
      type: str
      sample: app
    host:
      description: The host from which it may log in (MySQL, MariaDB's users). V(null) where accounts have none.
      type: str
      sample: "%"
    kind:
      description: V(user) or V(role).
      type: str
      sample: user
    reserved:
      description: Whether it is the server's own account, which M(vya.backupdb.account_restore) leaves alone.
      type: bool
      sample: false
    authentication:
      description: Plugins by which it logs in, or the scheme of a PostgreSQL role's password. Empty without a password.
      type: list
      elements: str
      sample: [ed25519, unix_socket]
    member_of:
      description: Roles that were granted to it.
      type: list
      elements: str
      sample: [reporting]
    global_grants:
      description: Statements of its grants on the whole server.
      type: list
      elements: str
      sample: ["GRANT PROCESS ON *.* TO `app`@`%`;"]
    databases:
      description: Databases, or patterns for them, on which it has grants (MySQL, MariaDB).
      type: list
      elements: str
      sample: [wiki]
    object_grants:
      description: Number of grants on single tables and routines (MySQL, MariaDB).
      type: int
      sample: 2
    statements:
      description: Everything about the account as statements. Hashes of passwords are masked without O(show_hashes).
      type: list
      elements: str
      sample: ["CREATE USER `app`@`%` IDENTIFIED BY PASSWORD '********';"]
missing:
  description: What could not be read about the accounts, now or when they were backed up.
  returned: success
  type: list
  elements: str
  sample: []
warnings:
  description: Warnings about the backup.
  returned: when there is something
  type: list
  elements: str
  sample: []
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

from typing import Any

from ansible_collections.vya.backupdb.plugins.module_utils.ansible_module import AnsibleModule
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.accounts import run as account_work
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.accounts.options import (
    INFO_OPTIONS,
    stored_accounts_from,
)
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.connection.options import instance_from
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.constraints import (
    ACCOUNT_INFO_CONSTRAINTS,
)
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.spec import to_spec
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.run_module import finish_with


def main() -> None:
    """Look at a server or at a backup and end with what is there."""
    module = AnsibleModule(argument_spec=to_spec(INFO_OPTIONS), supports_check_mode=True, **ACCOUNT_INFO_CONSTRAINTS)
    options = module.params

    def look() -> dict[str, Any]:
        if options["login_host"] or options["login_unix_socket"]:
            instance = instance_from(options)
            return account_work.look_at_server(instance, options["accounts"], show_hashes=options["show_hashes"])
        source = stored_accounts_from(options)
        return account_work.look_at_backup(source, options["accounts"], show_hashes=options["show_hashes"])

    finish_with(module, look, instance=options["instance"])


if __name__ == "__main__":
    main()
