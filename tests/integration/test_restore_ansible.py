# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module database_restore and the playbook restore, run the way a task and a survey run them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.ansible import ROOT, AnsibleRun
from support.golden import assert_golden
from support.library import HOST, IDENTITY, back_up, stored_backups
from support.preparation import note_as_prepared
from support.private_server import PrivateServer
from support.restores import clean, make_database, names
from support.returns import documentation_of, promised, undocumented
from support.socket_administrators import BACKUP_USER, give_away, owners, socket_administrator
from support.tree import folder_state

RESTORE = "vya.backupdb.database_restore"
ALWAYS = ("always", "when the backup was found and the server answered")


@pytest.fixture(params=["postgres15", "mariadb"])
def server(request: pytest.FixtureRequest) -> Iterator[PrivateServer]:
    private: PrivateServer = request.getfixturevalue(request.param)
    with clean(private):
        yield private


def options_for(server: PrivateServer, repository: Path, **more: Any) -> dict[str, Any]:
    """Options for the newest backup of `shop`; None takes an option away."""
    options = {
        "engine": server.engine,
        **server.login,
        "repository": str(repository),
        "instance": "test",
        "database": "shop",
        "latest": True,
        "identity": IDENTITY.reveal(),
        **more,
    }
    return {name: value for name, value in options.items() if value is not None}


def count(server: PrivateServer, database: str) -> int:
    found: int = server.sql("SELECT count(*) FROM item", database=database)[0][0]
    return found


@pytest.mark.distro
def test_a_restore_returns_what_is_documented_and_shows_no_secret(
    run_module: Callable[..., Any], server: PrivateServer, repository: Path, shop: str
) -> None:
    run = run_module(RESTORE, options_for(server, repository), diff=True, verbosity=3)
    assert not run.failed, run.output
    assert run.changed
    documented = documentation_of(RESTORE, "RETURN")
    assert undocumented(run.result, documented) == []
    assert promised(documented, *ALWAYS, "in diff mode") <= set(run.result)
    assert run.result["status"] == "restored"
    assert count(server, run.result["target"]) == 1
    assert "not there" in run.result["diff"]["before"]
    for secret in (IDENTITY.reveal(), server.password):
        assert secret not in run.output


def test_check_mode_returns_the_plan_and_changes_nothing(
    run_module: Callable[..., Any], server: PrivateServer, repository: Path, shop: str
) -> None:
    before, tree = names(server), folder_state(repository)
    run = run_module(RESTORE, options_for(server, repository, target="new"), check=True)
    assert not run.failed, run.output
    assert undocumented(run.result, documentation_of(RESTORE, "RETURN")) == []
    assert promised(documentation_of(RESTORE, "RETURN"), *ALWAYS) <= set(run.result)
    assert run.changed
    assert (run.result["status"], run.result["plan"]["creates"]) == ("planned", ["new"])
    refused = run_module(RESTORE, options_for(server, repository, target="shop"), check=True)
    assert refused.failed
    assert "replace and confirm: shop" in refused.message
    assert refused.result["plan"]["refusals"]
    assert (names(server), folder_state(repository)) == (before, tree)


def test_a_database_is_replaced_only_with_its_name_typed_again(
    run_module: Callable[..., Any], server: PrivateServer, repository: Path, shop: str, scratch: Path
) -> None:
    refused = run_module(RESTORE, options_for(server, repository, target="shop", replace=True))
    assert refused.failed
    assert refused.result["error_kind"] == "RestoreRefused"
    assert count(server, "shop") == 2
    key = scratch / "key.txt"
    key.touch(mode=0o600)
    key.write_text(IDENTITY.reveal() + "\n", encoding="utf-8")
    path = str(stored_backups(repository, "shop")[0].folder)
    changes = {"instance": None, "database": None, "latest": None, "identity": None, "identity_file": str(key)}
    options = options_for(server, repository, path=path, target_instance="here", safety_host=HOST, **changes)
    run = run_module(RESTORE, {**options, "target": "shop", "replace": True, "confirm": "shop"})
    assert not run.failed, run.output
    assert count(server, "shop") == 1
    assert run.result["safety_backup"].startswith(str(repository / HOST / "here-before-restore" / "shop"))


def test_what_contradicts_itself_is_refused_by_the_names_of_the_options(
    run_module: Callable[..., Any], postgres15: PrivateServer, repository: Path
) -> None:
    for changes, words in (
        ({"latest": None}, "path, latest, at, backup_id"),
        ({"at": "2026-11-24T00:00:00Z"}, "mutually exclusive"),
        ({"latest": None, "at": "yesterday"}, "option at"),
        ({"repository": None}, "repository"),
        ({"timeout": "soon"}, "option timeout"),
        ({"schema_only": True, "data_only": True}, "leave nothing to restore"),
        ({"instance": None, "database": None, "latest": None, "path": "/x"}, "target_instance"),
    ):
        options = {**options_for(postgres15, repository), **changes}
        run = run_module(RESTORE, {name: value for name, value in options.items() if value is not None})
        assert run.failed
        assert words in run.message, run.message


def inventory(server: PrivateServer, repository: Path, scratch: Path, **more: Any) -> dict[str, Any]:
    host = {
        "ansible_connection": "local",
        "backupdb_install": "none",
        "backupdb_repository": str(repository),
        "backupdb_state_dir": str(scratch / "state"),
        "backupdb_recipients": [IDENTITY.recipient],
        "backupdb_instances": [
            {"id": "test", "engine": server.engine, "login_host": server.host, "login_port": server.port}
        ],
        "backupdb_logins": {"test": {"login_user": server.user, "login_password": server.password}},
        **more,
    }
    return {"all": {"hosts": {HOST: host}}}


def test_the_playbook_restores_by_plain_variables_and_publishes_a_summary(
    run_playbook: Callable[..., AnsibleRun], server: PrivateServer, repository: Path, shop: str, scratch: Path
) -> None:
    hosts = inventory(server, repository, scratch)
    # As a survey gives them: text, all of it.
    survey = {
        "restore_instance": "test",
        "restore_database": "shop",
        "restore_from": "latest",
        "restore_target": "shop",
        "restore_confirm": "shop",
        "restore_replace": "true",
        "restore_tables": "",
        "restore_identity": IDENTITY.reveal(),
    }
    missing = run_playbook("vya.backupdb.restore", inventory=hosts, extra_vars={**survey, "restore_confirm": ""})
    assert missing.returncode != 0
    assert "restore_confirm must repeat the name in restore_target, shop; the database is changed" in missing.output
    wrong = run_playbook("vya.backupdb.restore", inventory=hosts, extra_vars={**survey, "restore_confirm": "other"})
    assert wrong.returncode != 0
    assert "restore_confirm must repeat" in wrong.output
    assert count(server, "shop") == 2

    run = run_playbook(ROOT / "playbooks" / "restore.yml", inventory=hosts, extra_vars=survey, verbosity=4, diff=True)
    assert run.returncode == 0, run.output
    assert count(server, "shop") == 1
    summary = run.summary("restore_summary")
    assert (summary["status"], summary["target"], summary["differences"]) == ("restored", "shop", [])
    assert summary["safety_backup"].startswith(str(repository / HOST / "test-before-restore" / "shop"))
    for secret in (IDENTITY.reveal(), server.password):
        assert secret not in run.output


def test_the_playbook_tells_why_it_failed_and_takes_a_moment_an_id_or_a_path(
    run_playbook: Callable[..., AnsibleRun], postgres15: PrivateServer, repository: Path, scratch: Path
) -> None:
    with clean(postgres15):
        make_database(postgres15, "shop")
        back_up(postgres15, repository, databases=["shop"], accounts=False)
        backup = stored_backups(repository, "shop")[0]
        hosts = inventory(postgres15, repository, scratch)
        common = {"restore_instance": "test", "restore_database": "shop", "restore_identity": IDENTITY.reveal()}
        sources = ("2099-01-01T00:00:00Z", backup.folder.name, str(backup.folder))
        for number, source in enumerate(sources):
            name = f"shop{number}"
            wanted = {**common, "restore_from": source, "restore_target": name}
            run = run_playbook("vya.backupdb.restore", inventory=hosts, extra_vars=wanted)
            assert run.returncode == 0, run.output
            assert name in names(postgres15)
        early = {**common, "restore_from": "2001-01-01T00:00:00Z", "restore_target": "x"}
        failed = run_playbook("vya.backupdb.restore", inventory=hosts, extra_vars=early)
        assert failed.returncode != 0
        summary = failed.summary("restore_summary")
        assert summary["status"] == "failed"
        assert "no readable backup" in summary["message"]
        planned = run_playbook(
            "vya.backupdb.restore", inventory=hosts, extra_vars={**early, "restore_from": "latest"}, check=True
        )
        assert planned.returncode == 0, planned.output
        assert "x" not in names(postgres15)


def test_the_playbooks_restore_as_the_administrator_of_the_socket_from_what_the_backup_user_owns(
    run_playbook: Callable[..., AnsibleRun], postgres15: PrivateServer, repository: Path, scratch: Path
) -> None:
    """Nobody types a password: the role is root, the socket sees the administrator, the files are the backup user's."""
    with clean(postgres15), socket_administrator(postgres15) as administrator:
        make_database(postgres15, "shop")
        postgres15.sql("CREATE TABLE item AS SELECT 1 AS n", database="shop")
        back_up(postgres15, repository, databases=["shop"], accounts=False)
        postgres15.sql("INSERT INTO item VALUES (2)", database="shop")
        give_away(repository)
        socket = {"login_unix_socket": str(postgres15.socket), "login_port": postgres15.port}  # type: ignore[attr-defined]
        instance = {"id": "test", "engine": "postgresql", "login_user": BACKUP_USER, **socket}
        user = {"backupdb_user": BACKUP_USER, "backupdb_group": BACKUP_USER}
        hosts = inventory(postgres15, repository, scratch, backupdb_instances=[instance], backupdb_logins={}, **user)
        note_as_prepared(hosts["all"]["hosts"][HOST], ["postgresql"])
        wanted = {"restore_instance": "test", "restore_database": "shop", "restore_from": "latest"}
        answers = {**wanted, "restore_identity": IDENTITY.reveal(), "restore_login_user": administrator}
        options = {"inventory": hosts, "verbosity": 4}
        copied = run_playbook("vya.backupdb.restore", extra_vars={**answers, "restore_target": "copy"}, **options)
        assert copied.returncode == 0, copied.output
        replacing = {"restore_target": "shop", "restore_replace": "true", "restore_confirm": "shop"}
        replaced = run_playbook("vya.backupdb.restore", extra_vars={**answers, **replacing}, **options)
        assert replaced.returncode == 0, replaced.output
        assert [count(postgres15, name) for name in ("copy", "shop")] == [1, 1]
        assert owners(repository) == {BACKUP_USER}
        logins = {"test": {"login_user": administrator}}
        rebuild = {"rebuild_host": HOST, "rebuild_logins": logins, "rebuild_identity": IDENTITY.reveal()}
        rebuilt = run_playbook("vya.backupdb.rebuild", extra_vars=rebuild, **options)
        (line,) = rebuilt.summary("rebuild_summary")["lines"]
        assert line.startswith("test 'shop' present"), rebuilt.output
    for run in (copied, replaced, rebuilt):
        assert IDENTITY.reveal() not in run.output


def test_a_variable_that_the_role_does_not_have_is_refused_before_anything_is_done(
    run_playbook: Callable[..., AnsibleRun], postgres15: PrivateServer, repository: Path, scratch: Path
) -> None:
    hosts = inventory(postgres15, repository, scratch, backupdb_instal="none")
    answers = {"restore_instance": "test", "restore_database": "shop", "restore_from": "latest", "restore_target": "x"}
    run = run_playbook("vya.backupdb.restore", inventory=hosts, extra_vars=answers)
    assert run.returncode != 0
    assert "backupdb_instal is no variable of the role backupdb; backupdb_install is" in run.output
    hosts = inventory(postgres15, repository, scratch)
    wrong = {**answers, "restore_hosts": "all", "restore_owner": "drop", "restore_qualified": "true"}
    run = run_playbook("vya.backupdb.restore", inventory=hosts, extra_vars=wrong)
    assert run.returncode != 0
    assert "restore_owner is no variable of the role restore; restore_owner_map is" in run.output
    assert "restore_qualified is no variable of the role restore" in run.output
    assert "restore_hosts is" not in run.output
    assert_golden("restore_unknown_variables", run.shows("Report on all hosts"), {str(scratch): "/srv"})
