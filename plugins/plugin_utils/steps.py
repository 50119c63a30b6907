# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a role on one host, as its variables write them. A step is a dictionary:

- `module`, `options` and `user`: what is called, with what, and as whom where the task has `become`.
- `reads`: it changes nothing, whatever the module says, and is called in check mode as well.
- `checksum`: the path of a file, instead of a module. The result has its SHA-256 as `checksum`, empty without the file.
- `result`: what a call would have returned, instead of a module. `tell`: lines for the screen, about what changes.
- `when`: whether it is taken. `each`: a list for whose items it is taken, one by one; the item is in the variable `as`.
- `settle`: variables that are given, before anything else of the step, the value that their templates have then; in
  these steps they keep it.
- `register`: the variable for its result, or with `each` for the list of them.
- `adds`: what is added to its result, for the summary.
- `expected`: kinds of errors that are no failure. `may_fail`: a failure does not keep the next steps from being taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .host_calls import HostCalls
from .role_variables import RoleVariables
from .summaries import Called

Step = Mapping[str, Any]


def take_steps(steps: Sequence[Step], variables: RoleVariables, calls: HostCalls) -> list[Called]:
    """Take the steps, and return what was called, in its order; the last is the one that let no other follow."""
    called: list[Called] = []
    for step in steps:
        taken = []
        for one in _taken(step, variables, calls):
            taken.append(one)
            if one.is_unreachable or (one.has_failed and not step.get("may_fail")):
                return [*called, *taken]
        called += taken
        if "register" in step:
            results = [one.result for one in taken]
            variables.set(step["register"], results if "each" in step else results[0] if results else {})
    return called


def _taken(step: Step, variables: RoleVariables, calls: HostCalls) -> Iterator[Called]:
    for item in variables.filled(step["each"]) if "each" in step else [None]:
        if "as" in step:
            variables.set(step["as"], item)
        variables.settle(step.get("settle", ()))
        if not variables.filled(step.get("when", True)):
            continue
        if "tell" in step:
            calls.tell(variables.filled(step["tell"]))
        elif "checksum" in step:
            path, user = variables.filled(step["checksum"]), variables.filled(step.get("user"))
            yield Called("", item, calls.checksum(path, user=user))
        elif "result" in step:
            yield Called("", item, variables.filled(step["result"]))
        else:
            yield Called(step["module"], item, _result(step, variables, calls))


def _result(step: Step, variables: RoleVariables, calls: HostCalls) -> dict[str, Any]:
    options, user = variables.filled(step["options"]), variables.filled(step.get("user"))
    result = calls.call(step["module"], options, user=user, reads=bool(step.get("reads")))
    result.update(variables.filled(step.get("adds", {})))
    if result.get("failed") and result.get("error_kind") in variables.filled(step.get("expected", [])):
        return {**result, "failed": False, "expected": True}
    return result
