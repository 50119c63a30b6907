# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a backup as a module takes them: they reach the library as they were meant."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ModuleArgumentSpecValidator

PLUGINS = "ansible_collections.vya.backupdb.plugins"
options = importlib.import_module(f"{PLUGINS}.module_utils.backupdb.backup.options")
constraints = importlib.import_module(f"{PLUGINS}.module_utils.module_support.argument_specs.constraints")
to_spec = importlib.import_module(f"{PLUGINS}.module_utils.module_support.argument_specs.spec").to_spec
InvalidOption = importlib.import_module(f"{PLUGINS}.module_utils.backupdb.errors").InvalidOption

NEEDED = {
    "instance": "shop-pg",
    "engine": "postgresql",
    "login_host": "db.example.org",
    "repository": "/srv/backup",
    "recipients": ["age1one", "age1two"],
}


def validated(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What a module gets of these options, and the errors that it reports."""
    given = {name: value for name, value in {**NEEDED, **values}.items() if value is not None}
    validator = ModuleArgumentSpecValidator(to_spec(options.OPTIONS), **constraints.BACKUP_CONSTRAINTS)
    outcome = validator.validate(given)
    return outcome.validated_parameters, outcome.error_messages


def request_of(**values: Any) -> Any:
    parameters, errors = validated(values)
    assert errors == []
    return options.request_from(parameters)


def test_options_reach_the_library_as_they_were_meant() -> None:
    request = request_of(
        login_port=5433,
        login_user="backupdb",
        login_password="pw",
        databases=["a*"],
        exclude=["ab"],
        jobs=3,
        skip_if_newer_than="12h",
        timeout="2h",
        db_lock_timeout="90s",
        repository_lock_timeout="1m",
        bandwidth_limit="50M",
        nice=5,
        host="db1",
        compression="gzip",
        compression_level=4,
        workers=3,
    )
    assert (request.instance.id, request.instance.port, request.instance.password) == ("shop-pg", 5433, "pw")
    assert (request.selection.include, request.selection.exclude) == (("a*",), ("ab",))
    assert (request.dump.jobs, request.dump.timeout, request.dump.db_lock_timeout, request.dump.nice) == (
        3,
        7200,
        90,
        5,
    )
    assert (request.skip_if_newer_than, request.repository_lock_timeout) == (43200, 60)
    assert (request.bandwidth_limit, request.workers, request.host) == (50 * 1024 * 1024, 3, "db1")
    assert (request.compression.method, request.compression.level) == ("gzip", 4)
    assert request.encryption.recipients == ("age1one", "age1two")


def test_the_default_host_is_the_short_host_name() -> None:
    assert request_of().host == options.short_host_name()
    assert "." not in options.short_host_name()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("skip_if_newer_than", "half a day"),
        ("timeout", "6 hours or so"),
        ("db_lock_timeout", "-1s"),
        ("bandwidth_limit", "fast"),
        ("nice", 20),
        ("nice", -1),
        ("connect_timeout", 0),
        ("compression_threads", 0),
        ("workers", 0),
        ("jobs", 0),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_the_name_of_its_option(option: str, value: object) -> None:
    with pytest.raises(InvalidOption, match=option):
        request_of(**{option: value})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"login_unix_socket": "/run/x.sock"}, ["mutually exclusive", "login_host", "login_unix_socket"]),
        ({"login_host": None}, ["one of the following is required", "login_host", "login_unix_socket"]),
        ({"recipients": None}, ["encryption is age", "recipients", "passphrase"]),
        ({"passphrase": "correct horse"}, ["mutually exclusive", "recipients", "passphrase"]),
        ({"client_key": "/etc/key.pem"}, ["required together", "client_cert"]),
    ],
)
def test_options_that_contradict_each_other_are_refused(values: dict[str, Any], words: list[str]) -> None:
    parameters, errors = validated(values)
    assert parameters
    assert len(errors) == 1
    assert all(word in errors[0] for word in words), errors


@pytest.mark.parametrize(
    ("variable", "value", "read"),
    [
        ("BACKUPDB_LOGIN_USER", "backupdb", lambda request: request.instance.user),
        ("BACKUPDB_LOGIN_PASSWORD", "from the environment", lambda request: request.instance.password),
    ],
)
def test_a_login_may_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, read: Callable[[Any], str]
) -> None:
    monkeypatch.setenv(variable, value)
    assert read(request_of()) == value


def test_a_passphrase_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKUPDB_PASSPHRASE", "correct horse battery staple")
    assert request_of(recipients=None).encryption.passphrase == "correct horse battery staple"
