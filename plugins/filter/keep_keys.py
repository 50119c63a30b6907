# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter keep_keys: a dictionary with some of its keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Callable

DOCUMENTATION = r"""
name: keep_keys
short_description: Keep some keys of a dictionary
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Returns a dictionary with only those keys that are listed. Keys that it does not have are left out.
options:
  _input:
    description: The dictionary.
    type: dict
    required: true
  keys:
    description: The keys to keep.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
---
- name: Show which instances there are, without their logins
  ansible.builtin.debug:
    msg: "{{ backupdb_instances | map('vya.backupdb.keep_keys', ['id', 'engine']) }}"
"""

RETURN = r"""
_value:
  description: The dictionary without its other keys.
  type: dict
"""


def keep_keys(dictionary: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    """Return the dictionary without its other keys."""
    return {key: value for key, value in dictionary.items() if key in keys}


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"keep_keys": keep_keys}
