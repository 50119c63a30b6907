# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter service_sandbox: what the systemd service of a job may do, and no more."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Callable

DOCUMENTATION = r"""
name: service_sandbox
short_description: Make the sandbox of a job's systemd service
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Takes an entry of O(vya.backupdb.backupdb#role:prepare:backupdb_jobs) and returns those settings of its service that
    depend on what the job does, for the role P(vya.backupdb.schedule#role).
options:
  _input:
    description: The entry of the list of jobs.
    type: dict
    required: true
  user:
    description: User who makes the backups.
    type: str
    required: true
  repository:
    description: Directory of the backups.
    type: str
    required: true
  state_dir:
    description: Directory of the state of jobs.
    type: str
    required: true
  metrics_dir:
    description: Directory of the metrics, if any.
    type: str
    default: ""
  instances:
    description: The instances of the host.
    type: list
    elements: dict
    default: []
  copies:
    description: The copies of the job.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
---
- name: Show what the service of a job may write to
  ansible.builtin.debug:
    msg: "{{ my_sandbox.ReadWritePaths }}"
  vars:
    my_sandbox: >-
      {{ my_job | vya.backupdb.service_sandbox(user='root', repository='/srv/backup', state_dir='/srv/state') }}
    my_job:
      name: nightly
"""

RETURN = r"""
_value:
  description:
    - The settings C(ReadWritePaths), C(CapabilityBoundingSet) and C(RestrictNamespaces) as lists, and C(PrivateTmp) and
      C(MemoryDenyWriteExecute) as booleans. Paths are escaped for a unit file. The service may
      make these namespaces, and no others.
  type: dict
"""

_TEMPORARY = re.compile(r"(/tmp|/var/tmp)(/|$)")
# Of root without a drill: reads sockets and keys of others. A drill also starts servers as another user and clears up.
_ROOT = ["CAP_DAC_OVERRIDE"]
_ROOT_WITH_DRILL = ["CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_SETGID", "CAP_SETUID"]
_FILES_OF_COPIES = ("key_file", "ca_cert", "config_file")
# What the server of a drill is shut in by. Root's is kept from the rest by its user, and by the service's own walls.
_NAMESPACES = ["ipc", "mnt", "net", "pid", "user", "uts"]


def service_sandbox(
    job: Mapping[str, Any],
    user: str,
    repository: str,
    state_dir: str,
    metrics_dir: str = "",
    instances: Sequence[Mapping[str, Any]] = (),
    copies: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return the settings by the names that systemd has for them."""
    drill = job.get("drill") or {}
    disks = [copy["path"] for copy in copies if copy["type"] == "local"]
    written = [path for path in (repository, state_dir, metrics_dir, drill.get("work_dir"), *disks) if path]
    used = [*written, drill.get("identity_file"), *(instance.get("login_unix_socket") for instance in instances)]
    used += [copy.get(key) for copy in copies for key in _FILES_OF_COPIES]
    return {
        "ReadWritePaths": [path.replace("%", "%%") for path in written],
        # A service with a /tmp of its own would not see what others put there.
        "PrivateTmp": not any(_TEMPORARY.match(path) for path in used if path),
        # The servers that a drill starts may compile queries.
        "MemoryDenyWriteExecute": not drill,
        "RestrictNamespaces": _NAMESPACES if drill and user != "root" else [],
        "CapabilityBoundingSet": [] if user != "root" else _ROOT_WITH_DRILL if drill else _ROOT,
    }


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"service_sandbox": service_sandbox}
