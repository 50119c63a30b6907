# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter job_secrets: the secrets that a job needs, and no others, from the variables of the roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.notify.options import SECRET_OPTIONS
from ansible_collections.vya.backupdb.plugins.plugin_utils.job_instances import instances_of

DOCUMENTATION = r"""
name: job_secrets
short_description: Pick the secrets of a job from the variables of its host
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Takes an entry of O(vya.backupdb.backupdb#role:prepare:backupdb_jobs) and returns what the module
    M(vya.backupdb.job_credentials) wants as its C(secrets). Only instances of the job are looked at.
  - The result is secret. Use it in no loop, no debug and no fact.
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
  passphrase:
    description: Passphrase of the archives.
    type: str
    default: ""
  notifications:
    description: Notifications of the job.
    type: list
    elements: dict
    default: []
  copies:
    description: Copies of the job.
    type: list
    elements: dict
    default: []
  copy_credentials:
    description: What opens the stores of copies, by their names.
    type: dict
    default: {}
"""

EXAMPLES = r"""
---
- name: Write the secrets of a job
  vya.backupdb.job_credentials:
    name: nightly
    secrets: "{{ my_job | vya.backupdb.job_secrets(instances=backupdb_instances, logins=backupdb_logins) }}"
  vars:
    my_job:
      name: nightly
"""

RETURN = r"""
_value:
  description: C(logins), C(passphrase), C(notifications) and C(copies), as far as there are any.
  type: dict
"""


def job_secrets(
    job: Mapping[str, Any],
    instances: Sequence[Mapping[str, Any]],
    logins: Mapping[str, Mapping[str, Any]] | None = None,
    passphrase: str = "",
    notifications: Sequence[Mapping[str, Any]] = (),
    copies: Sequence[Mapping[str, Any]] = (),
    copy_credentials: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return the secrets of a job by their kind; kinds without any are left out."""
    passwords = {instance["id"]: instance.get("login_password") for instance in instances_of(job, instances, logins)}
    of_receivers = {
        receiver["name"]: {key: receiver[key] for key in SECRET_OPTIONS if receiver.get(key)}
        for receiver in notifications
    }
    of_copies = {copy["name"]: (copy_credentials or {}).get(copy["name"]) for copy in copies}
    found: dict[str, Any] = {
        "logins": {name: {"login_password": password} for name, password in passwords.items() if password},
        "passphrase": passphrase,
        "notifications": {name: secrets for name, secrets in of_receivers.items() if secrets},
        "copies": {name: dict(secrets) for name, secrets in of_copies.items() if secrets},
    }
    return {kind: secrets for kind, secrets in found.items() if secrets}


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"job_secrets": job_secrets}
