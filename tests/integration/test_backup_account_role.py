# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook account: the logins of every instance, planned, made and left alone; and what is told of bad ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.ansible import ROOT, AnsibleRun
from support.backup_logins import NAME, PASSWORD, Scene, close_scene, open_scene
from support.library import IDENTITY
from support.mysql_dumps import execute
from support.preparation import note_as_prepared

PLAYBOOK = ROOT / "playbooks" / "account.yml"


@pytest.fixture
def scenes(postgres15: Any, mariadb: Any) -> Iterator[dict[str, Scene]]:
    found = {"shop-pg": open_scene(postgres15), "wiki-db": open_scene(mariadb)}
    yield found
    for scene in found.values():
        close_scene(scene)


@pytest.fixture
def variables(scenes: dict[str, Scene], scratch: Path) -> dict[str, Any]:
    place = {
        name: {"login_unix_socket": str(scene.server.socket), "login_port": scene.server.port}
        for name, scene in scenes.items()
    }
    return {
        "backupdb_repository": str(scratch / "repository"),
        "backupdb_state_dir": str(scratch / "state"),
        "backupdb_install": "none",
        "backupdb_become": False,
        "backupdb_recipients": [IDENTITY.recipient],
        "backupdb_instances": [
            {"id": name, "engine": scene.server.engine, "login_user": NAME, **place[name]}
            for name, scene in scenes.items()
        ],
        "backupdb_logins": {name: {"login_password": PASSWORD} for name in scenes},
        "account_admin_logins": {
            name: {"login_user": scene.server.user, "login_password": scene.server.password}
            for name, scene in scenes.items()
        },
        "account_login_hosts": {"wiki-db": "%"},
    }


def test_logins_are_planned_and_made_and_no_secret_is_shown(
    run_playbook: Callable[..., AnsibleRun], scenes: dict[str, Scene], variables: dict[str, Any]
) -> None:
    planned = run_playbook(PLAYBOOK, extra_vars=variables, check=True, diff=True)
    assert planned.returncode == 0, planned.output
    assert [scene.logins() for scene in scenes.values()] == [[], []]
    first = run_playbook(PLAYBOOK, extra_vars=variables, diff=True, verbosity=4)
    assert first.returncode == 0, first.output
    for secret in (PASSWORD, *(scene.server.password for scene in scenes.values())):
        assert secret not in planned.output + first.output
    logins = [run.summary("account_summary")["hosts"]["localhost"]["logins"] for run in (planned, first)]
    assert [login["statements"] for login in logins[0]] == [login["statements"] for login in logins[1]]
    assert [login["write_refused"] for login in logins[1]] == [True, True]


def test_every_login_is_tried_before_the_host_fails(
    run_playbook: Callable[..., AnsibleRun], scenes: dict[str, Scene], variables: dict[str, Any]
) -> None:
    variables["account_admin_logins"]["shop-pg"]["login_password"] = "not-the-password-of-postgres"
    scenes["wiki-db"].run(f"CREATE USER {NAME}@'%' IDENTIFIED BY '{PASSWORD}'", f"GRANT INSERT ON *.* TO {NAME}@'%'")
    run = run_playbook(PLAYBOOK, extra_vars=variables, verbosity=4)
    assert run.returncode != 0
    assert "not-the-password-of-postgres" not in run.output
    host = run.summary("account_summary")["hosts"]["localhost"]
    assert host["status"] == run.summary("account_summary")["status"] == "failed"
    assert "wrong user or password" in host["message"]
    assert "it can change something: INSERT on *.*; set remove_surplus" in host["message"]
    assert [login["write_refused"] for login in host["logins"] if "write_refused" in login] == [False]


def test_variables_that_lead_nowhere_are_told_together(
    run_playbook: Callable[..., AnsibleRun], variables: dict[str, Any]
) -> None:
    variables["backupdb_instances"] = [{"id": "far", "engine": "mariadb", "login_host": "db.example.org"}]
    variables["backupdb_logins"] = {}
    run = run_playbook(PLAYBOOK, extra_vars={**variables, "account_login_hosts": {}})
    assert run.returncode != 0
    (told,) = run.of_task("Manage the logins of this host")
    # That administrators of other hosts are named, too, is no problem: they may stand in the variables of a group.
    assert len(told.result["msg"].split("; ")) == 2, told.result


def test_administrators_and_logins_come_through_the_socket_without_a_password(
    run_playbook: Callable[..., AnsibleRun], server_factory: Callable[..., Any], variables: dict[str, Any]
) -> None:
    """The role becomes `postgres` and `root` to make the logins, and the backup's user (nobody, here) to try them."""
    postgres = open_scene(server_factory("postgres15", hba=["local all postgres,nobody peer"])).server
    maria = open_scene(server_factory("mariadb")).server
    execute(maria, "ALTER USER root@localhost IDENTIFIED VIA unix_socket OR mysql_native_password USING 'invalid'")
    servers = {"shop-pg": postgres, "wiki-db": maria}
    variables.update(
        backupdb_become=True,
        ansible_become_method="ansible.builtin.su",
        ansible_become_flags="-s /bin/sh",  # these users have no shell of their own
        backupdb_user="nobody",
        backupdb_group="nogroup",
        backupdb_instances=[
            {"id": name, "engine": server.engine, "login_unix_socket": str(server.socket), "login_port": server.port}
            for name, server in servers.items()
        ],
        backupdb_logins={},
        account_admin_logins={},
        account_login_hosts={},
    )
    note_as_prepared(variables, ["mariadb", "postgresql"])
    first, again = (run_playbook(PLAYBOOK, extra_vars=variables) for _number in range(2))
    assert first.returncode == 0, first.output
    host = first.summary("account_summary")["hosts"]["localhost"]
    assert [login["account"] for login in host["logins"]] == ["nobody", "nobody@localhost"]
    assert [login["write_refused"] for login in host["logins"]] == [True, True]
    assert (host["status"], host["message"]) == ("ok", "2 logins are as requested")
    assert [entry["changed"] for entry in again.stats["hosts"].values()] == [0]
