# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How modules do work that goes on without the connection, and report on it; plugin_utils/detached_action.py follows.

A module with `SPEC` among its options does its work itself, or, when it was given an id, starts it as a run of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from typing import Any, Callable

from ansible.module_utils.basic import AnsibleModule

from ..backupdb.system.detached import DetachedRun, RunStatus, look
from .kept_archive import save_compiled
from .run_module import FAILURES, finish_with

SPEC: Mapping[str, Any] = {"detached_run_id": {"type": "str"}}
WAIT = 4.0  # seconds; a run that has ended by then needs no second call

Report = Callable[[str], None]
Work = Callable[["Report | None"], "dict[str, Any]"]


def finish_detachable(
    module: AnsibleModule,
    work: Work,
    *,
    check: Callable[[], None] = lambda: None,
    failures: Collection[str] = FAILURES,
    **facts: Any,
) -> None:
    """Do the work, here or as a run of its own, and end the module with its result or with how it stands.

    `work` is given who wants to know how far it is. `check` raises what makes a module run again under another
    interpreter, which must be found before the run is one of its own. The rest is as for `finish_with`.
    """
    run_id = module.params.pop("detached_run_id")
    if run_id is None or module.check_mode:
        finish_with(module, lambda: work(None), failures=failures, **facts)
        return

    def finish(report: Report) -> None:
        try:
            finish_with(module, lambda: work(report), failures=failures, **facts)
        finally:
            save_compiled()

    def start() -> dict[str, Any]:
        check()
        try:
            run = DetachedRun(run_id, facts)
        except OSError as error:
            module.warn(f"The work was not detached from the connection of this task: {error}")
            return work(None)
        run.start(lambda: finish(run.report))
        return answer(look(run_id, WAIT))

    finish_with(module, start, failures=failures, **facts)


def answer(status: RunStatus) -> dict[str, Any]:
    """Return the result for a run that goes on. For one that has ended print its own output, and end: it is what the
    module would have printed had it run all the time.
    """
    if status.output is not None:
        sys.stdout.write(status.output)
        raise SystemExit(0)
    return {
        "detached_run": {
            "run_id": status.run_id,
            "seconds": round(status.seconds, 1),
            "progress": status.progress,
        }
    }
