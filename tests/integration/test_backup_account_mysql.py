# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The backup login on MySQL, with Oracle's own client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from backupdb.errors import LoginRefused, PrivilegeMissing
from support import mysql_sid
from support.backup_logins import NAME, ODD, PASSWORD, Scene, close_scene, managed, open_scene, whole_backup

pytestmark = pytest.mark.mysql


@pytest.fixture
def scene(mysql: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("PATH", f"/usr/bin:/bin:{mysql_sid.programs()}")
    scene = open_scene(mysql)
    yield scene
    close_scene(scene)


def test_a_backup_by_the_managed_login_is_whole_and_it_can_write_nothing(scene: Scene, scratch: Path) -> None:
    planned, first, again = managed(scene, check_mode=True), managed(scene), managed(scene)
    assert [each["changed"] for each in (planned, first, again)] == [True, True, False]
    assert planned["statements"] == first["statements"]
    assert (first["status"], first["write_refused"]) == ("ok", True), first
    assert "FLUSH_TABLES" in first["missing"][1]
    assert "RELOAD" not in first["missing"][1]
    done = whole_backup(scene, scratch)
    assert done["missing_privileges"] == []
    assert done["status"] == "ok", done
    assert {entry["status"] for entry in [*done["databases"], done["accounts"]]} == {"complete"}


def test_any_character_may_be_in_a_name_and_in_a_password(scene: Scene) -> None:
    password = 'it\'s \\ "quoted" %s %% :x ; -- pässwörd €'
    assert managed(scene, name=ODD, password=password)["write_refused"] is True
    assert managed(scene, name=ODD, password=password)["changed"] is False
    assert managed(scene, name=ODD, absent=True)["changed"] is True
    assert managed(scene, password=password)["changed"] is True
    assert scene.asked_as_login("SELECT 1", password=password) == [(1,)]
    assert managed(scene)["changed"] is True


def test_a_password_of_another_method_is_left_when_it_is_the_same(scene: Scene) -> None:
    scene.run(f"CREATE USER {scene.account} IDENTIFIED WITH caching_sha2_password BY '{PASSWORD}' ACCOUNT LOCK")
    result = managed(scene)
    assert result["missing"][0] == "an account that is not locked"
    assert [text for text in result["statements"] if "IDENTIFIED" in text] == []


def test_rights_beyond_are_found_and_taken_away_on_demand(scene: Scene) -> None:
    managed(scene)
    scene.run(
        "CREATE ROLE IF NOT EXISTS writers",
        f"GRANT writers TO {scene.account}",
        f"GRANT RELOAD, CONNECTION_ADMIN ON *.* TO {scene.account}",
        f"GRANT UPDATE (n) ON {scene.table} TO {scene.account}",
        f"GRANT EXECUTE ON PROCEDURE {scene.database}.p TO {scene.account}",
        *scene.surplus,
    )
    told = managed(scene)
    assert (told["status"], told["write_refused"], told["changed"]) == ("failed", False, False)
    removed = managed(scene, remove_surplus=True)
    assert (removed["status"], removed["write_refused"]) == ("ok", True), removed["message"]
    scene.run(scene.all_powers)
    removed = managed(scene, remove_surplus=True)
    assert (removed["status"], removed["write_refused"]) == ("ok", True), removed["message"]
    assert managed(scene, remove_surplus=True)["changed"] is False
    scene.run("DROP ROLE writers")


def test_the_server_never_sees_the_password(scene: Scene) -> None:
    with scene.statements_logged() as log:
        managed(scene)
        logged = log()
    assert NAME in logged
    assert PASSWORD not in logged


def test_refusals_name_what_helps(scene: Scene) -> None:
    managed(scene)
    with pytest.raises(PrivilegeMissing, match="; log in as an account such as root"):
        managed(scene, administrator=NAME, name="another")
    with pytest.raises(LoginRefused, match="is not managed"):
        managed(scene, name="mysql.sys")


def test_a_login_through_the_socket_is_tried_as_that_user(scene: Scene) -> None:
    scene.run("INSTALL PLUGIN auth_socket SONAME 'auth_socket.so'")
    try:
        first, again = (managed(scene, name="nobody", auth="socket", password=None) for _number in range(2))
        assert (first["status"], first["write_refused"], again["changed"]) == ("ok", True, False), first
        assert "logged in by the socket" in first["message"]
        managed(scene, name="nobody", absent=True)
    finally:
        scene.run("UNINSTALL PLUGIN auth_socket")
