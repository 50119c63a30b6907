# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter copy_named: one of the copies of a host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: copy_named
short_description: Find a copy by its name
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Takes the copies of a host and returns the one with a name, or those with several names in their order. If there is
    none, the error names those that there are.
options:
  _input:
    description: The copies of the host, as in O(vya.backupdb.backupdb#role:prepare:backupdb_copies).
    type: list
    elements: dict
    required: true
  name:
    description: Name of the copy, or a list of names.
    type: raw
    required: true
"""

EXAMPLES = r"""
---
- name: Verify what is in the copy
  vya.backupdb.backup_verify:
    copy: "{{ backupdb_copies | vya.backupdb.copy_named('offsite') }}"
    copy_credentials: "{{ backupdb_copy_credentials.offsite }}"
"""

RETURN = r"""
_value:
  description: The copy, or for a list of names the list of copies.
  type: raw
"""


def copy_named(copies: Sequence[Mapping[str, Any]], name: str | Sequence[str]) -> dict[str, Any] | list[Any]:
    """Return the copy with this name, or the list for a list of names.

    Raises `AnsibleFilterError` when there is none.
    """
    if not isinstance(name, str):
        return [copy_named(copies, one) for one in name]
    for copy in copies:
        if copy["name"] == name:
            return dict(copy)
    known = ", ".join(str(copy["name"]) for copy in copies) or "none"
    raise AnsibleFilterError(f"backupdb_copies has no copy {name}; its copies are: {known}")


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"copy_named": copy_named}
