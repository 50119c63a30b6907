# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module age_keypair in real runs of Ansible on this machine."""

from __future__ import annotations

import stat
import venv
from pathlib import Path
from typing import Any

import pytest
from backupdb.age.identity_file import generate_identity, read_identity_file, write_identity_file
from backupdb.age.stream import fingerprint
from support.ansible import Ansible, ModuleRun
from support.tree import folder_state

MODULE = "vya.backupdb.age_keypair"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "keys").mkdir(mode=0o700)
    return tmp_path / "keys"


def run(ansible: Ansible, path: Path, *, check: bool = False, verbosity: int = 0, **options: Any) -> ModuleRun:
    return ansible.run_module(MODULE, {"path": str(path), **options}, check=check, diff=True, verbosity=verbosity)


@pytest.mark.distro
def test_a_key_is_made_once_and_only_its_public_half_is_ever_shown(ansible: Ansible, folder: Path) -> None:
    path = folder / "identity.txt"
    before = folder_state(folder)
    foreseen = run(ansible, path, check=True)
    assert foreseen.changed
    assert "recipient" not in foreseen.result
    assert folder_state(folder) == before

    made = run(ansible, path, verbosity=4)
    found = read_identity_file(str(path))
    recipient = found.identities[0].recipient
    assert made.changed
    assert {key: made.result[key] for key in ("path", "recipient", "fingerprint", "created")} == {
        "path": str(path),
        "recipient": recipient,
        "fingerprint": fingerprint(recipient),
        "created": found.created,
    }
    assert made.result["diff"]["before"] == {"path": str(path), "state": "absent"}
    assert made.result["diff"]["after"] == {"path": str(path), "state": "present", "recipient": recipient}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    after = folder_state(folder)
    again = run(ansible, path, verbosity=4)
    foreseen_again = run(ansible, path, check=True)
    for unchanged in (again, foreseen_again):
        assert not unchanged.changed
        assert unchanged.result["recipient"] == recipient
        assert unchanged.result["created"] == found.created
    assert folder_state(folder) == after

    for seen in (foreseen, made, again, foreseen_again):
        assert "AGE-SECRET-KEY" not in seen.output.upper()
        assert "AGE-SECRET-KEY" not in str(seen.result).upper()


@pytest.mark.parametrize("content", ["", "# only a comment\n", "AGE-SECRET-KEY-1BROKEN\n", "PRIVATE NOTES\n"])
def test_a_broken_file_fails_the_task_and_stays_as_it_is(ansible: Ansible, folder: Path, content: str) -> None:
    path = folder / "identity.txt"
    path.touch(mode=0o600)
    path.write_text(content)
    before = folder_state(folder)
    failed = run(ansible, path)
    assert failed.failed
    assert not failed.changed
    assert str(path) in failed.message
    assert "BROKEN" not in failed.output
    assert "PRIVATE NOTES" not in failed.output
    assert folder_state(folder) == before


def test_a_file_with_two_identities_is_refused(ansible: Ansible, folder: Path) -> None:
    path = folder / "identity.txt"
    path.touch(mode=0o600)
    path.write_text(f"{generate_identity().reveal()}\n{generate_identity().reveal()}\n")
    failed = run(ansible, path)
    assert failed.failed
    assert "holds 2 identities" in failed.message


@pytest.mark.parametrize("mode", ["0644", "0640", "u=rw,go=r", 600])
def test_a_mode_that_lets_others_in_is_refused(ansible: Ansible, folder: Path, mode: str | int) -> None:
    failed = run(ansible, folder / "identity.txt", mode=mode)
    assert failed.failed
    assert "'0600'" in failed.message
    assert list(folder.iterdir()) == []


def test_an_existing_file_that_is_open_to_others_is_closed_with_a_warning(ansible: Ansible, folder: Path) -> None:
    path = folder / "identity.txt"
    write_identity_file(str(path), generate_identity())
    path.chmod(0o644)
    foreseen = run(ansible, path, check=True)
    assert foreseen.changed
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    closed = run(ansible, path)
    assert closed.changed
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "had mode 0644" in " ".join(closed.output.split())
    assert not run(ansible, path).changed


def test_a_missing_directory_is_a_warning_in_check_mode_and_an_error_otherwise(ansible: Ansible, folder: Path) -> None:
    path = folder / "later" / "identity.txt"
    foreseen = run(ansible, path, check=True)
    assert foreseen.changed
    assert "does not exist yet" in " ".join(foreseen.output.split())
    failed = run(ansible, path)
    assert failed.failed
    assert f"{path.parent} does not exist" in failed.message
    assert not failed.changed


@pytest.mark.distro
def test_the_module_moves_to_the_interpreter_that_has_the_library(
    ansible: Ansible, tmp_path: Path, folder: Path
) -> None:
    venv.create(tmp_path / "bare", with_pip=False)
    ansible.interpreter = str(tmp_path / "bare" / "bin" / "python")
    made = run(ansible, folder / "identity.txt")
    assert made.changed, made.output
    assert made.result["recipient"].startswith("age1")
    assert [path.name for path in folder.iterdir()] == ["identity.txt"]
