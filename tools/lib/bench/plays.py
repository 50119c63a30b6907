# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays on hosts that are all this machine, and what the same work takes without a play."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from support.ansible import ansible_program, this_machine, write_json
from support.jobs import JobHost, login_of
from support.library import IDENTITY

from .contenders import Place, shell

_FORKS = 5  # as many hosts at once as Ansible has by default
_REAPER = Path(__file__).with_name("reaper.py")


class Plays:
    """Hosts with one small database each, on one server: every play finds them as the last one has left them."""

    def __init__(self, place: Place, hosts: int) -> None:
        self._place = place
        self._folder = place.folder / "hosts"
        self._folder.mkdir()
        place.host_times = self._times = self._folder / "times"
        self._python = self._counted_python()
        self._names = [f"host{number}" for number in range(hosts)]
        place.server.sql("CREATE DATABASE small")
        place.server.sql("CREATE TABLE item (n int PRIMARY KEY)", database="small")
        self._inventory = write_json(self._folder / "inventory.json", self._hosts())
        self._calls = write_json(self._folder / "calls.json", [_two_calls()])
        self._jobs = self._defined_jobs()

    def play(self, name: str) -> list[str]:
        """A playbook of the collection, as the checkout has it whose turn it is."""
        return self._ansible(f"vya.backupdb.{name}")

    def calls(self) -> list[str]:
        """What Ansible takes for two calls of a module that does nothing."""
        return self._ansible(str(self._calls))

    def jobs(self) -> list[str]:
        """The backups alone, each as a job on its host."""
        one = [sys.executable, "-m", "backupdb.cli.main", "run", "{}", "--config-dir", str(self._jobs.config_dir)]
        command = f"printf '%s\\n' {' '.join(self._names)} | xargs -P {_FORKS} -I '{{}}' {shlex.join(one)}"
        return ["env", f"PYTHONPATH={self._place.library}", *shell(command)]

    def _ansible(self, playbook: str) -> list[str]:
        root = self._place.library.parents[1]
        subprocess.run([sys.executable, str(root / "tools" / "lib" / "collection_tree.py")], check=True)
        settings = {
            "HOME": self._folder,
            "ANSIBLE_HOME": self._folder / ".ansible",
            "ANSIBLE_REMOTE_TEMP": self._folder / "remote",
            "ANSIBLE_COLLECTIONS_PATH": root / ".cache",
            "ANSIBLE_FORKS": _FORKS,
            "ANSIBLE_NOCOLOR": 1,
        }
        words: Sequence[object] = [
            sys.executable,
            _REAPER,
            self._times,
            ansible_program("ansible-playbook"),
            "-i",
            self._inventory,
        ]
        return ["env", *(f"{name}={value}" for name, value in settings.items()), *map(str, words), playbook]

    def _counted_python(self) -> Path:
        """The Python of the hosts, which writes down what each call has used."""
        program, times = shlex.quote(sys.executable), shlex.quote(str(self._times))
        path = self._folder / "python"
        path.write_text(f'#!/bin/sh\n{program} "$@"\nstatus=$?\ntimes >> {times}\nexit $status\n', encoding="utf-8")
        path.chmod(0o700)
        return path

    def _hosts(self) -> dict[str, object]:
        server = self._place.server
        where = {"login_host": server.host, "login_port": server.port, "databases": ["small"]}
        shared = this_machine(
            self._folder,
            ansible_python_interpreter=str(self._python),
            backupdb_repository=str(self._folder / "repository-{{ inventory_hostname }}"),
            backupdb_recipients=[IDENTITY.recipient],
            backupdb_instances=[{"id": "small", "engine": server.engine, **where}],
            backupdb_logins={"small": login_of(server)},
        )
        return {"all": {"vars": shared, "hosts": {name: {} for name in self._names}}}

    def _defined_jobs(self) -> JobHost:
        home = self._folder / "jobs"
        home.mkdir()
        host, server = JobHost(home), self._place.server
        for name in self._names:
            repository = home / name
            repository.mkdir(mode=0o700)
            entry = host.backup_of(server, databases=["small"], repository=str(repository))
            host.write_job(name, [entry])
            host.write_secrets(name, logins={"test": login_of(server)})
        return host


def _two_calls() -> dict[str, object]:
    ping = {"name": "Call a module", "ansible.builtin.ping": {}}
    return {"name": "Two calls", "hosts": "all", "gather_facts": False, "tasks": [ping, ping]}
