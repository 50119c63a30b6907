# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as users have it: built, installed by ansible-galaxy, and used by full names far from a checkout.

The Molecule scenario `readme` follows README with it.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml
from support import run_state
from support.ansible import ROOT, Ansible, ansible_program, collection_tree, write_json
from support.servers import PrivateServer


@pytest.fixture
def work(scratch: Path) -> Path:
    """The user's own folder."""
    folder = scratch / "work"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """The user's environment, with the collection installed where ansible-galaxy puts it by itself."""
    home = run_state.new_folder("i")
    inherited = Ansible(home).environment()
    named = (
        "PATH",
        "LC_ALL",
        "HOME",
        "ANSIBLE_NOCOLOR",
        "ANSIBLE_LOCALHOST_WARNING",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING",
    )
    environment = {name: inherited[name] for name in named}
    source = collection_tree() / "ansible_collections" / "vya" / "backupdb"
    galaxy = str(ansible_program("ansible-galaxy"))
    run([galaxy, "collection", "build", "--output-path", str(home), str(source)], home, environment)
    (built,) = home.glob("vya-backupdb-*.tar.gz")
    run([galaxy, "collection", "install", "--offline", str(built)], home, environment)
    yield environment
    shutil.rmtree(home)


def run(command: list[str], folder: Path, environment: Mapping[str, str], *, status: int = 0) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
    )
    assert done.returncode == status, done.stdout
    return done.stdout


def test_defaults_of_the_action_group_reach_every_module(
    environment: dict[str, str], work: Path, postgres15: PrivateServer
) -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    modules = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
    assert runtime["action_groups"]["backupdb"] == modules
    play = {
        "name": "Look without saying where",
        "hosts": "localhost",
        "gather_facts": False,
        "module_defaults": {
            "group/vya.backupdb.backupdb": {"instance": "shop-pg", "engine": "postgresql", **postgres15.login}
        },
        "tasks": [{"name": "Look", "vya.backupdb.database_info": {"databases": ["postgres"]}, "register": "__seen"}],
    }
    playbook = str(write_json(work / "look.yml", [play]))
    assert "failed=0" in run([str(ansible_program("ansible-playbook")), playbook], work, environment)


def test_a_playbook_of_a_checkout_runs_without_being_installed(scratch: Path, environment: dict[str, str]) -> None:
    """ansible.cfg of the checkout names the tree that tools/ makes."""
    environment = {**environment, "HOME": str(scratch)}
    command = [str(ansible_program("ansible-playbook")), "playbooks/backup.yml", "--inventory", "playbooks/inventory"]
    listed = run([*command, "--list-hosts"], ROOT, environment)
    assert {"db1.example.org", "db2.example.org", "db3.example.org"} <= set(listed.split())
    run([*command, "--syntax-check"], ROOT, environment)
