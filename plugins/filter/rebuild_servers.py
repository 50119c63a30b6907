# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter rebuild_servers: the instances of a host as the servers that a rebuild restores into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.connection.options import OPTIONS, SYSTEM_USER
from ansible_collections.vya.backupdb.plugins.plugin_utils.administrators import administrator_of
from ansible_collections.vya.backupdb.plugins.plugin_utils.job_instances import instances_of

DOCUMENTATION = r"""
name: rebuild_servers
short_description: Turn instances with their logins into servers of a rebuild
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Takes the instances of a host and returns the option O(vya.backupdb.host_rebuild#module:servers).
  - Through a socket without a password the administrator logs in as P(vya.backupdb.restore_login#filter) says.
  - The result is secret. Use it in no loop, no debug and no fact.
options:
  _input:
    description: The instances of the host, as in O(vya.backupdb.backupdb#role:prepare:backupdb_instances).
    type: list
    elements: dict
    required: true
  logins:
    description: Logins by instance id, which win over what the instance says.
    type: dict
    default: {}
  administrators:
    description: Logins by instance id that may create databases and accounts. They win over the others.
    type: dict
    default: {}
  as_root:
    description: Whether the work is done as root, who alone can be another user of the operating system.
    type: bool
    default: true
"""

EXAMPLES = r"""
---
- name: Show what would come back
  vya.backupdb.host_rebuild:
    repository: /mnt/backups
    host: db1.example.org
    servers: "{{ backupdb_instances | vya.backupdb.rebuild_servers(backupdb_logins, rebuild_logins) }}"
"""

RETURN = r"""
_value:
  description: One dictionary for each instance, with the options of its login.
  type: list
  elements: dict
"""


def rebuild_servers(
    instances: Sequence[Mapping[str, Any]],
    logins: Mapping[str, Mapping[str, Any]] | None = None,
    administrators: Mapping[str, Mapping[str, Any]] | None = None,
    as_root: bool = True,
) -> list[dict[str, Any]]:
    """Return the servers, each with the options of a connection and no others."""
    return [
        {
            **{name: found[name] for name in (*OPTIONS, *SYSTEM_USER) if found.get(name) not in (None, "")},
            "instance": found["id"],
        }
        for instance in instances_of({}, instances, logins)
        for found in [administrator_of(instance, (administrators or {}).get(instance["id"]), as_root=as_root)]
    ]


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"rebuild_servers": rebuild_servers}
