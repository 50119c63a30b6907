# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter instance_login: one instance of a host, with its login."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.vya.backupdb.plugins.plugin_utils.job_instances import instances_of

DOCUMENTATION = r"""
name: instance_login
short_description: Find an instance by its id, with its login
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Takes the instances of a host and returns the one with an id.
  - The result is secret. Use it in no loop, no debug and no fact.
options:
  _input:
    description: The instances of the host, as in O(vya.backupdb.backupdb#role:prepare:backupdb_instances).
    type: list
    elements: dict
    required: true
  instance_id:
    description: The id of the instance.
    type: str
    required: true
  logins:
    description: Logins by instance id, which win over what the instance says.
    type: dict
    default: {}
"""

EXAMPLES = r"""
---
- name: Show the version of a server
  vya.backupdb.database_info:
    engine: "{{ my_instance.engine }}"
    login_host: "{{ my_instance.login_host }}"
    login_user: "{{ my_instance.login_user }}"
    login_password: "{{ my_instance.login_password }}"
  vars:
    my_instance: "{{ backupdb_instances | vya.backupdb.instance_login('shop-pg', backupdb_logins) }}"
"""

RETURN = r"""
_value:
  description: The instance, with the options of its login.
  type: dict
"""


def instance_login(
    instances: Sequence[Mapping[str, Any]], instance_id: str, logins: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """Return the instance with this id; raises `AnsibleFilterError` when there is none."""
    for found in instances_of({"instances": [instance_id]}, instances, logins):
        return found
    raise AnsibleFilterError(f"backupdb_instances has no {instance_id}")


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"instance_login": instance_login}
