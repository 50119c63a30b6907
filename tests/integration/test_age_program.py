# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""age streams and the `age` program read each other's files."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from backupdb.age.identity_file import generate_identity, read_identity_file, write_identity_file
from backupdb.age.stream import (
    Decryptor,
    Encryptor,
    Identity,
    Recipient,
    ScryptIdentity,
    ScryptRecipient,
    X25519Recipient,
)
from support.age_program import age, age_keygen, age_on_terminal

pytestmark = pytest.mark.distro

CHUNK = 64 * 1024
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * 1024 * 1024 + 7]


def encrypt(plain: bytes, *recipients: Recipient) -> bytes:
    encryptor = Encryptor(recipients)
    return encryptor.update(plain) + encryptor.finish()


def decrypt(sealed: bytes, *identities: Identity) -> bytes:
    decryptor = Decryptor(identities)
    return decryptor.update(sealed) + decryptor.finish()


def foreign_key(folder: Path, name: str) -> tuple[Path, str]:
    """An identity file made by age-keygen, and its recipient."""
    text, recipient = age_keygen()
    path = folder / name
    path.touch(mode=0o600)
    path.write_text(text)
    return path, recipient


@pytest.mark.parametrize("size", SIZES)
def test_age_reads_what_we_write_for_each_of_several_recipients(tmp_path: Path, size: int) -> None:
    plain = os.urandom(size)
    keys = [foreign_key(tmp_path, f"key{number}") for number in range(3)]
    sealed = encrypt(plain, *(X25519Recipient(recipient) for _path, recipient in keys))
    for path, _recipient in keys:
        assert age("-d", "-i", str(path), data=sealed) == plain


@pytest.mark.parametrize("size", SIZES)
def test_we_read_what_age_writes_for_each_of_several_recipients(tmp_path: Path, size: int) -> None:
    plain = os.urandom(size)
    keys = [foreign_key(tmp_path, f"key{number}") for number in range(3)]
    sealed = age(*(word for _path, recipient in keys for word in ("-r", recipient)), data=plain)
    for path, _recipient in keys:
        assert decrypt(sealed, *read_identity_file(str(path)).identities) == plain


def test_age_takes_our_identity_file_and_names_the_same_recipient(tmp_path: Path) -> None:
    identity, path = generate_identity(), tmp_path / "identity.txt"
    write_identity_file(str(path), identity)
    shown = subprocess.run(["age-keygen", "-y", str(path)], check=True, capture_output=True, text=True).stdout
    assert shown.strip() == identity.recipient
    assert age("-d", "-i", str(path), data=encrypt(b"plain", X25519Recipient(identity.recipient))) == b"plain"
    assert decrypt(age("-r", identity.recipient, data=b"plain"), identity) == b"plain"


def test_age_refuses_what_we_wrote_once_it_is_cut_or_altered(tmp_path: Path) -> None:
    path, recipient = foreign_key(tmp_path, "key")
    sealed = encrypt(os.urandom(2 * CHUNK), X25519Recipient(recipient))
    for damaged in (sealed[: -CHUNK - 16], sealed[:-1], sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed + b"x"):
        with pytest.raises(subprocess.CalledProcessError):
            age("-d", "-i", str(path), data=damaged)


def test_age_opens_with_the_passphrase_what_we_closed_with_it(tmp_path: Path) -> None:
    plain, source, target = os.urandom(CHUNK + 1), tmp_path / "sealed", tmp_path / "plain"
    source.write_bytes(encrypt(plain, ScryptRecipient("a pass phrase", work_factor=12)))
    assert age_on_terminal(["-d", "-o", str(target), str(source)], ["another phrase"]) != 0
    assert age_on_terminal(["-d", "-o", str(target), str(source)], ["a pass phrase"]) == 0
    assert target.read_bytes() == plain


def test_we_open_with_the_passphrase_what_age_closed_with_it(tmp_path: Path) -> None:
    plain, source, target = os.urandom(CHUNK + 1), tmp_path / "plain", tmp_path / "sealed"
    source.write_bytes(plain)
    assert age_on_terminal(["-p", "-o", str(target), str(source)], ["a pass phrase", "a pass phrase"]) == 0
    assert decrypt(target.read_bytes(), ScryptIdentity("a pass phrase")) == plain
