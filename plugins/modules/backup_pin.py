#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module backup_pin."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_pin
short_description: Keep a backup whatever the policy says
version_added: 1.0.0
description:
  - Pins one backup, so that M(vya.backupdb.backup_prune) never removes it, or removes the pin.
  - The pin is a file next to the manifest, which does not change. M(vya.backupdb.backup_info) shows it.
  - In a sealed (append-only) repository only root can pin.
author:
  - vya.backupdb contributors (@vya)
options:
  state:
    description:
      - Whether the backup is pinned.
    type: str
    default: present
    choices: [present, absent]
  path:
    description:
      - Directory of the backup, instead of O(repository), O(instance), O(database) and O(backup_id).
    type: path
  repository:
    description:
      - Directory on the host that holds the backups.
    type: path
  host:
    description:
      - Host whose server was backed up, by its exact name. Required only if several hosts have an instance of the same
        name in the repository.
    type: str
  instance:
    description:
      - The database server, by its exact name.
    type: str
  database:
    description:
      - The database, by its exact name. Without it, the accounts of the instance are meant.
    type: str
  backup_id:
    description:
      - Id of the backup, as other modules return it.
    type: str
  reason:
    description:
      - Why it is kept, for whoever wonders later. Without it, an existing pin keeps its reason.
    type: str
extends_documentation_fragment:
  - vya.backupdb.attributes
  - vya.backupdb.attributes.actiongroup_repository
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: vya.backupdb.backup_prune
  - module: vya.backupdb.backup_info
"""

EXAMPLES = r"""
---
- name: Keep the backup from before the migration
  vya.backupdb.backup_pin:
    repository: /var/backups/backupdb
    instance: shop-pg
    database: orders
    backup_id: 20261124T021500Z-3f0c9a52
    reason: the last one before the migration to version 18

- name: Remove the pin
  vya.backupdb.backup_pin:
    path: /var/backups/backupdb/db1/shop-pg/orders/20261124T021500Z-3f0c9a52
    state: absent
"""

RETURN = r"""
path:
  description: Directory of the backup.
  returned: success
  type: str
  sample: /var/backups/backupdb/db1/shop-pg/orders/20261124T021500Z-3f0c9a52
backup_id:
  description: Id of the backup.
  returned: success
  type: str
  sample: 20261124T021500Z-3f0c9a52
pinned:
  description: Whether it is pinned now, or would be.
  returned: success
  type: bool
  sample: true
reason:
  description: Why. V(null) when it is not pinned.
  returned: success
  type: str
  sample: the last one before the migration to version 18
message:
  description: The same in words.
  returned: success
  type: str
  sample: "/var/backups/backupdb/db1/shop-pg/orders/20261124T021500Z-3f0c9a52 is pinned: before the migration"
error_kind:
  description: Kind of the failure, such as V(BackupNotFound). The text is in RV(ignore:msg).
  returned: failure
  type: str
  sample: BackupNotFound
"""

from ansible_collections.vya.backupdb.plugins.module_utils.ansible_module import AnsibleModule
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.retention import pin as pinning
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.retention.options import (
    PIN_OPTIONS,
    pin_request_from,
)
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.constraints import (
    PIN_CONSTRAINTS,
)
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.spec import to_spec
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.run_module import finish_with


def main() -> None:
    """Pin a backup or let it go, and end with what is now."""
    module = AnsibleModule(argument_spec=to_spec(PIN_OPTIONS), supports_check_mode=True, **PIN_CONSTRAINTS)
    finish_with(module, lambda: pinning.run(pin_request_from(module.params), check_mode=module.check_mode))


if __name__ == "__main__":
    main()
