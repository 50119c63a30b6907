# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file with the secrets of a job: encrypted where systemd can, private always, and written when it changes only.

A stand-in for systemd-creds takes part, since the real one wants a booted host; that is what the fleet's tests have.
"""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from backupdb.credentials.job_file import JobFile, keep
from backupdb.errors import CredentialsMissing

SECRETS = {"logins": {"shop-pg": {"login_password": "SECRET"}}}
STAND_IN = f"""#!{sys.executable} -S
import base64, os, pathlib, sys
verb, name, source, target = sys.argv[1:]
data = sys.stdin.buffer.read() if source == "-" else pathlib.Path(source).read_bytes()
if (pathlib.Path(__file__).parent / "broken").exists():
    sys.exit("no key")
if verb == "encrypt":
    data = base64.b64encode(os.urandom(8) + name.encode() + b"|" + data)
else:
    found, _, data = base64.b64decode(data)[8:].partition(b"|")
    if found.decode() != name:
        sys.exit("name does not match")
sys.stdout.buffer.write(data)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "credentials").mkdir(mode=0o750)
    return tmp_path / "credentials"


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "systemd-creds").write_text(STAND_IN)
    (programs / "systemd-creds").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    return programs


@pytest.fixture
def no_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def make(folder: Path, secrets: dict[str, Any] | None = None, *, check: bool = False, **options: Any) -> dict[str, Any]:
    wanted = JobFile(folder=folder, name="nightly", secrets=SECRETS if secrets is None else secrets, **options)
    result = keep(wanted, check_mode=check)
    assert "SECRET" not in str(result)
    return result


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_secrets_are_encrypted_once_and_again_only_when_they_change(folder: Path, systemd: Path) -> None:
    foreseen = make(folder, check=True)
    assert (foreseen["changed"], foreseen["encrypted"], names(folder)) == (True, True, [])
    made = make(folder)
    path = folder / "nightly.cred"
    assert (made["changed"], made["encrypted"], made["path"]) == (True, True, str(path))
    assert b"SECRET" not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    assert not make(folder)["changed"]
    assert not make(folder, check=True)["changed"]
    assert path.read_bytes() == before
    assert make(folder, {"passphrase": "new"}, check=True)["changed"]
    assert path.read_bytes() == before
    assert make(folder, {"passphrase": "new"})["changed"]
    assert path.read_bytes() != before


def test_what_another_machine_or_name_encrypted_is_replaced(folder: Path, systemd: Path) -> None:
    make(folder)
    (folder / "nightly.cred").write_bytes(b"bm90IG91cnMgYXQgYWxs")
    assert make(folder)["changed"]
    assert not make(folder)["changed"]


def test_without_systemd_a_private_file_does_and_says_nothing(folder: Path, no_systemd: None) -> None:
    made = make(folder)
    path = folder / "nightly"
    assert (made["changed"], made["encrypted"], made["path"], made["warnings"]) == (True, False, str(path), [])
    assert json.loads(path.read_text()) == SECRETS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not make(folder)["changed"]
    path.chmod(0o644)
    assert make(folder)["changed"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(CredentialsMissing, match="schedule_credentials: file"):
        make(folder, encrypt="always")


def test_a_systemd_that_cannot_encrypt_is_told_and_a_private_file_does(folder: Path, systemd: Path) -> None:
    (systemd / "broken").touch()
    made = make(folder)
    assert (made["encrypted"], names(folder)) == (False, ["nightly"])
    assert "no key" in made["warnings"][0]
    with pytest.raises(CredentialsMissing, match="no key"):
        make(folder, encrypt="always")


def test_the_other_kind_of_file_goes_when_the_kind_changes(folder: Path, systemd: Path) -> None:
    make(folder, encrypt="never")
    assert names(folder) == ["nightly"]
    assert make(folder, check=True)["changed"]
    make(folder)
    assert names(folder) == ["nightly.cred"]
    make(folder, encrypt="never")
    assert names(folder) == ["nightly"]


def test_a_job_without_secrets_has_no_file(folder: Path, systemd: Path) -> None:
    make(folder)
    assert make(folder, {}, check=True)["changed"]
    gone = make(folder, {})
    assert (gone["changed"], gone["path"], gone["encrypted"], names(folder)) == (True, None, False, [])
    assert not make(folder, {})["changed"]


def test_a_folder_that_cannot_be_used_is_told_without_a_secret(folder: Path, no_systemd: None) -> None:
    with pytest.raises(CredentialsMissing, match="cannot be written") as caught:
        make(folder / "gone")
    assert "SECRET" not in str(caught.value)
