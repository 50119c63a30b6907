# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge between the library and Ansible: one place where errors become a failed task and results become output."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Callable

from ansible.module_utils.basic import AnsibleModule

from ..backupdb.errors import BackupDbError, RequirementMissing
from ..backupdb.system.parallel import error_of
from ..backupdb.system.text import one_line, printable
from .respawn import respawn_if_missing

WARNINGS_SHOWN = 20
FAILURES = ("partial", "failed")


def finish_with(
    module: AnsibleModule, work: Callable[[], dict[str, Any]], *, failures: Collection[str] = FAILURES, **facts: Any
) -> None:
    """Do the work and end the module with its result; does not return.

    `facts` are what can be said of the work when it fails before it has a result of its own. A result whose `status`
    is one of `failures` fails the task, with everything in it.
    """
    try:
        result = work()
    except (BackupDbError, OSError) as fault:
        error = error_of(fault)
        outcome = {**facts, "changed": False, "status": "failed", "error_kind": type(error).__name__}
        if isinstance(error, RequirementMissing):
            respawn_if_missing(module, error, **outcome)
        module.fail_json(msg=one_line(str(error)), **outcome)
    else:
        _report(module, {**facts, **result}, failures)


def _report(module: AnsibleModule, result: dict[str, Any], failures: Collection[str]) -> None:
    result = printable(result)
    if "skipped" in result:
        # Under this key Ansible takes the task for skipped, and shows and keeps nothing of its result.
        result["skipped_databases"] = result.pop("skipped")
    warnings = [*result.pop("warnings", []), *_masking_warnings(module, result)]
    for warning in warnings[:WARNINGS_SHOWN]:
        module.warn(warning)  # Ansible also returns them, under the key `warnings`
    if len(warnings) > WARNINGS_SHOWN:
        module.warn(f"{len(warnings) - WARNINGS_SHOWN} more warnings are not shown")
    if not module._diff:
        result.pop("diff", None)
    if result.get("status") in failures:
        module.fail_json(msg=result["message"], **result)
    module.exit_json(**result)


def _masking_warnings(module: AnsibleModule, result: dict[str, Any]) -> list[str]:
    """Warn where Ansible will mask a part of the result because it looks like a secret; never shows the secret."""
    found = []
    for option, specification in module.argument_spec.items():
        secret = module.params.get(option)
        if not (specification.get("no_log") and secret and isinstance(secret, str)):
            continue  # options that hold several secrets, such as a dictionary, are not looked at
        if any(secret in text for text in _texts(result)):
            found.append(
                f"The value of {option} also occurs in a name or path of this result, where Ansible masks it. "
                "Choose a longer, random one."
            )
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    else:
        yield str(value)
