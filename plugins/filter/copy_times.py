# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter copy_times: when jobs copy what is still missing in their copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

DOCUMENTATION = r"""
name: copy_times
short_description: Find out when jobs copy what is still missing
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Takes the jobs of a host and returns when each copies what its copies do not have yet, apart from its backups, for
    the role P(vya.backupdb.schedule#role).
  - Jobs that are disabled, or without a copy, or without such a time, are not among them.
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
    required: true
  key:
    description: Key of a job that says when.
    type: str
    choices: [copy_on_calendar, copy_cron]
    required: true
  default:
    description: When jobs without that key copy. Empty is never.
    type: str
    default: ""
"""

EXAMPLES = r"""
---
- name: Show which jobs copy apart from their backups
  ansible.builtin.debug:
    msg: "{{ backupdb_jobs | vya.backupdb.copy_times(backupdb_copies, 'copy_on_calendar', 'hourly') }}"
"""

RETURN = r"""
_value:
  description: When each of these jobs copies, by its name.
  type: dict
"""


def copy_times(
    jobs: Sequence[Mapping[str, Any]], copies: Sequence[Mapping[str, Any]], key: str, default: str = ""
) -> dict[str, str]:
    """Return the times by the names of the jobs."""
    if not copies:
        return {}
    times = {str(job["name"]): job.get(key, default) for job in jobs if job.get("enabled", True)}
    return {name: str(time) for name, time in times.items() if time}


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"copy_times": copy_times}
