# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of evidence_sign: what all hosts have gathered becomes one signed statement, on the controller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.errors import BackupDbError
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.evidence.make import make, sources_from
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.table import one_line
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.text import printable, utc_now
from ansible_collections.vya.backupdb.plugins.plugin_utils import handover
from ansible_collections.vya.backupdb.plugins.plugin_utils.role_variables import RoleVariables

display = Display()
_WORK = "evidence"
_PUBLISHED = ("status", "message", "statement", "files", "sha256", "public_key", "key_id", "counts")


class ActionModule(ActionBase):
    """Runs on the controller only: the secret key is read here, and goes nowhere."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Sign, print where it is, and publish that as `set_stats` does."""
        super().run(tmp, task_vars)
        _spec, options = self.validate_argument_spec(
            argument_spec={
                "signing_key": {"type": "str", "required": True, "no_log": False},
                "directory": {"type": "str", "required": True},
            }
        )
        hosts = RoleVariables(self, task_vars or {}).value("ansible_play_hosts_all")
        found = handover.collect(_WORK, hosts)
        nothing = {"message": "it was not asked: the play did not get as far as that"}
        summaries = [(host, found.get(host, nothing)) for host in hosts]
        entries = [
            {"name": host, "facts": told.get("facts") or None, "reason": "" if told.get("facts") else told["message"]}
            for host, told in summaries
        ]
        try:
            result = make(
                sources_from(entries),
                key=str(Path(options["signing_key"]).expanduser()),
                directory=str(Path(options["directory"]).expanduser().resolve()),
                now=utc_now(),
                check_mode=self._task.check_mode,
            )
        except BackupDbError as error:
            message = one_line(str(error))
            data = {"status": "failed", "message": message}
            return {"changed": False, "failed": True, "msg": message, "ansible_stats": _stats(data)}
        display.display(one_line(result["message"]))
        data = printable({key: result[key] for key in _PUBLISHED})
        return {"changed": not self._task.check_mode, "msg": result["message"], "ansible_stats": _stats(data)}


def _stats(data: dict[str, Any]) -> dict[str, Any]:
    return {"data": {"evidence_statement": data}, "per_host": False, "aggregate": False}
