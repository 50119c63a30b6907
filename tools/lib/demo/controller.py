# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of the demo: Ansible's settings, keys, inventory and the vaulted passwords."""

from __future__ import annotations

import grp
import os
import pwd
import secrets
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import place
import terminal
from servers import LOGIN, Sample

IDENTITY = "identity.txt"
RECOVERY_IDENTITY = "recovery-identity.txt"
REPOSITORY = "repository"
_VAULT_PASSWORD = "vault-password"  # noqa: S105  # the name of a file
_VAULT = "group_vars/all/vault.yml"

# Host and instance by engine.
HOSTS = {"postgresql": ("shop.example.org", "shop-pg"), "mariadb": ("wiki.example.org", "wiki-db")}


def write_settings(folder: Path, samples: Sequence[Sample], paths: Sequence[Path]) -> None:
    """Write the environment of all shown commands and Ansible's configuration; no secret is in either."""
    search = ":".join([str(Path(sys.executable).parent), *map(str, paths), "$PATH", "/usr/sbin:/usr/bin:/sbin:/bin"])
    postgresql = next(sample.server for sample in samples if sample.server.engine == "postgresql")
    lines = [
        f'export PATH="{search}"',
        f"export ANSIBLE_CONFIG='{folder}/ansible.cfg'",
        f"export PGHOST='{postgresql.host}' PGPORT='{postgresql.port}' PGUSER='{postgresql.user}'",
        f"export PGPASSFILE='{postgresql.folder}/pgpass'",
    ]
    (folder / terminal.ENVIRONMENT_FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "ansible.cfg").write_text(
        "[defaults]\n"
        f"collections_path = {place.ROOT}/.cache\n"
        f"home = {folder}/.ansible\n"
        f"remote_tmp = {folder}/.ansible/tmp\n"
        f"vault_password_file = {folder}/{_VAULT_PASSWORD}\n"
        "localhost_warning = False\n"
        "display_skipped_hosts = False\n"
        "nocows = True\n"
        "[inventory]\n"
        "inventory_unparsed_warning = False\n",
        encoding="utf-8",
    )
    if not (folder / _VAULT_PASSWORD).exists():
        place.write_private(folder / _VAULT_PASSWORD, secrets.token_urlsafe(24) + "\n")


def make_keys(folder: Path) -> list[str]:
    """Make the two keys, unless they are there, and return their recipients."""
    recipients = []
    for name in (IDENTITY, RECOVERY_IDENTITY):
        command = f"ansible localhost -m vya.backupdb.age_keypair -a path={folder}/{name}"
        terminal.shell(command, folder=folder, show=False)
        recipients.append(_recipient(folder / name))
        terminal.note(f"  recipient: {recipients[-1]}")
    return recipients


def _recipient(identity_file: Path) -> str:
    lines = identity_file.read_text(encoding="utf-8").splitlines()
    return next(line.rpartition(" ")[2] for line in lines if line.startswith("# public key:"))


def write_inventory(folder: Path, samples: Sequence[Sample], recipients: Sequence[str]) -> None:
    """Write the inventory, and the passwords into a file that Ansible Vault encrypts."""
    (folder / REPOSITORY).mkdir(mode=0o700, exist_ok=True)
    (folder / "inventory.yml").write_text(_inventory(folder, samples, recipients), encoding="utf-8")
    passwords = "".join(f"{_variable(HOSTS[sample.server.engine][1])}: {sample.login_password}\n" for sample in samples)
    (folder / _VAULT).parent.mkdir(parents=True, exist_ok=True)
    (folder / _VAULT).unlink(missing_ok=True)
    # Through standard input, so that the plain text never rests in a file.
    subprocess.run(
        [str(Path(sys.executable).with_name("ansible-vault")), "encrypt", "--output", _VAULT, "-"],
        cwd=folder,
        env={**os.environ, "ANSIBLE_CONFIG": str(folder / "ansible.cfg")},
        input=passwords,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _inventory(folder: Path, samples: Sequence[Sample], recipients: Sequence[str]) -> str:
    account = pwd.getpwuid(os.geteuid())
    hosts = "".join(_host(sample) for sample in samples)
    keys = "".join(f"      - {recipient}\n" for recipient in recipients)
    return (
        "databases:\n"
        f"  hosts:\n{hosts}"
        "  vars:\n"
        f"    backupdb_repository: {folder}/{REPOSITORY}\n"
        "    backupdb_recipients:  # public keys; either identity opens every backup\n"
        f"{keys}"
        "    backupdb_retention: {keep_last: 2, keep_daily: 7, keep_weekly: 4}\n"
        "    # The hosts of the demo are this machine, and all that backups need is there already.\n"
        "    ansible_connection: local\n"
        '    ansible_python_interpreter: "{{ ansible_playbook_python }}"\n'
        "    backupdb_install: none\n"
        "    backupdb_become: false\n"
        f"    backupdb_user: {account.pw_name}\n"
        f"    backupdb_group: {grp.getgrgid(os.getegid()).gr_name}\n"
        f'    backupdb_state_dir: "{folder}/state-of-{{{{ inventory_hostname }}}}"\n'
    )


def _host(sample: Sample) -> str:
    host, instance = HOSTS[sample.server.engine]
    return (
        f"    {host}:\n"
        "      backupdb_instances:\n"
        f"        - id: {instance}\n"
        f"          engine: {sample.server.engine}\n"
        f"          login_host: {sample.server.host}\n"
        f"          login_port: {sample.server.port}\n"
        f"          login_user: {LOGIN}\n"
        f'          login_password: "{{{{ {_variable(instance)} }}}}"\n'
        '          exclude: ["*_restored"]\n'
    )


def _variable(instance: str) -> str:
    return f"vault_{instance.replace('-', '_')}_password"
