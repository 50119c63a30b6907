# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holding what a module returned against what its documentation promises."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import yaml

from support.ansible import ROOT

# What Ansible itself adds to results.
OF_ANSIBLE = {"changed", "failed", "msg", "invocation", "warnings", "exception", "deprecations"}
# What it adds to every result that has a key `path`.
OF_A_PATH = {"uid", "gid", "owner", "group", "mode", "size", "state"}


def documentation_of(module: str, part: str) -> dict[str, Any]:
    """`DOCUMENTATION` or `RETURN` of a module, named fully or not."""
    path = ROOT / "plugins" / "modules" / f"{module.rpartition('.')[2]}.py"
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == part:
            found: dict[str, Any] = yaml.safe_load(ast.literal_eval(node.value))
            return found
    raise AssertionError(f"{path} has no {part}")


def undocumented(result: Mapping[str, Any], documented: Mapping[str, Any], where: str = "") -> list[str]:
    """Keys of a result, at any depth, that its documentation does not have."""
    found = []
    for key, value in result.items():
        if not where and (key in OF_ANSIBLE or key.startswith("_ansible") or ("path" in result and key in OF_A_PATH)):
            continue
        if key not in documented:
            found.append(where + key)
            continue
        contains = documented[key].get("contains")
        for item in value if isinstance(value, list) else [value]:
            if contains and isinstance(item, Mapping):
                found += undocumented(item, contains, f"{where}{key}.")
    return found


def promised(documented: Mapping[str, Any], *moments: str) -> set[str]:
    """Keys that are documented to be returned at these moments."""
    return {key for key, value in documented.items() if value["returned"] in moments}
