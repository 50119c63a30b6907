#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module backup_status."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_status
short_description: Check whether every database of a host has a recent backup
version_added: 1.0.0
description:
  - Judges each database by the backups in the repository, not by what a run has reported. No key and no login are
    needed.
  - A database is expected when the newest run of its instance wanted it, or when a job does. Expected databases without
    a backup, or with one that is too old, are in RV(late).
  - With O(copy) that is judged which is in the copy, after a look at its store. Without O(config_dir) everything in it
    is expected to be recent, because a copy alone does not tell that a database was dropped.
  - The task fails when RV(status) is not V(ok), with everything in its result.
author:
  - vya.backupdb contributors (@vya)
options:
  host:
    description:
      - Only backups of this host in O(repository) or O(copy), for one that several hosts share.
    type: str
  config_dir:
    description:
      - Directory with the definitions of jobs, as M(vya.backupdb.backup_job) writes them. They say which databases are
        expected and how old their backups may be. It may be empty.
      - Backups of jobs are looked for in the repositories of the jobs, or with O(copy) in the copy, as far as the jobs
        have one of this name.
    type: path
  max_age:
    description:
      - For a database that no job backs up, how old its newest backup may be. Jobs have their own limits, and so may
        O(copy).
    type: str
    default: 26h
extends_documentation_fragment:
  - vya.backupdb.attributes
  - vya.backupdb.attributes.info_module
  - vya.backupdb.attributes.actiongroup_repository
  - vya.backupdb.repository
seealso:
  - module: vya.backupdb.backup_info
  - module: vya.backupdb.backup_job
"""

EXAMPLES = r"""
---
- name: Fail when a database of this host has no backup of the last two days
  vya.backupdb.backup_status:
    repository: /var/backups/backupdb
    host: "{{ inventory_hostname }}"
    max_age: 2d

- name: Check the jobs of this host
  vya.backupdb.backup_status:
    config_dir: /etc/backupdb
  register: doing
  failed_when: false

- name: Check what a copy has of this host
  vya.backupdb.backup_status:
    copy: {name: offsite, type: s3, bucket: acme-db}
    copy_credentials: "{{ backupdb_copy_credentials.offsite }}"
    host: "{{ inventory_hostname }}"

- name: Show it as a table
  ansible.builtin.debug:
    msg: "{{ doing.lines }}"
"""

RETURN = r"""
status:
  description:
    - V(failed) when RV(late) is not empty, the newest attempt at a database failed, or the newest run of an instance or
      a job did. V(partial) when a newest backup lacks something. Else V(ok), also while the first run of a new job is
      still to come.
  returned: always
  type: str
  sample: failed
message:
  description: The same in one sentence.
  returned: success or not well
  type: str
  sample: "11 ok, 1 late; 1.2 GiB, 40.0 GiB free in /var/backups/backupdb. db1/shop-pg/orders: there is no backup"
rows:
  description: The databases and accounts that were checked, by instance.
  returned: success or not well
  type: list
  elements: dict
  contains:
    host:
      description: Host whose server is backed up.
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
    state:
      description:
        - V(ok), V(partial), V(failed) (the newest attempt), V(late), V(no backup), V(waiting) (for the first run of a
          new job), V(gone) (from the server) or V(left out) (no run takes it any more). The last three are not faults.
      type: str
      sample: late
    newest:
      description: The point in time that its newest backup represents, in UTC. Like the next keys V(null) without one.
      type: str
      sample: "2026-11-21T02:15:00.123456Z"
    newest_complete:
      description: The point in time that its newest complete backup represents.
      type: str
      sample: "2026-11-21T02:15:00.123456Z"
    without:
      description: How much its newest backup leaves out on purpose, for people. Empty when nothing is.
      type: str
      sample: without 1 table
    path:
      description: Directory of its newest backup, or where it is in O(copy).
      type: str
      sample: /var/backups/backupdb/db1/shop-pg/orders/20261121T021500Z-3f0c9a52
    age_seconds:
      description: Seconds since RV(rows[].newest).
      type: int
      sample: 259200
    max_age_seconds:
      description: How many seconds are allowed.
      type: int
      sample: 93600
    duration:
      description: Seconds that its newest backup took.
      type: float
      sample: 4.445
    plain_bytes:
      description: Bytes of its newest backup, decrypted and decompressed.
      type: int
      sample: 8051200
    stored_bytes:
      description: Bytes of its newest backup as it is stored.
      type: int
      sample: 1052000
    backups:
      description: Number of its backups.
      type: int
      sample: 14
    disk_bytes:
      description: Bytes of the files of all its backups.
      type: int
      sample: 14728000
    proven:
      description: The point in time that its newest proven backup represents. V(null) when there is none.
      type: str
      sample: "2026-11-15T02:15:00Z"
    drill:
      description: The last drill of any of its backups. V(null) when there was none.
      type: dict
      contains:
        finished:
          description: When it ended, in UTC.
          type: str
          sample: "2026-11-15T04:00:12Z"
        verdict:
          description: V(equal), V(equal, expressions rewritten), V(different) or V(failed).
          type: str
          sample: equal
    error:
      description: Why the newest attempt failed. V(null) when it did not.
      type: str
      sample: null
    next_run:
      description: When a job backs it up next, in UTC. V(null) when that is not known.
      type: str
      sample: "2026-11-25T02:15:07Z"
    copies:
      description:
        - Its state in each copy of the jobs that back it up, by what is known to be in the copy.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the copy.
          type: str
          sample: offsite
        state:
          description:
            - V(ok), V(behind) (recent enough, but some backups of this host are missing), V(late) or V(no backup).
          type: str
          sample: behind
        required:
          description: Whether a run without this copy is partial.
          type: bool
          sample: true
        off_site:
          description: Whether the copy is off-site.
          type: bool
          sample: true
        media:
          description: What it rests on, V(disk), V(another host) or V(object store).
          type: str
          sample: object store
        newest:
          description: The point in time that the newest backup in it represents, in UTC. V(null) without one.
          type: str
          sample: "2026-11-23T02:15:00.123456Z"
        age_seconds:
          description: Seconds since then. V(null) without one.
          type: int
          sample: 86400
        max_age_seconds:
          description: How many seconds are allowed.
          type: int
          sample: 93600
        missing:
          description: Number of backups of this host that are to be in the copy and are not.
          type: int
          sample: 1
        missing_bytes:
          description: Bytes of these backups.
          type: int
          sample: 1052000
        backups:
          description: Number of backups that are known to be in it.
          type: int
          sample: 42
        stored_bytes:
          description: Bytes of these backups.
          type: int
          sample: 44184000
        proven:
          description: The point in time that the newest proven backup in it represents. V(null) when there is none.
          type: str
          sample: "2026-11-15T02:15:00Z"
        locked_until:
          description: Until when the store keeps the newest backup. V(null) when that is not known.
          type: str
          sample: "2026-12-23T02:16:04Z"
        tampered:
          description: Number of backups whose manifests somebody wrote over or removed in the store.
          type: int
          sample: 0
    coverage:
      description: Where it has backups that are recent enough, the repository and the copies. V(null) with O(copy).
      type: dict
      contains:
        copies:
          description: Number of these places.
          type: int
          sample: 3
        media:
          description: Number of kinds of media that they rest on.
          type: int
          sample: 2
        off_site:
          description: Number of these places that are off-site.
          type: int
          sample: 1
coverage:
  description:
    - The least of RV(rows[].coverage) over all databases that a job backs up. V(null) when no job has copies.
  returned: success or not well
  type: dict
  contains:
    copies:
      description: Number of places that have a backup of each database that is recent enough.
      type: int
      sample: 3
    media:
      description: Number of kinds of media that they rest on.
      type: int
      sample: 2
    off_site:
      description: Number of these places that are off-site.
      type: int
      sample: 1
late:
  description: Expected databases without a backup that is recent enough.
  returned: success or not well
  type: list
  elements: str
  sample: [db1/shop-pg/orders]
waiting:
  description:
    - Database servers that wait for the first run of a new job, as host and instance. They count as failed when there
      is no backup six hours after that run was due. Where cron starts the job, C(max_age) counts from its definition.
  returned: success or not well
  type: list
  elements: str
  sample: []
complaints:
  description: All problems, worst first.
  returned: success or not well
  type: list
  elements: str
  sample: ["db1/shop-pg/orders: the newest backup is 3 d 0 h old, 26 h 0 min are allowed"]
instances:
  description: The database servers that were checked.
  returned: success or not well
  type: list
  elements: dict
  contains:
    repository:
      description: The repository of its backups.
      type: str
      sample: /var/backups/backupdb
    host:
      description: Host whose server is backed up.
      type: str
      sample: db1
    instance:
      description: The database server.
      type: str
      sample: shop-pg
    engine:
      description: Vendor of the server at the newest run. V(null) before a first one.
      type: str
      sample: postgresql
    server_version:
      description: Version of the server at the newest run. V(null) before a first one.
      type: str
      sample: "15.20"
    status:
      description: V(ok), V(partial) or V(failed), how the newest run ended. V(null) before a first one.
      type: str
      sample: ok
    error:
      description: Why the newest run of a job could not even begin. V(null) when it did.
      type: str
      sample: null
    last_run:
      description: When the newest run that could begin has ended, in UTC.
      type: str
      sample: "2026-11-24T02:16:04.567891Z"
    expected:
      description: Number of databases that should have a backup.
      type: int
      sample: 12
    well:
      description: Number of these databases whose newest backup, complete or partial, is recent enough.
      type: int
      sample: 11
    gone:
      description: Databases with backups that the server no longer has.
      type: list
      elements: str
      sample: [old_shop]
    left_out:
      description: Databases with backups that are on the server and that no run takes any more.
      type: list
      elements: str
      sample: []
    disk_bytes:
      description: Bytes of the files of all its backups.
      type: int
      sample: 52428800
    jobs:
      description: Jobs that back it up.
      type: list
      elements: str
      sample: [nightly]
    next_run:
      description: When the first of these jobs runs next, in UTC. V(null) when that is not known.
      type: str
      sample: "2026-11-25T02:15:07Z"
    waits_until:
      description: Until when it is no failure that there is no backup yet. V(null) when none is waited for.
      type: str
      sample: null
jobs:
  description: The jobs of O(config_dir).
  returned: success or not well
  type: list
  elements: dict
  contains:
    name:
      description: Name of the job.
      type: str
      sample: nightly
    status:
      description: V(ok), V(partial), V(failed) or V(busy), how its last run ended. V(null) before a first one.
      type: str
      sample: ok
    message:
      description: What its last run said.
      type: str
      sample: "job nightly: instance shop-pg: 12 complete"
    finished:
      description: When its last run ended, in UTC.
      type: str
      sample: "2026-11-24T02:16:05Z"
    last_success:
      description: When its last run that was V(ok) ended, in UTC.
      type: str
      sample: "2026-11-24T02:16:05Z"
    duration:
      description: Seconds that its last run took.
      type: float
      sample: 58.0
    next_run:
      description: When it runs next, in UTC, by systemd's timer. V(null) when that is not known.
      type: str
      sample: "2026-11-25T02:15:07Z"
    schedule:
      description: The same for people, or the line in the crontab.
      type: str
      sample: "cron: 15 2 * * *"
    copies:
      description: How the last copying into each of its copies ended, as far as it was done.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the copy.
          type: str
          sample: offsite
        finished:
          description: When it ended, in UTC.
          type: str
          sample: "2026-11-24T02:18:31.123456Z"
        error:
          description: What went wrong. V(null) when nothing did.
          type: str
          sample: null
repositories:
  description: The repositories that were checked.
  returned: success or not well
  type: list
  elements: dict
  contains:
    path:
      description: Directory of the repository, or where the copy is, which has no free space to tell of.
      type: str
      sample: /var/backups/backupdb
    disk_bytes:
      description: Bytes of the backups in it that were checked.
      type: int
      sample: 52428800
    free_bytes:
      description: Bytes that may still be written to its filesystem. V(null) when it does not exist.
      type: int
      sample: 42949672960
    size_bytes:
      description: Size of its filesystem. V(null) when it does not exist.
      type: int
      sample: 107374182400
lines:
  description: A table for each host with its problems below it, to be printed.
  returned: success or not well
  type: list
  elements: str
  sample: ["db1:", "  INSTANCE  DATABASE  STATE"]
error_kind:
  description: Kind of the failure, such as V(RepositoryError). The text is in RV(ignore:msg).
  returned: failure
  type: str
  sample: RepositoryError
"""

from typing import Any

from ansible_collections.vya.backupdb.plugins.module_utils.ansible_module import AnsibleModule
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.jobs.definition import job_names, job_path, read_job
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.monitoring import status
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.monitoring.options import OPTIONS
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.repository.options import copy_source_from
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.options import duration_from
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.spec import to_spec
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.run_module import finish_with


def main() -> None:
    """Look at the backups of a host and end with how fresh they are."""
    module = AnsibleModule(
        argument_spec=to_spec(OPTIONS),
        mutually_exclusive=[("repository", "copy")],
        required_one_of=[("repository", "copy", "config_dir")],
        supports_check_mode=True,
    )
    finish_with(module, lambda: _status(module.params))


def _status(options: dict[str, Any]) -> dict[str, Any]:
    folder = options["config_dir"]
    names = job_names(folder) if folder else []
    return status.of_host(
        [read_job(job_path(folder, name)) for name in names],
        repository=options["repository"],
        host=options["host"],
        max_age=duration_from(options, "max_age") or status.MAX_AGE,
        copy=copy_source_from(options),
    )


if __name__ == "__main__":
    main()
