#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module backup_verify."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_verify
short_description: Read backups back and check every byte
version_added: 1.0.0
description:
  - Reads backups back, in constant memory, and gives a verdict for each. If one is not good, the task fails after all
    of them have been read.
  - Changes nothing. While it reads, no backup of the instance concerned is removed.
  - A good verdict means that what is stored is what was written, and with O(level=decrypt) that it can be decrypted and
    is whole. Only a drill shows that a restore works.
author:
  - vya.backupdb contributors (@vya)
requirements:
  - Python library C(cryptography), for O(level=decrypt) of encrypted backups
  - Python library C(zstandard) or the program C(zstd), for O(level=decrypt) of backups that are compressed with it
options:
  level:
    description:
      - V(digest) compares the stored bytes with the sizes and digests in the manifest, and the manifest with its own.
        It needs no key.
      - V(decrypt) also decrypts, which authenticates every part of the stream, decompresses, compares with the digest
        that was taken while dumping, and checks that the dump has the end that its format requires. Archives of
        PostgreSQL are read to their end by C(pg_restore), if the installed one is not older than the C(pg_dump) that
        made them.
    type: str
    default: digest
    choices: [digest, decrypt]
  paths:
    description:
      - Directories of the backups to verify, instead of O(repository) and the options that select from it.
    type: list
    elements: path
extends_documentation_fragment:
  - vya.backupdb.attributes
  - vya.backupdb.attributes.info_module
  - vya.backupdb.attributes.actiongroup_repository
  - vya.backupdb.repository
  - vya.backupdb.catalogue
  - vya.backupdb.identity
  - vya.backupdb.signature
  - vya.backupdb.detached
seealso:
  - module: vya.backupdb.backup_info
  - module: vya.backupdb.database_backup
"""

EXAMPLES = r"""
---
- name: Check that all backups of the last day are as they were written
  vya.backupdb.backup_verify:
    repository: /var/backups/backupdb
    since: 1d

- name: Read the backups of one database to the end, with a key that the host does not keep
  vya.backupdb.backup_verify:
    repository: /var/backups/backupdb
    instance: shop-pg
    database: orders
    level: decrypt
    identity: "{{ lookup('ansible.builtin.file', '~/keys/backup.txt') }}"

- name: Verify a backup that was copied from somewhere else
  vya.backupdb.backup_verify:
    paths:
      - /srv/copies/20261124T021500Z-3f0c9a52
    level: decrypt
    identity_file: /root/keys/backup.txt
"""

RETURN = r"""
status:
  description: V(ok) when every backup is good, else V(failed).
  returned: always
  type: str
  sample: ok
message:
  description: The same in words, with the first faults.
  returned: when backups were read
  type: str
  sample: 12 of 12 backups are good at level decrypt (1.2 GiB in 21.4 s)
level:
  description: The O(level) asked for.
  returned: always
  type: str
  sample: decrypt
backups:
  description: A verdict for each backup, newest first. Those whose manifests cannot be read come last.
  returned: when backups were read
  type: list
  elements: dict
  contains:
    folder:
      description: Directory of the backup.
      type: str
      sample: /var/backups/backupdb/db1/shop-pg/orders/20261124T021500Z-3f0c9a52
    host:
      description: Host whose server was backed up. V(null) when the manifest cannot be read.
      type: str
      sample: db1
    instance:
      description: The database server. V(null) when the manifest cannot be read.
      type: str
      sample: shop-pg
    database:
      description: True name of the database. V(null) for accounts, and when the manifest cannot be read.
      type: str
      sample: orders
    kind:
      description: V(database) or V(accounts). V(null) when the manifest cannot be read.
      type: str
      sample: database
    backup_id:
      description: Id of the backup.
      type: str
      sample: 20261124T021500Z-3f0c9a52
    signature:
      description:
        - C(status) is V(verified) when O(signed_by) demanded a signature and it is right.
        - It is V(unchecked) when none was demanded, and V(unsigned) for a backup without one.
        - C(key) is the public key, or V(null).
        - V(null) when the manifest cannot be read.
      type: dict
      sample: {"status": "verified", "key": "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="}
    level:
      description: How far it was read.
      type: str
      sample: decrypt
    verdict:
      description:
        - V(good); V(damaged), when bytes are missing or differ from those that were written; V(wrong_key), when the
          bytes are as they were written but no key opens them; or V(unreadable), when the storage gave no answer.
        - V(refused), when O(signed_by) demands a signature and the backup is unsigned, altered, signed by another
          key, or lies in a wrong place.
        - The worst verdict of its archives and its manifest.
      type: str
      sample: good
    problems:
      description: What is wrong, in words.
      type: list
      elements: str
      sample: []
    archives:
      description: A verdict for each archive.
      type: list
      elements: dict
      contains:
        name:
          description: File name of the archive.
          type: str
          sample: data.dump.zst.age
        verdict:
          description: As for the backup.
          type: str
          sample: good
        problem:
          description: What is wrong with it, or V(null).
          type: str
          sample:
    bytes:
      description: Stored bytes that were read to their end and found good.
      type: int
      sample: 1052000
    seconds:
      description: How long it took.
      type: float
      sample: 0.4
    warnings:
      description: What could not be checked.
      type: list
      elements: str
      sample: []
counts:
  description: Number of backups for each verdict; V(refused) is among them with O(signed_by).
  returned: when backups were read
  type: dict
  sample: {"good": 12, "unreadable": 0, "wrong_key": 0, "damaged": 0}
bytes:
  description: Stored bytes that were read to their end and found good.
  returned: when backups were read
  type: int
  sample: 1288490188
seconds:
  description: How long it took.
  returned: when backups were read
  type: float
  sample: 21.4
error_kind:
  description: Kind of the failure, such as V(BackupNotFound). The text is in RV(ignore:msg).
  returned: when nothing could be read
  type: str
  sample: BackupNotFound
"""

from ansible_collections.vya.backupdb.plugins.module_utils.ansible_module import AnsibleModule
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.verify import run as verify_run
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.verify.options import OPTIONS, verify_request_from
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.constraints import (
    PATHS_CONSTRAINTS,
)
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.spec import to_spec
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.detached import SPEC, finish_detachable


def main() -> None:
    """Verify backups and end with the verdict of each."""
    module = AnsibleModule(argument_spec={**to_spec(OPTIONS), **SPEC}, supports_check_mode=True, **PATHS_CONSTRAINTS)
    finish_detachable(
        module,
        lambda report: verify_run.run(verify_request_from(module.params), report=report),
        check=lambda: verify_run.check(verify_request_from(module.params)),
        level=module.params["level"],
    )


if __name__ == "__main__":
    main()
