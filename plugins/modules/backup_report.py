#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module backup_report."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_report
short_description: Gather what a report on the backups of a host is made of
version_added: 1.0.0
description:
  - Looks as M(vya.backupdb.backup_status) does, and also at the history of each database, at the records of its drills,
    at what the retention will free, and at the keys that open its backups. No key and no login are needed.
  - The role P(vya.backupdb.report#role) makes one page of what many hosts return.
  - Backups that are late or missing are no failure of this module. They are in RV(facts).
author:
  - vya.backupdb contributors (@vya)
options:
  host:
    description:
      - Only backups of this host in O(repository) or O(copy), for one that several hosts share.
    type: str
  config_dir:
    description:
      - Directory with the definitions of jobs, as M(vya.backupdb.backup_job) writes them. It may be empty.
      - Backups of jobs are looked for in the repositories of the jobs, or with O(copy) in the copy, as far as the jobs
        have one of this name.
    type: path
  max_age:
    description:
      - For a database that no job backs up, how old its newest backup may be. Jobs have their own limits, and so may
        O(copy).
    type: str
    default: 26h
  retention:
    description:
      - The policy for what no job prunes, with the options of M(vya.backupdb.backup_prune). Without it all backups
        there stay.
    type: dict
extends_documentation_fragment:
  - vya.backupdb.attributes
  - vya.backupdb.attributes.info_module
  - vya.backupdb.attributes.actiongroup_repository
  - vya.backupdb.repository
seealso:
  - module: vya.backupdb.backup_status
  - module: vya.backupdb.backup_info
"""

EXAMPLES = r"""
---
- name: Look at the backups of this host
  vya.backupdb.backup_report:
    repository: /var/backups/backupdb
    host: "{{ inventory_hostname }}"
    config_dir: /etc/backupdb
    retention: {keep_daily: 14}
  register: looked

- name: Name the databases whose newest backup was never restored
  ansible.builtin.debug:
    msg: "{{ looked.facts.databases | selectattr('proven', 'none') | map(attribute='database') }}"
"""

RETURN = r"""
facts:
  description:
    - All that was found, as plain values.
  returned: success
  type: dict
  contains:
    schema:
      description: Version of the form of these values.
      type: int
      sample: 1
    version:
      description: Version of the collection.
      type: str
      sample: 1.0.0
    made:
      description: When it was looked, in UTC.
      type: str
      sample: "2026-11-24T07:00:00Z"
    copy:
      description: Name of the copy that was looked at. V(null) for a repository.
      type: str
      sample: null
    status:
      description: As M(vya.backupdb.backup_status) returns it.
      type: str
      sample: failed
    message:
      description: The same in one sentence.
      type: str
      sample: "11 ok, 1 late; 1.2 GiB"
    complaints:
      description: All problems, worst first, each with its level, its kind, its text and what it is about.
      type: list
      elements: dict
      sample: [{"level": "failed", "kind": "database", "text": "db1/shop-pg/orders: there is no backup"}]
    databases:
      description:
        - The databases and accounts, with most keys of RV(vya.backupdb.backup_status#module:rows), and beside them the
          last 30 backups (C(history)), the last drills (C(drills)), how long a restore takes (C(restore_seconds),
          C(restore_source)), tables that were emptied (C(emptied)), and what the retention will do (C(retention)).
      type: list
      elements: dict
      sample: [{"host": "db1", "instance": "shop-pg", "database": "orders", "state": "ok", "restore_seconds": 41.5}]
    instances:
      description:
        - As RV(vya.backupdb.backup_status#module:instances), and what no run takes, with the rule (C(excluded)), and
          what the newest run saw for the first time (C(new)).
      type: list
      elements: dict
      sample: [{"host": "db1", "instance": "shop-pg", "excluded": [{"name": "tmp", "rule": "excluded by 'tmp*'"}]}]
    jobs:
      description: The jobs, how their last run ended, and when they run next.
      type: list
      elements: dict
      sample: [{"name": "nightly", "status": "ok"}]
    repositories:
      description: As RV(vya.backupdb.backup_status#module:repositories).
      type: list
      elements: dict
      sample: [{"path": "/var/backups/backupdb", "disk_bytes": 107374182400}]
    days:
      description: How many runs, backups and drills there were on each of the last 30 days, and how they ended.
      type: list
      elements: dict
      sample: [{"day": "2026-11-23", "runs": 2, "backups": 14, "failed": 0}]
    keys:
      description: The keys that open or have signed backups, since when, how many, and how many nothing else opens.
      type: list
      elements: dict
      sample: [{"use": "opens", "key": "age1...", "backups": 412, "alone": 0}]
    problems:
      description: What could not be read, or does not belong into a repository.
      type: list
      elements: str
      sample: []
message:
  description: How many databases were looked at.
  returned: success
  type: str
  sample: 12 databases and accounts were looked at
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
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.report.facts import of_host
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.report.options import OPTIONS
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.repository.options import copy_source_from
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.options import duration_from
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.spec import to_spec
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.run_module import finish_with


def main() -> None:
    """Look at the backups of a host and end with what a report needs."""
    module = AnsibleModule(
        argument_spec=to_spec(OPTIONS),
        mutually_exclusive=[("repository", "copy")],
        required_one_of=[("repository", "copy", "config_dir")],
        supports_check_mode=True,
    )
    finish_with(module, lambda: _looked(module.params))


def _looked(options: dict[str, Any]) -> dict[str, Any]:
    folder = options["config_dir"]
    names = job_names(folder) if folder else []
    facts = of_host(
        [read_job(job_path(folder, name)) for name in names],
        repository=options["repository"],
        host=options["host"],
        max_age=duration_from(options, "max_age") or status.MAX_AGE,
        copy=copy_source_from(options),
        retention=options["retention"],
    )
    return {"facts": facts, "message": f"{len(facts['databases'])} databases and accounts were looked at"}


if __name__ == "__main__":
    main()
