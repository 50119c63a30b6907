# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documented options, brought into a form in which they can be held against the tables of the library."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import yaml

from support.ansible import ROOT
from support.returns import documentation_of

PREFIX = "vya.backupdb."
FRAGMENTS = "ansible_collections.vya.backupdb.plugins.doc_fragments"


def comparable(option: Mapping[str, Any]) -> dict[str, Any]:
    """What an argument spec and a documentation both say of an option; what is not said is what Ansible then takes."""
    suboptions = option.get("options") or option.get("suboptions") or {}
    return {
        **{key: option.get(key) for key in ("type", "elements", "default", "choices", "aliases")},
        "required": bool(option.get("required")),
        "options": {name: comparable(suboption) for name, suboption in suboptions.items()},
    }


def fragment_options(name: str) -> dict[str, Any]:
    """The options in a documentation fragment of the collection; one without any has none."""
    module = importlib.import_module(f"{FRAGMENTS}.{name.partition('.')[0]}")
    found: dict[str, Any] = yaml.safe_load(module.ModuleDocFragment.DOCUMENTATION).get("options", {})
    return found


def documented_options(module: str) -> dict[str, Any]:
    """All documented options of a module: its own win over those of its fragments."""
    documentation = documentation_of(module, "DOCUMENTATION")
    options: dict[str, Any] = {}
    for fragment in documentation["extends_documentation_fragment"]:
        options.update(fragment_options(fragment[len(PREFIX) :]))
    return {**options, **documentation.get("options", {})}


def role_options(role: str) -> dict[str, Any]:
    """The variables of a role, as the argument spec of its first entry point has them."""
    path = ROOT / "roles" / role / "meta" / "argument_specs.yml"
    specs = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]
    found: dict[str, Any] = next(iter(specs.values()))["options"]
    return found
