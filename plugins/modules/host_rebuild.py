#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module host_rebuild."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_rebuild
short_description: Bring all instances of a lost host back
version_added: 1.0.0
description:
  - Brings back what the backups of a host hold, into database servers that are installed and empty. First the accounts
    of each instance, then its databases under their own names, the largest first and several at once, then grants on
    objects. Each database is compared with its manifest.
  - Without O(confirm), and in check mode, only the plan is returned. It says for each database which backup would be
    used, how large it is, how long it will take, what stands in the way, and in RV(lost) what will not come back.
  - The newest backup that can be used is taken. One that is damaged, dated in the future, not opened by the key or not
    signed as O(signed_by) demands is passed over and named. If damage shows only while a database is restored, the
    backup before it takes its place.
  - A database that fails does not stop the others. One that exists is never replaced, unless it is empty. Run the
    module again to go on; a database that is there with the objects and rows of its backup is left alone.
  - The task fails when anything is in RV(lost), with everything in its result.
notes:
  - The logins must be able to create databases and accounts, so the login of the backups is rarely enough. Through a
    socket the administrator needs no password, see O(servers[].login_system_user).
  - Databases that were gone from their server at its last run are left out and named. A repository knows that run, a
    copy does not.
  - In MySQL and MariaDB a database whose views or defaults name other databases is restored after those.
author:
  - vya.backupdb contributors (@vya)
requirements:
  - Python library SQLAlchemy >= 1.4.31
  - Python library psycopg2 >= 2.9 (for PostgreSQL)
  - Python library PyMySQL >= 1.0.2 (for MySQL and MariaDB)
extends_documentation_fragment:
  - vya.backupdb.attributes
  - vya.backupdb.attributes.actiongroup_repository
  - vya.backupdb.repository
  - vya.backupdb.identity
  - vya.backupdb.signature
attributes:
  check_mode:
    support: full
    details: Returns the plan, as without O(confirm).
  diff_mode:
    support: none
  idempotent:
    support: full
    details: As long as nobody changes the databases after they were restored.
options:
  copies:
    description:
      - Further places that may have the backups, described as for O(vya.backupdb.backup_copy#module:copies).
      - Each database is brought back from its newest backup that can be used, wherever that is. Where several places
        have it, it is read from O(repository), and otherwise from a copy in which a drill has proven it. A place that
        cannot be looked at is left out and named in RV(warnings).
    type: list
    elements: dict
  copies_credentials:
    description:
      - What opens the stores of O(copies), by their names, each as for O(copy_credentials).
    type: dict
  host:
    description:
      - The host to bring back, by its name in the backups.
    type: str
    required: true
  confirm:
    description:
      - The name in O(host) once more. Nothing is changed without it.
    type: str
  at:
    description:
      - Use the newest backups that are not after this time, such as V(2026-11-24T03:15:00+01:00) or V(7d) (ago).
      - A time without a time zone is UTC.
    type: str
  jobs:
    description:
      - How many databases are restored at the same time.
    type: int
    default: 2
  dropped:
    description:
      - Whether databases that were dropped before the last run are brought back too.
    type: bool
    default: false
  accept_errors:
    description:
      - Whether a database is kept in which something that is named is missing. Otherwise it is removed again.
    type: bool
    default: false
  load_with_own_rights:
    description:
      - Load MariaDB and MySQL with all rights of the login, and not with rights on the database only. For trusted
        backups whose tables refer to other databases.
    type: bool
    default: false
  rate:
    description:
      - Bytes of a dump that are loaded in a second, for predictions where no drill of the database has measured.
    type: str
    default: 20M
  servers:
    description:
      - The servers to restore into. An instance for which none is given is named in RV(lost).
    type: list
    elements: dict
    required: true
    suboptions:
      instance:
        description:
          - The instance, by its name in the backups.
        type: str
        required: true
      engine:
        description:
          - What kind of server it is.
          - V(mysql) and V(mariadb) are interchangeable; the server is asked which of the two it is.
        type: str
        required: true
        choices: [postgresql, mysql, mariadb]
      login_host:
        description:
          - Name or address of the server, reached over TCP.
          - Exactly one of O(servers[].login_host) and O(servers[].login_unix_socket) is needed.
        type: str
      login_port:
        description:
          - Port of the server.
          - The default is the engine's usual one, V(5432) or V(3306).
          - With PostgreSQL and O(servers[].login_unix_socket) it is the number in the socket's file name.
        type: int
      login_user:
        description:
          - Account of the database server.
          - If it is not given, the environment variable E(BACKUPDB_LOGIN_USER) on the host is used,
            and otherwise the name of the operating system's user who runs the module.
        type: str
      login_password:
        description:
          - Password of O(servers[].login_user). Not needed for logins by operating system user (C(peer),
            C(unix_socket)).
          - If it is not given, the environment variable E(BACKUPDB_LOGIN_PASSWORD) on the host is used.
        type: str
      login_unix_socket:
        description:
          - Socket of the server on this host.
          - For PostgreSQL the directory of the socket, or the socket file itself.
          - For MySQL and MariaDB the socket file.
        type: path
      login_db:
        description:
          - Database to connect to for queries about the whole server.
          - The default is V(postgres) for PostgreSQL, and none for MySQL and MariaDB.
        type: str
      ssl_mode:
        description:
          - Whether the connection is encrypted and whether the server's certificate is checked.
          - V(prefer) encrypts if the server can, and does not warn if it cannot. V(require) insists on encryption
            without a check of the certificate. V(verify_ca) checks who signed the certificate, V(verify_full) also
            checks that it is for O(servers[].login_host).
          - It has no effect with O(servers[].login_unix_socket).
        type: str
        default: prefer
        choices: [prefer, disable, require, verify_ca, verify_full]
      ca_cert:
        description:
          - File with the certificates that are trusted, on the host.
          - The default is the system's own bundle.
        type: path
      client_cert:
        description:
          - File with the certificate that shows who the client is, on the host.
        type: path
      client_key:
        description:
          - File with the private key of O(servers[].client_cert), on the host.
        type: path
      connect_timeout:
        description:
          - Seconds to wait for a connection.
        type: int
        default: 10
      login_system_user:
        description:
          - User of the operating system who logs in through O(servers[].login_unix_socket) without a password (C(peer),
            C(unix_socket), C(auth_socket)), such as V(postgres), where that is not the user who runs the module, which
            must then be V(root).
          - It is also the default of O(servers[].login_user).
        type: str
seealso:
  - module: vya.backupdb.database_restore
  - module: vya.backupdb.account_restore
  - module: vya.backupdb.backup_drill
"""

EXAMPLES = r"""
---
- name: Show what would come back
  vya.backupdb.host_rebuild:
    repository: /mnt/backups
    host: db1.example.org
    servers:
      - instance: shop-pg
        engine: postgresql
        login_unix_socket: /var/run/postgresql
        login_user: postgres
    identity_file: /root/backup-identity.txt
  register: plan

- name: Bring the host back
  vya.backupdb.host_rebuild:
    repository: /mnt/backups
    host: db1.example.org
    confirm: db1.example.org
    servers:
      - instance: shop-pg
        engine: postgresql
        login_unix_socket: /var/run/postgresql
        login_user: postgres
      - instance: wiki-db
        engine: mariadb
        login_unix_socket: /run/mysqld/mysqld.sock
        login_user: root
    identity: "{{ vault_backup_identity }}"
    jobs: 4
"""

RETURN = r"""
host:
  description: The O(host) asked for.
  returned: always
  type: str
  sample: db1.example.org
status:
  description:
    - V(planned) or V(ok) when everything comes back, V(partial) when something does not, V(failed) when no database
      does.
    - The task fails when it is V(partial) or V(failed), for a plan too.
  returned: always
  type: str
  sample: ok
message:
  description: The outcome in a sentence.
  returned: when the backups were read
  type: str
  sample: "host 'db1' from /mnt/backups: 7 databases (12.0 GiB) were restored in 9 min (predicted 10 min)"
source:
  description: Where the backups were read.
  returned: when the backups were read
  type: str
  sample: /mnt/backups
executed:
  description: Whether anything was tried, or this is only the plan.
  returned: when the backups were read
  type: bool
  sample: true
rate:
  description: Bytes of a dump a second, by which is predicted where no drill has measured.
  returned: when the backups were read
  type: int
  sample: 20971520
predicted_seconds:
  description: How long restoring the databases takes, as it was predicted by the plan.
  returned: when the backups were read
  type: float
  sample: 620.0
seconds:
  description: How long all of it took. V(null) for a plan.
  returned: when the backups were read
  type: float
  sample: 543.2
lost:
  description: Everything that does not come back, or not as it was at the newest backup, one sentence each.
  returned: when the backups were read
  type: list
  elements: str
  sample: ["shop-pg: database 'audit' is not covered: the last run saw it, and it was not to be backed up"]
lines:
  description: One line for the accounts of each instance and for each database.
  returned: when the backups were read
  type: list
  elements: str
  sample: ["shop-pg 'orders' restored from 20261124T021500Z-3f0c9a52, 9.1 GiB, 7 min 2 s, predicted 8 min 0 s by drill"]
instances:
  description: The instances of the host that the backups know.
  returned: when the backups were read
  type: list
  elements: dict
  contains:
    instance:
      description: Its name in the backups.
      type: str
      sample: shop-pg
    engine:
      description: The engine that was backed up.
      type: str
      sample: postgresql
    version:
      description: Version of the server that was backed up.
      type: str
      sample: "15.20"
    server:
      description: The server that it goes to. V(null) when none was given.
      type: str
      sample: shop-pg (postgresql at /var/run/postgresql)
    server_version:
      description: Version of that server. V(null) when it did not answer.
      type: str
      sample: "17.2"
    obstacles:
      description: What stands in the way of the whole instance.
      type: list
      elements: str
      sample: []
    accounts:
      description: The accounts of the instance.
      type: dict
      contains:
        backup_id:
          description: Id of their backup. V(null) when none can be used.
          type: str
          sample: 20261124T021500Z-3f0c9a52
        path:
          description: Where it is.
          type: str
          sample: /mnt/backups/db1.example.org/shop-pg/@accounts/20261124T021500Z-3f0c9a52
        created:
          description: Accounts that were created, or would be.
          type: list
          elements: str
          sample: [app, report]
        waiting:
          description: Statements that need a database or an object that is not there, each with what it needs.
          type: list
          elements: str
          sample: []
        differences:
          description: How the accounts differ from the backup. Empty for a plan.
          type: list
          elements: str
          sample: []
        errors:
          description: What could not be restored of them.
          type: list
          elements: str
          sample: []
        passed_over:
          description: Newer backups of them that cannot be used, with the reason.
          type: list
          elements: str
          sample: []
    databases:
      description: The databases of which there are backups.
      type: list
      elements: dict
      contains:
        name:
          description: Its name.
          type: str
          sample: orders
        status:
          description:
            - In a plan V(planned), V(blocked) when something stands in the way, V(present) when it is there already,
              V(dropped) when it was gone before the last run, or V(no_backup) when no backup can be used.
            - After a run also V(restored), V(restored_with_errors), V(failed), or V(not_begun) when the run was
              stopped.
          type: str
          sample: restored
        reasons:
          description: Why.
          type: list
          elements: str
          sample: []
        backup_id:
          description: Id of the backup. V(null) when none can be used.
          type: str
          sample: 20261124T021500Z-3f0c9a52
        path:
          description: Where it is.
          type: str
          sample: /mnt/backups/db1.example.org/shop-pg/orders/20261124T021500Z-3f0c9a52
        time:
          description: When it was begun.
          type: str
          sample: "2026-11-24T02:15:00Z"
        plain_bytes:
          description: Size of the dump.
          type: int
          sample: 9771050598
        stored_bytes:
          description: Size of the backup.
          type: int
          sample: 2147483648
        replaces_empty:
          description: Whether an empty database of this name is there, which is replaced.
          type: bool
          sample: false
        predicted_seconds:
          description: How long it takes, as it was predicted.
          type: float
          sample: 480.0
        predicted_from:
          description: V(drill) when a drill of the database has measured it, V(rate) when O(rate) says so.
          type: str
          sample: drill
        seconds:
          description: How long it took. V(null) when it was not restored.
          type: float
          sample: 422.1
        passed_over:
          description: Newer backups that cannot be used, with the reason.
          type: list
          elements: str
          sample: []
        missing:
          description: What the backup itself does not hold.
          type: list
          elements: str
          sample: []
        without:
          description: How much the backup leaves out on purpose, for people. Empty when nothing is.
          type: str
          sample: without 1 table
        differences:
          description: Objects and rows that are not as in the backup.
          type: list
          elements: str
          sample: []
        errors:
          description: What the server refused.
          type: list
          elements: str
          sample: []
    not_covered:
      description: Databases that the last run saw, and of which there is no backup.
      type: list
      elements: dict
      contains:
        name:
          description: Its name.
          type: str
          sample: audit
        reason:
          description: What is known of it.
          type: str
          sample: the last run saw it, and it was not to be backed up
warnings:
  description: Warnings, such as roles that a database names and that do not exist.
  returned: when there is something
  type: list
  elements: str
  sample: []
error_kind:
  description: Kind of the failure, such as V(BackupNotFound). The text is in RV(ignore:msg).
  returned: when the backups could not be read
  type: str
  sample: BackupNotFound
"""

from ansible_collections.vya.backupdb.plugins.module_utils.ansible_module import AnsibleModule
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.rebuild import run as rebuild
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.rebuild.options import OPTIONS, rebuild_request_from
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.constraints import (
    BEST_CONSTRAINTS,
    CONNECTION_CONSTRAINTS,
)
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.spec import to_spec
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.run_module import finish_with


def main() -> None:
    """Plan or bring back one host and end with all that came back and all that did not."""
    spec = to_spec(OPTIONS)
    spec["servers"].update(CONNECTION_CONSTRAINTS)
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True, **BEST_CONSTRAINTS)
    finish_with(
        module,
        lambda: rebuild.run(rebuild_request_from(module.params), check_mode=module.check_mode),
        host=module.params["host"],
    )


if __name__ == "__main__":
    main()
