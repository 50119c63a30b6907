# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup host_pattern: a pattern of hosts as it was given, once it is known to match some.

Ansible ends with status 0 where a play has no hosts: a misspelt group would pass for a backup of all of its hosts.
"""

from __future__ import annotations

DOCUMENTATION = r"""
name: host_pattern
short_description: Return a pattern of hosts, and fail if no host matches it
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - For C(hosts) of a play. Without it a play whose pattern matches nothing, because a name is misspelt, does nothing,
    and C(ansible-playbook) ends with 0.
  - What C(--limit) leaves out does not count as matched.
  - Nothing is checked where C(ansible-playbook) only lists or checks the syntax.
options:
  _terms:
    description: The pattern, such as C(databases:!staging), or a list of patterns.
    required: true
  variable:
    description: The variable that the pattern is from, for the message.
    type: str
    default: hosts
"""

EXAMPLES = r"""
---
- name: Back up databases
  hosts: "{{ lookup('vya.backupdb.host_pattern', backup_hosts | default('all'), variable='backup_hosts') }}"
  gather_facts: false
  roles:
    - role: vya.backupdb.backup
"""

RETURN = r"""
_raw:
  description: The pattern as it was given. A list is joined with commas, which means the same.
  type: list
  elements: str
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible import context
from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager, split_host_pattern
from ansible.plugins.lookup import LookupBase

_NAMES_SHOWN = 5
_LISTING = ("syntax", "listhosts", "listtasks", "listtags")
_OPERATORS = "&!"


class LookupModule(LookupBase):
    """What Ansible looks for."""

    def run(self, terms: Sequence[Any], variables: Mapping[str, Any] | None = None, **options: Any) -> list[str]:
        """Return the pattern; raises `AnsibleError` with the nearest names."""
        pattern = ",".join(str(part) for part in _flat(terms))
        if not any(context.CLIARGS.get(option) for option in _LISTING):
            known = variables or {}
            problem = no_match(pattern, known.get("groups", {}), known.get("ansible_limit"), self._loader)
            if problem is not None:
                raise AnsibleError(f"{options.get('variable', 'hosts')}: {problem}")
        return [pattern]


def no_match(
    pattern: str, groups: Mapping[str, Iterable[str]], limit: str | None = None, loader: Any = None
) -> str | None:
    """Say why a pattern matches no host of these groups, and what it may have meant; None where it matches some."""
    inventory = InventoryManager(loader, parse=False)
    for group, hosts in groups.items():
        inventory.add_group(group)
        for host in hosts:
            inventory.add_host(host, group=group)
    matched = inventory.list_hosts(pattern) if pattern else []
    if matched and limit:
        inventory.subset(limit)
        if inventory.list_hosts(pattern):
            return None
        names = ", ".join(sorted(host.name for host in matched)[:_NAMES_SHOWN])
        more = f" and {len(matched) - _NAMES_SHOWN} more" if len(matched) > _NAMES_SHOWN else ""
        return f"--limit {limit!r} leaves none of the hosts that {pattern!r} matches ({names}{more})"
    if matched:
        return None
    if not any(groups.values()):
        return f"{pattern!r} matches no host: the inventory has none; give it with -i"
    return f"{pattern!r} matches no host of the inventory{_hints(pattern, groups, inventory)}"


def _hints(pattern: str, groups: Mapping[str, Iterable[str]], inventory: InventoryManager) -> str:
    """Name for each part that matches nothing the nearest group or host; the groups where nothing is near."""
    names = {name.lower(): name for name in [*groups, *(host for hosts in groups.values() for host in hosts)]}
    hints = []
    for part in split_host_pattern(pattern):
        plain = part.lstrip(_OPERATORS)
        if part.startswith("!") or inventory.list_hosts(plain):
            continue
        near = difflib.get_close_matches(plain.lower(), list(names), n=3)
        if plain in groups:
            hints.append(f"the group {plain!r} is empty")
        elif near:
            hints.append(f"nothing is called {plain!r}; near it are {', '.join(names[name] for name in near)}")
        else:
            hints.append(f"nothing is called {plain!r}")
    filled = sorted(name for name, hosts in groups.items() if hosts and name not in ("all", "ungrouped"))
    shown = ", ".join([*filled[:_NAMES_SHOWN], *(["..."] if len(filled) > _NAMES_SHOWN else [])])
    near_named = any("near it" in hint for hint in hints)
    if not near_named and shown:
        hints.append(f"groups with hosts are {shown}")
    return "".join(f"; {hint}" for hint in hints)


def _flat(terms: Iterable[Any]) -> Iterable[Any]:
    for term in terms:
        if isinstance(term, (list, tuple)):
            yield from _flat(term)
        else:
            yield term
