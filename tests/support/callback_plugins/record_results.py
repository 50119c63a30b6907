# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write every result of a playbook run as one JSON line, for the tests."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: record_results
type: notification
short_description: Write results as JSON lines
description: Appends every task result to the file that the variable BACKUPDB_TEST_RECORD names.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "record_results"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        # Measures the modules, which are started later, and not Ansible itself: that would take half as long again.
        if "BACKUPDB_TEST_MEASURING" in os.environ:
            os.environ["COVERAGE_PROCESS_CONFIG"] = os.environ["BACKUPDB_TEST_MEASURING"]
        # Ansible packs a module with all that it imports once a run, which takes as long as the module; here it finds
        # what an earlier run of the same tests has packed.
        packed = Path(constants.DEFAULT_LOCAL_TMP, "ansiballz_cache")  # type: ignore[attr-defined]  # set by name
        with contextlib.suppress(FileExistsError):
            packed.symlink_to(os.environ["BACKUPDB_TEST_PACKED_MODULES"])

    def _write(self, entry: dict[str, Any]) -> None:
        with Path(os.environ["BACKUPDB_TEST_RECORD"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, default=str) + "\n")

    def _record(self, kind: str, given: Any) -> None:
        self._write(
            {
                "kind": kind,
                "host": given.host.get_name(),
                "task": given.task.get_name(),
                "action": given.task.resolved_action or given.task.action,
                "result": json.loads(self._dump_results(given.result)),
            }
        )

    def v2_runner_on_ok(self, result: Any) -> None:
        self._record("ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._record("failed", result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._record("skipped", result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._record("unreachable", result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        self._record("item_ok", result)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        self._record("item_failed", result)

    def v2_runner_item_on_skipped(self, result: Any) -> None:
        self._record("item_skipped", result)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        hosts = {host: stats.summarize(host) for host in sorted(stats.processed)}
        self._write({"kind": "stats", "stats": {"hosts": hosts, "custom": stats.custom}})
