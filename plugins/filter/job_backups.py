# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter job_backups: what a job backs up, from the variables of the roles, without secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ansible_collections.vya.backupdb.plugins.plugin_utils.job_instances import instances_of

DOCUMENTATION = r"""
name: job_backups
short_description: Make the backups of a job from the variables of its host
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Takes an entry of O(vya.backupdb.backupdb#role:prepare:backupdb_jobs) and returns what the module
    M(vya.backupdb.backup_job) wants as its C(backups). Passwords are left out.
options:
  _input:
    description: The entry of the list of jobs.
    type: dict
    required: true
  instances:
    description: The instances of the host.
    type: list
    elements: dict
    required: true
  logins:
    description: Logins by instance id, which win over what the instance says.
    type: dict
    default: {}
  shared:
    description: Options that all backups have. Those that are empty count as not given.
    type: dict
    default: {}
"""

EXAMPLES = r"""
---
- name: Define a job
  vya.backupdb.backup_job:
    name: nightly
    backups: "{{ my_job | vya.backupdb.job_backups(instances=backupdb_instances, shared=my_options) }}"
  vars:
    my_job:
      name: nightly
      instances: [shop-pg]
      backup:
        timeout: 6h
    my_options:
      host: "{{ inventory_hostname }}"
      repository: /var/backups/backupdb
      recipients: ["{{ backup_recipient }}"]
"""

RETURN = r"""
_value:
  description: Options of M(vya.backupdb.database_backup) for each instance of the job.
  type: list
  elements: dict
"""

_SECRETS = ("login_password",)


def job_backups(
    job: Mapping[str, Any],
    instances: Sequence[Mapping[str, Any]],
    logins: Mapping[str, Mapping[str, Any]] | None = None,
    shared: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Return the options of each backup; an instance wins over what is shared, and the job over both."""
    given = {name: value for name, value in (shared or {}).items() if value not in (None, "", [])}
    found = []
    for instance in instances_of(job, instances, logins):
        options = {
            name: value for name, value in instance.items() if name not in ("id", *_SECRETS) and value is not None
        }
        found.append({**given, "instance": instance["id"], **options, **(job.get("backup") or {})})
    return found


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"job_backups": job_backups}
