# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter obsolete_job_files: files of removed jobs, and of the other way of starting the jobs that stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

DOCUMENTATION = r"""
name: obsolete_job_files
short_description: List the files that a host must not have for the jobs that it has
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Takes the jobs of a host and returns the paths of all files that must not be there, whether they are there or
    not, for the role P(vya.backupdb.schedule#role).
  - These are the files of removed jobs, those of the other way of starting the jobs that stay, and the timers that copy
    for jobs which copy nothing more.
  - Every path is whole. Files of others with similar names are not among them.
options:
  _input:
    description: Names of the jobs that the host has.
    type: list
    elements: str
    required: true
  removed:
    description: Names of the jobs that are defined on the host and are to be removed.
    type: list
    elements: str
    default: []
  manager:
    description: Which program starts the jobs.
    type: str
    choices: [systemd, cron]
    required: true
  append_only:
    description: Whether the host has the job C(seal), which takes published backups from the user who made them.
    type: bool
    default: false
  copying:
    description: Names of the jobs that have a timer of their own for what is missing in their copies.
    type: list
    elements: str
    default: []
  places:
    description:
      - Where such files are. The directories C(units), C(crontabs), C(config) and C(state), and the file C(sealer).
    type: dict
    required: true
"""

EXAMPLES = r"""
---
- name: Show what a job that was replaced may have left behind
  ansible.builtin.debug:
    msg: "{{ ['nightly'] | vya.backupdb.obsolete_job_files(removed=['weekly'], manager='systemd', places=my_places) }}"
  vars:
    my_places:
      units: /etc/systemd/system
      crontabs: /etc/cron.d
      config: /etc/backupdb
      state: /var/lib/backupdb
      sealer: /usr/local/lib/backupdb/seal
"""

RETURN = r"""
_value:
  description: Paths. Definitions of jobs are last, so that a removal that was cut off is found by the next run.
  type: list
  elements: str
"""

_SEAL = "seal"
_COPY = "copy@"  # before the name of a job; no job can be called so
_TIMER_STAMPS = "/var/lib/systemd/timers/stamp-backupdb-"  # systemd keeps there when a persistent timer fired last


def obsolete_job_files(
    jobs: Sequence[str],
    manager: str,
    places: Mapping[str, str],
    removed: Sequence[str] = (),
    append_only: bool = False,
    copying: Sequence[str] = (),
) -> list[str]:
    """Return the paths that must not be there, definitions of jobs last."""
    kept = [*jobs, *([_SEAL] if append_only else [])]
    still = copying if manager == "systemd" else ()
    copiers = [f"{_COPY}{name}" for name in (*removed, *jobs) if name not in still]
    gone = [*removed, *([] if append_only else [_SEAL])]
    units, crontab = f"{places['units']}/backupdb-", f"{places['crontabs']}/backupdb-"
    definition = f"{places['config']}/jobs.d/"
    return [
        *_paths(units, gone, (".timer", ".service")),
        *_paths(units, copiers, (".timer", ".service")),
        *_paths(crontab, gone),
        *(_paths(crontab, kept) if manager == "systemd" else _paths(units, kept, (".timer", ".service"))),
        *([] if append_only else [places["sealer"]]),
        *_paths(_TIMER_STAMPS, [*gone, *copiers], (".timer",)),
        *_paths(f"{places['config']}/credentials/", removed, ("", ".cred")),
        *_paths(f"{places['state']}/jobs/", removed, (".json", ".lock")),
        *_paths(definition, removed, (".json",)),
    ]


def _paths(beginning: str, names: Sequence[str], endings: Sequence[str] = ("",)) -> list[str]:
    return [f"{beginning}{name}{ending}" for name in names for ending in endings]


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"obsolete_job_files": obsolete_job_files}
