# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A play says once, for two action groups, which server is meant and where its backups are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.servers import PrivateServer

RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
BACKUP = "vya.backupdb.database_backup"
OMITTED = "{{ omit }}"
ENOUGH = {"databases": ["till"], "recipients": [RECIPIENT], "host": "db1"}


@pytest.fixture
def server(postgres15: PrivateServer) -> Iterator[PrivateServer]:
    postgres15.sql("CREATE DATABASE till")
    yield postgres15
    postgres15.sql("DROP DATABASE till")


@pytest.fixture
def play(run_playbook: Callable[..., Any], server: PrivateServer, scratch: Path) -> Callable[..., Any]:
    """Runs tasks, each a module and its options, in a play that sets the defaults of both groups."""
    repository = scratch / "repository"
    repository.mkdir(mode=0o700)
    defaults = {
        "group/vya.backupdb.login": {"instance": "shop-pg", "engine": "postgresql", **server.login},
        "group/vya.backupdb.repository": {"repository": str(repository)},
    }

    def run(*tasks: tuple[str, dict[str, Any]], **options: Any) -> list[Any]:
        steps = [{"name": f"Task {number}", module: given} for number, (module, given) in enumerate(tasks)]
        head = {"name": "Test", "hosts": "all", "gather_facts": False, "module_defaults": defaults}
        done = run_playbook([{**head, "tasks": steps}], **options)
        assert done.returncode == 0, done.output
        return [done.of_task(step["name"])[0].result for step in steps]

    return run


def test_modules_of_both_groups_find_the_server_and_the_repository(play: Callable[..., Any], scratch: Path) -> None:
    made, seen, listed, verified, status = play(
        (BACKUP, ENOUGH),
        ("vya.backupdb.database_info", {"databases": ["till"]}),
        ("vya.backupdb.backup_info", {"kind": "database"}),
        ("vya.backupdb.backup_verify", {"kind": "database"}),
        ("vya.backupdb.backup_status", {"host": "db1"}),
    )
    (entry,) = made["databases"]
    assert Path(entry["path"]).is_relative_to(scratch / "repository" / "db1" / "shop-pg")
    assert {found["name"] for found in seen["databases"] if found["selected"]} == {"till"}
    assert [backup["path"] for backup in listed["backups"]] == [entry["path"]]
    assert verified["status"] == status["status"] == "ok"


def test_the_defaults_reach_a_backup_that_is_planned_too(play: Callable[..., Any], scratch: Path) -> None:
    (planned,) = play((BACKUP, ENOUGH), check=True)
    assert [(entry["name"], entry["status"]) for entry in planned["databases"]] == [("till", "planned")]
    assert list((scratch / "repository").iterdir()) == []


def test_a_task_overrides_a_default_and_omit_takes_it_back(play: Callable[..., Any], scratch: Path) -> None:
    other = scratch / "other"
    other.mkdir(mode=0o700)
    elsewhere = {"instance": "shop-copy", "repository": str(other)}
    made, stored = play(
        (BACKUP, {**ENOUGH, **elsewhere, "recipients": OMITTED, "encryption": "none"}),
        # A backup is asked, not the server of the play.
        ("vya.backupdb.account_info", {**elsewhere, "login_host": OMITTED, "latest": True}),
    )
    path = made["databases"][0]["path"]
    assert Path(path).is_relative_to(other)
    assert stored["path"] == made["accounts"]["path"]
    # A backup is named by its folder, so the repository of the play is not meant.
    (verified,) = play(("vya.backupdb.backup_verify", {"repository": OMITTED, "paths": [path]}))
    assert [backup["folder"] for backup in verified["backups"]] == [path]
