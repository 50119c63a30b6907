# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter doctor_summary: what `backupdb doctor` found on a host, or why it found nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Callable

DOCUMENTATION = r"""
name: doctor_summary
short_description: Summarise what C(backupdb doctor) found on a host
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Takes the result of a task that ran C(backupdb doctor --json) on a host, also of one that could not.
options:
  _input:
    description: The result of the task.
    type: dict
    required: true
"""

EXAMPLES = r"""
---
- name: Examine the jobs
  ansible.builtin.command:
    argv: [/usr/local/bin/backupdb, doctor, --json]
  register: my_result
  changed_when: false
  failed_when: false

- name: Show what was found
  ansible.builtin.debug:
    msg: "{{ (my_result | vya.backupdb.doctor_summary).lines }}"
"""

RETURN = r"""
_value:
  description:
    - A dictionary. RV(ignore:status) is V(ok), V(partial), V(failed) or V(unreachable), RV(ignore:message) one
      sentence. RV(ignore:rows), RV(ignore:counts) and RV(ignore:lines) are as the command returns them, and empty
      without an answer.
  type: dict
"""

_NO_ANSWER = "the program backupdb gave no answer"
_ADVICE = "is the program backupdb on this host? The playbook schedule installs it"
_KEPT: Mapping[str, Any] = {"rows": [], "counts": {}, "lines": []}


def doctor_summary(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return status, message, rows, counts and lines; a host without an answer is `failed` or `unreachable`."""
    try:
        told = json.loads(result.get("stdout") or "")
        status, message = told["status"], told["message"]
    except (ValueError, KeyError, TypeError):
        told, status = {}, "unreachable" if result.get("unreachable") else "failed"
        message = result.get("stderr") or result.get("msg") or _NO_ANSWER
        if status == "failed" and not result.get("stderr"):
            message = f"{message.rstrip('.')}; {_ADVICE}"
    return {**{key: told.get(key, default) for key, default in _KEPT.items()}, "status": status, "message": message}


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"doctor_summary": doctor_summary}
