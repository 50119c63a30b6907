# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a restore as a module takes them: they reach the library as they were meant."""

from __future__ import annotations

import importlib
from datetime import datetime, timezone
from typing import Any

from ansible.module_utils.common.arg_spec import ModuleArgumentSpecValidator

PLUGINS = "ansible_collections.vya.backupdb.plugins"
restore_options = importlib.import_module(f"{PLUGINS}.module_utils.backupdb.restore.options")
constraints = importlib.import_module(f"{PLUGINS}.module_utils.module_support.argument_specs.constraints")
to_spec = importlib.import_module(f"{PLUGINS}.module_utils.module_support.argument_specs.spec").to_spec
request_module = importlib.import_module(f"{PLUGINS}.module_utils.backupdb.restore.request")

NEEDED = {"engine": "postgresql", "login_host": "db.example.org", "repository": "/srv/backup"}
SOURCE = {"instance": "shop-pg", "database": "orders", "latest": True}


def request_of(**options: Any) -> Any:
    given = {**NEEDED, **SOURCE, **options}
    validator = ModuleArgumentSpecValidator(to_spec(restore_options.OPTIONS), **constraints.RESTORE_CONSTRAINTS)
    outcome = validator.validate({name: value for name, value in given.items() if value is not None})
    assert outcome.error_messages == []
    return restore_options.restore_request_from(outcome.validated_parameters)


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
