# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter copy_problems: what is wrong with the copies of a host, and with what opens them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.repository.stores.settings import (
    NAME,
    SECRET_OPTIONS,
)

DOCUMENTATION = r"""
name: copy_problems
short_description: Find mistakes in the copies of a host
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Checks the names of copies, and whether their credentials are complete and belong to them, for the role
    P(vya.backupdb.backupdb#role). What a copy needs beyond that is checked by the modules.
  - No value of a secret is in the result.
options:
  _input:
    description: The copies of the host, as in O(vya.backupdb.backupdb#role:prepare:backupdb_copies).
    type: list
    elements: dict
    required: true
  credentials:
    description: What opens their stores, as in O(vya.backupdb.backupdb#role:prepare:backupdb_copy_credentials).
    type: dict
    default: {}
"""

EXAMPLES = r"""
---
- name: Check the copies
  ansible.builtin.assert:
    that: my_problems | length == 0
    fail_msg: "{{ my_problems }}"
  vars:
    my_problems: "{{ backupdb_copies | vya.backupdb.copy_problems(backupdb_copy_credentials) }}"
"""

RETURN = r"""
_value:
  description: One sentence for each mistake. The list is empty when there is none.
  type: list
  elements: str
"""

_TOGETHER = ("access_key_id", "secret_access_key")


def copy_problems(
    copies: Sequence[Mapping[str, Any]], credentials: Mapping[str, Mapping[str, Any]] | None = None
) -> list[str]:
    """Return one sentence for each mistake."""
    names = [str(copy["name"]) for copy in copies]
    wrong = [name for name in dict.fromkeys(names) if not NAME.fullmatch(name)]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    problems = []
    if wrong:
        problems.append(f"backupdb_copies: a name may only have a-z, 0-9, _ and -, unlike {', '.join(wrong)}")
    if repeated:
        problems.append(f"backupdb_copies: each name must be unique, but is repeated: {', '.join(repeated)}")
    return problems + _credential_problems(names, credentials or {})


def _credential_problems(names: Sequence[str], credentials: Mapping[str, Mapping[str, Any]]) -> list[str]:
    strange = [str(name) for name in credentials if name not in names]
    problems = []
    if strange:
        known = ", ".join(names) or "none"
        problems.append(
            f"backupdb_copy_credentials: backupdb_copies has no {', '.join(strange)}; its copies are: {known}"
        )
    for name, secrets in credentials.items():
        if not isinstance(secrets, Mapping) or not set(secrets) <= set(SECRET_OPTIONS):
            problems.append(f"backupdb_copy_credentials.{name} may only have the keys {', '.join(SECRET_OPTIONS)}")
        elif bool(secrets.get(_TOGETHER[0])) != bool(secrets.get(_TOGETHER[1])):
            problems.append(f"backupdb_copy_credentials.{name}: {' and '.join(_TOGETHER)} go together")
    return problems


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"copy_problems": copy_problems}
