#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module backup_drill."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_drill
short_description: Prove backups by restoring them into a throw-away server
version_added: 1.0.0
description:
  - Starts a private PostgreSQL, MariaDB or MySQL server for each backup, restores accounts, database and access rights
    into it, compares the result with the manifest of the backup, and destroys the server, whatever happens.
  - Objects are counted. Rows are counted and hashed if the backup has counts and fingerprints. Properties of the
    database and access rights are compared. The restored database is dumped again and compared line by line with the
    backup.
  - The result of each drill with its measured times is kept as C(drill-TIME.json) next to the manifest of the backup.
    The task fails when a backup is not proven, after all of them have been drilled.
  - A drill shows that the archive can be restored, and that what comes back is what is in the archive. It shows that
    the archive equals the source only for backups that were made with
    O(vya.backupdb.database_backup#module:fingerprints). RV(drills[].content) says which of the two it is.
  - A server of a newer major version than the source's may be used when no other is installed. Then the dumps are not
    compared, and RV(drills[].not_compared) says so.
notes:
  - The server programs must be installed on the host where the module runs, but their services need not run. No system
    service, port or configuration is touched.
  - The private server listens on a unix socket in its own directory and on no network. Started by root it runs as
    O(run_as) and cannot reach any network either. Tablespaces are never created, and events never run.
  - While the drill runs, restored data are in O(work_dir), where root and O(run_as) can read them. If that matters,
    choose a filesystem that is encrypted or in memory.
author:
  - vya.backupdb contributors (@vya)
requirements:
  - Server and client programs of PostgreSQL, MariaDB or MySQL
  - Python libraries C(SQLAlchemy), and C(psycopg2) or C(PyMySQL)
  - Python library C(cryptography), for encrypted backups
extends_documentation_fragment:
  - vya.backupdb.attributes
  - vya.backupdb.attributes.actiongroup_repository
  - vya.backupdb.repository
  - vya.backupdb.catalogue
  - vya.backupdb.identity
  - vya.backupdb.signature
  - vya.backupdb.detached
attributes:
  check_mode:
    support: full
    details: Says which backups would be drilled, by which server program.
  diff_mode:
    support: none
    details: Adds records next to manifests and changes nothing else.
  idempotent:
    support: none
    details: Every run drills again. With O(select=oldest_unproven) it continues with the next backup.
options:
  select:
    description:
      - Which of the backups in O(repository) that the other options select are drilled.
      - V(newest) means the newest one of each database. V(oldest_unproven) means those that no drill has proven, oldest
        first. V(random) means a random sample. V(all) means every one.
    type: str
    default: newest
    choices: [newest, oldest_unproven, all, random]
  count:
    description:
      - How many backups O(select=oldest_unproven) and O(select=random) take.
    type: int
    default: 1
  paths:
    description:
      - Directories of the backups to drill, instead of O(repository) and the options that select from it.
    type: list
    elements: path
  work_dir:
    description:
      - Directory in which private servers get a directory of their own, which is removed at the end. Its filesystem
        must have room for the restored database.
      - The default is C(/var/tmp).
    type: path
  run_as:
    description:
      - User who runs the private servers when the module runs as root.
      - The default is V(nobody). Do not use a user who owns the files of another database server.
    type: str
  jobs:
    description:
      - How many parts of a backup are loaded at the same time.
    type: int
    default: 1
  timeout:
    description:
      - Longest time for one drill, such as V(2h). A drill that takes longer has failed.
      - The default is no limit.
    type: str
seealso:
  - module: vya.backupdb.backup_verify
  - module: vya.backupdb.backup_info
  - module: vya.backupdb.database_restore
"""

EXAMPLES = r"""
---
- name: Prove the newest backup of every database of a server
  vya.backupdb.backup_drill:
    repository: /var/backups/backupdb
    instance: shop-pg
    identity: "{{ lookup('ansible.builtin.file', '~/keys/backup.txt') }}"

- name: Prove three backups that were never proven, on a filesystem in memory, within two hours each
  vya.backupdb.backup_drill:
    repository: /srv/backups
    select: oldest_unproven
    count: 3
    work_dir: /dev/shm
    timeout: 2h
    identity_file: /root/keys/backup.txt

- name: Prove one backup that was copied from somewhere else
  vya.backupdb.backup_drill:
    paths:
      - /srv/copies/20261124T021500Z-3f0c9a52
    identity_file: /root/keys/backup.txt
"""

RETURN = r"""
status:
  description: V(ok) when every drilled backup is proven, else V(failed). V(planned) in check mode.
  returned: always
  type: str
  sample: ok
message:
  description: The outcome in a sentence, with the first difference of each backup that is not proven.
  returned: when backups were chosen
  type: str
  sample: "3 drilled: 3 equal (41.2 s)"
lines:
  description: A table of the drills for people, with its titles, and below it what was wrong.
  returned: when backups were drilled
  type: list
  elements: str
  sample:
    - "INSTANCE     DATABASE  BACKUP                     VERDICT  CONTENT                       RESTORED IN"
    - "db1/shop-pg  orders    20261124T021500Z-3f0c9a52  equal    not compared with the source       12.0 s"
select:
  description: The O(select) asked for. V(null) with O(paths).
  returned: when backups were chosen
  type: str
  sample: newest
proven:
  description: Number of backups that are proven by this run.
  returned: when backups were chosen
  type: int
  sample: 3
seconds:
  description: Seconds of the whole run.
  returned: when backups were chosen
  type: float
  sample: 41.2
drills:
  description:
    - The result for each backup. In check mode only which one it is, RV(drills[].program) and RV(drills[].error).
  returned: when backups were chosen
  type: list
  elements: dict
  contains:
    schema:
      description: Version of the record's format.
      type: int
      sample: 1
    path:
      description: Directory of the backup.
      type: str
      sample: /var/backups/backupdb/db1/shop-pg/orders/20261124T021500Z-3f0c9a52
    record:
      description: File with this record. V(null) when it could not be written, or when the fault is on this host.
      type: str
      sample: /var/backups/backupdb/db1/shop-pg/orders/20261124T021500Z-3f0c9a52/drill-20261124T060000Z.json
    record_in_copy:
      description:
        - Where this record was also put into O(copy), for other hosts. V(null) when it was not, as with a key that may
          not write there, and for a drill from a repository.
      type: str
      sample: null
    program:
      description: The server program that would be started. Only in check mode.
      type: str
      sample: /usr/lib/postgresql/15/bin/postgres
    backup_id:
      description: Id of the backup.
      type: str
      sample: 20261124T021500Z-3f0c9a52
    host:
      description: Host whose server was backed up.
      type: str
      sample: db1
    instance:
      description: The database server.
      type: str
      sample: shop-pg
    database:
      description: True name of the database.
      type: str
      sample: orders
    signature:
      description:
        - C(status) is V(verified) when O(signed_by) demanded a signature and it is right.
        - It is V(unchecked) when none was demanded, and V(unsigned) for a backup without one.
        - C(key) is the public key, or V(null).
      type: dict
      sample: {"status": "verified", "key": "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="}
    started:
      description: When the drill began.
      type: str
      sample: "2026-11-24T05:59:20Z"
    finished:
      description: When it ended.
      type: str
      sample: "2026-11-24T06:00:00Z"
    verdict:
      description:
        - V(equal); V(equal, expressions rewritten), when the server only writes some definitions in another form than
          it got them; V(different); or V(failed), when the backup could not be restored or compared. V(planned) in
          check mode.
      type: str
      sample: equal
    error:
      description: Why it failed and what to do. V(null) otherwise.
      type: str
      sample: null
    error_kind:
      description: Kind of the failure, such as V(WrongKey). V(null) otherwise.
      type: str
      sample: null
    differences:
      description: The first differences.
      type: list
      elements: dict
      contains:
        what:
          description: Where they are.
          type: str
          sample: "inventory: triggers"
        expected:
          description: What the backup says, cut short.
          type: raw
          sample: 4
        found:
          description: What was restored, cut short.
          type: raw
          sample: 3
    rewritten:
      description: Definitions that are only written in another form, like RV(drills[].differences).
      type: list
      elements: dict
      sample: []
    compared:
      description: What was compared.
      type: list
      elements: str
      sample: [inventory, row_counts, fingerprints, properties, stream, grants]
    without:
      description: How much the backup leaves out on purpose, for people. Empty when nothing is.
      type: str
      sample: without 1 table
    not_compared:
      description: What was not compared, and why.
      type: list
      elements: dict
      contains:
        what:
          description: What it is.
          type: str
          sample: fingerprints
        why:
          description: The reason.
          type: str
          sample: the backup was made without fingerprints
    content:
      description:
        - V(compared with the source by fingerprints) or V(not compared with the source). In the second case the drill
          says nothing about whether the rows in the archive are those of the source.
      type: str
      sample: compared with the source by fingerprints
    seconds:
      description: Measured seconds.
      type: dict
      contains:
        decrypt:
          description: Reading, decrypting and decompressing, which goes on during the restore.
          type: float
          sample: 1.4
        restore:
          description: Accounts, database and access rights.
          type: float
          sample: 24.0
        compare:
          description: Comparing.
          type: float
          sample: 8.1
        total:
          description: Everything, including start and stop of the server.
          type: float
          sample: 35.9
    source:
      description: C(vendor) and C(version) of the server that was backed up.
      type: dict
      sample: {"vendor": "postgresql", "version": "15.20"}
    server:
      description: C(vendor), C(version) and C(program) of the private server. V(null) when it did not get that far.
      type: dict
      sample: {"vendor": "postgresql", "version": "15.20", "program": "/usr/lib/postgresql/15/bin/postgres"}
    client:
      description: C(path) and C(version) of the C(dump) and the C(restore) client.
      type: dict
      sample: {"dump": {"path": "/usr/lib/postgresql/15/bin/pg_dump", "version": "15.20"}}
    unmatched_settings:
      description: Settings of the source that the private server could not have, and why.
      type: list
      elements: str
      sample: []
    isolation:
      description:
        - How the private server was shut in. V(namespaces) means that it had processes, a network and a root folder of
          its own; V(none) that this host allows no namespaces. V(null) when it did not get that far.
      type: str
      sample: namespaces
    warnings:
      description: Warnings about this drill.
      type: list
      elements: str
      sample: []
    tool:
      description: C(name) and C(version) of the program that wrote the record.
      type: dict
      sample: {"name": "vya.backupdb", "version": "1.0.0"}
error_kind:
  description: Kind of the failure, such as V(BackupNotFound). The text is in RV(ignore:msg).
  returned: when nothing could be drilled
  type: str
  sample: BackupNotFound
"""

from ansible_collections.vya.backupdb.plugins.module_utils.ansible_module import AnsibleModule
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.drill import run as drill
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.drill.options import OPTIONS, drill_request_from
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.constraints import (
    PATHS_CONSTRAINTS,
)
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.spec import to_spec
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.detached import SPEC, finish_detachable


def main() -> None:
    """Drill backups and end with the verdict of each."""
    module = AnsibleModule(argument_spec={**to_spec(OPTIONS), **SPEC}, supports_check_mode=True, **PATHS_CONSTRAINTS)
    finish_detachable(
        module,
        lambda report: drill.run(drill_request_from(module.params), check_mode=module.check_mode, report=report),
        check=lambda: drill.check(drill_request_from(module.params)),
    )


if __name__ == "__main__":
    main()
