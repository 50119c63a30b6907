# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action groups hold the modules that take the options for which the group is made, all of them and no others.

Ansible hands the defaults of a group to each of its modules. One that does not know an option fails, and one that is
missing from the group goes without the default and nobody notices.
"""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import yaml
from backupdb.engines.options import OPTIONS
from support.ansible import ROOT
from support.returns import documentation_of
from support.specs import MODULES, options_of

PLUGINS = "ansible_collections.vya.backupdb.plugins"
attributes = importlib.import_module(f"{PLUGINS}.doc_fragments.attributes").ModuleDocFragment

GROUPS: dict[str, list[str]] = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))[
    "action_groups"
]
LOGIN = {name for name in OPTIONS if name.startswith("login_")}
# Its login is what it stores; it logs in nowhere.
STORES_A_LOGIN = {"credential_store"}


def takers_of(options: set[str]) -> list[str]:
    """Modules that take at least one of these options."""
    return [module for module in MODULES if options & set(options_of(module))]


def documented_groups(module: str) -> list[str]:
    """The groups that a module's documentation names, by the one fragment of `attributes` that does."""
    fragments = documentation_of(module, "DOCUMENTATION")["extends_documentation_fragment"]
    (name,) = (name for name in fragments if ".attributes.actiongroup_" in name)
    fragment: dict[str, Any] = yaml.safe_load(getattr(attributes, name.rpartition(".")[2].upper()))
    return fragment["attributes"]["action_group"]["membership"]


def test_there_are_these_groups_and_one_of_them_has_every_module() -> None:
    assert list(GROUPS) == ["backupdb", "login", "repository"]
    assert GROUPS["backupdb"] == MODULES


def test_the_group_login_has_every_module_that_logs_in_to_a_server() -> None:
    assert GROUPS["login"] == [module for module in takers_of(LOGIN) if module not in STORES_A_LOGIN]


@pytest.mark.parametrize("module", GROUPS["login"])
def test_every_module_of_the_group_login_takes_all_that_says_which_server_and_how(module: str) -> None:
    assert set(OPTIONS) <= set(options_of(module))


def test_the_group_repository_has_every_module_with_a_repository() -> None:
    assert GROUPS["repository"] == takers_of({"repository"})


@pytest.mark.parametrize("module", MODULES)
def test_the_documentation_of_a_module_names_its_groups(module: str) -> None:
    assert documented_groups(module) == [f"vya.backupdb.{group}" for group in GROUPS if module in GROUPS[group]]
