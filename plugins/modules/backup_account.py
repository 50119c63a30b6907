#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module backup_account."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_account
short_description: Create the login that backups are made with, with the least privileges
version_added: 1.0.0
description:
  - Creates, updates or removes the account of a database server with which M(vya.backupdb.database_backup) logs in, and
    gives it the privileges that a whole backup of every database needs on a server of this vendor and version.
  - Reports which privileges the account has beyond those, and removes them with O(remove_surplus).
  - Tries to write as the account. A privilege with which it can change something, or a write that is not refused, fails
    the task.
  - In check mode the statements are returned and nothing is changed or tried.
notes:
  - The login options are those of an administrator. O(name) and O(password) are those of the account.
  - The password reaches neither the server nor its log. The server gets only what it would store, a SCRAM-SHA-256
    verifier (PostgreSQL), or the hash of C(mysql_native_password) (MariaDB, MySQL before 8.0) or of
    C(caching_sha2_password) (MySQL). A server that checks the strength of passwords cannot check this password.
  - Accounts of administrators are not managed. These are the login in use, V(root) of MySQL and MariaDB, and the
    superuser with which a PostgreSQL server was initialised.
  - A login that reads triggers and events of MySQL and MariaDB can also create and drop them, and one with the
    privilege for the global read lock can delete the binary logs of MariaDB. No lesser privilege shows triggers and
    events or gives the lock. These privileges are needed, so they do not count as privileges to write. See O(triggers),
    O(events) and O(read_lock).
  - What everybody may do in every database, such as creating temporary tables in PostgreSQL, does not count. Privileges
    on tables, sequences and databases that everybody has do count.
  - C(pg_hba.conf) of PostgreSQL is not touched. A warning says so when the account cannot log in from where the module
    runs.
  - After large objects were created in PostgreSQL, run the module again. For tables this is not necessary from version
    14 on.
author:
  - vya.backupdb contributors (@vya)
extends_documentation_fragment:
  - vya.backupdb.attributes
  - vya.backupdb.attributes.actiongroup_login
  - vya.backupdb.connection
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Shows missing and surplus privileges of the account, before and after. Never passwords or hashes.
  idempotent:
    support: full
options:
  name:
    description:
      - Name of the account.
    type: str
    required: true
  account_host:
    description:
      - From where the account of MySQL or MariaDB may log in, such as V(localhost), V(10.0.0.%) or V(%).
      - It has no effect for PostgreSQL.
    type: str
    default: localhost
  auth:
    description:
      - How the account logs in.
      - V(password) requires O(password).
      - V(socket) admits the operating system's user of the same name through the socket, C(unix_socket) in MariaDB and
        C(auth_socket) in MySQL. With PostgreSQL the role gets no password, and C(pg_hba.conf) must say C(peer).
    type: str
    default: password
    choices: [password, socket]
  password:
    description:
      - Password of the account. Required with O(auth=password).
    type: str
  state:
    description:
      - V(present) creates or updates the account as requested. V(absent) removes it, unless it owns objects that would
        be dropped with it.
    type: str
    default: present
    choices: [present, absent]
  remove_surplus:
    description:
      - Whether privileges that are not needed are removed. Otherwise they are only reported.
      - Privileges that everybody has, and the ownership of objects, are not removed. The result says what to do about
        them.
    type: bool
    default: false
  triggers:
    description:
      - Whether the account gets C(TRIGGER), without which triggers of MySQL and MariaDB cannot be backed up.
      - With this privilege it can also create and drop them.
      - With V(false) use the option of the same name of M(vya.backupdb.database_backup) too.
    type: bool
    default: true
  events:
    description:
      - Whether the account gets C(EVENT), without which events of MySQL and MariaDB cannot be backed up.
      - With this privilege it can also create and drop them.
      - With V(false) use the option of the same name of M(vya.backupdb.database_backup) too.
    type: bool
    default: true
  read_lock:
    description:
      - Whether the account gets the privilege for the global read lock of MySQL and MariaDB, which is C(FLUSH_TABLES),
        or C(RELOAD) where that does not exist. With C(RELOAD) it can also delete the binary logs (C(RESET MASTER)).
      - With V(false) each database is dumped by one client, without the binary log's position.
    type: bool
    default: true
seealso:
  - module: vya.backupdb.database_backup
  - module: vya.backupdb.database_info
"""

EXAMPLES = r"""
---
- name: Create the login of PostgreSQL for the operating system's user backupdb
  vya.backupdb.backup_account:
    instance: shop-pg
    engine: postgresql
    login_unix_socket: /var/run/postgresql
    login_user: postgres
    name: backupdb
    auth: socket
  become: true
  become_user: postgres

- name: Create the login of MariaDB with a password, and remove surplus privileges
  vya.backupdb.backup_account:
    instance: wiki-db
    engine: mariadb
    login_unix_socket: /run/mysqld/mysqld.sock
    login_user: root
    name: backupdb
    account_host: 10.20.0.5
    password: "{{ vault_backup_password }}"
    remove_surplus: true

- name: Remove a login that is not needed any more
  vya.backupdb.backup_account:
    instance: wiki-db
    engine: mariadb
    login_unix_socket: /run/mysqld/mysqld.sock
    login_user: root
    name: old_backup
    account_host: "%"
    state: absent
"""

RETURN = r"""
instance:
  description: As in O(instance).
  returned: always
  type: str
  sample: shop-pg
engine:
  description: The server's actual engine, one of the choices of O(engine).
  returned: when the server answered
  type: str
  sample: mariadb
server_version:
  description: Version of the server.
  returned: when the server answered
  type: str
  sample: 10.11.19
account:
  description: The account's full name.
  returned: when the server answered
  type: str
  sample: backupdb@localhost
status:
  description:
    - V(ok), V(planned) in check mode when something would be changed, or V(failed).
    - The task fails when it is V(failed), in check mode too when that is known beforehand.
  returned: always
  type: str
  sample: ok
message:
  description: The outcome in a sentence.
  returned: when the server answered
  type: str
  sample: "backupdb@localhost: 2 statements were carried out, and 2 attempts to write were refused"
statements:
  description:
    - The statements that were run, or would be, in order. Passwords and their hashes are masked.
  returned: when the server answered
  type: list
  elements: str
  sample: ["GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, SHOW DATABASES, PROCESS, RELOAD ON *.* TO 'backupdb'@'localhost';"]
missing:
  description: What the account lacked.
  returned: when the server answered
  type: list
  elements: str
  sample: ["BYPASSRLS", "CONNECT on database shop"]
surplus:
  description: Privileges that the account has, or had, beyond those it needs.
  returned: when the server answered
  type: list
  elements: dict
  contains:
    right:
      description: The privilege, and on what.
      type: str
      sample: INSERT on TABLE public.orders in database shop
    writes:
      description: Whether it lets the account change something, or might.
      type: bool
      sample: true
    removed:
      description: Whether it was removed, or would be in check mode.
      type: bool
      sample: false
    statements:
      description: The statements that remove it. Empty when that would affect more than this account.
      type: list
      elements: str
      sample: ['REVOKE INSERT ON TABLE public.orders FROM "backupdb"; -- in database shop']
    advice:
      description: What to do when there are no statements.
      type: str
      sample: "take it from everybody: REVOKE INSERT ON TABLE public.orders FROM PUBLIC;"
write_refused:
  description:
    - V(true) when writes were tried as the account and all of them were refused, and it has no privilege to write.
      V(false) when it can change something. V(null) when it has no privilege to write but no write could be tried, as
      in check mode.
  returned: when the server answered
  type: bool
  sample: true
write_attempts:
  description: The writes that were tried. None of them changes anything, even if it succeeds.
  returned: when the server answered
  type: list
  elements: dict
  contains:
    statement:
      description: The statement.
      type: str
      sample: DELETE FROM ONLY public.orders WHERE false
    database:
      description: Database of PostgreSQL in which it was tried.
      type: str
      sample: shop
    refused:
      description: Whether the server refused it for lack of a privilege. V(null) when it failed for another reason.
      type: bool
      sample: true
    said:
      description: The server's message.
      type: str
      sample: permission denied for table orders
warnings:
  description: Warnings.
  returned: when there is something
  type: list
  elements: str
  sample: ["backupdb cannot log in from here, so its rights were tried by SET ROLE"]
diff:
  description: Missing and surplus privileges of the account, before and after.
  returned: in diff mode
  type: dict
  sample: {"before": "there\nlacks BYPASSRLS\n", "after": "there\n"}
error_kind:
  description: Kind of the failure, such as V(PrivilegeMissing). The text is in RV(ignore:msg).
  returned: when nothing could be begun, or a statement was refused
  type: str
  sample: PrivilegeMissing
"""

from ansible_collections.vya.backupdb.plugins.module_utils.ansible_module import AnsibleModule
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.accounts import backup_login
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.accounts.options import (
    BACKUP_LOGIN_OPTIONS,
    login_request_from,
)
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.constraints import (
    CONNECTION_CONSTRAINTS,
)
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.spec import to_spec
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.run_module import finish_with


def main() -> None:
    """Manage the backup login and end with what became of it."""
    module = AnsibleModule(
        argument_spec=to_spec(BACKUP_LOGIN_OPTIONS), supports_check_mode=True, **CONNECTION_CONSTRAINTS
    )
    finish_with(
        module,
        lambda: backup_login.manage(login_request_from(module.params), check_mode=module.check_mode),
        instance=module.params["instance"],
    )


if __name__ == "__main__":
    main()
