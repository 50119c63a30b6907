#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module backup_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_info
short_description: List the backups of a repository
version_added: 1.0.0
description:
  - Returns the backups of a repository, newest first, read from their manifests alone. No key is needed.
  - What cannot be read, or does not belong there, does not stop the module and is not hidden, see RV(problems) and
    RV(damaged).
author:
  - vya.backupdb contributors (@vya)
extends_documentation_fragment:
  - vya.backupdb.attributes
  - vya.backupdb.attributes.info_module
  - vya.backupdb.attributes.actiongroup_repository
  - vya.backupdb.repository
  - vya.backupdb.catalogue
seealso:
  - module: vya.backupdb.database_backup
  - module: vya.backupdb.backup_verify
"""

EXAMPLES = r"""
---
- name: List all backups of the last week
  vya.backupdb.backup_info:
    repository: /var/backups/backupdb
    since: 7d
  register: stored

- name: Show the path and the size of each of them
  ansible.builtin.debug:
    msg: "{{ stored.backups | map(attribute='path') | zip(stored.backups | map(attribute='stored_bytes')) | list }}"

- name: Find the backups of the shops that no drill has proven
  vya.backupdb.backup_info:
    repository: /var/backups/backupdb
    host: db1
    instance: shop-pg
    database: "shop*"
    proven: false

- name: Stop when the newest backup of the orders is older than a day
  vya.backupdb.backup_info:
    repository: /var/backups/backupdb
    database: orders
    since: 1d
  register: fresh
  failed_when: fresh.count == 0
"""

RETURN = r"""
repository:
  description: The O(repository) asked for.
  returned: always
  type: str
  sample: /var/backups/backupdb
backups:
  description: The backups that match, newest first.
  returned: success
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
    backup_id:
      description: Id of the backup, which other modules take.
      type: str
      sample: 20261124T021500Z-3f0c9a52
    run_id:
      description: The run that made it. Backups of one run share it.
      type: str
      sample: 3f0c9a52d1b84c6f9a7e5b3c2d1e0f9a
    path:
      description: Directory of the backup.
      type: str
      sample: /var/backups/backupdb/db1/shop-pg/orders/20261124T021500Z-3f0c9a52
    status:
      description: V(complete) or V(partial).
      type: str
      sample: complete
    engine:
      description: Vendor of the server.
      type: str
      sample: postgresql
    server_version:
      description: Version of the server.
      type: str
      sample: "15.20"
    started:
      description: The point in time that the backup represents, in UTC.
      type: str
      sample: "2026-11-24T02:15:00.123456Z"
    finished:
      description: When it was complete, in UTC.
      type: str
      sample: "2026-11-24T02:15:04.567891Z"
    age_seconds:
      description: Seconds since RV(backups[].started). Negative for a backup from the future.
      type: int
      sample: 17822
    future:
      description: Whether it is dated in the future, because a clock is or was wrong. It never counts as the newest.
      type: bool
      sample: false
    plain_bytes:
      description: Bytes that the dump clients wrote.
      type: int
      sample: 8051200
    stored_bytes:
      description: Bytes of its archives.
      type: int
      sample: 1052000
    archives:
      description: Number of archives.
      type: int
      sample: 1
    encryption:
      description: How its archives are encrypted.
      type: list
      elements: str
      sample: [age-x25519]
    recipients:
      description: Fingerprints of the public keys for which it is encrypted.
      type: list
      elements: str
      sample: ["SHA256:3gHv5d0v4m2lR1YJrS0o8Q3mX1nq7k9w2yTgZpVbLhE"]
    signing_key:
      description:
        - Public key with which the backup says that it is signed. V(null) when it is unsigned.
        - The signature is not checked here, see O(vya.backupdb.backup_verify#module:signed_by).
      type: str
      sample: MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
    inventory:
      description: Number of objects of each kind when it was made. V(null) for accounts.
      type: dict
      sample: {"tables": 12, "views": 2}
    inventory_trusted:
      description: Whether the login saw everything, so that the numbers are true. V(null) for accounts.
      type: bool
      sample: true
    missing:
      description: What a partial backup lacks.
      type: list
      elements: str
      sample: []
    filters:
      description:
        - What is left out on purpose, as the manifest has it. Patterns stand under the names of their options, and what
          they mean under RV(ignore:left_out). V(null) for a backup of everything.
      type: dict
      sample:
        exclude_tables: ["audit.*"]
        left_out:
          tables: {count: 1, names: [audit.log]}
          table_data: {count: 0, names: []}
          schemas: {count: 0, names: []}
    without:
      description: How much is left out on purpose, for people. Empty when nothing is.
      type: str
      sample: without 1 table
    warnings:
      description: Warnings from when it was made.
      type: list
      elements: str
      sample: []
    proven:
      description: Whether its newest drill succeeded.
      type: bool
      sample: true
    drill:
      description: Its newest drill. V(null) when there is none, or when it cannot be read.
      type: dict
      contains:
        verdict:
          description: V(equal), V(equal, expressions rewritten), V(different) or V(failed).
          type: str
          sample: equal
        finished:
          description: When it ended, in UTC.
          type: str
          sample: "2026-11-24T04:00:12Z"
        content:
          description: Whether the content was compared with the source, or only with the archive.
          type: str
          sample: compared with the source by fingerprints
    pinned:
      description: Whether it is kept whatever the policy says, see M(vya.backupdb.backup_pin).
      type: bool
      sample: false
    pin_reason:
      description: Why it is pinned. V(null) when it is not.
      type: str
      sample:
count:
  description: Number of RV(backups).
  returned: success
  type: int
  sample: 42
stored_bytes:
  description: Bytes of all archives of RV(backups).
  returned: success
  type: int
  sample: 52428800
problems:
  description: What in the repository could not be read or does not belong there, regardless of the filters.
  returned: success
  type: list
  elements: str
  sample: ["/var/backups/backupdb/lost+found cannot be read: Permission denied"]
damaged:
  description: Backups whose manifests cannot be read. They are also in RV(problems).
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: Directory of the backup.
      type: str
      sample: /var/backups/backupdb/db1/shop-pg/orders/20261124T021500Z-3f0c9a52
    problem:
      description: What is wrong with the manifest.
      type: str
      sample: manifest.json is not JSON
message:
  description: The same in one sentence.
  returned: success
  type: str
  sample: 42 backups, 50.0 MiB, the newest 4 h 57 min old
error_kind:
  description: Kind of the failure, such as V(RepositoryError). The text is in RV(ignore:msg).
  returned: failure
  type: str
  sample: RepositoryError
"""

from ansible_collections.vya.backupdb.plugins.module_utils.ansible_module import AnsibleModule
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.repository import listing as overview
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.repository.options import (
    LISTING_OPTIONS,
    copy_source_from,
    filter_from,
)
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.constraints import (
    LISTING_CONSTRAINTS,
)
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.spec import to_spec
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.run_module import finish_with


def main() -> None:
    """Read a repository and end with what it holds."""
    module = AnsibleModule(argument_spec=to_spec(LISTING_OPTIONS), supports_check_mode=True, **LISTING_CONSTRAINTS)
    finish_with(
        module,
        lambda: overview.collect(
            module.params["repository"], filter_from(module.params), copy_source_from(module.params)
        ),
        repository=module.params["repository"],
    )


if __name__ == "__main__":
    main()
