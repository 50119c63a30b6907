# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules account_info and account_restore on real servers and real backups, run the way a task runs them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.library import IDENTITY, back_up
from support.mysql_dumps import execute
from support.returns import documentation_of, promised, undocumented

INFO = "vya.backupdb.account_info"
RESTORE = "vya.backupdb.account_restore"
PASSWORD = "a-long-password-of-an-account"
READ = "when the backup was read and the server answered"
# Per engine: statements that make accounts (one with a hash), what takes them away, and the accounts that come of it.
ENGINES = {
    "postgres15": (
        [
            "CREATE ROLE mod_team",
            f"CREATE ROLE mod_app LOGIN PASSWORD '{PASSWORD}' IN ROLE mod_team",
            "CREATE DATABASE mod_db",
        ],
        ["DROP ROLE IF EXISTS mod_app", "DROP ROLE IF EXISTS mod_team", "DROP DATABASE IF EXISTS mod_db"],
        ["mod_app", "mod_team"],
    ),
    "mariadb": (
        [
            "CREATE ROLE mod_team",
            f"CREATE USER mod_app@'%' IDENTIFIED BY '{PASSWORD}'",
            "GRANT mod_team TO mod_app@'%' WITH ADMIN OPTION",
            "CREATE DATABASE mod_db",
            "CREATE TABLE mod_db.t (n INT)",
            "GRANT SELECT ON mod_db.t TO mod_app@'%'",
        ],
        ["DROP USER IF EXISTS mod_app@'%'", "DROP ROLE IF EXISTS mod_team", "DROP DATABASE IF EXISTS mod_db"],
        ["mod_app@%", "mod_team"],
    ),
}


@dataclass(frozen=True)
class Scene:
    """A source with a backup of its accounts, and an empty server to restore into."""

    source: Any
    other: Any
    repository: Path
    names: list[str]

    def from_backup(self, **more: Any) -> dict[str, Any]:
        return {
            "repository": str(self.repository),
            "instance": "test",
            "latest": True,
            "identity": IDENTITY.reveal(),
            "accounts": ["mod_*"],
            **more,
        }

    def to_restore(self, **more: Any) -> dict[str, Any]:
        return {**self.from_backup(), **self.login(self.other), **more}

    def login(self, server: Any) -> dict[str, Any]:
        # Over the socket root is root@localhost, who may grant everything.
        named = {"login_user": server.user, "login_password": server.password, "login_port": server.port}
        return {"engine": server.engine, **named, "login_unix_socket": str(server.socket)}


def run(server: Any, statements: list[str]) -> None:
    for statement in statements:
        if server.engine == "postgresql":
            server.sql(statement)
        else:
            execute(server, statement)


@pytest.fixture(params=list(ENGINES))
def scene(request: pytest.FixtureRequest, server_factory: Callable[..., Any], scratch: Path) -> Iterator[Scene]:
    make, unmake, names = ENGINES[request.param]
    source = request.getfixturevalue(request.param)
    run(source, [*unmake, *make])
    repository = scratch / "repository"
    repository.mkdir(mode=0o700)
    try:
        done = back_up(source, repository, databases=["mod_db"])
        assert done["accounts"]["status"] == "complete"
        yield Scene(source, server_factory(request.param), repository, names)
    finally:
        run(source, unmake)


def test_accounts_are_restored_in_four_runs_check_run_run_check(scene: Scene, run_module: Callable[..., Any]) -> None:
    options = scene.to_restore()
    planned = run_module(RESTORE, options, check=True, diff=True, verbosity=3)
    first = run_module(RESTORE, options, diff=True, verbosity=3)
    second = run_module(RESTORE, options)
    checked = run_module(RESTORE, options, check=True)
    for each in (planned, first, second, checked):
        assert not each.failed, each.output
    assert [each.changed for each in (planned, first, second, checked)] == [True, True, False, False]
    assert planned.result["statements"] == first.result["statements"]
    documented = documentation_of(RESTORE, "RETURN")
    for each in (planned, first):
        assert undocumented(each.result, documented) == []
        assert promised(documented, "always", READ, "in diff mode") <= set(each.result)
        assert f"{scene.names[0]}: not there" in each.result["diff"]["before"]
    assert {entry["account"]: entry["action"] for entry in first.result["accounts"]} == dict.fromkeys(
        scene.names, "created"
    )
    hashed = next(text for text in first.result["statements"] if "********" in text)
    assert "mod_app" in hashed
    for each in (planned, first, second, checked):
        shown = each.output + json.dumps(each.result)
        assert "SCRAM-SHA-256$" not in shown
        assert "PASSWORD '*2" not in shown
        assert IDENTITY.reveal() not in shown
    assert scene.other.sql("SELECT 1", user="mod_app", password=PASSWORD) == [(1,)]


def test_an_enumeration_shows_a_server_and_a_backup_alike_and_hashes_only_when_asked(
    scene: Scene, run_module: Callable[..., Any]
) -> None:
    login = {**scene.login(scene.source), "instance": "test", "accounts": ["mod_*"]}
    here = run_module(INFO, login)
    stored = run_module(INFO, scene.from_backup())
    secret = run_module(INFO, scene.from_backup(show_hashes=True, accounts=["mod_app"]))
    documented = documentation_of(INFO, "RETURN")
    for each in (here, stored, secret):
        assert not each.failed, each.output
        assert not each.changed
        assert undocumented(each.result, documented) == []
    assert promised(documented, "always", "success") <= set(here.result)
    assert promised(documented, "always", "success", "when a backup was asked for") <= set(stored.result)
    assert here.result["accounts"] == stored.result["accounts"]
    accounts = {entry["account"]: entry for entry in stored.result["accounts"]}
    assert sorted(accounts) == scene.names
    app = accounts[scene.names[0]]
    assert (app["kind"], app["reserved"], app["member_of"]) == ("user", False, ["mod_team"])
    assert app["authentication"] in (["scram-sha-256"], ["mysql_native_password"])
    assert any("********" in text for text in app["statements"])
    shown = json.dumps(secret.result["accounts"])
    assert "SCRAM-SHA-256$" in shown or "PASSWORD '*" in shown
    assert "********" not in shown


def test_a_name_that_no_account_has_is_an_error_that_names_those_there_are(
    scene: Scene, run_module: Callable[..., Any]
) -> None:
    outcome = run_module(RESTORE, scene.to_restore(accounts=["mod_ap"]))
    assert outcome.failed
    assert outcome.result["error_kind"] == "SelectionError"
    assert "no account of the backup is called 'mod_ap'" in outcome.message
    assert scene.names[0] in outcome.message


def test_a_backup_of_a_database_is_refused_as_a_source(scene: Scene, run_module: Callable[..., Any]) -> None:
    (folder,) = scene.repository.glob("*/test/mod_db/*")
    named = {"path": str(folder), "target_instance": "other", "identity": IDENTITY.reveal()}
    outcome = run_module(RESTORE, {**scene.login(scene.other), **named})
    assert outcome.failed
    assert "is a backup of database" in outcome.message
