# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter run_summary: what one module did on a host, or why it did nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Callable

DOCUMENTATION = r"""
name: run_summary
short_description: Sum up what one module did on a host
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Takes the result of M(vya.backupdb.backup_verify), M(vya.backupdb.backup_drill), M(vya.backupdb.backup_prune) or
    M(vya.backupdb.backup_status) and makes a short summary of it, also where the module failed or did not run.
  - P(vya.backupdb.backup_overview#filter) puts the summaries of many hosts into one.
options:
  _input:
    description: The registered result, or an empty dictionary when there was none.
    type: dict
    required: true
  keep:
    description: Keys of the result to keep, each with its value for a result that does not have it.
    type: dict
    default: {}
  error:
    description: Why the module did not run, when it did not.
    type: str
    default: ""
  unreachable:
    description: Whether it did not run because the host could not be reached.
    type: bool
    default: false
  expected_errors:
    description:
      - Kinds of errors that are no failure, such as a missing library in check mode on a host not prepared yet.
    type: list
    elements: str
    default: []
  nothing:
    description: What to say when there is neither a result nor an error.
    type: str
    default: nothing was done
"""

EXAMPLES = r"""
---
- name: Verify backups
  vya.backupdb.backup_verify:
    repository: /var/backups/backupdb
  register: my_result
  failed_when: false

- name: Show the result in a few words
  ansible.builtin.debug:
    msg: "{{ (my_result | vya.backupdb.run_summary).message }}"
"""

RETURN = r"""
_value:
  description:
    - A dictionary. RV(ignore:status) is V(ok), V(failed) or V(unreachable), RV(ignore:message) one sentence. Next to
      them are the keys that were to be kept.
  type: dict
"""

_GOOD = ("ok", "planned")


def run_summary(
    result: Mapping[str, Any],
    keep: Mapping[str, Any] | None = None,
    error: str = "",
    unreachable: bool = False,
    expected_errors: Collection[str] = (),
    nothing: str = "nothing was done",
) -> dict[str, Any]:
    """Return status, message, and the keys to keep; `error` wins over the result."""
    if unreachable or result.get("unreachable"):
        status = "unreachable"
    elif error:
        status = "failed"
    else:
        is_good = result.get("status") in _GOOD or result.get("error_kind") in expected_errors
        status = "ok" if is_good else "failed"
    message = error or result.get("message") or result.get("msg") or nothing
    kept = {key: result.get(key, default) for key, default in (keep or {}).items()}
    return {**kept, "status": status, "message": message}


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"run_summary": run_summary}
