# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The backup login on real servers: whole backups by it, no write by it, nothing said of its password."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from backupdb.accounts.restore import export
from backupdb.engines.login_interface import WantedLogin
from backupdb.engines.postgresql.engine import PostgresqlEngine
from backupdb.engines.values import DumpOptions
from backupdb.errors import LoginRefused, PrivilegeMissing
from support import accounts
from support.backup_logins import (
    ODD,
    PASSWORD,
    Scene,
    close_scene,
    managed,
    open_scene,
    whole_backup,
)
from support.postgresql_dumps import opened
from support.process_watch import ProcessWatch
from support.returns import documentation_of, promised, undocumented

MODULE = "vya.backupdb.backup_account"
ANSWERED = "when the server answered"
KINDS = ["postgres15", "postgres18", "mariadb"]


@pytest.fixture(params=KINDS)
def scene(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    scene = open_scene(request.getfixturevalue(request.param))
    if scene.is_postgresql:
        monkeypatch.setenv("PATH", f"{scene.server.binaries}:{os.environ['PATH']}")
    yield scene
    close_scene(scene)


def test_a_backup_by_the_managed_login_is_whole_and_it_can_write_nothing(scene: Scene, scratch: Path) -> None:
    result = managed(scene)
    assert result["status"] == "ok", result["message"]
    assert result["write_refused"] is True
    assert {attempt["refused"] for attempt in result["write_attempts"]} == {True}
    assert any(scene.table in attempt["statement"] for attempt in result["write_attempts"])
    done = whole_backup(scene, scratch)
    assert done["missing_privileges"] == []
    assert done["status"] == "ok", done
    assert {entry["status"] for entry in [*done["databases"], done["accounts"]]} == {"complete"}


def test_four_runs_of_the_module_check_run_run_check(mariadb: Any, run_module: Callable[..., Any]) -> None:
    scene = open_scene(mariadb)
    options = {**scene.options, "name": ODD}
    planned = run_module(MODULE, options, check=True, diff=True, verbosity=3)
    assert scene.logins() == []
    with ProcessWatch(interval=0.02) as watch:
        first = run_module(MODULE, options, diff=True, verbosity=3)
    second = run_module(MODULE, options)
    checked = run_module(MODULE, options, check=True)
    for each in (planned, first, second, checked):
        assert not each.failed, each.output
        assert PASSWORD not in each.output
        assert PASSWORD not in json.dumps(each.result)
        assert undocumented(each.result, documentation_of(MODULE, "RETURN")) == []
        assert promised(documentation_of(MODULE, "RETURN"), "always", ANSWERED) <= set(each.result)
    assert watch.find(PASSWORD) == []
    assert [each.changed for each in (planned, first, second, checked)] == [True, True, False, False]
    assert [each.result["status"] for each in (planned, first, second, checked)] == ["planned", "ok", "ok", "ok"]
    assert planned.result["statements"] == first.result["statements"]
    assert "********" in planned.result["statements"][0]
    assert planned.result["write_refused"] is None
    assert first.result["write_refused"] is second.result["write_refused"] is True
    assert planned.result["diff"] == first.result["diff"] == {"before": "not there\n", "after": "there\n"}
    assert "diff" not in second.result

    gone = run_module(MODULE, {**options, "state": "absent"})
    assert (gone.changed, scene.logins()) == (True, [])
    close_scene(scene)


def test_four_runs_with_an_odd_name_and_its_removal(scene: Scene) -> None:
    planned = managed(scene, name=ODD, check_mode=True)
    assert (planned["status"], planned["changed"], scene.logins()) == ("planned", True, [])
    assert PASSWORD not in json.dumps(planned)
    done = managed(scene, name=ODD)
    assert (done["status"], done["changed"], done["write_refused"]) == ("ok", True, True)
    assert done["statements"] == planned["statements"]
    assert managed(scene, name=ODD)["changed"] is False
    assert managed(scene, name=ODD, check_mode=True)["changed"] is False
    assert managed(scene, name=ODD, absent=True, check_mode=True)["changed"] is True
    assert scene.logins() == [ODD]
    assert [managed(scene, name=ODD, absent=True)["changed"] for _number in range(2)] == [True, False]
    assert scene.logins() == []


def test_the_password_can_change_and_any_character_may_be_in_it(scene: Scene) -> None:
    for password in ("first-password-of-the-login", 'it\'s \\ "quoted" %s %% :x $1 ; --', "pässwörd €" * 3):
        assert managed(scene, password=password)["changed"] is True
        assert managed(scene, password=password)["changed"] is False
        assert scene.asked_as_login("SELECT 1", password=password) == [(1,)]


def test_a_right_to_write_fails_until_it_is_taken_away_on_demand(scene: Scene) -> None:
    managed(scene)
    scene.run(*scene.surplus)
    told = managed(scene)
    assert told["status"] == "failed"
    assert told["changed"] is False
    assert told["write_refused"] is False
    assert False in {attempt["refused"] for attempt in told["write_attempts"]}
    assert {entry["writes"] for entry in told["surplus"]} == {True, False}
    assert "remove_surplus" in told["message"]
    assert all(statement in json.dumps(told["surplus"]) for statement in ("REVOKE", "statements"))
    planned = managed(scene, remove_surplus=True, check_mode=True)
    assert managed(scene)["surplus"] == told["surplus"]
    removed = managed(scene, remove_surplus=True)
    assert (removed["status"], removed["write_refused"]) == ("ok", True), removed["message"]
    assert planned["statements"] == removed["statements"]
    assert {entry["removed"] for entry in removed["surplus"]} == {True}
    again = managed(scene, remove_surplus=True)
    assert (again["changed"], again["surplus"]) == (False, [])


def test_an_administrator_made_the_backup_login_is_brought_down_to_what_it_needs(scene: Scene, scratch: Path) -> None:
    managed(scene)
    scene.run(scene.all_powers)
    assert managed(scene)["write_refused"] is False
    removed = managed(scene, remove_surplus=True)
    assert (removed["status"], removed["write_refused"]) == ("ok", True), removed["message"]
    assert whole_backup(scene, scratch)["missing_privileges"] == []


def test_a_wrong_password_of_the_administrator_is_told_as_that(mariadb: Any, run_module: Callable[..., Any]) -> None:
    options = {**Scene(mariadb).options, "login_password": "not-the-password-of-root"}
    outcome = run_module(MODULE, options)
    assert outcome.failed
    assert outcome.result["error_kind"] == "ConnectionFailed"
    assert "wrong user or password; check login_user and login_password" in outcome.message
    assert "not-the-password-of-root" not in outcome.output


def test_an_administrator_without_the_rights_is_told_which_login_has_them(scene: Scene) -> None:
    managed(scene)
    with pytest.raises(PrivilegeMissing, match="; log in as a"):
        managed(scene, administrator=scene.name, name="another")
    assert "another" not in scene.logins()


def test_the_administrators_own_account_is_not_managed(scene: Scene) -> None:
    for absent in (False, True):
        with pytest.raises(LoginRefused, match="is not managed"):
            managed(scene, name=scene.server.user, absent=absent)


def test_the_server_never_sees_the_password(scene: Scene) -> None:
    with scene.statements_logged() as log:
        managed(scene, password="first-password-of-the-login")
        managed(scene)
        logged = log()
    assert scene.name in logged
    assert PASSWORD not in logged
    assert "first-password-of-the-login" not in logged


def test_a_login_through_the_socket_has_no_password_and_is_tried_as_that_user(
    server_factory: Callable[..., Any],
) -> None:
    for kind in ("postgres15", "mariadb"):
        options = {"hba": ["local all nobody peer"]} if kind == "postgres15" else {}
        scene = open_scene(server_factory(kind, **options))
        first = managed(scene, name="nobody", auth="socket", password=None)
        again = managed(scene, name="nobody", auth="socket", password=None)
        assert (first["status"], first["write_refused"]) == ("ok", True), first
        assert "logged in by the socket" in first["message"]
        assert again["changed"] is False
        assert first["warnings"] == []
        changed = managed(scene, name="nobody", auth="password")
        assert (changed["changed"], changed["status"]) == (True, "ok")
        assert managed(scene, name="nobody", auth="socket", password=None)["changed"] is True


def test_a_role_that_cannot_log_in_from_here_is_tried_by_set_role(server_factory: Callable[..., Any]) -> None:
    scene = open_scene(
        server_factory("postgres18", hba=["local all backup_login reject", "host all backup_login all reject"])
    )
    first, again = managed(scene), managed(scene)
    assert (first["status"], first["write_refused"]) == ("ok", True)
    assert any("cannot log in from here" in warning for warning in first["warnings"])
    assert again["changed"] is False


def test_rights_that_everybody_has_are_told_and_not_taken_away(postgres18: Any) -> None:
    scene = open_scene(postgres18)
    scene.run(f"GRANT INSERT, SELECT ON {scene.table} TO PUBLIC", "GRANT CREATE ON SCHEMA public TO PUBLIC")
    told = managed(scene, remove_surplus=True)
    assert (told["status"], told["write_refused"]) == ("failed", False)
    (entry,) = told["surplus"]
    assert entry["right"].startswith("INSERT on TABLE")
    assert entry["advice"].endswith("FROM PUBLIC;")
    assert entry["statements"] == []
    assert any("every login may make objects in schema public" in warning for warning in told["warnings"])
    close_scene(scene)


def test_rights_that_mariadb_gives_to_everybody_are_told(mariadb: Any) -> None:
    scene = open_scene(mariadb)
    scene.run(f"GRANT SELECT, INSERT ON {scene.database}.* TO PUBLIC")
    told = managed(scene, remove_surplus=True)
    scene.run(f"REVOKE SELECT, INSERT ON {scene.database}.* FROM PUBLIC")
    assert (told["status"], told["write_refused"]) == ("failed", False)
    assert told["surplus"][0]["advice"].endswith("FROM PUBLIC;")
    assert f"it was let write: INSERT INTO {scene.table}" in told["message"]
    assert managed(scene)["status"] == "ok"
    close_scene(scene)


def test_a_role_that_owns_something_is_not_removed(postgres18: Any) -> None:
    scene = open_scene(postgres18)
    managed(scene)
    scene.run(f"CREATE TABLE its_own (); ALTER TABLE its_own OWNER TO {scene.name}")
    with pytest.raises(LoginRefused, match="owns objects"):
        managed(scene, absent=True)
    told = managed(scene, remove_surplus=True)
    assert told["write_refused"] is False
    assert "which it owns" in told["message"]
    scene.run("DROP TABLE its_own")
    assert managed(scene, absent=True)["changed"] is True
    assert managed(scene, absent=True)["changed"] is False
    close_scene(scene)


def test_a_role_that_came_down_in_the_world_is_made_fit_again(postgres18: Any) -> None:
    scene = open_scene(postgres18)
    managed(scene)
    scene.run(
        f"ALTER ROLE {scene.name} NOLOGIN NOINHERIT NOBYPASSRLS VALID UNTIL '2001-01-01'",
        f"REVOKE pg_read_all_data FROM {scene.name}",
        f"GRANT pg_read_all_data TO {scene.name} WITH INHERIT FALSE",
    )
    result = managed(scene)
    assert result["missing"] == [
        "LOGIN",
        "INHERIT",
        "a time of validity that is not over",
        "BYPASSRLS",
        "membership in pg_read_all_data",
    ]
    assert (result["status"], result["write_refused"]) == ("ok", True)
    assert managed(scene)["changed"] is False
    close_scene(scene)


def test_rights_through_a_membership_are_found(postgres15: Any) -> None:
    scene = open_scene(postgres15)
    managed(scene)
    scene.run("CREATE ROLE writers", f"GRANT UPDATE ON {scene.table} TO writers", f"GRANT writers TO {scene.name}")
    told = managed(scene)
    assert told["write_refused"] is False
    assert any("as a member of writers" in entry["right"] for entry in told["surplus"])
    assert managed(scene, remove_surplus=True)["write_refused"] is True
    scene.run("DROP OWNED BY writers", "DROP ROLE writers")
    close_scene(scene)


def test_an_administrator_who_is_no_superuser_makes_what_he_may(postgres18: Any) -> None:
    scene = open_scene(postgres18)
    scene.run(
        f"CREATE ROLE keeper LOGIN CREATEROLE PASSWORD '{PASSWORD}'",
        "GRANT pg_read_all_data TO keeper WITH ADMIN OPTION",
        f"GRANT CONNECT ON DATABASE {scene.database} TO keeper WITH GRANT OPTION",
        "DROP TABLE guarded",
        "SELECT lo_unlink(oid) FROM pg_largeobject_metadata",
    )
    first = managed(scene, administrator="keeper")
    assert (first["status"], first["write_refused"]) == ("ok", True), first
    assert any("BYPASSRLS was refused" in warning for warning in first["warnings"])
    assert managed(scene, administrator="keeper")["changed"] is False
    again = managed(scene, password="another-password-of-it", administrator="keeper")
    assert [text for text in again["statements"] if "PASSWORD" in text] != []
    close_scene(scene)
    scene.run("DROP ROLE keeper", database="postgres")


def test_before_version_14_every_schema_is_granted(postgres15: Any) -> None:
    """No older server is at hand; this one knows what they know, and takes the same statements."""
    scene = open_scene(postgres15)
    scene.run(f"CREATE ROLE {scene.name} LOGIN BYPASSRLS PASSWORD '{PASSWORD}'")
    with opened(postgres15) as (server, facts):
        older = replace(facts, version_number=(13, 22))
        keeper = PostgresqlEngine(server, older).login_manager(WantedLogin(scene.name, password=PASSWORD))
        absent = PostgresqlEngine(server, older).login_manager(WantedLogin("another", password=PASSWORD))
        state = keeper.look()
        assert [need.what for need in absent.look().needs[2:]] == [need.what for need in state.needs]
        with opened(postgres15, user=scene.name, password=PASSWORD) as (reader, _facts):
            (missing,) = export(PostgresqlEngine(reader, older))["missing"]
        assert f'GRANT SELECT ON pg_catalog.pg_authid TO "{scene.name}" in database "postgres" gives them' in missing
        for step in [step for need in state.needs for step in need.steps]:
            with keeper.session(step.database) as carry_out:
                carry_out(step.sql)
        after = keeper.look()
        assert (after.needs, after.surplus) == ([], [])
        assert {attempt.refused for attempt in keeper.try_to_write(after).attempts} == {True}
    with opened(postgres15, user=scene.name, password=PASSWORD) as (server, facts):
        databases = [one for one in PostgresqlEngine(server, facts).databases() if one.name == scene.database]
        assert PostgresqlEngine(server, facts).missing_privileges(databases, DumpOptions()) == []
    assert accounts.exported(postgres15, user=scene.name, password=PASSWORD)["missing"] == []
    close_scene(scene)
