# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signed backups of real servers: those of a known host are read, forged ones are refused before anything is done."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from backupdb.accounts import run as accounts
from backupdb.accounts.run import AccountRestoreRequest, StoredAccounts
from backupdb.backup import run as backup
from backupdb.errors import ArchiveDamaged, BackupDbError, InvalidOption, SignatureRefused
from backupdb.repository.find import BackupSelector
from backupdb.repository.manifest import serialise
from backupdb.restore import run as restore
from backupdb.signatures.keys import SigningKey, write_signing_key
from backupdb.verify.run import VerifyRequest
from backupdb.verify.run import run as verify_run
from support.ansible import Ansible
from support.drills import drilled
from support.library import KEYS, back_up, instance_of, request_for, stored_backups
from support.restores import clean, make_database, names, restore_request, restored, rewritten
from support.stored import flip_bit


@pytest.fixture(params=["postgres15", "mariadb"])
def server(request: pytest.FixtureRequest) -> Iterator[Any]:
    found = request.getfixturevalue(request.param)
    with clean(found):
        make_database(found, "signed")
        yield found


@pytest.fixture
def key_file(scratch: Path) -> Path:
    return scratch / "signing-key.pem"


@pytest.fixture
def key(key_file: Path) -> SigningKey:
    return write_signing_key(str(key_file))


@pytest.fixture
def other(scratch: Path) -> SigningKey:
    return write_signing_key(str(scratch / "other.pem"))


@pytest.fixture
def made(server: Any, repository: Path, key: SigningKey, key_file: Path) -> Path:
    """The folder of a signed backup, of which there is one of the accounts too."""
    result = back_up(server, repository, databases=["signed"], signing_key=str(key_file))
    assert result["status"] == "ok", result
    return stored_backups(repository, "signed")[0].folder


def accounts_folder(made: Path) -> Path:
    return next((made.parents[1] / "@accounts").glob("*Z-*"))


def account_request(instance: Any, repository: Path, key: SigningKey) -> AccountRestoreRequest:
    source = StoredAccounts(BackupSelector(instance="test"), str(repository), KEYS, signed_by=(key.public,))
    return AccountRestoreRequest(instance, source)


def without_signature(folder: Path, part: str, other: SigningKey) -> None:
    rewritten(folder, part, lambda content: content)
    _signed(folder, None)


def with_another_key(folder: Path, part: str, other: SigningKey) -> None:
    rewritten(folder, part, lambda content: content)
    _signed(folder, other)


def with_a_signature_of_before(folder: Path, part: str, other: SigningKey) -> None:
    rewritten(folder, part, lambda content: content)


def with_another_archive(folder: Path, part: str, other: SigningKey) -> None:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    for archive in manifest["archives"]:
        flip_bit(folder / archive["name"], -1)


def _signed(folder: Path, key: SigningKey | None) -> None:
    path = folder / "manifest.json"
    manifest = {**json.loads(path.read_bytes()), "signing_key": None if key is None else key.public}
    if key is None:
        del manifest["signing_key"]
        (folder / "manifest.json.sig").unlink()
    path.write_bytes(serialise(manifest))
    if key is not None:
        (folder / "manifest.json.sig").write_bytes(key.sign(path.read_bytes()))


FORGERIES: dict[str, tuple[Callable[[Path, str, SigningKey], None], type[BackupDbError], str]] = {
    "unsigned": (without_signature, SignatureRefused, "is unsigned"),
    "another key": (with_another_key, SignatureRefused, "is signed by another key"),
    "another manifest": (with_a_signature_of_before, SignatureRefused, "does not match its manifest"),
    "another archive": (with_another_archive, ArchiveDamaged, "sha256 differs"),
}


def test_a_backup_of_the_host_is_verified_restored_drilled_and_its_accounts_come_back(
    server: Any, made: Path, repository: Path, key: SigningKey, work_dir: Path
) -> None:
    known = {"status": "verified", "key": key.public}
    assert (made / "manifest.json.sig").stat().st_size == 64
    verified = verify_run(
        VerifyRequest(level="decrypt", repository=str(repository), keys=KEYS, signed_by=(key.public,))
    )
    assert (verified["status"], verified["counts"]["good"]) == ("ok", 2), verified["message"]
    assert [entry["signature"] for entry in verified["backups"]] == [known, known]
    assert restored(server, repository, "signed", signed_by=(key.public,))["signature"] == known
    unchecked = restored(server, repository, "signed", target="unchecked")
    assert unchecked["signature"] == {"status": "unchecked", "key": key.public}
    assert accounts.restore(account_request(instance_of(server), repository, key))["signature"] == known
    entry = drilled(repository, work_dir=str(work_dir), signed_by=(key.public,))
    assert (entry["verdict"], entry["error"], entry["signature"]) == ("equal", None, known)


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_backup_is_refused_before_the_server_is_asked_anything(
    server: Any, made: Path, repository: Path, key: SigningKey, other: SigningKey, work_dir: Path, forgery: str
) -> None:
    forge, error, words = FORGERIES[forgery]
    forge(made, "data", other)
    before = names(server)
    nowhere = instance_of(server, port=1)  # it would not be reached
    for check_mode in (True, False):
        request = restore_request(server, repository, "signed", instance=nowhere, signed_by=(key.public,))
        with pytest.raises(error, match=words):
            restore.run(request, check_mode=check_mode)
    assert names(server) == before
    result = verify_run(VerifyRequest(level="digest", repository=str(repository), signed_by=(key.public,)))
    assert (result["status"], result["counts"]["good"]) == ("failed", 1), "that of the accounts is good"
    entry = drilled(repository, work_dir=str(work_dir), signed_by=(key.public,))
    assert (entry["verdict"], entry["server"], entry["error_kind"]) == ("failed", None, error.__name__)
    assert words in entry["error"]


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forged_accounts_are_refused_before_the_server_is_asked_anything(
    server: Any, made: Path, repository: Path, key: SigningKey, other: SigningKey, work_dir: Path, forgery: str
) -> None:
    forge, error, words = FORGERIES[forgery]
    forge(accounts_folder(made), "accounts", other)
    with pytest.raises(error, match=words):
        accounts.restore(account_request(instance_of(server, port=1), repository, key))
    if error is SignatureRefused:
        entry = drilled(repository, work_dir=str(work_dir), signed_by=(key.public,))
        assert (entry["verdict"], entry["server"]) == ("failed", None)
        assert words in entry["error"]


def test_a_key_that_cannot_be_used_ends_the_run_before_anything_is_dumped(
    server: Any, repository: Path, key: SigningKey, key_file: Path
) -> None:
    key_file.chmod(0o644)
    for path, words in ((key_file, "mode 0644"), (key_file.with_name("missing.pem"), "cannot be read")):
        request = request_for(instance_of(server), repository, databases=["signed"], signing_key=str(path))
        with pytest.raises(InvalidOption, match=words):
            backup.check(request)
        for check_mode in (True, False):
            with pytest.raises(InvalidOption, match=words):
                backup.run(request, check_mode=check_mode)
    assert list(repository.iterdir()) == []


def test_the_module_makes_a_key_once_and_shows_its_public_half_only(ansible: Ansible, scratch: Path) -> None:
    path = scratch / "host-key.pem"

    def run(**how: Any) -> Any:
        return ansible.run_module("vya.backupdb.signing_key", {"path": str(path)}, diff=True, **how)

    foreseen = run(check=True)
    assert (foreseen.changed, "public_key" in foreseen.result, path.exists()) == (True, False, False)
    made = run(verbosity=4)
    content = path.read_bytes()
    assert (made.changed, path.stat().st_mode & 0o777) == (True, 0o600)
    assert made.result["public_key"].startswith("MCowBQYDK2VwAyEA")
    assert made.result["diff"]["after"]["public_key"] == made.result["public_key"]
    again = run(verbosity=4)
    assert (again.changed, again.result["public_key"]) == (False, made.result["public_key"])
    assert path.read_bytes() == content
    assert content.decode().splitlines()[1] not in json.dumps([made.result, again.result])
    path.chmod(0o644)
    corrected = run()
    assert (corrected.changed, path.stat().st_mode & 0o777) == (True, 0o600)
