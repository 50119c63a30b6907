# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter refresh_problems: what is missing or contradictory in the variables of a refresh."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Callable

from ansible_collections.vya.backupdb.plugins.plugin_utils.login_mistakes import of_instance, of_password

DOCUMENTATION = r"""
name: refresh_problems
short_description: Find mistakes in the variables of the role refresh
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Checks that the variables that must be given are given, that every database has a script that masks it unless none
    is wanted, and that the scripts are files on the controller, for the role P(vya.backupdb.refresh#role).
options:
  _input:
    description:
      - The variables C(refresh_instance), C(refresh_source_host), C(refresh_databases), C(refresh_masking),
        C(refresh_unmasked), C(refresh_login_user) and C(refresh_login_password) with their values. Of the last one it
        only matters whether it is empty.
    type: dict
    required: true
  instances:
    description: The ids of the host's instances.
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
    my_problems: "{{ my_values | vya.backupdb.refresh_problems(instances=['staging-pg']) }}"
    my_values:
      refresh_instance: staging-pg
      refresh_source_host: db1
      refresh_databases:
        - database: shop
      refresh_masking: [/srv/masking/all.sql]
      refresh_unmasked: false
      refresh_login_user: ""
      refresh_login_password: ""
"""

RETURN = r"""
_value:
  description: One sentence for each mistake. The list is empty when there is none.
  type: list
  elements: str
"""

_REQUIRED = ("refresh_instance", "refresh_source_host", "refresh_databases")


def refresh_problems(values: Mapping[str, Any], instances: Sequence[str]) -> list[str]:
    """Return one sentence for each mistake."""
    empty = [name for name in _REQUIRED if not values[name]]
    databases, common = values["refresh_databases"], values["refresh_masking"]
    problems = [f"not given: {', '.join(empty)}"] if empty else []
    problems += of_instance("refresh", values, instances)
    problems += of_password("refresh", values)
    problems += _of_databases(databases, common, unmasked=values["refresh_unmasked"])
    files = [*common, *(path for one in databases for path in one.get("masking") or ())]
    return [*problems, *_of_files(dict.fromkeys(files))]


def _of_databases(databases: Sequence[Mapping[str, Any]], common: Sequence[str], *, unmasked: bool) -> Iterator[str]:
    targets = Counter(one.get("target") or one["database"] for one in databases)
    for target, count in targets.items():
        if count > 1:
            yield f"refresh_databases has {count} entries for {target!r}, and each would replace the one before"
    bare = [one["database"] for one in databases if not common and not one.get("masking")]
    if bare and not unmasked:
        yield (
            f"no script masks {', '.join(map(repr, bare))}: name one in masking or refresh_masking, or set "
            "refresh_unmasked if the rows may be seen as they are"
        )


def _of_files(paths: Sequence[str] | Mapping[str, Any]) -> Iterator[str]:
    for path in paths:
        if not Path(path).is_absolute():
            yield f"the script {path} must be an absolute path on the controller; one may begin with inventory_dir"
        elif not Path(path).is_file():
            yield f"the script {path} is not a file on the controller"


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"refresh_problems": refresh_problems}
