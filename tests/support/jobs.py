# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs as a host has them: a folder of definitions, a file of secrets, and the command line that runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from support.library import HOST, IDENTITY, LIBRARY
from support.measuring import measuring
from support.private_server import PrivateServer


class JobHost:
    """A configuration, a state folder and a repository under one folder."""

    def __init__(self, folder: Path) -> None:
        self.config_dir = folder / "config"
        self.state_dir = folder / "state"
        self.repository = folder / "repository"
        self.credentials = folder / "credentials"
        self.identity_file = folder / "identity.txt"
        (self.config_dir / "jobs.d").mkdir(parents=True, mode=0o750)
        for path in (self.state_dir, self.repository, self.credentials):
            path.mkdir(mode=0o700)
        self.identity_file.touch(mode=0o600)
        self.identity_file.write_text(IDENTITY.reveal() + "\n", encoding="ascii")

    def backup_of(self, server: PrivateServer, *, instance: str = "test", **options: Any) -> dict[str, Any]:
        """One entry of a job's backups; the password of its login is among the secrets."""
        return {
            "instance": instance,
            "engine": server.engine,
            "login_host": server.host,
            "login_port": server.port,
            "repository": str(self.repository),
            "host": HOST,
            "recipients": [IDENTITY.recipient],
            **options,
        }

    def write_job(self, name: str, backups: Sequence[dict[str, Any]], **values: Any) -> Path:
        """Define a job and return its file."""
        path = self.config_dir / "jobs.d" / f"{name}.json"
        job = {
            "schema": 1,
            "name": name,
            "backups": list(backups),
            "state_dir": str(self.state_dir),
            "credentials": {"source": "file", "path": str(self.credentials / name)},
            **values,
        }
        path.write_text(json.dumps(job), encoding="utf-8")
        return path

    def write_secrets(self, name: str, **values: Any) -> Path:
        """Write the secrets of a job: logins, passphrase, notifications."""
        path = self.credentials / name
        path.touch(mode=0o600)
        path.write_text(json.dumps(values), encoding="utf-8")
        return path

    def record(self, name: str) -> dict[str, Any]:
        """What is remembered of a job."""
        values: dict[str, Any] = json.loads((self.state_dir / "jobs" / f"{name}.json").read_text(encoding="ascii"))
        return values

    def start(self, *arguments: str, program: Sequence[str] | None = None) -> subprocess.Popen[str]:
        """Start the command line."""
        environment = {"PYTHONPATH": str(LIBRARY), "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}
        return subprocess.Popen(
            [*(program or (sys.executable, "-m", "backupdb.cli.main")), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], **environment, **measuring()},
            text=True,
        )

    def command(self, *arguments: str, program: Sequence[str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run the command line to its end."""
        process = self.start(*arguments, program=program)
        output, errors = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def run(self, name: str, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Run a job and return the exit status and the result."""
        done = self.command("run", name, "--config-dir", str(self.config_dir), "--json", *arguments)
        if not done.stdout:
            raise AssertionError(f"no result: {done.stderr}")
        return done.returncode, json.loads(done.stdout)


def login_of(server: PrivateServer, **changes: Any) -> dict[str, str]:
    """The superuser's login, as secrets have it."""
    return {"login_user": server.user, "login_password": server.password, **changes}
