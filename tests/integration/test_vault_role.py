# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role vault, in a mount namespace in which /etc, /srv and /usr/local of this machine can be written at will.

An OpenSSH server runs there by what the role has configured, and the product's own store copies to it.
"""

from __future__ import annotations

import hashlib
import shlex
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.errors import StoreRefused
from backupdb.repository.stores.interface import Upload
from backupdb.repository.stores.patience import Patience
from backupdb.repository.stores.registry import open_store
from backupdb.repository.stores.settings import copy_from
from support import needs
from support.ansible import ROOT, Ansible
from support.private_server import free_port
from support.sshd import new_key, wait_for_port
from support.store_compliance import OTHER, PLACE, backup_of, listed, send
from support.stored import DUMP, TIME
from support.stored import store as store_backup

PLAYBOOK = "vya.backupdb.vault"
_ENTER = """
set -eu
mount -t tmpfs tmpfs /mnt
for folder in etc srv usr/local; do
  mkdir -p "/mnt/$folder/upper" "/mnt/$folder/work"
  mount -t overlay overlay -o "lowerdir=/$folder,upperdir=/mnt/$folder/upper,workdir=/mnt/$folder/work" "/$folder"
done
mount -t tmpfs tmpfs /run
mkdir -m 755 /run/sshd
ssh-keygen -A >/dev/null
echo ready
exec sleep infinity
"""


class _Host:
    """A host without systemd, as far as the role sees it."""

    def __init__(self, scratch: Path) -> None:
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", "unshare", "--mount", "sh", "-c", _ENTER],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        self.key = new_key(scratch / "key")
        self.public_key = (scratch / "key.pub").read_text().strip()
        self.port = free_port()
        self._sshd: subprocess.Popen[bytes] | None = None

    def enter(self, *words: str) -> list[str]:
        return ["nsenter", f"--mount=/proc/{self.process.pid}/ns/mnt", "--", *words]

    def run(self, *words: str) -> str:
        done = subprocess.run(
            self.enter(*words), check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def serve(self) -> None:
        """Start the OpenSSH server by the host's own configuration, on a port of the test's."""
        options = ["-p", str(self.port), "-o", "ListenAddress=127.0.0.1", "-o", "PidFile=none", "-o", "UsePAM=no"]
        self._sshd = subprocess.Popen(
            self.enter("/usr/sbin/sshd", "-D", "-e", *options), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for_port(self.port, self._sshd)

    def close(self) -> None:
        for process in (self._sshd, self.process):
            if process is not None:
                process.kill()
                process.wait()


@pytest.fixture
def host(scratch: Path, ansible: Ansible) -> Iterator[_Host]:
    needs.root("only root enters a mount namespace")
    found = _Host(scratch)
    wrapper = scratch / "python"
    wrapper.write_text(f'#!/bin/sh\nexec {shlex.join(found.enter(ansible.interpreter))} "$@"\n')
    wrapper.chmod(0o755)
    ansible.interpreter = str(wrapper)
    yield found
    found.close()


def play(ansible: Ansible, host: _Host, *, check: bool = False, **variables: Any) -> Any:
    shared = {"backupdb_become": False, "vault_authorized_keys": [f"{host.public_key} db1"]}
    return ansible.run_playbook(PLAYBOOK, extra_vars={**shared, **variables}, check=check)


def test_a_vault_takes_copies_that_their_host_cannot_destroy(ansible: Ansible, host: _Host, scratch: Path) -> None:
    would = play(ansible, host, check=True)
    assert would.returncode == 0, would.output
    first = play(ansible, host)
    assert first.returncode == 0, first.output
    for again in (play(ansible, host), play(ansible, host, check=True)):
        assert (again.returncode, [result.task for result in again.results if result.result.get("changed")]) == (0, [])
    host.serve()
    options = first.summary("vault_summary")["localhost"]
    options = {**options, "name": "vault", "host": "127.0.0.1", "port": host.port, "key_file": str(host.key)}
    store = open_store(copy_from(options, "copies[0]"), Patience(5))
    send(store, backup_of(scratch))
    (line,) = [line for line in host.run("cat", "/etc/cron.d/backupdb-vault-seal").splitlines() if " root " in line]
    assert "1 backup in /srv/backupdb-vault/copies was sealed" in host.run("sh", "-c", line.partition(" root ")[2])
    with pytest.raises(StoreRefused, match="Permission denied"):
        store.remove(PLACE, list(store.entries()))
    send(store, backup_of(scratch, OTHER))
    assert len(listed(store)) == 10
    store.close()
    # Not the time of what it has sent itself, either.
    attempt = subprocess.run(
        ["sftp", "-F", "/dev/null", "-b", "-", "-i", str(host.key), "-P", str(host.port), "-o", "BatchMode=yes",
         "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "backupdb-vault@127.0.0.1"],
        input=f"chmod 777 /copies/{OTHER}\n", check=False, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert "ermission denied" in attempt.stderr
    shell = subprocess.run(
        ["ssh", "-F", "/dev/null", "-i", str(host.key), "-p", str(host.port), "-o", "BatchMode=yes",
         "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "backupdb-vault@127.0.0.1", "id"],
        check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True, timeout=60,
    )  # fmt: skip
    assert "uid=" not in shell.stdout


def test_a_vault_removes_by_its_own_policy_and_clears_what_was_given_up(
    ansible: Ansible, host: _Host, repository: Path
) -> None:
    done = play(ansible, host, vault_retention={"keep_last": 1})
    assert done.returncode == 0, done.output
    host.serve()
    options = {**done.summary("vault_summary")["localhost"], "name": "vault", "host": "127.0.0.1"}
    copy = copy_from({**options, "port": host.port, "key_file": str(host.key)}, "copies[0]")
    store = open_store(copy, Patience(5))
    for days in (0, 1):
        made = store_backup(repository, time=TIME + timedelta(days=days), run_id=f"{days:032x}", content=DUMP)
        place = str(made.folder.relative_to(repository))
        manifest, *others = sorted(made.folder.iterdir(), key=lambda path: (path.name != "manifest.json", path.name))
        send(store, [_upload(place, path) for path in [*others, manifest]])
    database = f"/srv/backupdb-vault/copies/{place.rpartition('/')[0]}"
    host.run("mkdir", f"{database}/.partial-copy-old", f"{database}/.partial-copy-new")
    host.run("touch", f"{database}/.partial-copy-old/part")
    host.run("touch", "-d", "31 days ago", f"{database}/.partial-copy-old")
    said = host.run("/usr/local/lib/backupdb/backupdb-vault-seal")
    assert "2 backups in /srv/backupdb-vault/copies were sealed" in said
    assert {name.rpartition("/")[0] for name in listed(store)} == {place}, said
    assert host.run("ls", "-A", database).split() == [".partial-copy-new", place.rpartition("/")[2]]
    store.close()


def _upload(place: str, path: Path) -> Upload:
    content = path.read_bytes()
    return Upload(path, f"{place}/{path.name}", len(content), hashlib.sha256(content).hexdigest())


def test_keys_with_options_and_odd_names_are_refused_before_anything_is_done(ansible: Ansible, host: _Host) -> None:
    key = host.public_key
    refused: tuple[dict[str, Any], ...] = (
        {"vault_authorized_keys": []},
        {"vault_authorized_keys": [f'command="sh" {key}']},
        {"vault_authorized_keys": [f"{key}\n{key}"]},
        {"vault_authorized_keys": ["no key"]},
        {"vault_user": "root"},
        {"vault_user": "a b"},
        {"vault_chroot": "srv"},
        {"vault_chroot": "/srv/a b"},
    )
    usual = {"ansible_connection": "local", "backupdb_become": False, "vault_authorized_keys": [key]}
    hosts = {f"vault{number}": {**usual, **variables} for number, variables in enumerate(refused)}
    done = ansible.run_playbook(PLAYBOOK, inventory={"all": {"hosts": hosts}})
    assert done.returncode != 0
    for name, variables in zip(hosts, refused):
        assert done.of_task("Check the keys and names", host=name)[0].kind == "failed", variables


def test_the_units_that_seal_are_ones_that_systemd_takes(ansible: Ansible, host: _Host, scratch: Path) -> None:
    templates = ROOT / "roles" / "vault" / "templates"
    variables = {"backupdb_become": False, "vault_authorized_keys": [host.public_key], "vault_use": "systemd",
                 "vault_retention": {"keep_daily": 30, "time_zone": "Europe/Berlin"},
                 "__vault_sealer": "/bin/true"}  # fmt: skip
    load = {"ansible.builtin.include_role": {"name": PLAYBOOK, "tasks_from": "preflight", "public": True}}
    tasks = [
        {"ansible.builtin.template": {"src": str(templates / f"{name}.j2"), "dest": str(scratch / f"vault-{name}")}}
        for name in ("seal.service", "seal.timer", "seal.sh")
    ]
    plays = [{"hosts": "localhost", "gather_facts": False, "tasks": [load, *tasks]}]
    done = ansible.run_playbook(plays, extra_vars=variables)
    assert done.returncode == 0, done.output
    units = [str(scratch / f"vault-seal.{suffix}") for suffix in ("service", "timer")]
    subprocess.run(["systemd-analyze", "verify", "--man=no", *units], check=True)
    script = (scratch / "vault-seal.sh").read_text()
    assert "prune --repository /srv/backupdb-vault/copies --keep-daily 30 --time-zone Europe/Berlin" in script
