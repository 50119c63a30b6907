# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles: what is documented is what is there."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROLES = Path(__file__).resolve().parents[2] / "roles"
NAMES = sorted(path.name for path in ROLES.iterdir() if path.is_dir())
MODULE_UTILS = "ansible_collections.vya.backupdb.plugins.module_utils"
arguments = importlib.import_module(f"{MODULE_UTILS}.module_support.argument_specs.backup")
requirements = importlib.import_module(f"{MODULE_UTILS}.module_support.respawn")


def load(*parts: str) -> Any:
    return yaml.safe_load(ROLES.joinpath(*parts).read_text(encoding="utf-8"))


def specs_of(role: str) -> dict[str, Any]:
    return load(role, "meta", "argument_specs.yml")["argument_specs"]


def block_of(role: str) -> Any:
    """The tasks that a role tries on every host."""
    return next(task["block"] for task in load(role, "tasks", "run.yml") if "block" in task)


@pytest.mark.parametrize("role", NAMES)
def test_documented_defaults_of_every_entry_point_equal_the_real_ones(role: str) -> None:
    defaults = load(role, "defaults", "main.yml")
    for entry_point, spec in specs_of(role).items():
        documented = {name: option.get("default") for name, option in spec["options"].items()}
        assert documented == defaults, entry_point


@pytest.mark.parametrize("role", NAMES)
def test_variables_carry_the_name_of_their_role(role: str) -> None:
    assert all(name.startswith(f"{role}_") for name in load(role, "defaults", "main.yml"))


@pytest.mark.parametrize("role", NAMES)
def test_every_entry_point_has_tasks_and_every_role_tells_what_it_is_for(role: str) -> None:
    for entry_point in specs_of(role):
        assert ROLES.joinpath(role, "tasks", f"{entry_point}.yml").is_file(), entry_point
    assert ROLES.joinpath(role, "README.md").is_file()


@pytest.mark.parametrize("role", NAMES)
def test_the_readme_of_a_role_names_every_variable(role: str) -> None:
    text = ROLES.joinpath(role, "README.md").read_text(encoding="utf-8")
    missing = [name for name in load(role, "defaults", "main.yml") if f"`{name}`" not in text]
    assert missing == []


def test_every_role_but_the_shared_one_depends_on_it() -> None:
    for role in NAMES:
        wanted = [] if role == "backupdb" else ["vya.backupdb.backupdb"]
        assert [entry["role"] for entry in load(role, "meta", "main.yml")["dependencies"]] == wanted, role


def test_keys_of_an_instance_are_options_of_the_module_with_the_same_type() -> None:
    module = {
        **arguments.connection_arguments(),
        **arguments.selection_arguments(),
        **arguments.dump_arguments(),
        **arguments.backup_arguments(),
    }
    instance = specs_of("backupdb")["main"]["options"]["backupdb_instances"]["options"]
    for name, option in instance.items():
        ours = module["instance" if name == "id" else name]
        for key in ("type", "elements", "choices", "no_log"):
            assert option.get(key) == ours.get(key), f"{name}: {key}"


def test_the_role_passes_every_option_of_the_module() -> None:
    block = block_of("backup")
    task = next(task for task in block if "vya.backupdb.database_backup" in task)
    module = {
        **arguments.connection_arguments(),
        **arguments.selection_arguments(),
        **arguments.dump_arguments(),
        **arguments.backup_arguments(),
    }
    assert set(task["vya.backupdb.database_backup"]) == set(module)


def test_an_execution_environment_and_a_virtual_environment_have_the_same_libraries() -> None:
    names = load("backupdb", "vars", "main.yml")
    listed = (ROLES.parent / "meta" / "ee-requirements.txt").read_text(encoding="utf-8").split()
    assert names["__backupdb_requirements"] == listed
    assert f"{names['__backupdb_venv']}/bin/python" in requirements.INTERPRETERS


def test_the_role_verify_passes_every_option_of_its_module() -> None:
    reading = importlib.import_module(f"{MODULE_UTILS}.module_support.argument_specs.catalogue")
    block = block_of("verify")
    task = next(task for task in block if "vya.backupdb.backup_verify" in task)
    module = {
        **reading.repository_arguments(),
        **reading.catalogue_arguments(),
        **reading.identity_arguments(),
        "level": {},
        "paths": {},
    }
    assert set(task["vya.backupdb.backup_verify"]) == set(module)
    assert set(load("verify", "defaults", "main.yml")) == {f"verify_{name}" for name in module}


def test_every_engine_has_packages_in_every_distribution() -> None:
    for path in sorted((ROLES / "backupdb" / "vars").glob("[A-Z]*.yml")):
        names = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert set(names["__backupdb_packages_client"]) == set(arguments.ENGINE_NAMES), path.name
        assert set(names["__backupdb_packages_driver"]) == set(arguments.ENGINE_NAMES), path.name
        assert ROLES.joinpath("backupdb", "tasks", f"packages_{names['__backupdb_package_manager']}.yml").is_file()
