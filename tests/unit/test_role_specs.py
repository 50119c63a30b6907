# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles: what is documented is what is there."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from backupdb.accounts import options as accounts
from backupdb.backup import options as backup
from backupdb.copying import options as copying
from backupdb.drill import options as drill
from backupdb.engines.names import ENGINE_NAMES
from backupdb.jobs import options as jobs
from backupdb.monitoring import options as monitoring
from backupdb.notify import options as notify
from backupdb.rebuild import options as rebuild
from backupdb.report import options as report
from backupdb.repository.stores import settings as copies
from backupdb.restore import options as restore
from backupdb.retention import options as retention
from backupdb.retention import policy
from backupdb.system.options import Option
from backupdb.verify import options as verify
from support.options import comparable, role_options

ROLES = Path(__file__).resolve().parents[2] / "roles"
NAMES = sorted(path.name for path in ROLES.iterdir() if path.is_dir())
MODULE_UTILS = "ansible_collections.vya.backupdb.plugins.module_utils"
to_spec = importlib.import_module(f"{MODULE_UTILS}.module_support.argument_specs.spec").to_spec
requirements = importlib.import_module(f"{MODULE_UTILS}.module_support.respawn")

# Whose options the variables of each role are. Names of variables are those of the options but for these.
TABLES: Mapping[str, Mapping[str, Option]] = {
    "account": accounts.BACKUP_LOGIN_OPTIONS,
    "backup": backup.OPTIONS,
    "backupdb": {**backup.OPTIONS, **jobs.OPTIONS},
    "copy": copying.OPTIONS,
    "drill": drill.OPTIONS,
    "prune": retention.PRUNE_OPTIONS,
    "rebuild": rebuild.OPTIONS,
    "report": report.OPTIONS,
    "restore": restore.OPTIONS,
    "status": monitoring.OPTIONS,
    "verify": verify.OPTIONS,
}
RENAMED = {
    "backupdb_dump_jobs": "jobs",
    "backupdb_dump_jobs_min_size": "jobs_min_size",
    "copy_source_host": "host",
    "copy_source_instance": "instance",
    "drill_source_host": "host",
    "drill_source_instance": "instance",
    "prune_source_host": "host",
    "prune_source_instance": "instance",
    "restore_source_host": "host",
    "restore_source_instance": "instance",
    "restore_instance": "target_instance",
}
# Variables that are no option of the module: what they say reaches it in another form, or is for the role alone.
OF_THE_ROLE = {
    "account": {"admin_logins", "admin_users", "login_hosts"},
    "backup": {"copy"},
    "backupdb": {
        *("instances", "logins", "jobs", "install", "extra_packages", "become", "user", "group", "append_only"),
        *("secure_logging", "sign", "signed_by", "copy_credentials", "progress_interval", "publish"),
    },
    "copy": {"names"},
    "drill": {"copy"},  # the name of a copy, for which the role looks
    "prune": {"retention", "copy"},
    "rebuild": {"logins", "copy"},
    "report": {"path", "formats", "mode", "title", "copy"},
    "restore": {"from", "copy"},
    "status": {"copy"},
    "verify": {"copy"},
}
# Defaults of their own, on purpose: a role knows its host and the variables that all roles share.
OWN_DEFAULTS = {"backupdb_repository", "backupdb_workers", "restore_ssl_mode", "restore_connect_timeout"}
OWN_TYPES = {"backupdb_metrics_dir"}  # empty means no metrics, and an empty path is no path


def load(*parts: str) -> Any:
    return yaml.safe_load(ROLES.joinpath(*parts).read_text(encoding="utf-8"))


def specs_of(role: str) -> dict[str, Any]:
    return load(role, "meta", "argument_specs.yml")["argument_specs"]


def step_of(role: str, module: str) -> Any:
    """The step of a role that calls a module."""
    steps = [
        step for name, value in load(role, "vars", "main.yml").items() if name.endswith("_steps") for step in value
    ]
    return next(step for step in steps if step.get("module") in (module, f"vya.backupdb.{module}"))


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


def option_of(role: str, variable: str) -> Option | None:
    """The option of the role's module that a variable gives; None for what is the role's alone."""
    name = variable.partition("_")[2]
    return None if name in OF_THE_ROLE[role] else TABLES[role][RENAMED.get(variable, name)]


@pytest.mark.parametrize("role", TABLES)
def test_a_variable_of_a_role_is_of_the_type_of_its_option(role: str) -> None:
    for variable, documented in role_options(role).items():
        option = option_of(role, variable)
        if option is None:
            continue
        found = (documented["type"], documented.get("elements"), documented.get("no_log", False))
        kind = "str" if variable in OWN_TYPES else option.type
        assert found == (kind, option.elements, option.secret or False), variable
        choices = [choice for choice in documented.get("choices", []) if choice != ""]
        assert choices == list(option.choices), variable


@pytest.mark.parametrize("role", TABLES)
def test_a_variable_of_a_role_has_the_default_of_its_option(role: str) -> None:
    for variable, default in load(role, "defaults", "main.yml").items():
        option = option_of(role, variable)
        if option is None or variable in OWN_DEFAULTS or "{{" in str(default):
            continue
        if option.default is None:
            assert default in (None, "", [], {}), variable  # and what is empty is left out of the task
        else:
            assert default == option.default, variable


def test_keys_of_an_instance_are_options_of_the_module_with_the_same_type() -> None:
    module = to_spec(backup.OPTIONS)
    instance = role_options("backupdb")["backupdb_instances"]["options"]
    for name, option in instance.items():
        ours = module["instance" if name == "id" else name]
        for key in ("type", "elements", "choices", "no_log"):
            assert option.get(key) == ours.get(key), f"{name}: {key}"
    wanted = {*backup.INFO_OPTIONS, "accounts", "allow_empty", "workers", "hooks"}
    assert set(instance) == {"id" if name == "instance" else name for name in wanted}


def test_the_readme_names_every_key_of_an_instance() -> None:
    words = ROLES.joinpath("backupdb", "README.md").read_text(encoding="utf-8").replace("`", " ").split()
    assert [key for key in role_options("backupdb")["backupdb_instances"]["options"] if key not in words] == []


def test_notifications_have_the_options_of_the_module_key_for_key() -> None:
    documented, spec = role_options("backupdb")["backupdb_notifications"]["options"], to_spec(notify.OPTIONS)
    assert list(documented) == list(spec)
    for name, option in spec.items():
        assert comparable(documented[name]) == comparable(option), name
        assert documented[name].get("no_log") == option.get("no_log"), name


def test_copies_have_the_options_of_the_module_key_for_key() -> None:
    documented, spec = role_options("backupdb")["backupdb_copies"]["options"], to_spec(copies.OPTIONS)
    assert list(documented) == list(spec)
    for name, option in spec.items():
        assert comparable(documented[name]) == comparable(option), name
        assert documented[name].get("no_log") == option.get("no_log"), name


def test_the_readme_names_every_key_of_a_copy() -> None:
    words = ROLES.joinpath("backupdb", "README.md").read_text(encoding="utf-8").replace("`", " ").split()
    words = [word.rstrip(",") for word in words]
    assert [key for key in copies.OPTIONS if key not in words] == []


@pytest.mark.parametrize("role", ["prune", "backupdb"])
def test_roles_know_every_option_of_a_retention_policy(role: str) -> None:
    documented = role_options(role)[f"{role}_retention"]["options"]
    assert {name: option["type"] for name, option in documented.items()} == {
        name: option.type for name, option in policy.OPTIONS.items()
    }


@pytest.mark.parametrize(
    ("role", "module", "table"),
    [
        ("account", "backup_account", accounts.BACKUP_LOGIN_OPTIONS),
        ("backup", "database_backup", backup.OPTIONS),
        ("prune", "backup_prune", retention.PRUNE_OPTIONS),
        ("rebuild", "host_rebuild", rebuild.OPTIONS),
        ("report", "backup_report", report.OPTIONS),
        ("restore", "database_restore", restore.OPTIONS),
        ("verify", "backup_verify", verify.OPTIONS),
    ],
)
def test_a_role_passes_every_option_of_its_module(role: str, module: str, table: Mapping[str, Option]) -> None:
    assert set(step_of(role, module)["options"]) == set(table)


def test_the_roles_that_copy_pass_every_option_of_their_module() -> None:
    assert set(step_of("backupdb", "backup_copy")["options"]) == set(copying.OPTIONS)


STEP = {
    "settle",
    "checksum",
    "module",
    "options",
    "user",
    "reads",
    "adds",
    "result",
    "tell",
    "when",
    "each",
    "as",
    "register",
    "expected",
    "may_fail",
}


@pytest.mark.parametrize("role", NAMES)
def test_steps_have_only_the_keys_that_are_known(role: str) -> None:
    for name, steps in (load(role, "vars", "main.yml") or {}).items():
        for step in steps if name.endswith("_steps") else []:
            assert set(step) <= STEP, step
            assert len({"module", "checksum", "result", "tell"} & set(step)) == 1, step
            assert ("options" in step) == ("module" in step), step
            assert ("as" in step) <= ("each" in step), step


def test_the_role_verify_has_a_variable_for_every_option_of_its_module() -> None:
    of_all_roles = {"copy_credentials", "copy_state_dir"}
    wanted = {f"verify_{name}" for name in verify.OPTIONS if name not in of_all_roles}
    assert set(load("verify", "defaults", "main.yml")) == wanted


def test_an_execution_environment_and_a_virtual_environment_have_the_same_libraries() -> None:
    names = load("backupdb", "vars", "main.yml")
    listed = (ROLES.parent / "meta" / "ee-requirements.txt").read_text(encoding="utf-8").split()
    assert names["__backupdb_requirements"] == listed
    assert f"{names['__backupdb_venv']}/bin/python" in requirements.INTERPRETERS


def test_every_engine_and_every_type_of_a_copy_has_packages_in_every_distribution() -> None:
    paths = sorted((ROLES / "backupdb" / "files").glob("*.yml"))
    assert "Debian" in [path.stem for path in paths]
    for path in paths:
        names = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert set(names["client"]) == set(names["driver"]) == set(ENGINE_NAMES), path.name
        assert set(names["store_library"]) == set(names["store_program"]) == set(copies.TYPES), path.name
        assert step_of("backupdb", f"ansible.builtin.{names['package_manager']}"), path.name


def test_every_engine_has_an_administrator() -> None:
    assert set(load("account", "defaults", "main.yml")["account_admin_users"]) == set(ENGINE_NAMES)
