# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs of the applied templates on a real server, by ansible-runner, with credentials and answers to surveys."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from support import run_state
from support.ansible import UNREACHABLE, this_machine
from support.awx_job import AnswerRefused, Job, Launcher
from support.awx_kit import Applied, read
from support.library import IDENTITY
from support.restores import clean, make_database, names
from support.servers import PrivateServer

INSTANCE = "shop-pg"
ODD = '<script>\u202e "../x"; --'
LOGIN_PASSWORD = "Vx83-canary-of-the-login-77"
RESTORE = {"restore_hosts": "db1", "restore_instance": INSTANCE, "restore_database": "shop"}
# Every template in an order in which each finds what it needs, with its answers.
JOBS: list[tuple[str, dict[str, Any]]] = [
    ("prepare (check)", {}),
    ("account (check)", {}),
    ("account", {}),
    ("back up (check)", {}),
    ("back up", {}),
    ("copy", {}),
    ("status", {}),
    ("report", {}),
    ("gate", {}),
    ("verify", {}),
    ("verify", {"verify_level": "decrypt", "verify_copy": "disk", "verify_database": "shop"}),
    ("drill", {"drill_database": "shop"}),
    ("prune (check)", {}),
    ("prune", {"prune_copy": "disk"}),
    ("restore (check)", {**RESTORE, "restore_target": "shop_back"}),
    ("restore", {**RESTORE, "restore_target": "shop_back", "restore_copy": "best"}),
    ("rebuild (check)", {"rebuild_hosts": "db1", "rebuild_host": "db1"}),
]
# They would change this machine, or examine what only they make: molecule runs their roles on booted hosts.
ELSEWHERE = {"prepare", "schedule", "schedule (check)", "doctor"}


@pytest.fixture(scope="module")
def server(postgres15: PrivateServer) -> Iterator[PrivateServer]:
    """Two databases, one with a hostile name, and no login of backups: a job makes it."""
    with clean(postgres15):
        for name in ("shop", ODD):
            make_database(postgres15, name)
            postgres15.sql("CREATE TABLE item AS SELECT generate_series(1, 5) AS n", database=name)
        yield postgres15
        for name in postgres15.sql("SELECT rolname FROM pg_roles WHERE rolname = 'backups'"):
            postgres15.sql(f"DROP OWNED BY {name[0]}")
    postgres15.sql("DROP ROLE IF EXISTS backups")


@pytest.fixture(scope="module")
def launcher(first: Applied, server: PrivateServer) -> Launcher:
    """The host `db1` and its credentials."""
    folder = run_state.new_folder("j")
    folder.chmod(0o711)
    (folder / "work").mkdir(mode=0o711)
    (folder / "copy").mkdir(mode=0o700)
    host = {
        "backupdb_instances": [
            {
                **{"id": INSTANCE, "engine": "postgresql", "login_host": server.host, "login_port": server.port},
                **{"databases": ["shop", ODD], "row_counts": True},
            }
        ]
    }
    common = this_machine(
        folder,
        **{"backupdb_repository": str(folder / "repository"), "backupdb_recipients": [IDENTITY.recipient]},
        **{"backupdb_copies": [{"name": "disk", "type": "local", "path": str(folder / "copy"), "retention": KEEP}]},
        **{"backupdb_retention": KEEP, "drill_work_dir": str(folder / "work")},
    )
    logins = {INSTANCE: {"login_user": "backups", "login_password": LOGIN_PASSWORD}}
    administrators = {INSTANCE: {"login_user": server.user, "login_password": server.password}}
    return Launcher(
        objects=first.objects,
        folder=folder,
        inventory={"all": {"vars": common, "children": {"databases": {"hosts": {"db1": host}}}}},
        secrets={
            "logins": {"logins": json.dumps(logins), "admin_logins": json.dumps(administrators)},
            "copies": {"copy_credentials": ""},
            "identity": {"identity": IDENTITY.reveal() + "\n"},
        },
        interpreter=sys.executable,
    )


KEEP = {"keep_daily": 3}


def judge(job: Job, server: PrivateServer) -> None:
    """What holds of every job, however it ended."""
    assert job.tricks() == []
    assert job.holding(LOGIN_PASSWORD, server.password, IDENTITY.reveal()) == []
    shown = [event["stdout"] for event in job.events if event["event"] == "verbose"]
    # Ansible's own warnings have colours, which AWX shows; lines of the collection have none.
    assert not [line for line in shown if "\x1b" in line and "[WARNING]" not in line]
    assert len(json.dumps(job.artifacts)) < 16_384, job.artifacts


def test_a_job_of_every_template_ends_well_and_leaves_no_secret(launcher: Launcher, server: PrivateServer) -> None:
    known = {entry["name"] for entry in read("controller/objects.yml")["controller_job_templates"]}
    assert {name for name, _answers in JOBS} | ELSEWHERE == known
    verdicts = {}
    for name, answers in JOBS:
        job = launcher.run(name, answers)
        assert job.status == "successful", f"{name}\n{job.plain()}"
        judge(job, server)
        for key, summary in job.artifacts.items():
            verdicts[name] = (key, summary["status"])
            more = {"files", "summary"} if name == "report" else set()
            assert set(summary) <= {"status", "message", "complaints", "notifications", *more}
        if job.artifacts:  # of all but the preparation
            assert "HOST" in job.plain(), "the table of the hosts is what people look at"
    assert verdicts["back up"] == ("backup_summary", "ok")
    (page,) = launcher.folder.glob("job*/artifacts/backup-report.html")
    assert "shop" in page.read_text(encoding="utf-8")
    assert verdicts["drill"] == ("drill_summary", "ok")
    assert "shop_back" in names(server)
    assert server.sql("SELECT count(*) FROM item", database="shop_back")[0][0] == 5


def test_a_restore_in_place_wants_the_name_typed_again(launcher: Launcher, server: PrivateServer) -> None:
    server.sql("DELETE FROM item", database="shop")
    in_place = {**RESTORE, "restore_target": "shop", "restore_replace": "true"}
    with pytest.raises(AnswerRefused, match="restore_hosts is required"):
        launcher.run("restore", {**in_place, "restore_hosts": ""})
    with pytest.raises(AnswerRefused, match="no question is about restore_identity_file"):
        launcher.run("restore", {**in_place, "restore_identity_file": "/etc/shadow"})

    refused = launcher.run("restore", {**in_place, "restore_confirm": "shopp"})
    assert refused.status == "failed"
    judge(refused, server)
    assert "restore_confirm must repeat the name in restore_target, shop; the database is changed" in refused.plain()
    assert server.sql("SELECT count(*) FROM item", database="shop")[0][0] == 0

    done = launcher.run("restore", {**in_place, "restore_confirm": "shop"})
    assert done.status == "successful", done.plain()
    judge(done, server)
    assert server.sql("SELECT count(*) FROM item", database="shop")[0][0] == 5


def test_answers_are_taken_as_they_are_and_mistakes_are_told(launcher: Launcher, server: PrivateServer) -> None:
    canary = launcher.folder / "canary"
    hostile = f"{{{{ lookup('ansible.builtin.pipe', 'touch {canary}') }}}}"
    for changes, words in (
        ({"restore_hosts": "db2"}, "nothing is called 'db2'; near it are db1"),
        ({"restore_instance": "shop"}, f"restore_instance must be one of backupdb_instances: {INSTANCE}"),
        ({"restore_target": hostile, "restore_from": hostile, "restore_hosts": "db1"}, "is not a moment"),
    ):
        job = launcher.run("restore (check)", {**RESTORE, "restore_target": "x", **changes})
        assert job.status == "failed"
        judge(job, server)
        assert words in " ".join(job.plain().split()), job.plain()
    assert not canary.exists()
    limited = launcher.run("status", limit="nobody")
    assert limited.status == "failed"
    assert "nobody" in limited.plain()


def test_a_slice_knows_only_its_own_hosts_and_judges_them(launcher: Launcher, server: PrivateServer) -> None:
    # As the controller slices an inventory of two hosts: each job gets one, with all groups and their variables.
    groups = launcher.inventory["all"]
    verdicts = {}
    for name, host in (("db1", groups["children"]["databases"]["hosts"]["db1"]), ("db2", UNREACHABLE)):
        part = {"all": {**groups, "children": {"databases": {"hosts": {name: host}}}}}
        job = replace(launcher, inventory=part, folder=launcher.folder / f"slice-{name}").run("status")
        judge(job, server)
        verdicts[name] = (job.status, job.artifacts["status_summary"]["status"])
        assert next(line.split()[0] for line in job.plain().splitlines() if line.startswith("db")) == name
    assert verdicts == {"db1": ("successful", "ok"), "db2": ("failed", "failed")}
