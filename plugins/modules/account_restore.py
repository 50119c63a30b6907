#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module account_restore."""

from __future__ import annotations

DOCUMENTATION = r"""
module: account_restore
short_description: Restore users, roles and grants from a backup
version_added: 1.0.0
description:
  - Restores users and roles with their passwords, limits, memberships, default roles, settings and grants from a backup
    of the accounts, which M(vya.backupdb.database_backup) makes with every run.
  - First reads what the server has. Only missing statements are run, so a second run changes nothing.
  - An account that cannot be restored, for example because the server lacks its authentication plugin, fails the task
    at the end with a message of its own. The others are still restored.
  - Grants on tables and routines of MySQL and MariaDB need these to exist. Grants on those that do not exist yet are
    returned in RV(waiting). Restore the databases and run again with O(object_grants_for). In PostgreSQL grants on
    objects belong to the database and come back with it.
  - In check mode the statements are returned and nothing is changed. Hashes of passwords are masked in every result.
notes:
  - The login options are those of the server that is restored into, while O(host) and O(instance) select the backup.
  - The server's own superuser, V(root) of MySQL and MariaDB, and the login in use are left alone unless O(accounts)
    names them without a pattern.
  - Grants that an account has here beyond those in the backup are left as they are, and counted in
    RV(accounts[].beside).
  - Accounts are restored into the same kind of server only, not from MySQL into MariaDB or vice versa.
  - With PostgreSQL C(pg_dumpall) must be installed on the host where the module runs. The error names the package.
  - Tablespaces are not recreated, because they are folders of the host that was backed up.
  - A statement of the backup is run only if it is one that a backup writes about the account it is stored with. If a
    backup that somebody forged holds another one, that account fails with it, and the others are restored. It can
    still give the account itself any right, password or setting, so look at the statements in check mode first.
author:
  - vya.backupdb contributors (@vya)
extends_documentation_fragment:
  - vya.backupdb.attributes
  - vya.backupdb.attributes.actiongroup_login_repository
  - vya.backupdb.connection
  - vya.backupdb.system_user
  - vya.backupdb.repository
  - vya.backupdb.source
  - vya.backupdb.identity
  - vya.backupdb.signature
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Shows which accounts were missing or different before. Never hashes.
  idempotent:
    support: full
options:
  instance:
    description:
      - Your name for the database server whose backup is meant.
      - Required, unless O(path) is given.
    type: str
    required: false
  target_instance:
    description:
      - Your name for the server that is restored into.
      - The default is O(instance). Required together with O(path).
    type: str
  accounts:
    description:
      - Accounts to restore, as exact names or shell-style patterns (C(*), C(?), C([a-z])). V(app) means every account
        of that name, V(app@localhost) the one for that host.
      - A name or pattern that matches no account of the backup is an error.
    type: list
    elements: str
    default: ['*']
  existing:
    description:
      - What to do with an account that already exists and differs from the backup.
      - V(skip) leaves it alone. V(update) gives it the password, attributes and limits of the backup, and the grants
        that it lacks. V(fail) refuses to restore anything.
    type: str
    default: skip
    choices: [skip, update, fail]
  object_grants_for:
    description:
      - Restore only grants on objects in these databases, and settings of PostgreSQL roles for these databases, to
        accounts that exist. O(existing) then has no effect.
    type: list
    elements: str
seealso:
  - module: vya.backupdb.account_info
  - module: vya.backupdb.database_restore
"""

EXAMPLES = r"""
---
- name: Show what restoring the accounts would do
  vya.backupdb.account_restore:
    engine: postgresql
    login_unix_socket: /var/run/postgresql
    login_user: postgres
    repository: /var/backups/backupdb
    instance: shop-pg
    latest: true
    identity_file: /root/backup-identity.txt
  check_mode: true
  register: plan

- name: Restore the accounts into a new server
  vya.backupdb.account_restore:
    engine: mariadb
    login_unix_socket: /run/mysqld/mysqld.sock
    login_user: root
    repository: /mnt/backups
    host: db1.example.org
    instance: wiki-db
    latest: true
    identity: "{{ vault_backup_identity }}"

- name: Give them their grants on tables and routines once the database is back
  vya.backupdb.account_restore:
    engine: mariadb
    login_unix_socket: /run/mysqld/mysqld.sock
    login_user: root
    repository: /mnt/backups
    host: db1.example.org
    instance: wiki-db
    latest: true
    identity: "{{ vault_backup_identity }}"
    object_grants_for: [wiki]

- name: Bring two accounts back to what they were on Tuesday
  vya.backupdb.account_restore:
    engine: postgresql
    login_unix_socket: /var/run/postgresql
    login_user: postgres
    repository: /var/backups/backupdb
    instance: shop-pg
    at: "2026-11-24T06:00:00Z"
    identity_file: /root/backup-identity.txt
    accounts: [app, report_*]
    existing: update
"""

RETURN = r"""
instance:
  description: The server restored into, O(target_instance) or O(instance).
  returned: always
  type: str
  sample: shop-pg
engine:
  description: The server's actual engine, one of the choices of O(engine).
  returned: when the backup was read and the server answered
  type: str
  sample: postgresql
server_version:
  description: Version of the server.
  returned: when the backup was read and the server answered
  type: str
  sample: "15.20"
backup_id:
  description: Id of the backup.
  returned: when the backup was read and the server answered
  type: str
  sample: 20261124T021500Z-3f0c9a52
path:
  description: Folder of the backup.
  returned: when the backup was read and the server answered
  type: str
  sample: /var/backups/backupdb/db1/shop-pg/@accounts/20261124T021500Z-3f0c9a52
signature:
  description:
    - C(status) is V(verified) when O(signed_by) demanded a signature and it is right.
    - It is V(unchecked) when none was demanded, and V(unsigned) for a backup without one.
    - C(key) is the public key, or V(null).
  returned: when the backup was read and the server answered
  type: dict
  sample: {"status": "verified", "key": "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="}
status:
  description:
    - V(ok), V(partial) when something could not be restored, V(failed) when nothing could, or V(planned) in check mode.
      The task fails when it is V(partial) or V(failed), in check mode too when that is known beforehand.
  returned: always
  type: str
  sample: ok
message:
  description: The outcome in a sentence.
  returned: when the backup was read and the server answered
  type: str
  sample: 4 accounts were restored
accounts:
  description: Every account of the backup that O(accounts) selects.
  returned: when the backup was read and the server answered
  type: list
  elements: dict
  contains:
    account:
      description: Its name, with the host where accounts have one.
      type: str
      sample: app@%
    kind:
      description: V(user) or V(role).
      type: str
      sample: user
    action:
      description:
        - What was done, V(created), V(updated), V(unchanged), V(skipped) or V(failed). In check mode what would be.
      type: str
      sample: created
    reason:
      description: Why.
      type: str
      sample: it is not there
    statements:
      description: How many statements were run for it.
      type: int
      sample: 3
    beside:
      description: How many statements about it are true here but not in the backup. They are left as they are.
      type: int
      sample: 0
    errors:
      description: Statements that failed, with the server's errors.
      type: list
      elements: str
      sample: []
statements:
  description: The statements that were run, or would be, in order. Hashes of passwords are masked.
  returned: when the backup was read and the server answered
  type: list
  elements: str
  sample: ["CREATE ROLE app;", "ALTER ROLE app WITH LOGIN PASSWORD '********';"]
waiting:
  description: Statements that need a database or an object that does not exist, each with what it needs.
  returned: when the backup was read and the server answered
  type: list
  elements: str
  sample: ["GRANT SELECT ON `wiki`.`page` TO `app`@`%`; -- needs database 'wiki'"]
difference:
  description:
    - How the server differs from the backup after the restore, for the accounts that were restored or are unchanged.
      Empty in check mode.
  returned: when the backup was read and the server answered
  type: list
  elements: str
  sample: []
errors:
  description: Everything that could not be restored, each with its account.
  returned: when the backup was read and the server answered
  type: list
  elements: str
  sample: ["app@%: the server has no authentication plugin ed25519: INSTALL SONAME 'auth_ed25519';"]
warnings:
  description: Warnings about this restore.
  returned: when there is something
  type: list
  elements: str
  sample: ["2 rights wait for databases or objects that are not there"]
diff:
  description: Accounts that are missing or different, before and after.
  returned: in diff mode
  type: dict
  sample: {"before": "app: not there\n", "after": "app: as in the backup\n"}
error_kind:
  description: Kind of the failure, such as V(BackupNotFound). The text is in RV(ignore:msg).
  returned: when nothing could be begun
  type: str
  sample: BackupNotFound
"""

from ansible_collections.vya.backupdb.plugins.module_utils.ansible_module import AnsibleModule
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.accounts import run as account_work
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.accounts.options import (
    RESTORE_OPTIONS,
    account_restore_request_from,
)
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.constraints import (
    ACCOUNT_RESTORE_CONSTRAINTS,
)
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.spec import to_spec
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.run_module import finish_with


def main() -> None:
    """Restore accounts and end with what became of each."""
    module = AnsibleModule(
        argument_spec=to_spec(RESTORE_OPTIONS), supports_check_mode=True, **ACCOUNT_RESTORE_CONSTRAINTS
    )
    finish_with(
        module,
        lambda: account_work.restore(account_restore_request_from(module.params), check_mode=module.check_mode),
        instance=module.params["target_instance"] or module.params["instance"],
    )


if __name__ == "__main__":
    main()
