# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter unknown_variables: variables that look like those of a role, and that the role does not have."""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Callable

DOCUMENTATION = r"""
name: unknown_variables
short_description: Find variables that a role does not have
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Takes the names of a host's variables and returns a sentence for each one that is likely a misspelled variable of a
    role, with the name that was meant. Without it the role would go on as if nothing had been said.
  - Only the part of the name after the role's own is compared, and only names that differ in a letter or two are
    returned, as playbooks have variables of their own. What the playbooks of this collection take and publish,
    C(ROLE_hosts) and C(ROLE_summary), is known.
options:
  _input:
    description: The names, such as the lookup C(ansible.builtin.varnames) returns them.
    type: list
    elements: str
    required: true
  roles:
    description: The roles, by their names with or without C(vya.backupdb.). Others are left out.
    type: list
    elements: str
    required: true
  strict:
    description: Also return names that are like no other, for a role with which a mistake costs too much.
    type: bool
    default: false
"""

EXAMPLES = r"""
---
- name: Check the variables
  ansible.builtin.assert:
    that: my_problems | length == 0
    fail_msg: "{{ my_problems }}"
  vars:
    my_problems: "{{ query('ansible.builtin.varnames', '^drill_.+') | vya.backupdb.unknown_variables(['drill']) }}"
"""

RETURN = r"""
_value:
  description: One sentence for each name, in the order of the alphabet. The list is empty when there is none.
  type: list
  elements: str
"""

_ROLES = Path(__file__).resolve().parents[2] / "roles"
_COLLECTION = "vya.backupdb."
_VARIABLE = re.compile(r"^([a-z]\w*):", re.MULTILINE)
_ALIKE = 0.85  # of 1: a letter or two


def unknown_variables(names: Sequence[str], roles: Sequence[str] | str, strict: bool = False) -> list[str]:
    """Return one sentence for each name that a role does not have."""
    wanted = [roles] if isinstance(roles, str) else roles
    short = sorted({role.removeprefix(_COLLECTION) for role in wanted})
    return [line for role in short for line in _problems(role, sorted(set(names)), strict)]


def _problems(role: str, names: Sequence[str], strict: bool) -> Iterator[str]:
    prefix = f"{role}_"
    known = known_variables(role)
    beside = (f"{prefix}hosts", f"{prefix}summary")
    suffixes = [name.removeprefix(prefix) for name in known]
    for name in names:
        if not known or not name.startswith(prefix) or name in known or name in beside:
            continue
        alike = difflib.get_close_matches(name.removeprefix(prefix), suffixes, n=1, cutoff=0.5 if strict else _ALIKE)
        if alike:
            yield f"{name} is no variable of the role {role}; {prefix}{alike[0]} is"
        elif strict:
            yield f"{name} is no variable of the role {role}; its README has all of them"


@functools.cache
def known_variables(role: str) -> frozenset[str]:
    """Return the names of the variables of a role of this collection; none for another one."""
    path = _ROLES / role / "defaults" / "main.yml"
    if Path(role).name != role or not path.is_file():
        return frozenset()
    return frozenset(_VARIABLE.findall(path.read_text(encoding="utf-8")))


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., list[str]]]:
        """Return the filter by its name."""
        return {"unknown_variables": unknown_variables}
