# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter login_summary: which logins of a host are as requested, and what is wrong with the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Callable

DOCUMENTATION = r"""
name: login_summary
short_description: Sum up the results of backup_account for one host
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Takes what a loop over M(vya.backupdb.backup_account) registered and makes a short summary of it, free of secrets.
options:
  _input:
    description: The registered variable of the loop, or an empty dictionary when there was none.
    type: dict
    required: true
  trials:
    description:
      - The registered variable of a loop over M(vya.backupdb.database_info), which logged in with these logins.
    type: dict
    default: {}
  error:
    description: Why there was no run, when there was none.
    type: str
    default: ""
  unreachable:
    description: Whether there was no run because the host could not be reached.
    type: bool
    default: false
  expected_errors:
    description:
      - Kinds of errors that are no failure, such as a missing library in check mode on a host not prepared yet.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
---
- name: Check the logins of two instances
  vya.backupdb.backup_account:
    instance: "{{ my_id }}"
    engine: postgresql
    login_unix_socket: "/run/{{ my_id }}"
    login_user: postgres
    name: backupdb
    auth: socket
  loop: [shop, wiki]
  loop_control:
    loop_var: my_id
  register: my_results
  failed_when: false
  check_mode: true

- name: Print their summary
  ansible.builtin.debug:
    msg: "{{ (my_results | vya.backupdb.login_summary).lines }}"
"""

RETURN = r"""
_value:
  description:
    - A dictionary. RV(ignore:status) is V(ok), V(failed) or V(unreachable), RV(ignore:message) one sentence,
      RV(ignore:lines) a list of lines to print, and RV(ignore:logins) the logins with the statements that were run.
  type: dict
"""

_KEPT = (
    "instance",
    "engine",
    "server_version",
    "account",
    "status",
    "changed",
    "message",
    "statements",
    "missing",
    "surplus",
    "write_refused",
)


def login_summary(
    registered: Mapping[str, Any],
    trials: Mapping[str, Any] | None = None,
    error: str = "",
    unreachable: bool = False,
    expected_errors: Collection[str] = (),
) -> dict[str, Any]:
    """Sum up the results of a loop over instances; `error` says why there is none."""
    done = _results(registered)
    managed = [result for result in done if "status" in result]
    reasons = [error] if error else []
    complaints = _failures(done, expected_errors) + _trial_failures(_results(trials or {}))
    bad = reasons + complaints
    count = len(managed)
    good = f"{count} login is as requested" if count == 1 else f"{count} logins are as requested"
    return {
        "status": "unreachable" if unreachable else "failed" if bad else "ok",
        "message": error or "; ".join(complaints) or good,
        "lines": bad + _lines([result for result in managed if result["status"] != "failed"], managed),
        "logins": [{key: value for key, value in result.items() if key in _KEPT} for result in managed],
    }


def _results(registered: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [result for result in registered.get("results", ()) if "skipped" not in result]


def _failures(results: Sequence[Mapping[str, Any]], expected_errors: Collection[str]) -> list[str]:
    failed = [result for result in results if result.get("status") == "failed"]
    return [
        *(result["message"] for result in failed if "error_kind" not in result),
        *(result["msg"] for result in failed if result.get("error_kind", "") not in ("", *expected_errors)),
        *(result.get("msg", "the module failed") for result in results if "status" not in result),
    ]


def _trial_failures(trials: Sequence[Mapping[str, Any]]) -> list[str]:
    lacking = [privilege for trial in trials for privilege in trial.get("missing_privileges", ())]
    return [
        *(trial.get("msg", "the login could not be tried") for trial in trials if "missing_privileges" not in trial),
        *(privilege["grant"] for privilege in lacking if privilege["severity"] == "fatal"),
    ]


def _lines(good: Sequence[Mapping[str, Any]], managed: Sequence[Mapping[str, Any]]) -> list[str]:
    statements = [statement for result in managed for statement in result.get("statements", ())]
    return [*(result["message"] for result in good), *statements]


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"login_summary": login_summary}
