# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of modules from within an action: one task does on a host what would be many, each as the user it is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Callable

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from .detached_action import ConnectionSilent

_ANY_MODULE = "ansible.legacy.normal"
_INTERPRETER = "discovered_interpreter_"  # a fact, which later tasks need not find out again

display = Display()


class HostCalls:
    """What an action calls on its host, and what of the results belongs to the task as a whole."""

    def __init__(self, action: ActionBase, variables: dict[str, Any]) -> None:
        self._action = action
        self._variables = variables
        self._user = action.get_become_option("become_user")
        self.changed = False
        self._warnings: list[str] = []
        self._diffs: list[Any] = []
        self._facts: dict[str, Any] = {}

    def call(
        self, module: str, options: Mapping[str, Any], *, user: str | None = None, reads: bool = False
    ) -> dict[str, Any]:
        """Return the result of the module, or of the action of that name; `user` counts where the task has `become`.

        With `reads` it is called in check mode too, and changes nothing.
        A host that cannot be reached, and an error of Ansible's own, is a result as well: `unreachable` or `failed`.
        """
        result = self._caught(lambda: self._run(module, options, reads=reads), user)
        if reads:
            result["changed"] = False
        if result.get("warnings"):
            result["warnings"] = [_text_of(warning) for warning in result["warnings"]]
        self._note(result)
        return result

    def checksum(self, path: str, *, user: str | None = None) -> dict[str, Any]:
        """Return the SHA-256 of a file as `checksum`, which is empty for one that is not there or cannot be read.

        No module does it, because every call of one costs the host a quarter of a second. Errors are those of `call`.
        """

        def look() -> dict[str, Any]:
            place = self._action._connection._shell.quote(path)
            done = self._action._low_level_execute_command(f"sha256sum < {place}")
            return {"checksum": done["stdout"].split(" ", 1)[0] if done["rc"] == 0 else ""}

        return self._caught(look, user)

    def tell(self, lines: Sequence[str]) -> None:
        """Show lines about something that changes."""
        self.changed = True
        for line in lines:
            display.display(f"{self._variables['inventory_hostname']}: {line}")

    def of_the_task(self) -> dict[str, Any]:
        """Return what of all results belongs into that of the task."""
        found = {"warnings": self._warnings, "diff": self._diffs, "ansible_facts": self._facts}
        return {key: value for key, value in found.items() if value}

    def _caught(self, work: Callable[[], dict[str, Any]], user: str | None) -> dict[str, Any]:
        become = self._action._connection.become
        if become is not None:
            become.set_option("become_user", user or self._user)
            # What the call before waited for: where the user of the connection is wanted, nothing would say it again.
            become.success = become.prompt = ""
        try:
            return work()
        except (AnsibleConnectionFailure, ConnectionSilent) as error:
            return {"unreachable": True, "msg": str(error)}
        except AnsibleError as error:
            return {"failed": True, "msg": str(error)}

    def _run(self, module: str, options: Mapping[str, Any], *, reads: bool) -> dict[str, Any]:
        ours = self._action
        task = ours._task.copy()
        task.action, task.args = module, dict(options)
        task.check_mode = task.check_mode and not reads
        loader = ours._shared_loader_obj.action_loader
        action: ActionBase = loader.get(
            module if loader.has_plugin(module) else _ANY_MODULE,
            task=task,
            connection=ours._connection,
            play_context=ours._play_context,
            loader=ours._loader,
            templar=ours._templar,
            shared_loader_obj=ours._shared_loader_obj,
        )
        try:
            result: dict[str, Any] = action.run(task_vars=self._variables)
        finally:
            with suppress(AnsibleError, ConnectionSilent):  # files of a host that is away now
                action.cleanup()
        return result

    def _note(self, result: dict[str, Any]) -> None:
        self.changed |= bool(result.get("changed"))
        self._warnings += [one for one in result.get("warnings") or [] if one not in self._warnings]
        diff = result.get("diff") or []
        self._diffs += diff if isinstance(diff, list) else [diff]
        facts = result.get("ansible_facts") or {}
        self._facts.update({name: value for name, value in facts.items() if name.startswith(_INTERPRETER)})


def _text_of(warning: Any) -> str:
    """Return the text of a warning, which is an object of Ansible's own since ansible-core 2.19."""
    return str(getattr(getattr(warning, "event", None), "msg", warning))
