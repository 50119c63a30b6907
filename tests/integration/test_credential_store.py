# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module credential_store in real runs of Ansible on this machine."""

from __future__ import annotations

import json
import stat
import venv
from pathlib import Path
from typing import Any

import pytest
from backupdb.credentials.fernet import encrypt, host_name_key
from backupdb.credentials.store import Login, login_of, read_store
from support.ansible import Ansible, ModuleRun
from support.returns import documentation_of, undocumented
from support.tree import folder_state

MODULE = "vya.backupdb.credential_store"
PASSWORD = "Grk7-not-to-be-seen-anywhere-91"
LOGIN = {"id": "shop-pg", "login_user": "backupdb", "login_password": PASSWORD}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir(mode=0o700)
    return tmp_path / "etc" / "credentials.json"


def run(ansible: Ansible, path: Path, *, check: bool = False, **options: Any) -> ModuleRun:
    done = ansible.run_module(MODULE, {"path": str(path), **options}, check=check, diff=True, verbosity=4)
    assert PASSWORD not in done.output
    assert PASSWORD not in json.dumps(done.result)
    assert undocumented(done.result, {**documentation_of(MODULE, "RETURN"), "diff": {}}) == []
    return done


def test_a_login_is_foreseen_stored_kept_and_removed(ansible: Ansible, path: Path) -> None:
    assert run(ansible, path, check=True, **LOGIN).changed
    assert list(path.parent.iterdir()) == []
    made = run(ansible, path, owner="nobody", group="nogroup", **LOGIN)
    assert (made.changed, made.result["ids"]) == (True, ["shop-pg"])
    assert made.result["diff"] == {"before": "", "after": "shop-pg: backupdb, password\n"}
    for file in (path, path.with_suffix(".key")):
        status = file.stat()
        assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (65534, 65534, 0o600)
        assert PASSWORD.encode() not in file.read_bytes()

    before = folder_state(path.parent)
    assert not run(ansible, path, owner="nobody", group="nogroup", **LOGIN).changed
    assert not run(ansible, path, check=True, **LOGIN).changed
    assert run(ansible, path, check=True, owner="root", **LOGIN).changed
    assert folder_state(path.parent) == before

    assert run(ansible, path, check=True, id="shop-pg", state="absent").changed
    assert folder_state(path.parent) == before
    assert run(ansible, path, id="shop-pg", state="absent").result["ids"] == []
    assert not run(ansible, path, id="shop-pg", state="absent").changed


@pytest.mark.distro
def test_the_file_of_version_2_is_taken_over(ansible: Ansible, path: Path, tmp_path: Path) -> None:
    old = tmp_path / "credentials.json"
    entry = {"username": "root", "password": encrypt(host_name_key("db7.example.org"), PASSWORD), "encrypted": True}
    old.write_text(json.dumps({"mysql-prod": entry}))
    options = {"import_from": str(old), "import_host_name": "db7.example.org"}
    assert run(ansible, path, check=True, **options).changed
    assert run(ansible, path, **options).result["imported"] == ["mysql-prod"]
    again = run(ansible, path, **options)
    assert (again.changed, again.result["imported"], again.result["kept"]) == (False, [], ["mysql-prod"])
    assert login_of(read_store(path), "mysql-prod") == Login(user="root", password=PASSWORD)

    failed = run(ansible, path, import_from=str(old), import_host_name="another")
    assert failed.failed
    assert "name of the host that wrote it" in failed.message
    assert failed.result["error_kind"] == "CredentialsMissing"


def test_options_that_lead_nowhere_are_refused(ansible: Ansible, path: Path) -> None:
    assert "one of the following is required: id, import_from" in run(ansible, path).message
    assert "missing parameter(s) required by 'login_user': id" in run(
        ansible, path, import_from="/x", login_user="root"
    ).message.replace("missing required arguments", "")
    assert list(path.parent.iterdir()) == []


def test_a_store_that_others_can_read_is_refused(ansible: Ansible, path: Path) -> None:
    run(ansible, path, **LOGIN)
    path.chmod(0o644)
    failed = run(ansible, path, **LOGIN)
    assert failed.failed
    assert "chmod 0600" in failed.message


@pytest.mark.distro
def test_the_module_moves_to_the_interpreter_that_has_the_library(ansible: Ansible, path: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=False)
    ansible.interpreter = str(tmp_path / "bare" / "bin" / "python")
    assert run(ansible, path, **LOGIN).changed
    assert login_of(read_store(path), "shop-pg") == Login(user="backupdb", password=PASSWORD)
