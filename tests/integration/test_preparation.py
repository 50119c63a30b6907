# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role backupdb makes of a host: packages, a virtual environment, the backup user and the directories."""

from __future__ import annotations

import grp
import pwd
import secrets
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.ansible import AnsibleRun
from support.library import RECIPIENT
from support.servers import PrivateServer

PLAYBOOK = "vya.backupdb.backup"
LIBRARIES = ("cryptography", "psycopg2", "pymysql", "sqlalchemy", "zstandard")


@pytest.fixture
def open_folder(scratch: Path) -> Iterator[Path]:
    """A folder that every user of the machine can reach, as /var is on a host."""
    folder = Path("/var/tmp") / f"backupdb-{secrets.token_hex(6)}"  # noqa: S108  a name that nobody can foresee
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def user() -> Iterator[str]:
    """Name of a user who does not exist yet, and is gone afterwards."""
    name = f"backupdb-{secrets.token_hex(4)}"
    yield name
    subprocess.run(["userdel", name], check=False, stderr=subprocess.DEVNULL)
    subprocess.run(["groupdel", name], check=False, stderr=subprocess.DEVNULL)


def host(folder: Path, instances: list[dict[str, Any]], **variables: Any) -> dict[str, Any]:
    common = {
        "ansible_connection": "local",
        "backupdb_repository": str(folder / "repository"),
        "backupdb_state_dir": str(folder / "state"),
        "backupdb_recipients": [RECIPIENT],
        "backupdb_instances": instances,
        **variables,
    }
    return {"all": {"hosts": {"db1": common}}}


def instance(server: PrivateServer) -> dict[str, Any]:
    # There may be no database of anybody's; accounts are backed up all the same.
    return {"id": f"of-{server.engine}", "engine": server.engine, **server.login, "allow_empty": True}


def is_installed(package: str) -> bool:
    query = ["dpkg-query", "--show", "--showformat=${Status}", package]
    return subprocess.run(query, check=False, capture_output=True, text=True).stdout == "install ok installed"


def owner_and_mode(path: Path) -> tuple[str, str, int]:
    status = path.stat()
    return pwd.getpwuid(status.st_uid).pw_name, grp.getgrgid(status.st_gid).gr_name, stat.S_IMODE(status.st_mode)


def test_packages_user_and_directories_are_made_once_and_backups_belong_to_the_user(
    run_playbook: Callable[..., AnsibleRun], open_folder: Path, user: str, postgres15: PrivateServer
) -> None:
    # Debian's libraries under Debian's Python, and no sudo needed; the user has no shell to log in with.
    variables = {
        "backupdb_user": user,
        "backupdb_install": "packages",
        "ansible_become_method": "ansible.builtin.su",
        "ansible_become_flags": "-s /bin/sh",
        "ansible_remote_tmp": str(open_folder / "remote"),
    }
    inventory = host(open_folder, [instance(postgres15)], **variables)
    options = {"inventory": inventory, "extra_vars": {"ansible_python_interpreter": "/usr/bin/python3"}}

    plan = run_playbook(PLAYBOOK, check=True, **options)
    assert plan.returncode == 0, plan.output
    assert f"db1: would create the user {user}" in plan.output.splitlines()
    assert not (open_folder / "repository").exists()
    with pytest.raises(KeyError):
        pwd.getpwnam(user)

    first = run_playbook(PLAYBOOK, **options)
    assert first.returncode == 0, first.output
    (planned,) = [line for line in plan.output.splitlines() if line.startswith("db1: would install")]
    packages = {name.strip() for name in planned.partition(" missing of ")[2].split(",")}
    assert {"acl", "postgresql-client", "python3-psycopg2", "python3-sqlalchemy", "zstd"} <= packages
    assert all(is_installed(name) for name in packages)
    account = pwd.getpwnam(user)
    assert (account.pw_shell, account.pw_dir) == ("/usr/sbin/nologin", str(open_folder / "state"))
    for path in ("repository", "state", "repository/db1", "repository/db1/of-postgresql"):
        assert owner_and_mode(open_folder / path) == (user, user, 0o700), path
    made = [path for path in (open_folder / "repository").rglob("*") if path.is_file()]
    assert "manifest.json" in {path.name for path in made}
    assert {owner_and_mode(path) for path in made} == {(user, user, 0o600)}

    second = run_playbook(
        PLAYBOOK, **{**options, "extra_vars": {**options["extra_vars"], "backup_skip_if_newer_than": "1h"}}
    )
    assert second.returncode == 0, second.output
    assert second.stats["hosts"]["db1"]["changed"] == 0


def test_a_virtual_environment_brings_every_library(
    run_playbook: Callable[..., AnsibleRun], scratch: Path, postgres15: PrivateServer
) -> None:
    # In a place of the test's own; on hosts it is where the modules look by themselves.
    place = scratch / "venv"
    inventory = host(scratch, [instance(postgres15)], backupdb_install="venv")
    variables = {"__backupdb_venv": str(place)}
    run = run_playbook(PLAYBOOK, inventory=inventory, extra_vars=variables)
    assert run.returncode == 0, run.output
    imports = "; ".join(f"import {library}" for library in LIBRARIES)
    subprocess.run([str(place / "bin" / "python"), "-c", imports], check=True)
    with_it = {**variables, "ansible_python_interpreter": str(place / "bin" / "python")}
    record = scratch / "state" / "prepared.json"
    written = record.stat().st_mtime_ns
    again = run_playbook(PLAYBOOK, inventory=inventory, extra_vars=with_it)
    assert again.returncode == 0, again.output
    assert record.stat().st_mtime_ns == written


def test_a_host_is_prepared_without_a_backup_and_the_second_time_nothing_changes(
    run_playbook: Callable[..., AnsibleRun], scratch: Path
) -> None:
    inventory = host(scratch, [], backupdb_install="none", backupdb_recipients=[])  # one that only reads
    plan = run_playbook("vya.backupdb.prepare", inventory=inventory, check=True)
    assert plan.returncode == 0, plan.output
    assert "would create the directories" in plan.output
    assert not (scratch / "repository").exists()
    assert run_playbook("vya.backupdb.prepare", inventory=inventory).returncode == 0
    assert owner_and_mode(scratch / "repository") == ("root", "root", 0o700)
    again = run_playbook("vya.backupdb.prepare", inventory=inventory)
    assert (again.returncode, again.stats["hosts"]["db1"]["changed"]) == (0, 0)


def test_a_repository_that_is_gone_is_not_made_again_whatever_else_has_changed(
    run_playbook: Callable[..., AnsibleRun], scratch: Path, postgres15: PrivateServer, mariadb: PrivateServer
) -> None:
    inventory = host(scratch, [instance(postgres15)], backupdb_install="none")
    assert run_playbook(PLAYBOOK, inventory=inventory).returncode == 0
    repository = scratch / "repository"
    repository.rename(scratch / "not mounted now")
    # Another engine: the host is prepared once more.
    inventory["all"]["hosts"]["db1"]["backupdb_instances"].append(instance(mariadb))
    run = run_playbook(PLAYBOOK, inventory=inventory)
    assert run.returncode != 0
    assert [entry["status"] for entry in run.summary("backup_summary")["hosts"]["db1"]["instances"]] == ["failed"] * 2
    assert "mount it" in run.output
    assert not repository.exists()
    (scratch / "not mounted now").rename(repository)
    assert run_playbook(PLAYBOOK, inventory=inventory).returncode == 0
    assert len(list(repository.rglob("manifest.json"))) > 2
