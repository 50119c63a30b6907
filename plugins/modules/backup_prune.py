#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module backup_prune."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_prune
short_description: Remove backups that are no longer to be kept
version_added: 1.0.0
description:
  - Decides for each backup of a repository whether it is kept, says why, and removes the others. Each database is
    considered on its own, and so are the accounts of each instance.
  - Each rule keeps backups independently of the others. What no rule keeps is removed. A partial backup counts like a
    complete one.
  - Whatever the rules say, the newest backup is never removed, nor the newest complete one, the newest that a drill has
    proven, and those that are pinned with M(vya.backupdb.backup_pin).
  - While there is a doubt about a database, none of its backups is removed, and the task fails after the others were
    pruned. A doubt is a backup that cannot be read or is in the wrong place, a backup that is dated in the future, or a
    newest backup that is older than O(max_age).
  - The same rules apply to a database that its server no longer has, but O(max_age) does not. Name it in
    O(acknowledge_gone) to let its backups shrink to what is never removed.
  - An instance is pruned only while nobody uses its backups. An instance that is being backed up, verified, restored or
    drilled is busy. That also fails the task after the others were pruned; see O(repository_lock_timeout).
  - An interrupted removal never leaves half a backup. The next run finishes it.
  - With O(copy) it prunes a copy instead, by the retention of the copy unless options of this task say what is kept.
    The clock of the store and the order of arrival decide, what the store locks stays, and where C(prune) of the copy
    is not V(here) it only plans.
author:
  - vya.backupdb contributors (@vya)
options:
  copies:
    description:
      - Copies that must have a backup before it is removed from O(repository), with the keys of
        O(vya.backupdb.backup_copy#module:copies). Those that are not required do not matter. What they have is known
        from O(copy_state_dir), and no store is asked.
    type: list
    elements: dict
    default: []
  host:
    description:
      - Only backups of this host, by its exact name.
      - If several hosts share a repository, let one host prune it, or let each host prune its own backups.
    type: str
  instance:
    description:
      - Only backups of this instance, by its exact name.
    type: str
  databases:
    description:
      - Only backups of these databases, names or patterns with C(*), C(?) and C([...]). The accounts are called
        V(@accounts), which V(*) takes too.
    type: list
    elements: str
    default: ["*"]
  acknowledge_gone:
    description:
      - Names or patterns of databases whose backups may shrink to what is never removed, if their server no longer has
        them. It has no effect on databases that the server still has.
    type: list
    elements: str
    default: []
  repository_lock_timeout:
    description:
      - How long to wait for a run, or for readers of backups, before an instance counts as busy, such as V(30m).
    type: str
    default: 0s
extends_documentation_fragment:
  - vya.backupdb.attributes
  - vya.backupdb.attributes.actiongroup_repository
  - vya.backupdb.repository
  - vya.backupdb.retention
attributes:
  check_mode:
    support: full
    details:
      - Reads and decides like a real run, and removes nothing. It does not see that an instance is busy.
  diff_mode:
    support: full
    details:
      - Shows the plan as a table, with a line for each backup.
  idempotent:
    support: full
seealso:
  - module: vya.backupdb.backup_pin
  - module: vya.backupdb.backup_info
"""

EXAMPLES = r"""
---
- name: Plan what the retention of a copy would remove there
  vya.backupdb.backup_prune:
    copy: "{{ backupdb_copies | vya.backupdb.copy_named('offsite') }}"
    copy_credentials: "{{ backupdb_copy_credentials.offsite }}"
  check_mode: true

- name: Keep daily backups for two weeks, weekly for two months and monthly for a year
  vya.backupdb.backup_prune:
    repository: /var/backups/backupdb
    keep_daily: 14
    keep_weekly: 8
    keep_monthly: 12
    max_age: 2d

- name: Show what would be removed, and why
  vya.backupdb.backup_prune:
    repository: /var/backups/backupdb
    keep_within: 30d
  check_mode: true
  diff: true

- name: Keep fewer backups of one database, with days of Berlin's time zone
  vya.backupdb.backup_prune:
    repository: /var/backups/backupdb
    instance: shop-pg
    databases:
      - sessions
    keep_daily: 3
    time_zone: Europe/Berlin

- name: Shrink the backups of the old shop, which was dropped on purpose
  vya.backupdb.backup_prune:
    repository: /var/backups/backupdb
    keep_daily: 14
    acknowledge_gone:
      - old_shop
"""

RETURN = r"""
status:
  description:
    - V(ok) when all is as the policy says; V(planned) in check mode; V(partial) when something could not be pruned, and
      V(failed) when nothing could, see RV(problems); or V(busy) when nothing could only because other runs were in
      progress.
  returned: always
  type: str
  sample: ok
message:
  description: The same in words.
  returned: when backups were read
  type: str
  sample: 12 of 40 backups removed, 28 kept, 5.1 GiB freed
run_id:
  description: Identifies this call.
  returned: when backups were read
  type: str
  sample: 3f0c9a52d1b84c6f9a7e5b3c2d1e0f9a
databases:
  description: What was decided for each database, and for the accounts of each instance.
  returned: when backups were read
  type: list
  elements: dict
  contains:
    host:
      description: Host whose server was backed up.
      type: str
      sample: db1
    instance:
      description: The database server.
      type: str
      sample: shop-pg
    database:
      description: True name of the database. V(null) for accounts.
      type: str
      sample: orders
    kind:
      description: V(database) or V(accounts).
      type: str
      sample: database
    decisions:
      description: What was decided for each backup, newest first.
      type: list
      elements: dict
      contains:
        backup_id:
          description: Id of the backup.
          type: str
          sample: 20261124T021500Z-3f0c9a52
        path:
          description: Directory of the backup.
          type: str
          sample: /var/backups/backupdb/db1/shop-pg/orders/20261124T021500Z-3f0c9a52
        started:
          description: The point in time that the backup represents, in UTC.
          type: str
          sample: "2026-11-24T02:15:00.123456Z"
        status:
          description: V(complete) or V(partial).
          type: str
          sample: complete
        without:
          description: How much it leaves out on purpose, for people. Empty when nothing is.
          type: str
          sample: without 1 table
        stored_bytes:
          description: Bytes of its archives.
          type: int
          sample: 1052000
        action:
          description: V(keep) or V(remove).
          type: str
          sample: keep
        reason:
          description: Every rule that keeps it, with the hour, day, week, month or year it is kept for.
          type: str
          sample: keep_daily 2026-11-24, keep_weekly 2026-W48
    refused:
      description: Why none of its backups may be removed now. V(null) otherwise.
      type: str
      sample:
    error:
      description: What went wrong when its backups were removed. V(null) otherwise.
      type: str
      sample:
    removed:
      description: Number of backups that were removed, or would be.
      type: int
      sample: 3
    kept:
      description: Number of backups that are left.
      type: int
      sample: 28
    freed_bytes:
      description: Bytes of the archives that were removed, or would be.
      type: int
      sample: 3156000
removed:
  description: Number of backups that were removed, or would be.
  returned: when backups were read
  type: int
  sample: 12
kept:
  description: Number of backups that are left.
  returned: when backups were read
  type: int
  sample: 28
freed_bytes:
  description: Bytes of the archives that were removed, or would be.
  returned: when backups were read
  type: int
  sample: 5476083302
lines:
  description: The plan as a table, a line for each backup.
  returned: when backups were read
  type: list
  elements: str
  sample:
    - db1/shop-pg/orders
    - "  20261124T021500Z-3f0c9a52  complete     1.0 MiB  keep    newest, newest complete, keep_daily 2026-11-24"
problems:
  description: What was refused, busy or went wrong, one line each.
  returned: when backups were read
  type: list
  elements: str
  sample: []
copy:
  description: Name of the copy.
  returned: when a copy was read
  type: str
  sample: offsite
removes:
  description: Who removes old backups from the copy, in words.
  returned: when a copy was read
  type: str
  sample: this host removes
uncounted:
  description: Backups of the copy that take no place of others, since they cannot have been made when they say.
  returned: when a copy was read
  type: list
  elements: dict
  sample: []
tampered:
  description: Backups of the copy of which something was written again or removed after it had arrived.
  returned: when a copy was read
  type: list
  elements: str
  sample: []
orphans:
  description: What is left in the copy of backups that never arrived whole, or would be removed.
  returned: when a copy was read
  type: list
  elements: str
  sample: []
error_kind:
  description: Kind of the failure, such as V(RepositoryError). The text is in RV(ignore:msg).
  returned: when nothing could be read
  type: str
  sample: RepositoryError
"""

from typing import Any

from ansible_collections.vya.backupdb.plugins.module_utils.ansible_module import AnsibleModule
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.copying import prune as copies
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.retention import prune
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.retention.options import (
    PRUNE_OPTIONS,
    copy_prune_from,
    prune_request_from,
)
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.constraints import (
    LISTING_CONSTRAINTS,
)
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.spec import to_spec
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.run_module import finish_with


def main() -> None:
    """Prune a repository and end with what was decided."""
    module = AnsibleModule(
        argument_spec=to_spec(PRUNE_OPTIONS),
        supports_check_mode=True,
        mutually_exclusive=[*LISTING_CONSTRAINTS["mutually_exclusive"], ("copy", "copies")],
        required_one_of=LISTING_CONSTRAINTS["required_one_of"],
    )
    finish_with(module, lambda: _prune(module), failures=("partial", "failed", "busy"))


def _prune(module: AnsibleModule) -> dict[str, Any]:
    if module.params["copy"] is None:
        return prune.run(prune_request_from(module.params), check_mode=module.check_mode)
    source, request = copy_prune_from(module.params)
    (result,) = copies.prune(source, [request], check_mode=module.check_mode)
    return result


if __name__ == "__main__":
    main()
