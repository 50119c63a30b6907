# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of a role, as an action needs them: first whether they are right, then their values.

Ansible checks the argument specs of a role, and of each that it depends on, by tasks of their own.

Ansible compiles and fills a template anew wherever a variable is used, and in it all that it uses in turn: a few
milliseconds each, hundreds of times for one host. So a variable is given its value as soon as that cannot change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.unsafe_proxy import wrap_var

_ENTRY_POINTS = ("main", "prepare")


class RoleVariables:
    """Variables of the role that a task belongs to, on the host that it runs for."""

    def __init__(self, action: ActionBase, variables: dict[str, Any]) -> None:
        self._action = action
        self._written = variables
        self._known = dict(variables)

    def set(self, name: str, value: Any) -> None:
        """Give a variable a value from now on, whatever else it is; no text in it counts as a template."""
        self._known[name] = wrap_var(value)

    def settle(self, names: Iterable[str]) -> None:
        """Give each of the variables the value that its template has now, in place of one that it had before."""
        for name in names:
            self.set(name, self.filled(self._written[name]))

    def raw(self, name: str) -> Any:
        """Return a variable as it was written, with its templates."""
        return self._known[name]

    def value(self, name: str) -> Any:
        """Return the value of a variable."""
        return self.filled(self._known[name])

    def filled(self, text: Any) -> Any:
        """Return a text, or what holds texts, with the values of its templates, without what is to be omitted."""
        templar = self._action._templar.copy_with_new_env(available_variables=self._known)
        return _without(templar.template(text), self._known.get("omit"))

    def mistakes(self, problems: Iterable[str]) -> list[str]:
        """Return all that is wrong: against the argument specs, or else what the variables named `problems` list.

        The variables of the argument specs are settled by it.
        """
        return self._against_specs() or [one for name in problems for one in self.value(name)]

    def _against_specs(self) -> list[str]:
        role = self._action._task._role
        options: dict[str, Any] = {}
        for one in (*role.get_all_dependencies(), role):
            options.update(self._options(Path(one.get_role_path())))
        self._take_none_as_empty(options)
        values = {name: self.value(name) for name in options if name in self._known}
        for name, value in values.items():
            self.set(name, value)
        return list(ArgumentSpecValidator(options).validate(values).error_messages)

    def _take_none_as_empty(self, options: Mapping[str, Any]) -> None:
        """A text that was left empty in a survey of AWX is none since ansible-core 2.19: `!unsafe ""` is read so."""
        for name, option in options.items():
            if option.get("type", "str") in ("str", "path") and name in self._known and self._known[name] is None:
                self.set(name, "")

    def _options(self, role: Path) -> dict[str, Any]:
        # Unsafe is that it is what the loader keeps, and no copy. Nothing is changed in it, and it is large.
        path = str(role / "meta" / "argument_specs.yml")
        specs = self._action._loader.load_from_file(path, unsafe=True)["argument_specs"]
        options: dict[str, Any] = next(specs[name] for name in _ENTRY_POINTS if name in specs)["options"]
        return options


def _without(value: Any, omit: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without(item, omit) for key, item in value.items() if not _is(item, omit)}
    if isinstance(value, list):
        return [_without(item, omit) for item in value if not _is(item, omit)]
    return value


def _is(item: Any, omit: Any) -> bool:
    return item is omit or (isinstance(item, str) and item == omit)
