# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of role_work: the work of a role on one host, as one task with one line on the screen.

The variables with the steps are named and not given: Ansible would fill in their templates before this action has
checked what is in them.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import filter_loader
from ansible_collections.vya.backupdb.plugins.plugin_utils import handover
from ansible_collections.vya.backupdb.plugins.plugin_utils.host_calls import HostCalls
from ansible_collections.vya.backupdb.plugins.plugin_utils.notifying import announce
from ansible_collections.vya.backupdb.plugins.plugin_utils.role_variables import RoleVariables
from ansible_collections.vya.backupdb.plugins.plugin_utils.steps import take_steps
from ansible_collections.vya.backupdb.plugins.plugin_utils.summaries import Done
from ansible_collections.vya.backupdb.plugins.plugin_utils.works import WORKS, Work

# For the first filter of a collection that a template names, Ansible reads them all. It imports this file once for a
# task, before it forks a process for each host, which would do that again.
with suppress(KeyError):  # where Ansible does not look for the collection
    filter_loader.get("vya.backupdb.keep_keys")


class ActionModule(ActionBase):
    """Everything that changes the host is done by modules, with their check mode and diff."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Do the work, leave its summary for the report, and fail where it is not well."""
        super().run(tmp, task_vars)
        _spec, options = self.validate_argument_spec(
            argument_spec={
                "work": {"type": "str", "required": True, "choices": list(WORKS)},
                "steps": {"type": "list", "elements": "str", "required": True},
                "problems": {"type": "list", "elements": "str", "default": []},
                "about": {"type": "dict", "default": {}},
            }
        )
        variables = task_vars or {}
        work, calls = WORKS[options["work"]], HostCalls(self, variables)
        try:
            done = self._done(work, calls, RoleVariables(self, variables), options)
        except AnsibleError as error:  # in the template of a variable
            done = Done(variables["inventory_hostname"], error=str(error), about=options["about"])
        summary = work.sum_up(done)
        handover.leave(work.name, done.host, summary)
        is_well = summary["status"] in work.good
        return {"changed": calls.changed, "failed": not is_well, "msg": summary["message"], **calls.of_the_task()}

    def _done(self, work: Work, calls: HostCalls, variables: RoleVariables, options: dict[str, Any]) -> Done:
        host, about = variables.value("inventory_hostname"), options["about"]
        mistakes = variables.mistakes(options["problems"])
        if mistakes:
            return Done(host, error="; ".join(mistakes), about=about)
        if work.is_announced and handover.begin(work.name):
            hosts = variables.value("ansible_play_hosts_all")
            announce(work.title, hosts, variables.value("backupdb_notifications"), check_mode=self._task.check_mode)
        steps = [step for name in options["steps"] for step in variables.raw(name)]
        return Done(host, called=take_steps(steps, variables, calls), about=about)
