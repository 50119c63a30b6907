# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kit's tasks give to the modules of awx.awx is in their argument specs, also where no test runs them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.awx_kit import KIT, awx_collection, read

TASKS = sorted(str(path.relative_to(KIT)) for path in (KIT / "controller" / "tasks").glob("*.yml"))


def uses() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """File, module and options of each task of awx.awx."""
    (play,) = read("controller/apply.yml")
    (block,) = [task["block"] + task["always"] for task in play["tasks"] if "block" in task]
    for where, tasks in [("apply.yml", [*play["tasks"], *block]), *((name, read(name)) for name in TASKS)]:
        for task in tasks:
            for key, options in task.items():
                if key.startswith("awx.awx."):
                    yield f"{Path(where).name}: {task['name']}", key.removeprefix("awx.awx."), options


@cache
def specs(module: str) -> dict[str, Any]:
    """The `argument_spec` of a module, as its code has it, with the options that all of them take."""
    code = ast.parse((awx_collection() / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8"))
    call = next(
        node.value
        for node in ast.walk(code)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "argument_spec"
    )
    assert isinstance(call, ast.Call)
    found = {str(option.arg): _spec(option.value) for option in call.keywords}
    fragment = yaml.safe_load(
        next(
            node.value.value
            for node in ast.walk(
                ast.parse((awx_collection() / "plugins" / "doc_fragments" / "auth.py").read_text(encoding="utf-8"))
            )
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Constant)
            and "options" in str(node.value.value)
        )
    )
    return {**{key: {} for key in fragment["options"]}, **found}


def _spec(node: ast.expr) -> dict[str, Any]:
    assert isinstance(node, ast.Call)
    found = {}
    for entry in node.keywords:
        try:
            found[str(entry.arg)] = ast.literal_eval(entry.value)
        except ValueError:  # choices that are computed
            found[str(entry.arg)] = None
    return found


@pytest.mark.parametrize(
    ("where", "module", "options"), [*uses()], ids=lambda value: value if isinstance(value, str) else ""
)
def test_the_options_of_a_task_are_those_of_its_module(where: str, module: str, options: dict[str, Any]) -> None:
    known = specs(module)
    assert set(options) - set(known) == set(), where
    assert {name for name, spec in known.items() if spec.get("required")} <= set(options), where
    for name, value in options.items():
        spec = known[name]
        if isinstance(value, str) and "{{" in value:
            continue
        if spec.get("choices"):
            assert value in spec["choices"], where
        if spec.get("type") in ("bool", "int", "dict", "list"):
            assert type(value).__name__ == spec["type"], where
