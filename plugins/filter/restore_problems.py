# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter restore_problems: what is missing or contradictory in the variables of a restore."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ansible_collections.vya.backupdb.plugins.plugin_utils.login_mistakes import of_instance, of_password

DOCUMENTATION = r"""
name: restore_problems
short_description: Find mistakes in the variables of the role restore
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Checks that the variables that must be given are given, that the name of an existing database that may be changed is
    confirmed, and that one host with this instance restores, for the role P(vya.backupdb.restore#role).
options:
  _input:
    description:
      - The variables C(restore_instance), C(restore_database), C(restore_from), C(restore_target), C(restore_confirm),
        C(restore_replace), C(restore_data_only), C(restore_login_user) and C(restore_login_password) with their values.
        Of the last one it only matters whether it is empty.
    type: dict
    required: true
  instances:
    description: The ids of the host's instances.
    type: list
    elements: str
    required: true
  hosts:
    description: The hosts of the play.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
---
- name: Check the variables
  ansible.builtin.assert:
    that: my_problems | length == 0
    fail_msg: "{{ my_problems }}"
  vars:
    my_problems: "{{ my_values | vya.backupdb.restore_problems(instances=['shop-pg'], hosts=ansible_play_hosts_all) }}"
    my_values:
      restore_instance: shop-pg
      restore_database: shop
      restore_from: latest
      restore_target: shop_copy
      restore_confirm: ""
      restore_replace: false
      restore_data_only: false
      restore_login_user: ""
      restore_login_password: ""
"""

RETURN = r"""
_value:
  description: One sentence for each mistake. The list is empty when there is none.
  type: list
  elements: str
"""

_REQUIRED = ("restore_instance", "restore_database", "restore_from", "restore_target")


def restore_problems(values: Mapping[str, Any], instances: Sequence[str], hosts: Sequence[str]) -> list[str]:
    """Return one sentence for each mistake."""
    empty = [name for name in _REQUIRED if values[name] in (None, "")]
    # A path says which database it is of.
    if str(values["restore_from"]).startswith("/") and "restore_database" in empty:
        empty.remove("restore_database")
    target, confirm = values["restore_target"], values["restore_confirm"]
    problems = []
    if empty:
        problems.append(f"not given: {', '.join(empty)}")
    changes = values["restore_replace"] or values["restore_data_only"]
    if target and confirm != target and (confirm or changes):
        why = "; the database is changed" if changes else ", or be empty"
        problems.append(f"restore_confirm must repeat the name in restore_target, {target}{why}")
    problems += of_password("restore", values)
    problems += of_instance("restore", values, instances)
    if len(hosts) > 1:
        problems.append(f"the play has the hosts {', '.join(hosts)}: name the one that restores, with restore_hosts")
    return problems


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"restore_problems": restore_problems}
