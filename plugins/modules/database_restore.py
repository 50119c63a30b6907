#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module database_restore."""

from __future__ import annotations

DOCUMENTATION = r"""
module: database_restore
short_description: Restore a database from a backup
version_added: 1.0.0
description:
  - Restores one database from a backup of M(vya.backupdb.database_backup) into a PostgreSQL, MySQL or MariaDB server,
    under a new name unless O(target) says otherwise.
  - Encoding, locale, owner, settings and access rights of the database are recreated under the new name. Then objects
    and rows are counted and compared with the backup's manifest. A difference fails the task and is listed.
  - Nothing decrypted reaches a disk, unless O(spool) asks for it.
  - An existing database is changed only when O(replace) or O(data_only) asks for it and O(confirm) repeats its name. It
    is backed up first. With O(replace) the backup is restored next to it and compared before it is touched. PostgreSQL
    then exchanges the names in one step. MySQL and MariaDB cannot rename a database, so the existing one is dropped and
    loaded a second time, while the copy that was compared stays until that is done.
  - Users and roles are not restored with a database, see M(vya.backupdb.account_restore).
  - In check mode the plan is returned. What would be refused fails the task with the plan in its result.
notes:
  - The login options are those of the server that is restored into, while O(host), O(instance) and O(database) select
    the backup.
  - The restore client and the dump client of the server's version must be installed on the host where the module runs.
    The error names the package.
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
  - vya.backupdb.detached
attributes:
  check_mode:
    support: full
    details: The same code runs up to the point where something would first be created.
  diff_mode:
    support: full
    details: Shows whether the target exists before and after, never contents.
  idempotent:
    support: none
    details: Every run restores again, under a new name or in place of the existing database.
options:
  instance:
    description:
      - Your name for the database server whose backup is meant.
      - Required, unless O(path) is given.
    type: str
    required: false
  database:
    description:
      - Name of the database whose backup is meant, as it was on its server.
    type: str
  target:
    description:
      - Name of the database that is restored to.
      - The default is a new name made of the original one and the time, such as V(orders_restored_20261124T021500Z).
    type: str
  proven:
    description:
      - Whether only backups count that a drill has proven, with O(latest) or O(at). The place that is read has the
        records of these drills.
    type: bool
    default: false
  copies:
    description:
      - Further places that may have the backup, described as for O(vya.backupdb.backup_copy#module:copies).
      - The backup is read from O(repository), if it is there and whole, and no drill has found it damaged. Otherwise it
        is read from the copy that has the freshest one, of equal ones from one that a drill has proven. A warning says
        from which, and why.
    type: list
    elements: dict
  copies_credentials:
    description:
      - What opens the stores of O(copies), by their names, each as for O(copy_credentials).
    type: dict
  target_instance:
    description:
      - Your name for the server that is restored into.
      - The default is O(instance). Required together with O(path).
    type: str
  replace:
    description:
      - Whether O(target) may exist and is then replaced. O(confirm) must repeat its name.
    type: bool
    default: false
  confirm:
    description:
      - The name of O(target) once more. It allows an existing database to be changed.
    type: str
  safety_backup:
    description:
      - Whether an existing database is backed up before it is changed. If that backup is not whole, nothing is changed.
      - It is kept as a backup of the instance O(target_instance) with C(-before-restore) appended to its name, so that
        it is never taken for the latest backup of the instance itself.
    type: bool
    default: true
  safety_repository:
    description:
      - Repository for the safety backup, on the host where the module runs.
      - The default is O(repository).
    type: path
  safety_host:
    description:
      - Folder of the repository that stands for the host in the safety backup, as the option
        O(vya.backupdb.database_backup#module:host) does.
      - The default is the short name of the host where the module runs.
    type: str
  safety_recipients:
    description:
      - Public keys (C(age1...)) for which the safety backup is encrypted.
      - The default are the public keys of O(identity_file) and O(identity), or O(passphrase). Without any of these the
        backup that is restored is not encrypted, and neither is the safety backup.
    type: list
    elements: str
  keep_replaced:
    description:
      - Whether a PostgreSQL database that was replaced is kept under another name, RV(kept_as).
    type: bool
    default: true
  keep_failed:
    description:
      - Whether a database that could not be restored completely is kept for inspection, instead of being dropped.
    type: bool
    default: false
  accept_errors:
    description:
      - Whether a restore is accepted in which something could not be created, such as an index, or something differs
        from the manifest. RV(errors) names it. This holds for definitions and rows as well; all else is restored.
      - Without it the task fails, and nothing is replaced.
    type: bool
    default: false
  tables:
    description:
      - Restore only these tables with their rows, as V(schema.table) or V(table).
    type: list
    elements: str
    default: []
  schema_only:
    description:
      - Restore objects without rows.
    type: bool
    default: false
  data_only:
    description:
      - Load only rows, into the tables of the existing database O(target). O(confirm) must repeat its name.
    type: bool
    default: false
  jobs:
    description:
      - How many parts of a backup that has several are loaded at the same time.
    type: int
    default: 1
  spool:
    description:
      - Whether a decrypted archive may be written to disk so that C(pg_restore) can load it with O(jobs) at the same
        time. The file has mode V(0600) and is removed afterwards.
    type: bool
    default: false
  spool_directory:
    description:
      - Directory for that file. The default is the directory for temporary files.
    type: path
  owner_policy:
    description:
      - Who owns what is restored to PostgreSQL. V(keep) is the role of the original owner, V(map) the one that
        O(owner_map) names, V(drop) the login.
    type: str
    default: keep
    choices: [keep, map, drop]
  owner_map:
    description:
      - New names by old names of owners and definers, for V(map). The key V(*) means all names that are not listed.
    type: dict
    default: {}
  acl_policy:
    description:
      - Whether access rights on objects of PostgreSQL are restored.
    type: str
    default: keep
    choices: [keep, drop]
  definer_policy:
    description:
      - Who is the definer of views, routines, triggers and events of MySQL and MariaDB. V(keep) is the account of the
        original, which must exist, V(map) the one that O(owner_map) names, V(drop) the login.
    type: str
    default: keep
    choices: [keep, map, drop]
  extensions:
    description:
      - Whether extensions of PostgreSQL are created, or left out because somebody else does that.
    type: str
    default: create
    choices: [create, skip]
  allow_qualified_references:
    description:
      - Whether triggers, routines and events may name the original database in their bodies when it is restored under
        another name. Such bodies would read and write there.
    type: bool
    default: false
  enable_events:
    description:
      - Whether events of MySQL and MariaDB are enabled under a name other than the original one.
      - The same for what a copy of a PostgreSQL database would do elsewhere. Under another name, or on another server,
        subscriptions are disabled and have no slot, jobs of pg_cron are not active, and materialized views that read
        other servers are not filled, unless this is set. Warnings name them with the statements that switch them on or
        fill them, and foreign servers with user mappings.
    type: bool
    default: false
  load_with_own_rights:
    description:
      - MariaDB and MySQL. Load tables and rows with the rights of O(login_user), not with those of an account that has
        rights on the restored database only, is made for the load, and is dropped at its end.
      - Needed where tables refer to other databases by foreign keys or sequences. Set it only for a backup that you
        trust, since its SQL can then do all that O(login_user) can.
      - Where no such account can be made, the load has the rights of O(login_user), and a warning says so.
    type: bool
    default: false
  masking:
    description:
      - Scripts in SQL that are run in the restored database, in this order, after it was compared with the backup and
        before it gets the name O(target).
      - Until they have ended nobody else can enter it. When one fails the restored database is dropped, and an existing
        database stays as it was.
      - On PostgreSQL the login must be that of a superuser, names need their schema, and a script is one transaction.
      - On MySQL and MariaDB, which cannot rename a database, the masked database is then backed up into a temporary
        directory and restored as O(target). No account may have rights on all databases by a pattern.
      - It cannot be combined with O(data_only), O(keep_failed) or O(enable_events).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the script, for messages.
        type: str
        required: true
      sql:
        description:
          - Its text. It is never shown, and of the server's refusals only what cannot quote a row.
        type: str
        required: true
  only_elsewhere:
    description:
      - Whether a restore is refused into the server that the backup is of.
      - A server of PostgreSQL is known by its system identifier, which it shares with servers that were cloned from it.
        Others are known by O(safety_host) and O(target_instance), when these are the host and instance of the backup.
    type: bool
    default: false
  timeout:
    description:
      - Longest time for the restore, such as V(6h). The default is no limit.
    type: str
seealso:
  - module: vya.backupdb.backup_info
  - module: vya.backupdb.account_restore
  - module: vya.backupdb.backup_drill
"""

EXAMPLES = r"""
---
- name: Restore the newest backup next to the original
  vya.backupdb.database_restore:
    engine: postgresql
    login_unix_socket: /var/run/postgresql
    login_user: postgres
    repository: /var/backups/backupdb
    instance: shop-pg
    database: orders
    latest: true
    identity_file: /root/backup-identity.txt
  register: restored

- name: Replace a database with its state of Tuesday morning
  vya.backupdb.database_restore:
    engine: mariadb
    login_host: db.example.org
    login_user: root
    login_password: "{{ vault_wiki_root_password }}"
    repository: /var/backups/backupdb
    instance: wiki-db
    database: wiki
    at: "2026-11-24T06:00:00Z"
    identity: "{{ vault_backup_identity }}"
    target: wiki
    replace: true
    confirm: wiki

- name: Refresh a staging database with masked rows of the newest proven backup
  vya.backupdb.database_restore:
    engine: postgresql
    login_unix_socket: /var/run/postgresql
    login_system_user: postgres
    repository: /mnt/backups
    host: db1
    instance: shop-pg
    database: orders
    latest: true
    proven: true
    identity: "{{ vault_backup_identity }}"
    target_instance: staging-pg
    target: orders
    replace: true
    confirm: orders
    only_elsewhere: true
    masking:
      - name: mask-customers.sql
        sql: "{{ lookup('ansible.builtin.file', 'mask-customers.sql') }}"
  become: true

- name: Restore one table of a certain backup into another server
  vya.backupdb.database_restore:
    engine: postgresql
    login_host: test.example.org
    login_user: postgres
    login_password: "{{ vault_test_password }}"
    path: /mnt/backups/db1/shop-pg/orders/20261124T021500Z-3f0c9a52
    target_instance: test-pg
    identity_file: /root/backup-identity.txt
    target: one_table
    tables: [public.customers]
    owner_policy: drop
    acl_policy: drop
"""

RETURN = r"""
instance:
  description: The server restored into, O(target_instance) or O(instance).
  returned: always
  type: str
  sample: shop-pg
engine:
  description: The server's actual engine, one of the choices of O(engine).
  returned: when the backup was found and the server answered
  type: str
  sample: postgresql
server_version:
  description: Version of the server.
  returned: when the backup was found and the server answered
  type: str
  sample: "15.20"
database:
  description: The database that was backed up.
  returned: when the backup was found and the server answered
  type: str
  sample: orders
target:
  description: The database that was restored to.
  returned: when the backup was found and the server answered
  type: str
  sample: orders_restored_20261124T101500Z
backup_id:
  description: Id of the backup.
  returned: when the backup was found and the server answered
  type: str
  sample: 20261124T021500Z-3f0c9a52
path:
  description: Folder of the backup.
  returned: when the backup was found and the server answered
  type: str
  sample: /var/backups/backupdb/db1/shop-pg/orders/20261124T021500Z-3f0c9a52
status:
  description:
    - V(restored), V(restored_with_errors) when the database is restored but something named is not, V(failed), or
      V(planned) in check mode. The task fails when it is V(failed), and when it is V(restored_with_errors) without
      O(accept_errors).
  returned: always
  type: str
  sample: restored
message:
  description: The outcome in a sentence. After a failure it says what is in place now.
  returned: when the backup was found and the server answered
  type: str
  sample: "instance shop-pg (postgresql at socket /var/run/postgresql): 'orders' was restored"
signature:
  description:
    - C(status) is V(verified) when O(signed_by) demanded a signature and it is right.
    - It is V(unchecked) when none was demanded, and V(unsigned) for a backup without one.
    - C(key) is the public key, or V(null).
  returned: when the backup was found and the server answered
  type: dict
  sample: {"status": "verified", "key": "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="}
plan:
  description: What the restore does, or would do.
  returned: when the backup was found and the server answered
  type: dict
  contains:
    creates:
      description: Databases that are created. With O(replace) the first is a temporary one.
      type: list
      elements: str
      sample: [orders_restored_20261124T101500Z]
    drops:
      description: Databases whose present content is replaced.
      type: list
      elements: str
      sample: []
    safety_backup:
      description: Whether an existing database is backed up first.
      type: bool
      sample: false
    client:
      description: The restore client. V(null) when there is none on the host.
      type: str
      sample: /usr/lib/postgresql/15/bin/pg_restore
    needed_bytes:
      description: Bytes that the server needs for it, as far as that is known beforehand. V(null) otherwise.
      type: int
      sample: 8032931
    free_bytes:
      description: Bytes that are free where the server keeps its data. V(null) when that cannot be seen.
      type: int
      sample: 52613349376
    missing_privileges:
      description: Privileges that the login lacks, as M(vya.backupdb.database_backup) returns them.
      type: list
      elements: dict
      contains:
        privilege:
          description: The privilege.
          type: str
          sample: CREATEDB
        severity:
          description: With V(fatal) the restore is refused.
          type: str
          sample: fatal
        effect:
          description: What cannot be done without it.
          type: str
          sample: the database cannot be created
        grant:
          description:
            - The statement that an administrator runs. It is empty where the login would become an administrator by it.
              Then log in as one, or choose a policy that does without.
          type: str
          sample: ALTER ROLE restorer CREATEDB;
        database:
          description: The database concerned. V(null) stands for the whole instance.
          type: str
          sample: null
    refusals:
      description: Everything that prevents the restore, each with what would allow it.
      type: list
      elements: str
      sample: []
inventory_difference:
  description: Kinds of objects of which there are more or fewer than in the backup.
  returned: when the backup was found and the server answered
  type: list
  elements: str
  sample: ["triggers: 3 in the backup, 2 restored"]
row_count_difference:
  description: Tables that have more or fewer rows than in the backup.
  returned: when the backup was found and the server answered
  type: list
  elements: str
  sample: ["public.orders: 1000 rows in the backup, 999 restored"]
without:
  description: How much the backup leaves out on purpose, for people. Empty when nothing is.
  returned: when the backup was found and the server answered
  type: str
  sample: without 1 table
not_compared:
  description: What was not compared, and why.
  returned: when the backup was found and the server answered
  type: list
  elements: str
  sample: ["rows were not compared: the backup was made without row_counts"]
errors:
  description: Objects after the data that could not be created, each with the server's error.
  returned: when the backup was found and the server answered
  type: list
  elements: str
  sample: []
safety_backup:
  description: Folder of the backup of the existing database. V(null) when none was made.
  returned: when the backup was found and the server answered
  type: str
  sample: /var/backups/backupdb/db1/shop-pg-before-restore/orders/20261124T101500Z-9b1deb4d
kept_as:
  description: Database in which the replaced one, or after a failure the compared copy, is kept. V(null) otherwise.
  returned: when the backup was found and the server answered
  type: str
  sample: null
masked_by:
  description: Names of the scripts in O(masking) that were run. Empty when none was, or one failed.
  returned: when the backup was found and the server answered
  type: list
  elements: str
  sample: [mask-customers.sql]
seconds:
  description: Measured seconds, for C(decrypt_and_load), C(compare), C(mask) and in C(total). Empty in check mode.
  returned: when the backup was found and the server answered
  type: dict
  sample: {"decrypt_and_load": 3.1, "compare": 0.2, "total": 3.9}
warnings:
  description: Warnings about this restore.
  returned: when there is something
  type: list
  elements: str
  sample: ["events are disabled under another name"]
diff:
  description: Whether the target exists before and after.
  returned: in diff mode
  type: dict
  sample: {"before": "orders2: not there\n", "after": "orders2: restored from 20261124T021500Z-3f0c9a52\n"}
error_kind:
  description: Kind of the failure, such as V(RestoreRefused). The text is in RV(ignore:msg). V(null) without a failure.
  returned: when it failed or was done
  type: str
  sample: null
"""

from ansible_collections.vya.backupdb.plugins.module_utils.ansible_module import AnsibleModule
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.restore import run as restore
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.restore.options import OPTIONS, restore_request_from
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.constraints import (
    RESTORE_CONSTRAINTS,
)
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.spec import to_spec
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.detached import SPEC, finish_detachable


def main() -> None:
    """Restore one database and end with what is in place now."""
    module = AnsibleModule(argument_spec={**to_spec(OPTIONS), **SPEC}, supports_check_mode=True, **RESTORE_CONSTRAINTS)
    accepted = () if module.params["accept_errors"] else ("restored_with_errors",)
    finish_detachable(
        module,
        lambda report: restore.run(restore_request_from(module.params), check_mode=module.check_mode, report=report),
        check=lambda: restore.check(restore_request_from(module.params)),
        failures=("failed", *accepted),
        instance=module.params["target_instance"] or module.params["instance"],
    )


if __name__ == "__main__":
    main()
