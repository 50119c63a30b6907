# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the secrets of a job come from, and that nobody else could have read or changed them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from backupdb.credentials.secrets import read_secrets
from backupdb.errors import CredentialsMissing
from support import needs

CONTENT = json.dumps(
    {
        "logins": {"shop-pg": {"login_user": "backupdb", "login_password": "SECRET"}},
        "passphrase": "correct horse",
        "notifications": {"ops": {"url": "https://hooks.example.org/T/SECRET"}},
    }
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "nightly"
    file.touch(mode=0o600)
    file.write_text(CONTENT)
    return file


def refusal(source: str, path: object, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(CredentialsMissing) as caught:
        read_secrets(source, str(path), environ or {})
    assert "SECRET" not in str(caught.value)
    return str(caught.value)


def test_a_private_file_gives_all_three_kinds_of_secrets(path: Path) -> None:
    secrets = read_secrets("file", str(path), {})
    assert secrets.login("shop-pg") == {"login_user": "backupdb", "login_password": "SECRET"}
    assert secrets.login("other") == {}
    assert secrets.passphrase() == "correct horse"
    assert secrets.notification("ops") == {"url": "https://hooks.example.org/T/SECRET"}
    assert "SECRET" not in repr(secrets)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666, 0o610])
def test_a_file_that_is_open_to_others_is_refused_with_the_command_that_closes_it(path: Path, mode: int) -> None:
    path.chmod(mode)
    assert f"chmod 0600 {path}" in refusal("file", path)


def test_a_file_that_is_not_there_or_is_no_file_is_told(path: Path, tmp_path: Path) -> None:
    assert "No such file" in refusal("file", tmp_path / "gone")
    assert "Is a directory" in refusal("file", tmp_path)
    os.mkfifo(tmp_path / "pipe", mode=0o600)
    assert "not a regular file" in refusal("file", tmp_path / "pipe")
    with path.open("wb") as file:
        file.truncate(2 << 20)
    assert "too large" in refusal("file", path)


def test_a_file_that_another_user_could_change_is_refused(path: Path) -> None:
    needs.root("only root gives files away")
    os.chown(path, 65534, -1)
    assert "belong to root or to the user who runs the job" in refusal("file", path)


def test_systemd_passes_the_same_content_in_a_folder_of_its_own(path: Path) -> None:
    path.chmod(0o440)  # as systemd makes it; access is ruled by the folder and an access list
    environ = {"CREDENTIALS_DIRECTORY": str(path.parent)}
    assert read_secrets("systemd", "nightly", environ).login("shop-pg")["login_password"] == "SECRET"
    assert "No such file" in refusal("systemd", "weekly", environ)


def test_a_job_that_systemd_did_not_start_says_how_to_start_it() -> None:
    assert "systemctl start backupdb-nightly.service" in refusal("systemd", "nightly")


def test_without_a_source_there_are_no_secrets() -> None:
    secrets = read_secrets("none", None, {})
    assert (secrets.login("shop-pg"), secrets.passphrase(), secrets.notification("ops")) == ({}, None, {})


def test_a_source_that_is_not_known_is_told_with_those_that_are() -> None:
    assert "none, file, systemd, store" in refusal("vault", "x")
