# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The booted hosts of a Molecule scenario, for its tests: commands on them, their network, playbooks run against them.

The environment says which fleet it is (tools/lib/fleet.sh sets it, Molecule hands it on).
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from support.ansible import Ansible, AnsibleRun, ansible_program

FLEET_PROGRAM = Path(__file__).resolve().parents[1] / "fleet" / "fleet.sh"
INVENTORY = os.environ.get("MOLECULE_INVENTORY_FILE", "")
Value = TypeVar("Value")


def wait_for(look: Callable[[], Value], what: str, *, seconds: float = 60) -> Value:
    """Call `look` until it returns something true, and return that."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for {what}; last seen: {seen!r}")
        time.sleep(0.3)


class Fleet:
    """The hosts of the running scenario."""

    def __init__(self) -> None:
        self.state = Path(os.environ["FLEET_STATE"])

    def _fleet(self, *arguments: str) -> None:
        subprocess.run(["bash", str(FLEET_PROGRAM), *arguments], check=True, stdin=subprocess.DEVNULL)

    def cut(self, host: str) -> None:
        """Take the host's link down: packets vanish, no connection is told of it."""
        self._fleet("cut", host)

    def mend(self, host: str) -> None:
        self._fleet("mend", host)

    def serve(self, argv: Sequence[str]) -> None:
        """Run a service for the hosts, who reach it at the name hub, until the fleet ends."""
        self._fleet("serve", *argv)

    def run(self, host: str, command: str, *, stdin: str = "") -> str:
        """Run a shell command as root over a connection of its own, and return what it wrote."""
        ssh = ["ssh", "-F", str(self.state / "ssh_config"), "-o", "ControlPath=none", "-l", "root", host, command]
        done = subprocess.run(ssh, check=False, input=stdin, capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"{host}: {command}: exit status {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def written(self, host: str, folder: str, name: str) -> set[Path]:
        """Files called `name` that the host wrote below `folder`: its own layer of files, seen without its network."""
        return set((self.state / host / "upper" / folder.lstrip("/")).rglob(name))

    def json(self, host: str, command: str) -> Any:
        return json.loads(self.run(host, command))


class FleetAnsible(Ansible):
    """Runs Ansible against the inventory of the scenario, with the settings that Molecule wrote for it."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.interpreter = "/usr/bin/python3"
        self.masters = secrets.token_hex(2)

    def environment(self) -> dict[str, str]:
        return {
            **super().environment(),
            "ANSIBLE_CONFIG": os.environ["ANSIBLE_CONFIG"],
            "ANSIBLE_REMOTE_TEMP": "~/.ansible/tmp",
            # Of its own, since masters of others may be dead after a link was down; short, as sockets want it.
            "ANSIBLE_SSH_CONTROL_PATH": f"{os.environ['FLEET_STATE']}/{self.masters}-%%C",
            "FLEET_STATE": os.environ["FLEET_STATE"],
        }

    def play_on_fleet(self, playbook: str, **options: Any) -> AnsibleRun:
        """Run a playbook of the collection, such as `backup`, on the scenario's hosts."""
        return self.run_playbook(f"vya.backupdb.{playbook}", inventory=INVENTORY, **options)

    def command_on_fleet(
        self, playbook: str, *arguments: str, extra_vars: Mapping[str, Any]
    ) -> tuple[list[str], dict[str, str]]:
        """Command line and environment of such a run, for tests that must have the process itself."""
        command = [str(ansible_program("ansible-playbook")), "--inventory", INVENTORY, *arguments]
        return [*command, "--extra-vars", json.dumps(extra_vars), f"vya.backupdb.{playbook}"], self.environment()
