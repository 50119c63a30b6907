# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that `backupdb show` prints bring a backup back as they stand, and `backupdb drill` proves it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from backupdb.system.text import counted
from support.jobs import JobHost, login_of
from support.library import HOST


@pytest.fixture(params=["postgres15", "mariadb", pytest.param("mysql", marks=pytest.mark.mysql)])
def server(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Every engine's server, with the database `by hand`; the commands make `brought back`."""
    if request.param == "mysql":
        request.getfixturevalue("mysql_programs")
    server = request.getfixturevalue(request.param)
    quote = '"' if server.engine == "postgresql" else "`"
    server.sql(f"CREATE DATABASE {quote}by hand{quote}")
    server.sql("CREATE TABLE orders AS SELECT 1 AS id UNION ALL SELECT 2", database="by hand")
    yield server
    for name in ("by hand", "brought back"):
        server.sql(f"DROP DATABASE IF EXISTS {quote}{name}{quote}")


def logged_in(server: Any, home: Path) -> dict[str, str]:
    """The environment in which the server's own clients log in without being told."""
    if server.engine == "postgresql":
        environment: dict[str, str] = server.client_environment()
        return {**environment, "HOME": str(home)}
    login = f'[client]\nuser={server.user}\npassword="{server.password}"\nsocket={server.socket}\n'
    (home / ".my.cnf").touch(mode=0o600)
    (home / ".my.cnf").write_text(login, encoding="utf-8")
    return {"HOME": str(home)}


def test_the_commands_that_are_shown_bring_a_backup_back(host: JobHost, server: Any, work_dir: Path) -> None:
    host.write_job("daily", [host.backup_of(server, databases=["by hand"], jobs=2, jobs_min_size="0")])
    host.write_secrets("daily", logins={"test": login_of(server)})
    assert host.run("daily")[0] == 0
    config = ("--config-dir", str(host.config_dir))
    listed = json.loads(host.command("list", "--database", "by hand", *config, "--json").stdout)
    (entry,) = listed["backups"]

    shown = json.loads(host.command("show", f"by hand/{entry['backup_id']}", *config, "--json").stdout)
    values = {"target=NEW_NAME": "target='brought back'", "key=FILE_WITH_AN_IDENTITY": f"key='{host.identity_file}'"}
    script = "\n".join(["set -e", *(values.get(line, line) for line in shown["by_hand"])])
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", script],
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **logged_in(server, work_dir)},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, script + done.stdout + done.stderr
    assert server.sql("SELECT count(*), max(id) FROM orders", database="brought back") == [(2, 2)]

    drill = ("drill", "--database", "by hand", "-i", str(host.identity_file), "--work-dir", str(work_dir))
    proven = host.command(*drill, *config)
    assert proven.returncode == 0, proven.stdout + proven.stderr
    titles, row, sentence = proven.stdout.splitlines()
    assert titles.split()[:4] == ["INSTANCE", "DATABASE", "BACKUP", "VERDICT"]
    assert row.startswith(f"{HOST}/test") and entry["backup_id"] in row and " equal " in row
    assert sentence.startswith("ok: 1 drilled: 1 equal")
    assert (
        host.command("list", "--proven", *config)
        .stdout.splitlines()[-1]
        .startswith(f"{host.repository}: {counted(1, 'backup')}, ")
    )
