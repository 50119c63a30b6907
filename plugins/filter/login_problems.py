# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter login_problems: what is wrong with the variables that say whose logins are managed by whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.engines.registry import find_engine

DOCUMENTATION = r"""
name: login_problems
short_description: Find mistakes in the variables of the role account
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Checks that every instance reached over the network has an administrator, and that for MySQL and MariaDB the
    hosts are given from which the login may come, for the role P(vya.backupdb.account#role).
  - No value of a secret is in the result.
options:
  _input:
    description: The instances of the host, as in O(vya.backupdb.backupdb#role:prepare:backupdb_instances).
    type: list
    elements: dict
    required: true
  administrators:
    description: Logins of administrators by instance id.
    type: dict
    default: {}
  login_hosts:
    description: Hosts from which the logins of MySQL and MariaDB may come, by instance id.
    type: dict
    default: {}
"""

EXAMPLES = r"""
---
- name: Check the variables
  ansible.builtin.assert:
    that: my_problems | length == 0
    fail_msg: "{{ my_problems }}"
  vars:
    my_problems: "{{ backupdb_instances | vya.backupdb.login_problems(administrators=account_admin_logins) }}"
"""

RETURN = r"""
_value:
  description: One sentence for each mistake. The list is empty when there is none.
  type: list
  elements: str
"""

_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


def login_problems(
    instances: Sequence[Mapping[str, Any]],
    administrators: Mapping[str, Any] | None = None,
    login_hosts: Mapping[str, str] | None = None,
) -> list[str]:
    """Return one sentence for each mistake."""
    over_network = [instance for instance in instances if "login_host" in instance]
    without_admin = [str(entry["id"]) for entry in over_network if entry["id"] not in (administrators or {})]
    without_host = [
        str(entry["id"])
        for entry in over_network
        if _names_hosts(str(entry["engine"]))
        and entry["login_host"] not in _LOCAL_HOSTS
        and entry["id"] not in (login_hosts or {})
    ]
    problems = []
    if without_admin:
        problems.append(
            "account_admin_logins needs an administrator for instances with login_host: " + ", ".join(without_admin)
        )
    if without_host:
        problems.append(
            "account_login_hosts must say from where the logins of other hosts may come: " + ", ".join(without_host)
        )
    return problems


def _names_hosts(vendor: str) -> bool:
    engine = find_engine(vendor)
    return engine is not None and engine.ACCOUNTS.NAMES_HOSTS


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"login_problems": login_problems}
