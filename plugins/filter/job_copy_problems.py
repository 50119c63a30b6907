# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter job_copy_problems: what is wrong with the copies of the jobs of a host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

DOCUMENTATION = r"""
name: job_copy_problems
short_description: Find mistakes in the copies of the jobs of a host
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Checks whether there are the copies that jobs name, and whether the way of keeping the secrets of jobs can keep what
    opens them, for the role P(vya.backupdb.schedule#role).
  - No value of a secret is in the result.
options:
  _input:
    description: The jobs of the host, as in O(vya.backupdb.backupdb#role:prepare:backupdb_jobs).
    type: list
    elements: dict
    required: true
  copies:
    description: The copies of the host.
    type: list
    elements: dict
    default: []
  copy_credentials:
    description: What opens the stores of copies, by their names.
    type: dict
    default: {}
  credentials:
    description: How the secrets of jobs are kept.
    type: str
    choices: [auto, systemd, file, store]
    default: auto
"""

EXAMPLES = r"""
---
- name: Check the copies of the jobs
  ansible.builtin.assert:
    that: my_problems | length == 0
    fail_msg: "{{ my_problems }}"
  vars:
    my_problems: "{{ backupdb_jobs | vya.backupdb.job_copy_problems(copies=backupdb_copies) }}"
"""

RETURN = r"""
_value:
  description: One sentence for each mistake. The list is empty when there is none.
  type: list
  elements: str
"""


def job_copy_problems(
    jobs: Sequence[Mapping[str, Any]],
    copies: Sequence[Mapping[str, Any]] = (),
    copy_credentials: Mapping[str, Mapping[str, Any]] | None = None,
    credentials: str = "auto",
) -> list[str]:
    """Return one sentence for each mistake."""
    known = [copy["name"] for copy in copies]
    named = dict.fromkeys(name for job in jobs for name in job.get("copies") or ())
    unknown = [str(name) for name in named if name not in known]
    problems = []
    if unknown:
        there = ", ".join(known) or "none"
        problems.append(f"backupdb_jobs: backupdb_copies has no {', '.join(unknown)}; its copies are: {there}")
    if copy_credentials and jobs and credentials == "store":
        problems.append(
            "schedule_credentials is store, which holds logins only: it cannot keep what opens the copies "
            + ", ".join(copy_credentials)
        )
    return problems


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"job_copy_problems": job_copy_problems}
