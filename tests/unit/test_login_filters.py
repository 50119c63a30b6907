# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins of instances, and of those who administrate them."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

FILTERS = "ansible_collections.vya.backupdb.plugins.filter"
instance_login = importlib.import_module(f"{FILTERS}.instance_login").instance_login
restore_login = importlib.import_module(f"{FILTERS}.restore_login").restore_login
rebuild_servers = importlib.import_module(f"{FILTERS}.rebuild_servers").rebuild_servers
administrator_login = importlib.import_module(f"{FILTERS}.administrator_login").administrator_login

INSTANCES = [
    {"id": "shop-pg", "engine": "postgresql", "login_port": 5432},
    {"id": "wiki-db", "engine": "mariadb", "login_user": "old"},
]


BY_SOCKET = {"id": "a", "engine": "postgresql", "login_unix_socket": "/run/pg", "login_user": "backupdb"}
OVER_TCP = {"id": "b", "engine": "mariadb", "login_host": "db2", "login_user": "backup", "login_password": "SECRET"}


@pytest.mark.parametrize(
    ("instance", "given", "expected"),
    [
        (BY_SOCKET, {}, {"login_user": "postgres", "login_system_user": "postgres"}),
        ({**BY_SOCKET, "engine": "mariadb"}, {}, {"login_user": "root", "login_system_user": "root"}),
        (BY_SOCKET, {"login_user": "dba"}, {"login_user": "dba", "login_system_user": "dba"}),
        (BY_SOCKET, {"login_user": "dba", "login_system_user": "me"}, {"login_user": "dba", "login_system_user": "me"}),
        (BY_SOCKET, {"login_user": "dba", "login_password": "pw"}, {"login_user": "dba", "login_password": "pw"}),
        ({**BY_SOCKET, "login_password": "SECRET"}, {}, {"login_user": "backupdb", "login_password": "SECRET"}),
        (BY_SOCKET, {"login_host": "db1"}, {"login_host": "db1", "login_user": "backupdb"}),
        (OVER_TCP, {"login_user": ""}, {"login_host": "db2", "login_user": "backup", "login_password": "SECRET"}),
        (OVER_TCP, {"login_user": "root"}, {"login_host": "db2", "login_user": "root"}),
        (
            OVER_TCP,
            {"login_unix_socket": "/run/my"},
            {"login_unix_socket": "/run/my", "login_user": "root", "login_system_user": "root"},
        ),
    ],
)
def test_who_restores_is_the_administrator_of_the_socket_or_the_one_who_is_given(
    instance: dict[str, Any], given: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = restore_login(instance, given)
    login = {name: value for name, value in found.items() if name.startswith("login_")}
    if "login_host" not in expected:
        expected = {"login_unix_socket": instance.get("login_unix_socket"), **expected}
    assert login == expected


def test_nobody_becomes_another_user_where_the_work_is_not_done_as_root() -> None:
    assert restore_login(BY_SOCKET, {}, as_root=False) == BY_SOCKET


def test_the_servers_of_a_rebuild_have_the_logins_of_their_administrators() -> None:
    servers = rebuild_servers([BY_SOCKET, OVER_TCP], {}, {"b": {"login_user": "root", "login_password": "pw"}})
    assert servers == [
        {
            "instance": "a",
            "engine": "postgresql",
            "login_unix_socket": "/run/pg",
            "login_user": "postgres",
            "login_system_user": "postgres",
        },
        {"instance": "b", "engine": "mariadb", "login_host": "db2", "login_user": "root", "login_password": "pw"},
    ]


def test_an_instance_is_found_by_its_id_and_its_login_wins() -> None:
    logins = {"wiki-db": {"login_user": "backup", "login_password": "SECRET"}, "shop-pg": {"login_port": 1}}
    assert instance_login(INSTANCES, "wiki-db", logins) == {
        "id": "wiki-db",
        "engine": "mariadb",
        "login_user": "backup",
        "login_password": "SECRET",
    }
    assert instance_login(INSTANCES, "shop-pg") == INSTANCES[0]


def test_an_instance_that_is_not_there_is_named() -> None:
    with pytest.raises(AnsibleFilterError, match="backupdb_instances has no gone"):
        instance_login(INSTANCES, "gone")


def test_an_administrator_has_nothing_of_the_login_of_backups() -> None:
    instance = {"id": "wiki-db", "login_host": "db2", "login_user": "backup", "login_password": "SECRET"}
    assert administrator_login(instance, "root") == {"id": "wiki-db", "login_host": "db2", "login_user": "root"}
    admin = administrator_login(instance, "root", {"login_user": "dba", "login_password": "x", "login_host": "db3"})
    assert admin == {"id": "wiki-db", "login_host": "db3", "login_user": "dba", "login_password": "x"}
