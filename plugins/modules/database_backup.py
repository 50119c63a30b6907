#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module database_backup."""

from __future__ import annotations

DOCUMENTATION = r"""
module: database_backup
short_description: Back up the databases and accounts of a database server
version_added: 1.0.0
description:
  - Backs up every selected database of one PostgreSQL, MySQL or MariaDB server, and its users, roles and grants.
  - Each database is dumped in one consistent snapshot by the server's own client, compressed and encrypted while the
    bytes stream (no plain text reaches the disk), and published in one step with a manifest once it is complete. An
    incomplete backup is not published, and earlier backups are never touched.
  - A database that fails does not stop the others. When all are done, the task fails with the whole result.
  - In check mode nothing is dumped or written. The module goes the way of a run up to the first byte that would be
    written, and returns what would become of each database and of the accounts. It fails where the run would fail, or
    be partial, for the same reason.
  - While a backup that was left by its task goes on, another one of the same instance fails and says which run is in
    progress, or waits for O(repository_lock_timeout).
notes:
  - The dump client of the server's version must be installed on the host where the module runs. The error names the
    package.
  - Run the module as the user who is to own the backups. Directories get the mode V(0700), files V(0600).
author:
  - vya.backupdb contributors (@vya)
extends_documentation_fragment:
  - vya.backupdb.attributes
  - vya.backupdb.attributes.actiongroup_login_repository
  - vya.backupdb.connection
  - vya.backupdb.selection
  - vya.backupdb.dump
  - vya.backupdb.backup
  - vya.backupdb.detached
attributes:
  check_mode:
    support: full
    details: The same code runs up to the point where the first byte would be written.
  diff_mode:
    support: full
    details: Shows the newest backup of every database before and after, never contents.
  idempotent:
    support: partial
    details: Every run makes new backups, unless O(skip_if_newer_than) accepts existing ones.
seealso:
  - module: vya.backupdb.database_info
  - module: vya.backupdb.age_keypair
"""

EXAMPLES = r"""
---
- name: Back up every database and all accounts of a PostgreSQL server
  vya.backupdb.database_backup:
    instance: shop-pg
    engine: postgresql
    login_unix_socket: /var/run/postgresql
    login_user: backupdb
    repository: /var/backups/backupdb
    recipients:
      - "{{ backup_recipient }}"
      - "{{ offline_recovery_recipient }}"

- name: Back up databases without a backup of the last twelve hours, over TCP with a checked certificate
  vya.backupdb.database_backup:
    instance: wiki-db
    engine: mariadb
    login_host: db.example.org
    login_user: backupdb
    login_password: "{{ vault_wiki_db_password }}"
    ssl_mode: verify_full
    databases: ["wiki*", "forum"]
    exclude: ["*_scratch"]
    repository: /var/backups/backupdb
    recipients: ["{{ backup_recipient }}"]
    skip_if_newer_than: 12h
  register: backup

- name: Back up a big database in four parts, gently
  vya.backupdb.database_backup:
    instance: warehouse
    engine: postgresql
    login_host: 192.0.2.10
    login_user: backupdb
    login_password: "{{ vault_warehouse_password }}"
    databases: [facts]
    jobs: 4
    nice: 10
    bandwidth_limit: 80M
    timeout: 6h
    row_counts: true
    repository: /srv/backup
    recipients: ["{{ backup_recipient }}"]
"""

RETURN = r"""
run_id:
  description: Identifier of this run. Its first eight characters end the names of the backups' folders.
  returned: when the run began
  type: str
  sample: 3f0c9a52d1e94c0b8f4f0b7f5a6d2c11
instance:
  description: The O(instance) asked for.
  returned: always
  type: str
  sample: shop-pg
host:
  description: The folder of the repository that stands for this host.
  returned: always
  type: str
  sample: db1
engine:
  description: The server's actual engine, one of the choices of O(engine).
  returned: when the run began
  type: str
  sample: postgresql
server_version:
  description: Version of the server.
  returned: when the run began
  type: str
  sample: "15.20"
status:
  description:
    - V(ok), V(partial) when everything is published but something named is missing, and V(failed) when something is not
      published. In check mode V(planned) when all would be well, else what a run would end with. The task fails when it
      is V(partial) or V(failed).
  returned: always
  type: str
  sample: ok
message:
  description: The outcome in a sentence, with the reason of each failure.
  returned: when the run began
  type: str
  sample: >-
    instance shop-pg (postgresql at socket /var/run/postgresql): 3 complete; 1.0 MiB stored in 5.1 s
databases:
  description: The result for each selected database.
  returned: when the run began
  type: list
  elements: dict
  contains: &backup
    name:
      description: Name of the database, or V(@accounts).
      type: str
      sample: orders
    status:
      description:
        - V(complete), V(partial) (published, but RV(databases[].missing) names what it lacks), V(failed) (nothing was
          published), or V(skipped). In check mode V(planned) in place of V(complete), else what it would end with.
      type: str
      sample: complete
    path:
      description: Folder of the backup. V(null) when none was published.
      type: str
      sample: /var/backups/backupdb/db1/shop-pg/orders/20261124T021500Z-3f0c9a52
    archives:
      description: Files of the backup. Its manifest has more about each.
      type: list
      elements: dict
      contains:
        name:
          description: File name.
          type: str
          sample: data.dump.zst.age
        part:
          description: Which part of the database it holds.
          type: str
          sample: data
        format:
          description: What is in it once it is decrypted and decompressed.
          type: str
          sample: postgresql-custom
        plain_bytes:
          description: Bytes that the dump client wrote.
          type: int
          sample: 8032931
        stored_bytes:
          description: Size of the file.
          type: int
          sample: 1048892
        sha256:
          description: Digest of the file.
          type: str
          sample: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
    plain_bytes:
      description: Bytes that the dump clients wrote.
      type: int
      sample: 8032931
    stored_bytes:
      description: Bytes that are stored in the repository.
      type: int
      sample: 1048892
    sha256:
      description: Digest of the manifest, which holds the digests of all archives. V(null) when nothing was published.
      type: str
      sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    duration:
      description: Seconds.
      type: float
      sample: 4.2
    rate:
      description: Plain bytes per second.
      type: int
      sample: 1912602
    warnings:
      description: Warnings about this backup.
      type: list
      elements: str
      sample: []
    missing:
      description: Named pieces that the backup does not have.
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
    error:
      description: Why it failed and what to do. V(null) otherwise.
      type: str
      sample: null
    reason:
      description: Why it was skipped. V(null) otherwise.
      type: str
      sample: null
    plan:
      description: What a real run would do. Only in check mode, and not for accounts.
      type: dict
      contains:
        client:
          description: The dump client that would be used. V(null) when there is none on the host.
          type: str
          sample: /usr/lib/postgresql/15/bin/pg_dump
        jobs:
          description: In how many parts it would be dumped at the same time.
          type: int
          sample: 1
        forecast_bytes:
          description:
            - Bytes that the backup will likely take. V(null) when nothing is known. A run warns when those of all
              databases together do not fit.
          type: int
          sample: 1052000
        forecast_least_bytes:
          description: Bytes that it takes at least. It is not begun when these are not free.
          type: int
          sample: 478000
        forecast_most_bytes:
          description: Bytes that it takes at most.
          type: int
          sample: 1912000
        forecast_confidence:
          description: V(high) for figures from an earlier backup, V(low) for guesses from the size of the database.
          type: str
          sample: high
        forecast_basis:
          description: Where the figures are from.
          type: str
          sample: from its last backup of 933.6 KiB
        free_bytes:
          description: Bytes that are free in the repository.
          type: int
          sample: 52613349376
        would_skip:
          description: Whether the newest backup is new enough.
          type: bool
          sample: false
accounts:
  description: The same for users, roles and grants. V(null) when O(accounts=false).
  returned: when the run began
  type: dict
  contains: *backup
skipped_databases:
  description: Databases that were left out. It is not called C(skipped), which means a skipped task to Ansible.
  returned: when the run began
  type: list
  elements: dict
  contains:
    name:
      description: Name of the database.
      type: str
      sample: template0
    reason:
      description: Why it was left out.
      type: str
      sample: does not accept connections
new:
  description: Databases that have their first backup.
  returned: when the run began
  type: list
  elements: str
  sample: [orders]
gone:
  description: Databases that were in the last run and are no longer on the server. Their backups are kept.
  returned: when the run began
  type: list
  elements: str
  sample: []
missing_privileges:
  description: Privileges that the login lacks, each with the statement that grants it.
  returned: when the run began
  type: list
  elements: dict
  contains:
    privilege:
      description: The privilege.
      type: str
      sample: SELECT on table public.orders
    severity:
      description:
        - With V(fatal) the database cannot be backed up, with V(partial) a named piece is missing, with V(degraded) the
          backup is whole but made with limitations.
      type: str
      sample: fatal
    effect:
      description: What is lost without it.
      type: str
      sample: the table cannot be dumped
    grant:
      description: The statement that an administrator runs.
      type: str
      sample: GRANT pg_read_all_data TO backupdb;
    database:
      description: The database concerned. V(null) stands for the whole instance.
      type: str
      sample: orders
warnings:
  description: Warnings about this run.
  returned: when there is something
  type: list
  elements: str
  sample: ["database 'old' was in the last run and is no longer on the server; its backups are kept"]
plain_bytes:
  description: Bytes that all dump clients wrote.
  returned: when the run began
  type: int
  sample: 8051200
stored_bytes:
  description: Bytes that this run stored in the repository.
  returned: when the run began
  type: int
  sample: 1052000
hooks:
  description: What came of each of the O(hooks), in the order in which they ended. Empty in check mode.
  returned: when the run began
  type: list
  elements: dict
  sample:
    - when: before
      per: run
      database: null
      title: pause-imports
      status: ok
      required: true
      duration: 0.2
      output: paused
      error: null
duration:
  description: Seconds of the whole run.
  returned: when the run began
  type: float
  sample: 5.1
rate:
  description: Plain bytes per second over the whole run.
  returned: when the run began
  type: int
  sample: 1578666
diff:
  description: The newest backup of every database before and after.
  returned: in diff mode
  type: dict
  sample: {"before": "orders: no backup\n", "after": "orders: 20261124T021500Z-3f0c9a52, complete, 1.0 MiB\n"}
error_kind:
  description: Kind of the failure, such as V(ConnectionFailed). The text is in RV(ignore:msg).
  returned: when the run could not begin, or in check mode could not
  type: str
  sample: ConnectionFailed
"""

from dataclasses import replace
from typing import Any, Callable

from ansible_collections.vya.backupdb.plugins.module_utils.ansible_module import AnsibleModule
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.backup import run as backup
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.backup.options import (
    OPTIONS,
    request_from,
    short_host_name,
)
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.constraints import (
    BACKUP_CONSTRAINTS,
)
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.spec import to_spec
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.detached import SPEC, finish_detachable


def main() -> None:
    """Run one backup of one instance and end with what became of each database."""
    module = AnsibleModule(argument_spec={**to_spec(OPTIONS), **SPEC}, supports_check_mode=True, **BACKUP_CONSTRAINTS)
    run_id = module.params["detached_run_id"]

    def work(report: Callable[[str], None] | None) -> dict[str, Any]:
        told = None if report is None else lambda progress: report(progress.text())
        request = replace(request_from(module.params), run_id=run_id)
        return backup.run(request, check_mode=module.check_mode, report=told)

    finish_detachable(
        module,
        work,
        check=lambda: backup.check(request_from(module.params)),
        instance=module.params["instance"],
        host=module.params["host"] or short_host_name(),
    )


if __name__ == "__main__":
    main()
