# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module backup_gate and the playbook gate: a deployment begins only when every database has a young backup."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.ansible import AnsibleRun, this_machine, write_json
from support.library import HOST, back_up
from support.private_server import PrivateServer
from support.restores import clean, make_database
from support.returns import documentation_of, promised, undocumented
from support.tree import folder_state

MODULE = "vya.backupdb.backup_gate"
DEPLOY = {"name": "Deploy", "hosts": "all", "gather_facts": False, "tasks": [{"ansible.builtin.debug": {"msg": "D"}}]}


@pytest.fixture(params=["postgres15", "mariadb", pytest.param("mysql", marks=pytest.mark.mysql)])
def server(request: pytest.FixtureRequest, mysql_programs: object) -> Iterator[PrivateServer]:
    private: PrivateServer = request.getfixturevalue(request.param)
    with clean(private):
        yield private


@pytest.fixture
def shop(server: PrivateServer, repository: Path) -> str:
    make_database(server, "shop")
    assert back_up(server, repository, databases=["shop"], accounts=False)["status"] == "ok"
    return "shop"


def options_for(server: PrivateServer, repository: Path, **more: Any) -> dict[str, Any]:
    login = {"engine": server.engine, **server.login}
    return {**login, "instance": "test", "host": HOST, "repository": str(repository), "max_age": "1h", **more}


def test_a_new_database_without_a_backup_does_not_pass_and_the_result_is_documented(
    run_module: Callable[..., Any], server: PrivateServer, repository: Path, shop: str
) -> None:
    documented, before = documentation_of(MODULE, "RETURN"), folder_state(repository)
    good = run_module(MODULE, options_for(server, repository))
    assert not good.failed, good.output
    make_database(server, "brand new")
    bad = run_module(MODULE, options_for(server, repository), check=True)
    assert bad.failed
    assert "host1/test/brand new: there is no backup, and no run has seen it yet -> back it up" in bad.message
    assert [(row["database"], row["passed"]) for row in bad.result["rows"]] == [("brand new", False), ("shop", True)]
    for run in (good, bad):
        assert not run.changed
        assert undocumented(run.result, documented) == []
        assert set(run.result) >= promised(documented, "always", "success or not well")
    misspelt = run_module(MODULE, options_for(server, repository, databases=["shop", "shpo"]))
    assert misspelt.failed
    assert "the nearest name is 'shop'" in misspelt.message
    assert folder_state(repository) == before


def test_the_playbook_ends_a_deployment_on_every_host_when_one_database_of_one_does_not_pass(
    run_playbook: Callable[..., AnsibleRun], server: PrivateServer, repository: Path, shop: str, scratch: Path
) -> None:
    database_host = {
        "backupdb_repository": str(repository),
        "backupdb_config_dir": str(scratch / "none"),
        "backupdb_instances": [
            {"id": "test", "engine": server.engine, "login_host": server.host, "login_port": server.port}
        ],
        "backupdb_logins": {"test": {"login_user": server.user, "login_password": server.password}},
        "backupdb_become": False,
    }
    inventory = {
        "all": {
            "vars": this_machine(scratch),
            "hosts": {"web1": {}},
            "children": {"databases": {"hosts": {HOST: database_host, "host2": {**database_host, "gate_host": HOST}}}},
        }
    }
    plays = [{"import_playbook": "vya.backupdb.gate", "vars": {"gate_hosts": "databases"}}, DEPLOY]
    playbook = write_json(scratch / "deploy.yml", plays)
    good = run_playbook(playbook, inventory=inventory, extra_vars={"gate_max_age": "1h"})
    assert good.returncode == 0, good.output
    assert {result.host for result in good.of_action("ansible.builtin.debug")} == {HOST, "host2", "web1"}
    assert good.summary("gate_summary")["message"] == "2 hosts ok"

    unproven = run_playbook(
        playbook, inventory=inventory, extra_vars={"gate_proven": True, "gate_exclude": ["x"]}, verbosity=3
    )
    make_database(server, "later")
    arguments = {"inventory": inventory, "extra_vars": {"gate_max_age": "1h"}}
    first_only = {**inventory["all"]["children"]["databases"]["hosts"]["host2"], "gate_databases": ["shop"]}
    inventory["all"]["children"]["databases"]["hosts"]["host2"] = first_only
    bad = run_playbook(playbook, **arguments)
    for run, told in ((unproven, "no drill has proven any"), (bad, f"{HOST}/test/later: there is no backup")):
        assert run.returncode != 0
        assert told in run.output
        assert run.of_action("ansible.builtin.debug") == [], run.output
        assert "HOST   STATE" in run.output
        assert server.password not in run.output
    assert {host: entry["status"] for host, entry in bad.summary("gate_summary")["hosts"].items()} == {
        HOST: "failed",
        "host2": "ok",
    }
    assert bad.output.count(f"\n{HOST}: {HOST}/test/later: ") == 1  # below the table
