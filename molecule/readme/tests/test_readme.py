# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What README says to write and to run, as it stands there, on a host that nobody has prepared.

Put in its place is what a reader puts in: the name of the host, the public keys, and of the settings of jobs those that
need other machines are left out. A MariaDB server stands beside the PostgreSQL server, as the page says of it. The
copies go to an object store on another address of the network, with the names of bucket and keys as on the page.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.ansible import ROOT, ansible_program, collection_tree
from support.fleet import Fleet, wait_for
from support.seaweed import Seaweed

HOST = "db1"
PAGE = (ROOT / "README.md").read_text(encoding="utf-8").replace("db1.example.org", HOST)
ELSEWHERE = ("backupdb_notifications", "backupdb_metrics_dir")
WIKI = {"id": "wiki-db", "engine": "mariadb", "login_unix_socket": "/run/mysqld/mysqld.sock"}


def blocks(title: str, kind: str) -> list[str]:
    """The blocks of code of one kind below a title."""
    text = PAGE[PAGE.index(f"\n## {title}") + 1 :].partition("\n## ")[0]
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


def commands(title: str, program: str) -> list[str]:
    """The commands below a title that call a program, without their comments."""
    lines = "".join(blocks(title, "sh")).replace("\\\n", " ").splitlines()
    return [line.partition(" #")[0].rstrip() for line in lines if line.startswith(program)]


class Reader:
    """Who follows the page, in a folder and with a home of his own."""

    def __init__(self, folder: Path, fleet: Fleet) -> None:
        self.home, self.folder = folder / "home", folder / "backups"
        self.home.mkdir()
        self.folder.mkdir(mode=0o755)
        self.spent: dict[str, float] = {}  # seconds by command, of its last run
        self.shown: dict[str, int] = {}  # lines on the screen
        self.environment = {
            "PATH": f"{ansible_program('ansible').parent}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_NOCOLOR": "1",
            # How the hosts of the tests are reached.
            "ANSIBLE_SSH_ARGS": f"-F {fleet.state}/ssh_config",
            "ANSIBLE_REMOTE_USER": "root",
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_TIMEOUT": "60",  # seconds: machines of tests are slow at times
        }

    def run(self, command: str) -> str:
        started = time.monotonic()
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
        )
        self.spent[command] = time.monotonic() - started
        self.shown[command] = len(done.stdout.splitlines())
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture
def reader(tmp_path: Path, fleet: Fleet) -> Reader:
    found = Reader(tmp_path, fleet)
    source = collection_tree() / "ansible_collections" / "vya" / "backupdb"
    found.run(f"ansible-galaxy collection build --output-path {tmp_path} {source}")
    (built,) = tmp_path.glob("vya-backupdb-*.tar.gz")
    found.run(f"ansible-galaxy collection install --offline {built}")
    return found


def tell_the_way(reader: Reader, rest: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Say how many commands lead to a backup that was proven elsewhere, and how long they took; hold the page to it."""
    way = [command for command in reader.spent if command.startswith(("ansible-galaxy", "ansible localhost"))] + rest
    with capsys.disabled():
        for command in reader.spent:
            mark = "*" if command in way else " "
            print(
                f"\n{reader.spent[command]:6.1f} s {reader.shown[command]:4} lines {mark} {command.partition(' /')[0]}",
                end="",
            )
        print(f"\n{sum(map(reader.spent.__getitem__, way)):6.1f} s in the {len(way)} commands with a mark")
    # Two more than were timed: the clone, and the folder, which the test has made.
    assert f"{len(way) + 2} commands" in PAGE


def ask(fleet: Fleet, database: str) -> set[str]:
    """What PostgreSQL says on the host."""
    statement = "SELECT word FROM item" if database != "postgres" else "SELECT datname FROM pg_database"
    said = fleet.run(HOST, f"runuser -u postgres -- psql -XAtd {database} -c '{statement}'")
    return set(said.split())


def store_for(fleet: Fleet) -> Seaweed:
    """An object store that the hosts reach at the name hub."""
    store = Seaweed(address="0.0.0.0", host="hub")  # noqa: S104  # in the fleet's network, which has no way out
    fleet.serve(store.argv())
    return store


def make_bucket(fleet: Fleet, store: Seaweed, name: str) -> None:
    """Make it from the host, who is in the store's network, with the key of an administrator."""
    key = store.key("admin")
    program = f"""import boto3
boto3.client("s3", endpoint_url="{store.url}", region_name="us-east-1", aws_access_key_id="{key["access_key_id"]}",
             aws_secret_access_key="{key["secret_access_key"]}").create_bucket(Bucket="{name}")"""

    def is_made() -> bool:
        try:
            fleet.run(HOST, "python3 -", stdin=program)
        except AssertionError:  # it does not answer yet
            return False
        return True

    wait_for(is_made, "the object store")


def write_variables(reader: Reader, name: str, variables: Mapping[str, Any]) -> None:
    folder = reader.folder / "group_vars" / "databases"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(yaml.safe_dump(dict(variables)), encoding="utf-8")


def keep_copies(reader: Reader, fleet: Fleet) -> list[str]:
    """Do what the page says of copies, and return the commands; the key of the store is in a file of Ansible Vault."""
    store = store_for(fleet)
    settings = yaml.safe_load(blocks("Keep copies elsewhere", "yaml")[0])
    (copy,) = settings["backupdb_copies"]
    make_bucket(fleet, store, copy["bucket"])
    copy.update(endpoint=store.url, addressing="path", region="us-east-1")
    write_variables(reader, "copies.yml", settings)
    key = store.key("host")
    secrets = {"vault_offsite_key": key["access_key_id"], "vault_offsite_secret": key["secret_access_key"]}
    write_variables(reader, "vault.yml", secrets)
    (reader.home / "password").write_text("of the vault", encoding="utf-8")
    # Where a person types it.
    reader.environment["ANSIBLE_VAULT_PASSWORD_FILE"] = str(reader.home / "password")
    title = "Keep copies elsewhere"
    (create,) = commands(title, "ansible-vault")
    done = [create.replace("create", "encrypt")]
    done += [command.replace(" --ask-vault-pass", "") for command in commands(title, "ansible-playbook")]
    for command in done:
        reader.run(command)
    return done


def test_the_readme_leads_from_an_empty_folder_to_a_restore_to_copies_and_to_jobs(
    reader: Reader, fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = "CREATE TABLE item (word text); INSERT INTO item VALUES ('kept');"
    fleet.run(HOST, "runuser -u postgres -- psql -XqAt", stdin=f"CREATE DATABASE shop;\n\\connect shop\n{tables}")
    fleet.run(HOST, "mysql --batch", stdin=f"CREATE DATABASE wiki; USE wiki; {tables}")

    first = "Five minutes to the first backup"
    keys = [reader.run(command) for command in commands(first, "ansible localhost")]
    recipients = [key for said in keys for key in re.findall(r'"recipient": "(age1\w+)"', said)]
    assert len(set(recipients)) == 2
    (configuration,), (text,) = blocks(first, "ini"), blocks(first, "yaml")
    (reader.folder / "ansible.cfg").write_text(configuration, encoding="utf-8")
    inventory = yaml.safe_load(text)
    inventory["databases"]["vars"]["backupdb_recipients"] = recipients
    inventory["databases"]["hosts"][HOST]["backupdb_instances"].append(WIKI)
    (reader.folder / "inventory.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    login, look, back_up = commands(first, "ansible-playbook")
    assert ("account" in login, "--check" in look, "backup" in back_up) == (True, True, True)
    for command in (login, look, back_up):
        reader.run(command)
    assert fleet.run(HOST, "stat -c %U /var/backups/backupdb").strip() == "backupdb"

    (restore,) = commands("Bring a database back", "ansible-playbook")
    reader.run(restore)
    assert ask(fleet, "shop_back") == {"kept"}
    reader.run(restore.replace("shop-pg", "wiki-db").replace("=shop", "=wiki"))
    assert fleet.run(HOST, "mysql --batch --skip-column-names wiki_back -e 'SELECT word FROM item'").strip() == "kept"

    for command in commands("Prove it", "ansible-playbook"):
        reader.run(command)

    copies = keep_copies(reader, fleet)
    proofs = fleet.run(HOST, "cat /var/lib/backupdb/copies/offsite/shadow/*/*/shop/*/drill-*.json")
    assert '"verdict": "equal"' in proofs
    tell_the_way(reader, [command for command in (login, back_up, *copies) if "--check" not in command], capsys)

    jobs = yaml.safe_load(blocks("Let the hosts do it", "yaml")[0])
    for name in ELSEWHERE:
        del jobs[name]
    write_variables(reader, "backup.yml", jobs)
    for command in commands("Let the hosts do it", "ansible-playbook"):
        reader.run(command)

    identity = (reader.home / "backup-identity.txt").read_text(encoding="utf-8")
    fleet.run(HOST, "umask 077; cat > /root/identity.txt", stdin=identity)
    by_job, alone = commands("Bring a database back", "sudo backupdb")
    before = ask(fleet, "postgres")
    for command in (by_job, alone):
        fleet.run(HOST, command.removeprefix("sudo "))
        (made,) = ask(fleet, "postgres") - before
        assert ask(fleet, made) == {"kept"}
        before.add(made)
    fleet.run(HOST, by_job.removeprefix("sudo ").replace("shop-pg shop", "wiki-db wiki") + " --target wiki_again")
    owners = fleet.run(HOST, "find /var/backups/backupdb -printf '%u\\n' | sort -u").split()
    assert owners == ["backupdb"]
