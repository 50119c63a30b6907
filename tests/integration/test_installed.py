# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as users have it: built, installed by ansible-galaxy, and used by full names far from a checkout."""

from __future__ import annotations

import re
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


def test_the_first_five_minutes_of_the_readme_lead_to_a_backup(
    environment: dict[str, str], work: Path, scratch: Path, postgres15: PrivateServer
) -> None:
    """What the page says to write and to run, with the address of our server in it and the vault left out."""
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    start = page[page.index("## Five minutes") : page.index("## What a run says")]
    sql, shell, inventory_text = (
        re.findall(rf"```{kind}\n(.*?)```", start, re.DOTALL) for kind in ("sql", "sh", "yaml")
    )

    # The keys.
    commands = [line.split() for line in "".join(shell).splitlines() if "age_keypair" in line]
    assert len(commands) == 2
    recipients = []
    for command in commands:
        command[0] = str(ansible_program(command[0]))
        said = run([word.replace("$HOME", environment["HOME"]) for word in command], work, environment)
        recipients += re.findall(r'"recipient": "(age1\w+)"', said)
    assert len(set(recipients)) == 2

    # The login.
    password = "a-long-and-random-password"
    postgres15.sql("CREATE DATABASE shop")
    for statement in sql[0].replace("'...'", f"'{password}'").splitlines():
        postgres15.sql(statement.partition("--")[0])
    try:
        inventory = yaml.safe_load(inventory_text[0])
        group = inventory["databases"]
        (host,) = group["hosts"].values()
        host.update({"ansible_connection": "local", "vault_shop_pg_password": password})
        host["backupdb_instances"][0]["login_port"] = postgres15.port
        group["vars"].update({"backupdb_repository": str(scratch / "repository"), "backupdb_recipients": recipients})
        group["vars"]["backupdb_state_dir"] = str(scratch / "state")
        write_json(work / "inventory.yml", inventory)

        # Look, run, look.
        lines = [line for line in "".join(shell).splitlines() if line.startswith("ansible-playbook")]
        look, take = ([*line.replace(" --ask-vault-pass", "").split()] for line in lines)
        assert "--check" in look
        for command in (look, take):
            command[0] = str(ansible_program(command[0]))
        assert "would be made" in run(look, work, environment)
        assert not (scratch / "repository").exists()
        said = run(take, work, environment)
    finally:
        postgres15.sql("DROP DATABASE shop")
        postgres15.sql("DROP ROLE backupdb")
    assert re.search(r"complete +shop ", said)
    assert password not in said
    assert list((scratch / "repository").glob("db1.example.org/shop-pg/shop/*/manifest.json"))


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
