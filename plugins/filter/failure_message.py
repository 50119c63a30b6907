# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter failure_message: why a task failed, in one text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

DOCUMENTATION = r"""
name: failure_message
short_description: Say in one text why a task failed
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Takes the result of a task that failed. Where the task was a loop, the items that failed are named instead of the
    loop, whose own message only says that some did.
options:
  _input:
    description: The result of the task, such as C(ansible_failed_result).
    type: dict
    required: true
"""

EXAMPLES = r"""
---
- name: Try something
  block:
    - name: Fail
      ansible.builtin.fail:
        msg: no space left
  rescue:
    - name: Show why it failed
      ansible.builtin.debug:
        msg: "{{ ansible_failed_result | vya.backupdb.failure_message }}"
"""

RETURN = r"""
_value:
  description: The messages of what failed.
  type: str
"""

_UNKNOWN = "a task failed"


def failure_message(result: Mapping[str, Any]) -> str:
    """Return the messages of what failed, in one text."""
    failed = [item for item in result.get("results", ()) if item.get("failed")]
    return "; ".join(str(item.get("msg", _UNKNOWN)) for item in failed or [result])


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"failure_message": failure_message}
