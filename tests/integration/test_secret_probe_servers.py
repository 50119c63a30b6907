# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules that take secrets, each doing its work on a real server at the highest verbosity: no secret is shown.

That they show none when they fail, and that none is left out, is for test_secret_probe.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.ansible import Ansible
from support.library import IDENTITY
from support.process_watch import ProcessWatch

PREFIX = "vya.backupdb."
PASSPHRASE = "probe-Hn4bQz8xLw2k-passphrase"
UNUSED = "probe-Jc7tRv5yKm9d-unused"
TOKEN = "probe-Ws3gXe6uPa1f-token"
ACCOUNT = "probe-Mz9hLd2oTb7s-account"
IDENTITY_TEXT = IDENTITY.reveal()
SECRETS = (PASSPHRASE, UNUSED, TOKEN, ACCOUNT, IDENTITY_TEXT)
INSTANCE = "probed"
# The modules whose plan, with a diff, may show what they would write.
CHANGING = ("backup_account", "credential_store", "job_credentials")


class Tasks:
    """The tasks of the probe, each a module with options; `repository` is given a backup by the first of them."""

    def __init__(self, server: Any, scratch: Path, work_dir: Path) -> None:
        self._server = server
        self._repository = str(scratch / "repository")
        login = {"instance": INSTANCE, "engine": server.engine, **server.login}
        stored = {"repository": self._repository, "instance": INSTANCE}
        newest = {**stored, "latest": True}
        target = {"engine": server.engine, **server.login}
        database = {**newest, "database": "probe"}
        backup = {**login, "databases": ["probe"], "repository": self._repository}
        work = {"work_dir": str(work_dir)}
        store = {"path": str(scratch / "store.json"), "id": INSTANCE, "login_user": "backupdb"}
        job = {"name": "nightly", "directory": str(scratch)}
        by_phrase, by_key = {"passphrase": PASSPHRASE}, {"identity": IDENTITY_TEXT}
        managed = {**login, "name": "probe_backup", "password": ACCOUNT}
        self.good: list[tuple[str, dict[str, Any]]] = [
            ("database_backup", {**backup, **by_phrase}),
            ("database_backup", {**backup, "recipients": [IDENTITY.recipient], "instance": f"{INSTANCE}-keyed"}),
            ("database_info", login),
            ("account_info", {**newest, **by_phrase, "login_password": UNUSED}),
            ("account_restore", {**newest, **target, **by_key, "instance": f"{INSTANCE}-keyed"}),
            ("account_info", {**newest, **by_key, "instance": f"{INSTANCE}-keyed"}),
            ("backup_verify", {**stored, **by_phrase, "level": "decrypt"}),
            ("backup_drill", {**stored, **by_key, **work, "instance": f"{INSTANCE}-keyed"}),
            ("database_restore", {**database, **target, **by_phrase, "target": "probe_one"}),
            (
                "database_restore",
                {**database, **target, **by_key, "target": "probe_two", "instance": f"{INSTANCE}-keyed"},
            ),
            ("backup_account", managed),
            ("backup_account", {**managed, "state": "absent"}),
            ("credential_store", {**store, "login_password": ACCOUNT}),
            (
                "job_credentials",
                {**job, "encrypt": "never", "secrets": {"logins": {INSTANCE: {"login_password": TOKEN}}}},
            ),
        ]

    def plays(self) -> list[dict[str, Any]]:
        planned = [(module, options) for module, options in self.good if module in CHANGING]
        tasks = [
            {"name": f"{module} {number}", PREFIX + module: options, "check_mode": check, "ignore_errors": True}
            for check, listed in ((True, planned), (False, self.good))
            for number, (module, options) in enumerate(listed)
        ]
        return [{"hosts": "all", "gather_facts": False, "tasks": tasks}]


@pytest.fixture
def probed(postgres15: Any, scratch: Path, work_dir: Path) -> Iterator[Tasks]:
    (scratch / "repository").mkdir(mode=0o700)
    postgres15.sql("CREATE DATABASE probe")
    yield Tasks(postgres15, scratch, work_dir)
    for name in ("probe", "probe_one", "probe_two"):
        postgres15.sql(f"DROP DATABASE IF EXISTS {name}")


def found_in(folders: list[Path], but: set[str]) -> list[str]:
    texts = [(text, text.encode()) for text in SECRETS]
    return [
        f"{path}: {text}"
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and path.name not in but
        for content in [path.read_bytes()]
        for text, wanted in texts
        if wanted in content
    ]


def test_no_secret_is_shown_or_left_by_modules_that_do_their_work(
    ansible: Ansible, probed: Tasks, scratch: Path, postgres15: Any
) -> None:
    with ProcessWatch(interval=0.1) as watch:
        run = ansible.run_playbook(probed.plays(), verbosity=4, diff=True)
    assert [(one.task, one.result.get("msg")) for one in run.results if one.kind != "ok"] == []
    every = (*SECRETS, postgres15.password)
    assert [text for text in every if text in run.output] == []
    for text in every:
        assert watch.find(text) == [], text
    assert {"pg_dump", "pg_restore"} <= watch.programs()
    # The stores of secrets hold them, for their owner only; what Ansible itself is given here is the test's own.
    stores = {"store.json", "nightly", "playbook.json", "playbook.yml"}
    assert found_in([scratch], stores) == []
    for store in scratch.rglob("*"):
        if store.name in stores:
            assert store.stat().st_mode & 0o077 == 0, store
