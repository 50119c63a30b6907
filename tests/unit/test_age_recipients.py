# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recipients and identities: what is wrong with a bad one is said, and no secret is ever shown."""

from __future__ import annotations

import subprocess
import sys

import pytest
from backupdb.age import bech32
from backupdb.age.stream import (
    Encryptor,
    ScryptIdentity,
    ScryptRecipient,
    X25519Identity,
    X25519Recipient,
    fingerprint,
)
from backupdb.errors import InvalidOption, RequirementMissing
from support import needs
from support.library import RECIPIENT

SECRET = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"


def test_the_recipient_of_the_specification_follows_from_its_identity() -> None:
    assert X25519Identity(SECRET).recipient == RECIPIENT


@pytest.mark.parametrize(
    ("recipient", "reason"),
    [
        (RECIPIENT[:-1], "checksum"),
        (RECIPIENT + "q", "checksum"),
        (RECIPIENT.replace("z", "b", 1), "character 5 "),
        ("age1" + RECIPIENT[4:].upper(), "mixes"),
        (RECIPIENT.upper(), 'does not begin with "age1"'),
        (bech32.encode("age", bytes(31)), "31 bytes instead of 32"),
        (bech32.encode("age1pq", bytes(1216)), "post-quantum"),
        (bech32.encode("age1yubikey", bytes(33)), 'type "age1yubikey"'),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", 'does not begin with "age1"'),
    ],
)
def test_a_bad_recipient_is_named_with_the_part_that_is_wrong(recipient: str, reason: str) -> None:
    with pytest.raises(InvalidOption, match=reason) as caught:
        X25519Recipient(recipient)
    assert recipient[:40] in str(caught.value)


@pytest.mark.parametrize(
    "text", [SECRET, SECRET.lower(), " " + SECRET, "age1" + SECRET, SECRET.replace("1", "-PQ-1", 1)]
)
def test_a_secret_key_given_as_recipient_is_never_shown(text: str) -> None:
    with pytest.raises(InvalidOption, match="public key") as caught:
        X25519Recipient(text)
    assert SECRET[16:30].lower() not in str(caught.value).lower()


@pytest.mark.parametrize("text", ["", "correct horse battery staple", "GFPYYSJZGFPYYSJZGFPYYSJZ"])
def test_a_recipient_that_looks_like_nothing_public_is_not_shown(text: str) -> None:
    with pytest.raises(InvalidOption, match="not shown") as caught:
        X25519Recipient(text)
    assert not text or text not in str(caught.value)


def test_a_weak_point_as_recipient_is_refused() -> None:
    recipient = X25519Recipient(bech32.encode("age", bytes(32)))
    with pytest.raises(InvalidOption, match="weak point"):
        Encryptor([recipient])


@pytest.mark.parametrize(
    ("identity", "reason"),
    [
        (SECRET[:-1], "checksum"),
        (SECRET.lower(), "does not begin"),
        (SECRET.replace("G", "B", 1), "character"),
        (RECIPIENT, "does not begin"),
        (bech32.encode("age-secret-key-", bytes(16)).upper(), "16 bytes instead of 32"),
        (bech32.encode("age-secret-key-pq-", bytes(32)).upper(), "post-quantum"),
        ("", 'no "1"'),
    ],
)
def test_a_bad_identity_is_explained_but_not_shown(identity: str, reason: str) -> None:
    with pytest.raises(InvalidOption, match=reason) as caught:
        X25519Identity(identity)
    assert not identity or identity[20:40] not in str(caught.value)


def test_the_representation_of_a_secret_does_not_hold_it() -> None:
    objects = [X25519Identity(SECRET), ScryptIdentity("passphrase-text"), ScryptRecipient("passphrase-text")]
    assert [str(one) for one in objects] == [
        f"X25519Identity(recipient='{RECIPIENT}')",
        "ScryptIdentity(max_work_factor=22)",
        "ScryptRecipient(work_factor=18)",
    ]
    assert repr(X25519Recipient(RECIPIENT)) == f"X25519Recipient('{RECIPIENT}')"


@pytest.mark.parametrize("work_factor", [0, -1, 31])
def test_a_work_factor_out_of_range_is_refused(work_factor: int) -> None:
    with pytest.raises(InvalidOption, match="work factor"):
        ScryptRecipient("word", work_factor=work_factor)


def test_an_empty_passphrase_is_refused() -> None:
    for kind in (ScryptRecipient, ScryptIdentity):
        with pytest.raises(InvalidOption, match="empty"):
            kind("")


def test_a_fingerprint_is_the_digest_that_openssl_makes() -> None:
    needs.program("openssl", "openssl")
    digest = subprocess.run(
        ["openssl", "dgst", "-sha256", "-binary"], input=RECIPIENT.encode(), check=True, capture_output=True
    ).stdout
    text = subprocess.run(["base64"], input=digest, check=True, capture_output=True).stdout.decode()
    assert fingerprint(RECIPIENT) == "SHA256:" + text.strip().rstrip("=")


def test_a_missing_library_names_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "cryptography"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(RequirementMissing, match="cryptography") as caught:
        X25519Identity(SECRET)
    assert caught.value.library == "cryptography"
    assert "python3-cryptography" in str(caught.value)
