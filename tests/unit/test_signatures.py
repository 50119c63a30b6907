# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures: what counts as one that was demanded, and everything that does not."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from backupdb.errors import ArchiveDamaged, InvalidOption, SignatureRefused
from backupdb.repository.catalogue import Filter, StoredBackup, read_backup
from backupdb.repository.listing import collect
from backupdb.signatures.check import check_backup, check_manifest
from backupdb.signatures.keys import SigningKey, public_key, read_signing_key, verifies, write_signing_key
from backupdb.signatures.options import signed_by_from
from backupdb.verify import one_backup as verify
from backupdb.verify.run import VerifyRequest
from backupdb.verify.run import run as verify_run
from support.stored import DUMP, flip_bit, rewrite_manifest, store


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return write_signing_key(str(tmp_path / "key.pem"))


@pytest.fixture
def other(tmp_path: Path) -> SigningKey:
    return write_signing_key(str(tmp_path / "other.pem"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    return folder


def pem_of(public: str) -> str:
    return f"-----BEGIN PUBLIC KEY-----\n{public}\n-----END PUBLIC KEY-----\n"


def refusal(backup: StoredBackup, *keys: SigningKey) -> str:
    with pytest.raises(SignatureRefused) as caught:
        check_manifest(backup, [key.public for key in keys])
    return str(caught.value)


def verdict(folder: Path, *keys: SigningKey) -> str:
    result = verify.verify_path(folder, level="digest", identities=(), signed_by=[key.public for key in keys] or None)
    return str(result["verdict"])


def test_a_key_is_private_stays_and_signs(tmp_path: Path, key: SigningKey, other: SigningKey) -> None:
    path = tmp_path / "key.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    signature = key.sign(b"content")
    assert len(signature) == 64
    assert verifies(key.public, signature, b"content")
    assert not verifies(key.public, signature, b"Content")
    assert not verifies(other.public, signature, b"content")
    assert not verifies(key.public, signature[:-1], b"content")
    assert read_signing_key(str(path)).public == key.public
    with pytest.raises(InvalidOption, match="never replaced"):
        write_signing_key(str(path))
    secret = path.read_text().splitlines()[1]
    assert secret not in repr(key)


def test_a_public_key_is_one_line_or_a_pem_text(key: SigningKey) -> None:
    assert key.public.startswith("MCowBQYDK2VwAyEA")
    assert public_key(key.public) == public_key(f" {key.public}\n") == public_key(pem_of(key.public)) == key.public
    assert signed_by_from({"signed_by": None}) is None
    assert signed_by_from({"signed_by": [pem_of(key.public)]}) == (key.public,)
    with pytest.raises(InvalidOption, match="signed_by is empty"):
        signed_by_from({"signed_by": []})


def test_what_is_no_public_key_is_refused_and_not_shown(tmp_path: Path, key: SigningKey) -> None:
    secret = (tmp_path / "key.pem").read_text()
    body = secret.splitlines()[1]
    for text in ("", "age1xyz", "MCow", key.public[:-1], key.public + "AAAA", "AAAA" + key.public[4:], secret, body):
        with pytest.raises(InvalidOption) as caught:
            public_key(text)
        assert body[:30] not in str(caught.value)


def test_a_key_that_others_can_reach_or_of_another_kind_is_refused(tmp_path: Path, key: SigningKey) -> None:
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    path = tmp_path / "key.pem"
    path.chmod(0o640)
    with pytest.raises(InvalidOption, match="mode 0640"):
        read_signing_key(str(path))
    rsa = generate_private_key(65537, 2048)
    for encryption, words in ((NoEncryption(), "another kind"), (BestAvailableEncryption(b"x"), "encrypted")):
        path.write_bytes(rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
        path.chmod(0o600)
        with pytest.raises(InvalidOption, match=words):
            read_signing_key(str(path))
    path.write_text(pem_of(key.public))
    with pytest.raises(InvalidOption, match="no secret key"):
        read_signing_key(str(path))
    path.unlink()
    with pytest.raises(InvalidOption, match="cannot be read: No such file"):
        read_signing_key(str(path))
    os.mkfifo(path, 0o600)
    with pytest.raises(InvalidOption, match="not a regular file"):
        read_signing_key(str(path))


def test_a_signed_backup_is_found_to_be_by_one_of_the_keys(root: Path, key: SigningKey, other: SigningKey) -> None:
    backup = store(root, content=DUMP, key=key)
    for keys in ([key.public], [other.public, key.public]):
        assert check_backup(backup, keys) == {"status": "verified", "key": key.public}
    assert check_backup(backup, None) == {"status": "unchecked", "key": key.public}
    assert (verdict(backup.folder), verdict(backup.folder, key)) == ("good", "good")
    assert collect(str(root), Filter())["backups"][0]["signing_key"] == key.public


def test_an_unsigned_backup_is_told_and_refused_where_a_signature_is_demanded(root: Path, key: SigningKey) -> None:
    backup = store(root, content=DUMP)
    assert check_backup(backup, None) == {"status": "unsigned", "key": None}
    assert "is unsigned" in refusal(backup, key)
    assert (verdict(backup.folder), verdict(backup.folder, key)) == ("good", "refused")
    assert collect(str(root), Filter())["backups"][0]["signing_key"] is None


def test_another_key_is_told_from_a_signature_that_does_not_match(
    root: Path, key: SigningKey, other: SigningKey
) -> None:
    backup = store(root, content=DUMP, key=other)
    assert f"by another key than signed_by names: {other.public}" in refusal(backup, key)
    # It says that it is by the right key, and is signed with the wrong one.
    forged = store(root, "forged", content=DUMP, key=other, signing_key=key.public)
    assert "does not match" in refusal(forged, key)
    assert {verdict(one.folder, key) for one in (backup, forged)} == {"refused"}


def test_any_changed_byte_of_manifest_or_signature_is_refused(root: Path, key: SigningKey) -> None:
    backup = store(root, content=DUMP, key=key)
    signature = backup.folder / "manifest.json.sig"
    for position in range(64):
        flip_bit(signature, position)
        assert "does not match" in refusal(backup, key)
        assert verdict(backup.folder) == "damaged"
        flip_bit(signature, position)
    whole = signature.read_bytes()
    for content in (whole[:-1], whole + b"x", b""):
        signature.write_bytes(content)
        refusal(backup, key)
    signature.write_bytes(whole)
    rewrite_manifest(backup.folder, size_bytes=1)
    assert "does not match" in refusal(read_backup(backup.folder), key)
    assert "was changed while" in refusal(backup, key)
    signature.unlink()
    assert "is unsigned" in refusal(read_backup(backup.folder), key)


def test_a_replaced_archive_is_found_before_it_is_used(root: Path, key: SigningKey) -> None:
    backup = store(root, content=DUMP, key=key)
    flip_bit(backup.folder / backup.manifest["archives"][0]["name"], -1)
    with pytest.raises(ArchiveDamaged, match="sha256 differs"):
        check_backup(backup, [key.public])


def test_a_signed_backup_counts_in_its_own_place_only(root: Path, key: SigningKey, tmp_path: Path) -> None:
    backup = store(root, content=DUMP, key=key)
    database, instance, host = backup.folder.parent, backup.folder.parents[1], backup.folder.parents[2]
    for place in (
        host.with_name("db2") / instance.name / database.name / backup.folder.name,
        host / "other-db" / database.name / backup.folder.name,
        instance / "other" / backup.folder.name,
        database / "20991120T050607Z-01234567",
        tmp_path / backup.folder.name,
    ):
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(backup.folder, place)
        moved = read_backup(place)
        assert "belongs in db1/shop-db/shop/" in refusal(moved, key)
        assert verdict(place, key) == "refused"
    whole = tmp_path / "copy" / Path(*backup.place())
    shutil.copytree(backup.folder, whole)
    assert check_manifest(read_backup(whole), [key.public])["status"] == "verified"


def test_verify_goes_on_behind_a_refused_backup_and_counts_it(root: Path, key: SigningKey) -> None:
    store(root, "a", content=DUMP, key=key)
    store(root, "b", content=DUMP)
    store(root, None, content=b"{}", form="json", key=key)
    result = verify_run(VerifyRequest(level="digest", repository=str(root), signed_by=(key.public,)))
    assert result["status"] == "failed"
    assert (result["counts"]["good"], result["counts"]["refused"]) == (2, 1)
    assert {entry["database"]: entry["signature"]["status"] for entry in result["backups"]} == {
        "a": "verified",
        "b": "unsigned",
        None: "verified",
    }


def test_openssl_verifies_a_signature_as_the_page_says(root: Path, key: SigningKey, tmp_path: Path) -> None:
    backup = store(root, content=DUMP, key=key)
    (tmp_path / "host.pub.pem").write_text(pem_of(key.public))
    page = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
    command = next(line for line in page.splitlines() if line.startswith("openssl pkeyutl -verify "))
    words = command.replace("host.pub.pem", str(tmp_path / "host.pub.pem")).split()

    def run() -> subprocess.CompletedProcess[Any]:
        return subprocess.run(words, cwd=backup.folder, capture_output=True, check=False)

    assert run().returncode == 0, run().stderr
    checksums = ["sha256sum", "--strict", "-c", "manifest.json.sha256"]
    assert subprocess.run(checksums, cwd=backup.folder, capture_output=True, check=False).returncode == 0
    flip_bit(backup.folder / "manifest.json", 5)
    assert run().returncode != 0
