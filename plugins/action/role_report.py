# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of role_report: one table for all hosts on which a role has worked, and its notifications."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.table import one_line
from ansible_collections.vya.backupdb.plugins.plugin_utils import handover, notifying
from ansible_collections.vya.backupdb.plugins.plugin_utils.role_variables import RoleVariables
from ansible_collections.vya.backupdb.plugins.plugin_utils.work import Work, Written, in_short
from ansible_collections.vya.backupdb.plugins.plugin_utils.works import WORKS

display = Display()


class ActionModule(ActionBase):
    """Runs on the controller only. It fails no host: the task of each has done that, with its own message."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Print the table, send notifications, and publish the result as `set_stats` does."""
        super().run(tmp, task_vars)
        _spec, options = self.validate_argument_spec(
            argument_spec={"work": {"type": "str", "required": True, "choices": list(WORKS)}}
        )
        variables = RoleVariables(self, task_vars or {})
        work = WORKS[options["work"]]
        hosts = variables.value("ansible_play_hosts_all")
        overview = work.overview(handover.collect(work.name, hosts), hosts)
        written = self._written(work, overview, variables)
        sent = self._sent(work, overview, variables) if work.is_notified else []
        details = [line for host in hosts for line in overview["hosts"][host].get("lines", ())]
        message = "; ".join(filter(None, (overview["message"], written.said)))
        shown = [*overview["table"], *overview["complaints"], message]
        for line in [*(map(one_line, details) if display.verbosity else ()), *shown]:
            display.display(line)
        published = in_short(overview) if variables.value("backupdb_publish") == "short" else work.published(overview)
        data = {
            **published,
            **written.published,
            **({"notifications": sent} if work.is_notified else {}),
        }
        return {
            "changed": written.changed,
            "failed": written.error is not None,
            "msg": written.error or message,
            "ansible_stats": {"data": {f"{work.name}_summary": data}, "per_host": False, "aggregate": False},
        }

    def _written(self, work: Work, overview: dict[str, Any], variables: RoleVariables) -> Written:
        if work.write is None:
            return Written()
        options = {name: variables.value(name) for name in work.writes_with}
        return work.write(overview["hosts"], options, self._task.check_mode)

    def _sent(self, work: Work, overview: dict[str, Any], variables: RoleVariables) -> list[dict[str, Any]]:
        notifications = variables.value("backupdb_notifications")
        return notifying.report(work.title, overview, notifications, check_mode=self._task.check_mode)
