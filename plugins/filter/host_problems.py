# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter host_problems: what is wrong with the variables that every role shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Callable

DOCUMENTATION = r"""
name: host_problems
short_description: Find mistakes in the variables that all roles share
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Checks the instances of a host and the encryption of its backups, for the role P(vya.backupdb.backupdb#role).
  - No value of a secret is in the result.
options:
  _input:
    description: The instances of the host, as in O(vya.backupdb.backupdb#role:prepare:backupdb_instances).
    type: list
    elements: dict
    required: true
  encryption:
    description: How backups are encrypted.
    type: str
    choices: [age, none]
    default: age
  recipients:
    description: Public keys that backups are encrypted for.
    type: list
    elements: str
    default: []
  passphrase:
    description: Passphrase that backups are encrypted with.
    type: str
    default: ""
"""

EXAMPLES = r"""
---
- name: Check the variables
  ansible.builtin.assert:
    that: my_problems | length == 0
    fail_msg: "{{ my_problems }}"
  vars:
    my_problems: "{{ backupdb_instances | vya.backupdb.host_problems(recipients=backupdb_recipients) }}"
"""

RETURN = r"""
_value:
  description: One sentence for each mistake. The list is empty when there is none.
  type: list
  elements: str
"""


def host_problems(
    instances: Sequence[Mapping[str, Any]],
    encryption: str = "age",
    recipients: Sequence[str] = (),
    passphrase: str = "",
) -> list[str]:
    """Return one sentence for each mistake."""
    return _instance_problems(instances) + _encryption_problems(encryption, bool(recipients), bool(passphrase))


def _instance_problems(instances: Sequence[Mapping[str, Any]]) -> list[str]:
    if not instances:
        return ["backupdb_instances is empty: list the database servers of this host (id, engine and login of each)"]
    counts = Counter(instance["id"] for instance in instances)
    repeated = [name for name, count in counts.items() if count > 1]
    return [f"backupdb_instances: each id must be unique, but is repeated: {', '.join(repeated)}"] if repeated else []


def _encryption_problems(encryption: str, has_recipients: bool, has_passphrase: bool) -> list[str]:
    if encryption == "age" and not (has_recipients or has_passphrase):
        needed = "backupdb_recipients (public keys, age1...) or backupdb_passphrase"
        return [f"backupdb_encryption is age, so {needed} is needed"]
    problems = []
    if has_recipients and has_passphrase:
        problems.append("backupdb_recipients and backupdb_passphrase exclude each other: remove one of them")
    if encryption == "none" and (has_recipients or has_passphrase):
        problems.append(
            "backupdb_encryption is none, but backupdb_recipients or backupdb_passphrase is set: remove one of them"
        )
    return problems


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"host_problems": host_problems}
