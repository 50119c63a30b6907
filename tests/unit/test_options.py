# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of options: how values are read by them, and that modules and documentation are what they say."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from typing import Any

import pytest
from backupdb.accounts import options as accounts
from backupdb.accounts.plan import Choice
from backupdb.archives import options as archives
from backupdb.archives.keys import Keys, keys_from
from backupdb.backup import options as backup
from backupdb.backup.request import Selection
from backupdb.connection import options as connection
from backupdb.connection.instance import Instance
from backupdb.copying import options as copying
from backupdb.drill import options as drill
from backupdb.drill.request import DrillRequest
from backupdb.engines import options as engines
from backupdb.engines.interface import DumpOptions, RestoreOptions
from backupdb.engines.login_interface import WantedLogin
from backupdb.engines.names import ENGINE_NAMES
from backupdb.errors import InvalidOption
from backupdb.evidence import options as evidence
from backupdb.gate import options as gate
from backupdb.jobs import options as jobs
from backupdb.monitoring import options as monitoring
from backupdb.notify import options as notify
from backupdb.rebuild import options as rebuild
from backupdb.report import options as report
from backupdb.repository import options as repository
from backupdb.repository.catalogue import Filter
from backupdb.restore import options as restore
from backupdb.restore.request import Safety
from backupdb.retention import options as retention
from backupdb.retention import policy
from backupdb.signatures import options as signatures
from backupdb.streams.compression import Compression
from backupdb.system.options import Option, defaults_of, parse_assignment, validate_options
from backupdb.verify import options as verify
from support import specs
from support.ansible import ROOT
from support.options import comparable, documented_options, fragment_options

SPEC = "ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.spec"
to_spec = importlib.import_module(SPEC).to_spec
DETACHED = importlib.import_module(f"{SPEC.partition('.argument_specs')[0]}.detached").SPEC

Table = Mapping[str, Option]
MODULES: Mapping[str, Table] = {
    "account_info": accounts.INFO_OPTIONS,
    "account_restore": accounts.RESTORE_OPTIONS,
    "backup_account": accounts.BACKUP_LOGIN_OPTIONS,
    "backup_copy": copying.OPTIONS,
    "backup_drill": drill.OPTIONS,
    "backup_evidence": evidence.OPTIONS,
    "backup_gate": gate.OPTIONS,
    "backup_info": repository.LISTING_OPTIONS,
    "backup_job": jobs.OPTIONS,
    "backup_pin": retention.PIN_OPTIONS,
    "backup_prune": retention.PRUNE_OPTIONS,
    "backup_report": report.OPTIONS,
    "backup_status": monitoring.OPTIONS,
    "backup_verify": verify.OPTIONS,
    "database_backup": backup.OPTIONS,
    "database_info": backup.INFO_OPTIONS,
    "database_restore": restore.OPTIONS,
    "host_rebuild": rebuild.OPTIONS,
    "notification": notify.EVENT_OPTIONS,
}
FRAGMENTS: Mapping[str, Table] = {
    "backup": backup.RUN_OPTIONS,
    "catalogue": repository.FILTER_OPTIONS,
    "connection": engines.OPTIONS,
    "dump": backup.DUMP_OPTIONS,
    "identity": archives.OPTIONS,
    "repository": repository.REPOSITORY_OPTIONS,
    "selection": backup.SELECTION_OPTIONS,
    "signature": signatures.OPTIONS,
    "source": repository.SOURCE_OPTIONS,
    "system_user": connection.SYSTEM_USER,
}
# Modules whose work can go on without the connection have the option for that beside those of their table.
DETACHABLE = {"backup_copy", "backup_drill", "backup_verify", "database_backup", "database_restore"}
# Modules whose few options are nobody else's, and stand in the module.
OPTIONS_OF_THEIR_OWN = {
    "age_keypair",
    "credential_store",
    "detached_run",
    "evidence_sign",
    "job_credentials",
    "role_report",
    "role_work",
    "runner_install",
    "signing_key",
}
LOOKS_SECRET = ("pass", "secret", "token", "key")

TABLE: Table = {
    "name": Option(required=True),
    "folder": Option("path"),
    "count": Option("int", default=1),
    "quick": Option("bool", default=False),
    "tables": Option("list", elements="str", default=[]),
    "map": Option("dict", default={}),
}


@pytest.mark.parametrize(
    ("option", "accepted", "refused"),
    [
        (Option(), ["", "text"], [1, True, ["text"]]),
        (Option("path"), ["/srv"], [1]),
        (Option("int"), [0, -1], [True, "1", 1.0]),
        (Option("bool"), [True, False], [1, "true"]),
        (Option("list", elements="str"), [[], ["a"]], ["a", [1], [["a"]]]),
        (Option("list", elements="dict"), [[{}]], [["a"]]),
        (Option("dict"), [{}, {"a": "b"}], [[], "a"]),
    ],
)
def test_an_option_accepts_values_of_its_type_only(option: Option, accepted: list[Any], refused: list[Any]) -> None:
    assert [value for value in accepted if not option.accepts(value)] == []
    assert [value for value in refused if option.accepts(value)] == []


def test_options_that_are_not_given_have_defaults_of_their_own_in_the_order_of_the_table() -> None:
    options = validate_options({"quick": True, "name": "x"}, TABLE, "here")
    assert options == {"name": "x", "folder": None, "count": 1, "quick": True, "tables": [], "map": {}}
    assert list(options) == list(TABLE)
    options["tables"].append("a")
    assert TABLE["tables"].default == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "here is not an object of options"),
        ({}, "here.name is missing"),
        ({"name": None}, "here.name is missing"),
        ({"name": 1}, "here.name: 1 is not a text"),
        ({"name": "x", "count": "2"}, "here.count: '2' is not a whole number"),
        ({"name": "x", "quick": 1}, "here.quick: 1 is not true or false"),
        ({"name": "x", "tables": "a"}, "here.tables: 'a' is not a list of texts"),
        ({"name": "x", "map": []}, "here.map: [] is not an object of names"),
        ({"name": "x", "title": "x"}, "here.title is not known; remove it, or look for how it is written"),
        ({"token": "x"}, "here.token is a secret and does not belong here; put it into the credentials"),
    ],
)
def test_what_is_wrong_is_told_with_the_place_and_the_key(values: Any, message: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        validate_options(values, TABLE, "here", secrets=["token"])
    assert str(caught.value) == message


def test_options_of_the_command_line_are_read_by_their_type() -> None:
    assert parse_assignment("name=a=b", TABLE) == ("name", "a=b")
    assert parse_assignment("folder=1", TABLE) == ("folder", "1")
    assert parse_assignment("count=4", TABLE) == ("count", 4)
    assert parse_assignment('tables=["a"]', TABLE) == ("tables", ["a"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("count", "'count' is not NAME=VALUE with one of the names name, folder, count, quick, tables, map"),
        ("colour=red", "'colour=red' is not NAME=VALUE with one of the names name, folder, count, quick, tables, map"),
        ("quick=yes", "quick: 'yes' is not true or false, written as JSON"),
    ],
)
def test_an_assignment_that_cannot_be_read_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        parse_assignment(text, TABLE)
    assert str(caught.value) == message


def test_a_table_becomes_an_argument_spec_that_is_the_callers_own() -> None:
    table = {
        "mode": Option(default="fast", choices=("fast", "safe")),
        "token": Option(secret=True, environment="TOKEN"),
        "key_file": Option("path", secret=False, required=True),
        "entries": Option("list", elements="dict", default=[], options={"name": Option()}),
    }
    spec = to_spec(table)
    fallback, variables = spec["token"].pop("fallback")
    assert (fallback.__name__, variables) == ("env_fallback", ["TOKEN"])
    assert spec == {
        "mode": {"type": "str", "default": "fast", "choices": ["fast", "safe"]},
        "token": {"type": "str", "no_log": True},
        "key_file": {"type": "path", "required": True, "no_log": False},
        "entries": {"type": "list", "elements": "dict", "default": [], "options": {"name": {"type": "str"}}},
    }
    spec["entries"]["default"].append({})
    assert to_spec(table)["entries"]["default"] == []


def test_the_table_of_every_module_is_known() -> None:
    assert sorted([*MODULES, *OPTIONS_OF_THEIR_OWN]) == specs.MODULES


@pytest.mark.parametrize("module", MODULES)
def test_the_documentation_of_a_module_matches_its_table(module: str) -> None:
    spec, documented = to_spec(MODULES[module]), documented_options(module)
    if module in DETACHABLE:
        spec |= DETACHED
    assert set(spec) == set(documented)
    for name, option in spec.items():
        assert comparable(option) == comparable(documented[name]), name


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_a_documentation_fragment_matches_its_table_key_for_key(fragment: str) -> None:
    spec, documented = to_spec(FRAGMENTS[fragment]), fragment_options(fragment)
    assert list(spec) == list(documented)
    for name, option in spec.items():
        assert comparable(option) == comparable(documented[name]), name


@pytest.mark.parametrize("module", MODULES)
def test_every_option_that_looks_secret_says_whether_it_is(module: str) -> None:
    options = {**MODULES[module], **notify.OPTIONS}
    undecided = [
        name for name in options if any(word in name for word in LOOKS_SECRET) and options[name].secret is None
    ]
    assert undecided == []


def test_the_engines_to_choose_from_are_those_of_the_registry() -> None:
    for module, table in MODULES.items():
        if "engine" in table:
            assert table["engine"].choices == ENGINE_NAMES, module


def test_the_schema_of_manifests_knows_every_engine() -> None:
    schema = json.loads((ROOT / "docs" / "manifest.schema.json").read_text(encoding="utf-8"))
    assert schema["properties"]["engine"]["enum"] == list(ENGINE_NAMES)


def test_jobs_and_the_command_line_have_the_options_of_the_modules_without_secrets_and_the_environment() -> None:
    assert {"login_password", "passphrase", "identity", "copy_credentials"} == jobs.SECRETS
    assert [*jobs.FILE_BACKUP_OPTIONS] == [name for name in backup.OPTIONS if name not in jobs.SECRETS]
    assert {
        name: option for name, option in jobs.FILE_DRILL_OPTIONS.items() if name not in ("every", "from_copy")
    }.items() < (drill.OPTIONS.items())
    assert restore.RESTORE_OPTIONS.items() < restore.OPTIONS.items()
    for table in (jobs.FILE_BACKUP_OPTIONS, jobs.FILE_DRILL_OPTIONS, restore.RESTORE_OPTIONS):
        assert [name for name, option in table.items() if option.secret or option.environment] == []


def test_defaults_of_the_tables_are_those_of_the_values_that_are_made_of_them() -> None:
    of_backup = {**defaults_of(backup.OPTIONS), "instance": "i", "engine": "e", "repository": "/r", "recipients": ["a"]}
    request = backup.request_from(of_backup)
    assert request.instance == Instance("i", "e")
    assert (request.selection, request.dump) == (Selection(), DumpOptions())
    assert request.compression == Compression()
    for name in ("accounts", "workers", "skip_if_newer_than", "repository_lock_timeout", "bandwidth_limit"):
        assert getattr(request, name) == getattr(type(request), name), name
    of_restore = {**defaults_of(restore.OPTIONS), "instance": "i", "engine": "e", "database": "d"}
    restoring = restore.restore_request_from(of_restore)
    assert restoring.options == RestoreOptions()
    assert restoring.safety == Safety(host=backup.short_host_name())
    assert restoring.keys == Keys() == keys_from(defaults_of(archives.OPTIONS))
    for name in ("target", "replace", "confirm", "accept_errors", "keep_failed", "keep_replaced"):
        assert getattr(restoring, name) == getattr(type(restoring), name), name
    assert drill.drill_request_from({**defaults_of(drill.OPTIONS), "repository": "/r"}) == DrillRequest("/r")
    assert repository.filter_from(defaults_of(repository.FILTER_OPTIONS)) == Filter()
    of_prune = {**defaults_of(retention.PRUNE_OPTIONS), "repository": "/r", "keep_last": 1}
    pruning = retention.prune_request_from(of_prune)
    assert pruning.policy == policy.RetentionPolicy(keep_last=1)
    for name in ("host", "instance", "databases", "acknowledge_gone", "repository_lock_timeout"):
        assert getattr(pruning, name) == getattr(type(pruning), name), name
    of_accounts = {**of_restore, **defaults_of(accounts.RESTORE_OPTIONS), "instance": "i", "engine": "e"}
    account_request = accounts.account_restore_request_from(of_accounts)
    assert (account_request.patterns, account_request.existing) == (Choice.patterns, Choice.existing)
    of_login = {**defaults_of(accounts.BACKUP_LOGIN_OPTIONS), "instance": "i", "engine": "e", "name": "n"}
    assert accounts.login_request_from({**of_login, "password": "p"}).login == WantedLogin("n", password="p")


def test_every_option_of_a_retention_policy_is_a_field_of_it() -> None:
    assert set(policy.OPTIONS) == set(policy.RetentionPolicy.__dataclass_fields__)
