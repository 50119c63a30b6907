# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that keep and remove backups: documented as they are, and understood as they were meant."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml

PLUGINS = "ansible_collections.vya.backupdb.plugins"
PRUNE = "vya.backupdb.backup_prune"
ROLES = Path(__file__).resolve().parents[2] / "roles"
arguments = importlib.import_module(f"{PLUGINS}.module_utils.module_support.argument_specs.retention")
policy = importlib.import_module(f"{PLUGINS}.module_utils.backupdb.retention.policy")
InvalidOption = importlib.import_module(f"{PLUGINS}.module_utils.backupdb.errors").InvalidOption


def test_the_documentation_fragment_matches_the_options_key_for_key() -> None:
    fragment = importlib.import_module(f"{PLUGINS}.doc_fragments.retention")
    documented = yaml.safe_load(fragment.ModuleDocFragment.DOCUMENTATION)["options"]
    types = {name: option["type"] for name, option in documented.items()}
    assert types == {name: option["type"] for name, option in arguments.retention_arguments().items()}
    assert set(types) == set(policy.OPTIONS)


@pytest.mark.parametrize("role", ["prune", "backupdb"])
def test_roles_know_every_option_of_the_policy(role: str) -> None:
    spec = yaml.safe_load((ROLES / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    options = spec["argument_specs"]["main"]["options"][f"{role}_retention"]["options"]
    expected = {name: option["type"] for name, option in arguments.retention_arguments().items()}
    assert {name: option["type"] for name, option in options.items()} == expected


def test_the_role_passes_every_option_of_the_module() -> None:
    tasks = yaml.safe_load((ROLES / "prune" / "tasks" / "run.yml").read_text(encoding="utf-8"))
    block = next(task["block"] for task in tasks if "block" in task)
    passed = next(task for task in block if "vya.backupdb.backup_prune" in task)["vya.backupdb.backup_prune"]
    assert set(passed) == set(arguments.prune_arguments())
    for name in policy.OPTIONS:
        assert passed[name] == f"{{{{ __prune_policy.{name} | default(omit) }}}}"


def options_of(spec: dict[str, Any], **given: Any) -> dict[str, Any]:
    return {**{name: option.get("default") for name, option in spec.items()}, **given}


def test_options_become_a_request() -> None:
    given = {"repository": "/srv/r", "keep_daily": 3, "acknowledge_gone": ["old*"], "repository_lock_timeout": "2m"}
    request = arguments.prune_request_from(options_of(arguments.prune_arguments(), **given))
    assert (request.policy.keep_daily, request.acknowledge_gone, request.repository_lock_timeout) == (3, ("old*",), 120)
    assert (request.host, request.databases) == (None, ("*",))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"repository": "/srv/r"}, "keeps nothing but the newest"),
        ({"repository": "srv/r", "keep_last": 1}, "absolute path"),
        ({"repository": "/srv/r", "keep_last": 1, "repository_lock_timeout": "soon"}, "option repository_lock_timeout"),
    ],
)
def test_a_wrong_option_is_refused(given: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidOption, match=text):
        arguments.prune_request_from(options_of(arguments.prune_arguments(), **given))
