# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins of instances, and of those who administrate them."""

from __future__ import annotations

import importlib

import pytest
from ansible.errors import AnsibleFilterError

FILTERS = "ansible_collections.vya.backupdb.plugins.filter"
instance_login = importlib.import_module(f"{FILTERS}.instance_login").instance_login
administrator_login = importlib.import_module(f"{FILTERS}.administrator_login").administrator_login

INSTANCES = [
    {"id": "shop-pg", "engine": "postgresql", "login_port": 5432},
    {"id": "wiki-db", "engine": "mariadb", "login_user": "old"},
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
