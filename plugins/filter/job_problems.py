# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter job_problems: what is wrong with the jobs of a host."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.notify.options import SECRET_OPTIONS

DOCUMENTATION = r"""
name: job_problems
short_description: Find mistakes in the jobs of a host
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Checks the names and instances of jobs, and whether the way of keeping their secrets can keep them, for the role
    P(vya.backupdb.schedule#role).
  - No value of a secret is in the result.
options:
  _input:
    description: The jobs of the host, as in O(vya.backupdb.backupdb#role:prepare:backupdb_jobs).
    type: list
    elements: dict
    required: true
  instances:
    description: The instances of the host.
    type: list
    elements: dict
    default: []
  notifications:
    description: Notifications of the jobs that have none of their own.
    type: list
    elements: dict
    default: []
  passphrase:
    description: Passphrase of the backups.
    type: str
    default: ""
  user:
    description: User who makes the backups.
    type: str
    default: root
  append_only:
    description: Whether published backups are taken from that user.
    type: bool
    default: false
  manager:
    description: Which program starts the jobs.
    type: str
    choices: [auto, systemd, cron]
    default: auto
  credentials:
    description: How the secrets of jobs are kept.
    type: str
    choices: [auto, systemd, file, store]
    default: auto
"""

EXAMPLES = r"""
---
- name: Check the jobs
  ansible.builtin.assert:
    that: my_problems | length == 0
    fail_msg: "{{ my_problems }}"
  vars:
    my_problems: "{{ backupdb_jobs | vya.backupdb.job_problems(instances=backupdb_instances) }}"
"""

RETURN = r"""
_value:
  description: One sentence for each mistake. The list is empty when there is none.
  type: list
  elements: str
"""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")  # the same as of a job file


def job_problems(
    jobs: Sequence[Mapping[str, Any]],
    instances: Sequence[Mapping[str, Any]] = (),
    notifications: Sequence[Mapping[str, Any]] = (),
    passphrase: str = "",
    user: str = "root",
    append_only: bool = False,
    manager: str = "auto",
    credentials: str = "auto",
) -> list[str]:
    """Return one sentence for each mistake."""
    problems = _name_problems([str(job["name"]) for job in jobs]) + _instance_problems(jobs, instances)
    if append_only and user == "root":
        problems.append("backupdb_append_only takes backups from backupdb_user, who must therefore not be root")
    if credentials == "store":
        problems += _store_problems(jobs, notifications, passphrase)
    if credentials == "systemd" and manager == "cron":
        problems.append("schedule_credentials is systemd, so schedule_use cannot be cron")
    return problems


def _name_problems(names: Sequence[str]) -> list[str]:
    problems = []
    wrong = [name for name in names if not _NAME.fullmatch(name)]
    if wrong:
        problems.append(f"backupdb_jobs: a name may only have a-z, 0-9, _ and -, unlike {', '.join(wrong)}")
    if "seal" in names:
        problems.append("backupdb_jobs: the name seal is taken by the collection itself")
    if len(set(names)) != len(names):
        problems.append("backupdb_jobs: each name must be unique")
    return problems


def _instance_problems(jobs: Sequence[Mapping[str, Any]], instances: Sequence[Mapping[str, Any]]) -> list[str]:
    known = {instance["id"] for instance in instances}
    named = dict.fromkeys(name for job in jobs for name in job.get("instances") or ())
    unknown = [str(name) for name in named if name not in known]
    return [f"backupdb_jobs: backupdb_instances has no {', '.join(unknown)}"] if unknown else []


def _store_problems(
    jobs: Sequence[Mapping[str, Any]], notifications: Sequence[Mapping[str, Any]], passphrase: str
) -> list[str]:
    problems = []
    if passphrase:
        problems.append(
            "schedule_credentials is store, which holds logins only: use backupdb_recipients instead of a passphrase"
        )
    receivers = [receiver for job in jobs for receiver in job.get("notifications", notifications) or ()]
    secret = dict.fromkeys(
        str(receiver["name"]) for receiver in receivers if any(receiver.get(option) for option in SECRET_OPTIONS)
    )
    if secret:
        problems.append(
            "schedule_credentials is store, which holds logins only: it cannot keep the address or password of "
            + ", ".join(secret)
        )
    return problems


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"job_problems": job_problems}
