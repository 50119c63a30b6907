# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a restore: what is documented is what is there, and it reaches the library as it was meant."""

from __future__ import annotations

import importlib
from datetime import datetime, timezone
from typing import Any

import yaml
from ansible.module_utils.common.arg_spec import ModuleArgumentSpecValidator
from support.ansible import ROOT
from support.returns import documentation_of

PLUGINS = "ansible_collections.vya.backupdb.plugins"
restore_arguments = importlib.import_module(f"{PLUGINS}.module_utils.module_support.argument_specs.restore")
source_arguments = importlib.import_module(f"{PLUGINS}.module_utils.module_support.argument_specs.source")
request_module = importlib.import_module(f"{PLUGINS}.module_utils.backupdb.restore.request")

NEEDED = {"engine": "postgresql", "login_host": "db.example.org", "repository": "/srv/backup"}
SOURCE = {"instance": "shop-pg", "database": "orders", "latest": True}


def comparable(option: dict[str, Any]) -> dict[str, Any]:
    return {key: option.get(key) for key in ("type", "elements", "default", "choices", "required")}


def request_of(**options: Any) -> Any:
    given = {**NEEDED, **SOURCE, **options}
    validator = ModuleArgumentSpecValidator(
        restore_arguments.restore_arguments(), **restore_arguments.RESTORE_CONSTRAINTS
    )
    outcome = validator.validate({name: value for name, value in given.items() if value is not None})
    assert outcome.error_messages == []
    return restore_arguments.restore_request_from(outcome.validated_parameters)


def test_the_fragment_of_the_source_matches_its_options_key_for_key() -> None:
    fragment = importlib.import_module(f"{PLUGINS}.doc_fragments.source").ModuleDocFragment.DOCUMENTATION
    documented = yaml.safe_load(fragment)["options"]
    spec = source_arguments.source_arguments()
    assert list(spec) == list(documented)
    assert {name: comparable(option) for name, option in spec.items()} == {
        name: comparable(option) for name, option in documented.items()
    }


def test_the_options_of_the_module_itself_match_its_documentation() -> None:
    spec = restore_arguments.restore_arguments()
    for name, option in documentation_of("database_restore", "DOCUMENTATION")["options"].items():
        wanted = {**comparable(spec[name]), "required": bool(spec[name].get("required"))}
        assert wanted == {**comparable(option), "required": bool(option.get("required"))}, name


def test_the_role_passes_every_option_of_the_module() -> None:
    block = yaml.safe_load((ROOT / "roles" / "restore" / "tasks" / "run.yml").read_text(encoding="utf-8"))[0]["block"]
    task = next(task for task in block if "vya.backupdb.database_restore" in task)
    assert set(task["vya.backupdb.database_restore"]) == set(restore_arguments.restore_arguments())


def test_options_reach_the_library_as_they_were_meant() -> None:
    request = request_of(
        at="2026-11-24T03:15:00+01:00",
        latest=None,
        host="db1",
        target="orders2",
        target_instance="test-pg",
        tables=["public.a"],
        owner_policy="map",
        owner_map={"a": "b"},
        timeout="2h",
        safety_recipients=["age1one"],
        identity_file="/root/key",
    )
    assert request.instance.id == "test-pg"
    assert request.wanted.at == datetime(2026, 11, 24, 2, 15, tzinfo=timezone.utc)
    assert (request.wanted.host, request.wanted.instance, request.wanted.database) == ("db1", "shop-pg", "orders")
    assert (request.options.tables, request.options.owner_map) == (("public.a",), {"a": "b"})
    assert (request.options.timeout, request.target) == (7200, "orders2")
    assert request.safety.encryption.recipients == ("age1one",)
    assert request.keys.identity_file == "/root/key"


def test_the_server_restored_into_has_the_instances_name_by_default_and_its_safety_backups_one_of_their_own() -> None:
    request = request_of()
    assert request.instance.id == "shop-pg"
    assert request.safety_instance().id == "shop-pg-before-restore"


def test_a_new_name_is_cut_to_what_every_server_takes_and_never_within_a_character() -> None:
    moment = datetime(2026, 11, 24, 2, 15, tzinfo=timezone.utc)
    assert request_module.new_name("orders", moment, "restored") == "orders_restored_20261124T021500Z"
    for name in ("n" * 63, "鍵" * 30, "\udcff" * 60):
        made = request_module.new_name(name, moment, "restored").encode("utf-8", "surrogateescape")
        assert 61 <= len(made) <= 63
        assert made.endswith(b"_restored_20261124T021500Z")
