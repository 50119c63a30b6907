#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module backup_gate."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_gate
short_description: Fail unless every database of a server has a young backup
version_added: 1.0.0
description:
  - Asks a database server which databases it has, and judges the backups of each as M(vya.backupdb.backup_status) does.
    A database that is new and has no backup yet fails, as does one that no run backs up any more.
  - If asked, one of the backups must be proven by a drill, and every required copy must have a young backup.
  - Meant for the beginning of a deployment or a migration. It only reads, and prepares nothing.
  - Copies are judged by what this host knows to be in them, which is as old as the last look at each.
author:
  - vya.backupdb contributors (@vya)
extends_documentation_fragment:
  - vya.backupdb.attributes
  - vya.backupdb.attributes.info_module
  - vya.backupdb.attributes.actiongroup_login_repository
  - vya.backupdb.connection
  - vya.backupdb.selection
options:
  repository:
    description:
      - Directory of the repository. It is looked at for what no job backs up.
    type: path
  host:
    description:
      - Host whose backups are meant, as the repository and the jobs have it.
      - The default is the short name of the host where the module runs.
    type: str
  config_dir:
    description:
      - Directory with the definitions of jobs. They say which repositories and copies are looked at, and how old
        backups may be. It may be empty.
    type: path
  max_age:
    description:
      - How old the newest backup may be, such as V(12h), in the repository and in copies.
      - The default is what the jobs allow, and V(26h) for what no job backs up.
    type: str
  proven:
    description:
      - Whether a drill must have proven one of the backups, in the repository or in a copy.
    type: bool
    default: false
  proven_max_age:
    description:
      - How old the newest proven backup may be, such as V(8d). The default is no limit.
    type: str
  copies:
    description:
      - Copies to look at besides those of jobs, described as for O(vya.backupdb.backup_copy#module:copies).
    type: list
    elements: dict
    default: []
  copy_state_dir:
    description:
      - Directory of this host that keeps what is known of O(copies).
    type: path
    default: /var/lib/backupdb
  required_copies:
    description:
      - Names of the copies that must have a young backup. The default are those that are C(required).
    type: list
    elements: str
  ask_server:
    description:
      - Whether the server is asked which databases it has. Without, those are looked at that the newest run or a job
        backs up, and no login is needed.
    type: bool
    default: true
seealso:
  - module: vya.backupdb.backup_status
  - module: vya.backupdb.backup_drill
"""

EXAMPLES = r"""
---
- name: Let the migration begin only with a backup of the last two hours
  vya.backupdb.backup_gate:
    instance: shop-pg
    engine: postgresql
    login_unix_socket: /var/run/postgresql
    login_user: backupdb
    repository: /var/backups/backupdb
    host: "{{ inventory_hostname }}"
    databases: [orders, customers]
    max_age: 2h

- name: Ask for proven backups and for the copy as well
  vya.backupdb.backup_gate:
    instance: shop-pg
    engine: postgresql
    login_unix_socket: /var/run/postgresql
    login_user: backupdb
    config_dir: /etc/backupdb
    host: "{{ inventory_hostname }}"
    proven: true
    proven_max_age: 8d
    required_copies: [offsite]
"""

RETURN = r"""
status:
  description: V(ok) when every database passes, else V(failed), which fails the task.
  returned: always
  type: str
  sample: failed
message:
  description: Each database that does not pass, with the reason and the next step, up to ten of them.
  returned: success or not well
  type: str
  sample: >-
    1 of 12 databases do not pass: db1/shop-pg/orders: there is no backup -> back it up: ansible-playbook
    vya.backupdb.backup
instance:
  description: The O(instance) asked for.
  returned: always
  type: str
  sample: shop-pg
lines:
  description: One line for each database that does not pass.
  returned: success or not well
  type: list
  elements: str
  sample: ["db1/shop-pg/orders: there is no backup -> back it up: ansible-playbook vya.backupdb.backup"]
rows:
  description: The databases that were looked at, by their names.
  returned: success or not well
  type: list
  elements: dict
  contains:
    host:
      description: Host whose server it is.
      type: str
      sample: db1
    instance:
      description: The database server.
      type: str
      sample: shop-pg
    database:
      description: True name of the database, or the entry of O(databases) that means none.
      type: str
      sample: orders
    passed:
      description: Whether nothing is wanting.
      type: bool
      sample: false
    reasons:
      description: What is wanting.
      type: list
      elements: str
      sample: [there is no backup]
    next_step:
      description: What to do about it.
      type: str
      sample: "back it up: ansible-playbook vya.backupdb.backup"
    newest:
      description: The point in time that its newest backup represents, in UTC. Like the next keys V(null) without one.
      type: str
      sample: "2026-11-21T02:15:00.123456Z"
    age_seconds:
      description: Seconds since then.
      type: int
      sample: 7200
    proven:
      description: The point in time that its newest proven backup represents.
      type: str
      sample: "2026-11-15T02:15:00Z"
    proven_age_seconds:
      description: Seconds since then.
      type: int
      sample: 529200
    copies:
      description: Names of the copies that have a young backup.
      type: list
      elements: str
      sample: [offsite]
warnings:
  description: What could not be looked at.
  returned: when there is something
  type: list
  elements: str
  sample: []
error_kind:
  description: Kind of the failure, such as V(SelectionError). The text is in RV(ignore:msg).
  returned: failure
  type: str
  sample: SelectionError
"""

from ansible_collections.vya.backupdb.plugins.module_utils.ansible_module import AnsibleModule
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.gate import run as gate
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.gate.options import OPTIONS, gate_request_from
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.constraints import (
    CONNECTION_CONSTRAINTS,
)
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.spec import to_spec
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.run_module import finish_with


def main() -> None:
    """Judge every database and end with those that do not pass."""
    module = AnsibleModule(
        argument_spec=to_spec(OPTIONS),
        mutually_exclusive=CONNECTION_CONSTRAINTS["mutually_exclusive"],
        required_together=CONNECTION_CONSTRAINTS["required_together"],
        required_if=[("ask_server", True, ("login_host", "login_unix_socket"), True)],
        required_one_of=[("repository", "config_dir")],
        supports_check_mode=True,
    )
    finish_with(module, lambda: gate.run(gate_request_from(module.params)), instance=module.params["instance"])


if __name__ == "__main__":
    main()
